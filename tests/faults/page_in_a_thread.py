"""The page's server with its broker, on an event loop in a thread, for tests that speak to it over a plain socket."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from monitor.display.server import PageServer
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from tests.mqtt.page_requests import profile


@contextmanager
def page_in_a_thread() -> Iterator[int]:
    """The port, until the end of the block."""
    loop, there, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    ports: list[int] = []

    async def serve() -> None:
        async with EmbeddedBroker() as broker, PageServer(profile(), broker) as server:
            ports.append(server.port)
            there.set()
            await over.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            there.set()
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    there.wait()
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
