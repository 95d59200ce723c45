"""Measures the page's server with many pages: latency of the live feedback, and the processor's time for each message.

.venv/bin/python -m tests.benchmarks.bench_pages [PAGES] [SECONDS]

This process has the server, the embedded broker, and a publisher of 25 messages a second, as a daemon does. A second
process has the pages, which only note the age of each message. The clock of both is the computer's monotonic one.
"""

import asyncio
import contextlib
import os
import re
import sys
import time
from functools import partial
from multiprocessing.connection import Connection as Pipe

import aiomqtt
import numpy as np
from websockets.frames import OP_BINARY, Frame

from monitor.display.server import PageServer
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from tests.benchmarks.bench_daemon import beside
from tests.mqtt.page_requests import profile

PAGES, SECONDS, RATE_HZ = 200, 15.0, 25.0
TOPIC = "rep/m/live/feedback"
FEEDBACK = (
    '{"v":1,"t_s":123.456,"sent_ns":%020d,"tension_n":612.4,"tension":1.02,"band":"in","phase":"positive",'
    '"position":0.512,"pace":0.498,"velocity_m_s":0.1234,"set":3,"rep":5,"under_load_s":31.2,"under_tension_s":29.8,'
    '"resting":null,"cue":null,"load_n":600.0,"load_from":"learned","fault":null,"feedback_hz":25.0}'
)
SENT_NS = re.compile(rb'"sent_ns":(\d{20})')
HEAD = (
    b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
)


class Page(asyncio.Protocol):
    """Subscribes to the feedback, and notes how old each message is when it comes."""

    def __init__(self, number: int, ages_ns: list[int]) -> None:
        self._name = b"page%04d" % number
        self._ages_ns = ages_ns
        self.listens = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        connect = b"\x10\x14\x00\x04MQTT\x04\x02\x00\x3c\x00\x08" + self._name
        subscribe = b"\x82\x18\x00\x01\x00\x13" + TOPIC.encode() + b"\x00"
        frames = (Frame(OP_BINARY, packet).serialize(mask=True) for packet in (connect, subscribe))
        transport.write(HEAD + b"".join(frames))

    def data_received(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        ages_ns = [now_ns - int(sent) for sent in SENT_NS.findall(data)]
        self._ages_ns += ages_ns
        if ages_ns and not self.listens.done():
            self.listens.set_result(None)


def pages(pipe: Pipe, port: int, number: int) -> None:
    """Another process: opens the pages, reports when all get messages, and sends all ages when asked."""

    async def listen() -> None:
        ages_ns: list[int] = []
        loop = asyncio.get_running_loop()
        opened = []
        for k in range(number):
            address = f"127.0.0.{2 + k % 200}"  # as many peers: the connections of one are limited
            page = partial(Page, k, ages_ns)
            opened.append(await loop.create_connection(page, "127.0.0.1", port, local_addr=(address, 0)))
        await asyncio.gather(*(page.listens for _, page in opened))
        ages_ns.clear()
        pipe.send("listening")
        await asyncio.to_thread(pipe.recv)
        pipe.send(ages_ns)
        for transport, _ in opened:
            transport.abort()

    asyncio.run(listen())


async def publish(broker: EmbeddedBroker) -> None:
    """As the daemon does, until it is cancelled."""
    async with aiomqtt.Client(broker.host, broker.port) as client:
        due_s = time.monotonic()
        while True:
            due_s = max(due_s + 1 / RATE_HZ, time.monotonic() - 1 / RATE_HZ)
            await asyncio.sleep(due_s - time.monotonic())
            await client.publish(TOPIC, FEEDBACK % time.monotonic_ns(), 0)


async def measure(number: int, seconds: float) -> None:
    async with EmbeddedBroker() as broker, PageServer(profile(), broker) as server:
        publishing = asyncio.create_task(publish(broker))
        with beside(pages, server.port, number) as pipe:
            await asyncio.to_thread(pipe.recv)
            busy_s = time.process_time()
            await asyncio.sleep(seconds)
            busy_s = time.process_time() - busy_s
            pipe.send("enough")
            ages_ms = np.array(await asyncio.to_thread(pipe.recv)) / 1e6
        publishing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await publishing
        dropped = broker.counts.live_dropped
    median, late = np.percentile(ages_ms, [50, 99])
    print(
        f"{number} pages, load {os.getloadavg()[0]:.1f}: {len(ages_ms) / number / seconds:.1f} messages a second for"
        f" each page, p50 {median:.0f} ms, p99 {late:.0f} ms; server {100 * busy_s / seconds:.0f} % of a core,"
        f" {busy_s / len(ages_ms) * 1e6:.0f} us for a message to a page; {dropped} dropped"
    )


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else PAGES
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    asyncio.run(measure(number, seconds))


if __name__ == "__main__":
    main()
