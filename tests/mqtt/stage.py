"""A publisher with its store, a listener, and a broker of either kind."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Self

import aiomqtt
import msgspec
import pytest

from monitor.events import SetStart
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.bookmark import Bookmark
from monitor.mqtt.client.connection import DistantBroker
from monitor.mqtt.client.publisher import Publisher
from monitor.mqtt.contract.commands import Command
from monitor.mqtt.contract.topics import TopicTree
from monitor.store.store import Store
from monitor.store.stored import StoredEvent
from tests import needs
from tests.mqtt.brokers import mosquitto

MACHINE = "leg-press"
TREE = TopicTree(MACHINE)
both = pytest.mark.parametrize("kind", [pytest.param("mosquitto", marks=needs.mosquitto), "embedded"])  # brokers


own_brokers: dict[int, EmbeddedBroker] = {}  # those in this process, by port


@contextlib.asynccontextmanager
async def a_broker(kind: str, folder: Path) -> AsyncIterator[Address]:
    if kind == "embedded":
        async with EmbeddedBroker(passwords={"daemon": "pw"}) as broker:
            own_brokers[broker.port] = broker
            yield Address(host=broker.host, port=broker.port, username="daemon", password="pw")
    else:
        with mosquitto(folder) as process:
            yield Address(host="127.0.0.1", port=process.port)


class Stage:
    """A publisher that runs from `async with` to its end, which is a clean one.

    It needs no connection to a broker of `own_brokers`, unless it `connects`.
    """

    def __init__(self, address: Address, folder: Path, tree: TopicTree = TREE, *, connects: bool = False) -> None:
        self.store = Store(folder / "events.db")
        self.commands: list[Command] = []
        self.bookmark = Bookmark(folder / "mqtt.json")
        own = None if connects else own_brokers.get(address.port)
        broker = own or DistantBroker(address)
        self.publisher = Publisher(tree, broker, self.store, self._carry_out, self.bookmark)

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self.publisher.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.publisher.stop()
        try:
            await self._running
        finally:
            self.store.close()

    async def die(self) -> None:
        """Ends without a message, as after kill -9."""
        self.publisher._publish_offline = _nothing  # type: ignore[method-assign, assignment]
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running
        self._running = asyncio.create_task(asyncio.sleep(0))

    async def happen(self, count: int) -> list[StoredEvent]:
        """Stores events, then has them published."""
        begin = self.store.last_seq
        stored = await asyncio.to_thread(self.store.append, [an_event(begin + number + 1) for number in range(count)])
        self.publisher.events(stored)
        return stored

    async def _carry_out(self, command: Command) -> str | None:
        self.commands.append(command)
        return None


async def _nothing(*_: object) -> None:
    pass


def command(kind: Any, **fields: Any) -> Command:
    return kind(**({"id": f"c-{time.monotonic_ns()}", "stamp_s": time.time()} | fields))  # type: ignore[no-any-return]


def an_event(number: int) -> SetStart:
    return SetStart(
        id=number,
        session="a-session",
        set=1,
        t_s=0.1 * number,
        found_s=0.1 * number,
        duration_s=0,
        rep=None,
        phase="rest",
        position_m=0.0,
    )


class Listener:
    """Receives everything on some topics, in order, decoded."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.heard: list[tuple[str, Any, bool]] = []
        self._unread: list[tuple[str, Any]] = []

    async def next(self, topic: str | None = None, **wanted: Any) -> Any:
        """The next message of this topic (below the machine's) that has these values.

        Messages of other topics stay unread: nothing says in which order the messages of two topics come.
        """
        while True:
            body = await self._next_of(topic)
            if all(body.get(key) == value for key, value in wanted.items()):
                return body

    async def _next_of(self, topic: str | None) -> Any:
        for unread in self._unread:
            if topic in (None, unread[0]):
                self._unread.remove(unread)
                return unread[1]
        async for message in self.client.messages:
            name = message.topic.value.split("/", 2)[2]
            body = msgspec.json.decode(bytes(message.payload) or b"{}")  # empty: cleared
            self.heard.append((name, body, message.retain))
            if topic in (None, name):
                return body
            self._unread.append((name, body))
        raise AssertionError("the listener's connection ended")


@contextlib.asynccontextmanager
async def listening(address: Address, *topics: str, qos: int = 1, name: str | None = None) -> AsyncIterator[Listener]:
    client = aiomqtt.Client(
        address.host, address.port, identifier=name, username=address.username, password=address.password
    )
    async with client:
        for topic in topics or ("#",):
            await client.subscribe(f"rep/{MACHINE}/{topic}", qos)
        yield Listener(client)


async def until(what: Callable[[], bool]) -> None:
    while not what():  # noqa: ASYNC110 - the condition sends no notification
        await asyncio.sleep(0.01)


def play(story: Awaitable[None], within_s: float = 600.0) -> None:
    """Runs a story. The limit is for one that never ends: on a busy machine some take ten times longer."""

    async def timed() -> None:
        async with asyncio.timeout(within_s):
            await story

    asyncio.run(timed())


def seqs(events: Sequence[Any]) -> list[int]:
    return [event.seq for event in events]
