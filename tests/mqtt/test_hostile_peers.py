"""Whatever a hostile peer sends and however it leaves, nothing stays: no connection, task, descriptor or session."""

import asyncio
import contextlib
import gc
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import aiomqtt
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from monitor.display.server import PageServer
from monitor.mqtt.broker import guard
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.broker.relay import Relay
from monitor.mqtt.client.address import Address
from tests import needs
from tests.mqtt.brokers import DISCONNECT, connect_packet, mosquitto, publish_packet, subscribe_packet
from tests.mqtt.page_requests import profile
from tests.mqtt.stage import play
from tests.soak import soak, soak_only

GONE_WITHIN_S = 60.0  # the broker waits 5 s for an acknowledgement
PING = b"\xc0\0"
SUBSCRIBE = subscribe_packet("#", 1)
PUBLISH = publish_packet("rep/m/cmd/x", 1, b"x")
PUBLISH_QOS_2 = b"\x34" + PUBLISH[1:]
HTTP = b"GET / HTTP/1.1\r\n\r\n" * 9
EVERY_BYTE = bytes(range(256))
MONSTER = b"\x30\xff\xff\xff\x7f" + bytes(100)


class Trial(NamedTuple):
    """The data to send, one item per write; CONNECT is replaced by the packet with the trial's own client id."""

    writes: tuple[bytes | tuple[bytes, ...], ...]
    is_ended: bool = True  # by the broker, before the peer does anything more


CONNECT, WITH_WILL, KEPT = b"CONNECT", b"WITH_WILL", b"KEPT"
TRIALS = {
    "nothing": Trial((), False),
    "the first byte of CONNECT": Trial((b"\x10",), False),
    "half CONNECT": Trial((connect_packet("half", 0)[:9],), False),
    "no CONNECT": Trial((HTTP,)),
    "CONNECT": Trial((CONNECT,), False),
    "CONNECT twice in one write": Trial(((CONNECT, CONNECT),)),
    "CONNECT twice": Trial((CONNECT, CONNECT)),
    "CONNECT and HTTP in one write": Trial(((CONNECT, HTTP),)),
    "CONNECT and every byte in one write": Trial(((CONNECT, EVERY_BYTE),)),
    "CONNECT and a monster in one write": Trial(((CONNECT, MONSTER),)),
    "CONNECT and HTTP": Trial((CONNECT, HTTP)),
    "CONNECT with a will and HTTP in one write": Trial(((WITH_WILL, HTTP),)),
    "CONNECT for a kept session and HTTP in one write": Trial(((KEPT, HTTP),)),
    "CONNECT and DISCONNECT in one write": Trial(((CONNECT, DISCONNECT),)),
    "CONNECT with a will and DISCONNECT in one write": Trial(((WITH_WILL, DISCONNECT),)),
    "CONNECT and DISCONNECT": Trial((CONNECT, DISCONNECT)),
    "HTTP split": Trial(((CONNECT, HTTP[:3]), HTTP[3:70], HTTP[70:])),
    "CONNECT split": Trial((connect_packet("split", 60)[:5], connect_packet("split", 60)[5:] + HTTP)),
    "SUBSCRIBE and HTTP in one write": Trial(((CONNECT, SUBSCRIBE, HTTP),)),
    "SUBSCRIBE and HTTP": Trial(((CONNECT, SUBSCRIBE), HTTP)),
    "SUBSCRIBE, PUBLISH and HTTP in one write": Trial(((CONNECT, SUBSCRIBE, PUBLISH, HTTP),)),
    "SUBSCRIBE, PUBLISH and HTTP": Trial(((CONNECT, SUBSCRIBE), PUBLISH, HTTP)),
    "SUBSCRIBE cut": Trial(((CONNECT, SUBSCRIBE[:-3]),), False),
    "PUBLISH cut": Trial(((CONNECT, PUBLISH[:-3]),), False),
    "PUBLISH without acknowledgement": Trial(((CONNECT, SUBSCRIBE), PUBLISH), False),
    "PUBLISH of QoS 2 without release": Trial(((CONNECT, PUBLISH_QOS_2),), False),
    "PUBLISH of QoS 2 and HTTP in one write": Trial(((CONNECT, PUBLISH_QOS_2, HTTP),)),
    "PUBLISH to a filter": Trial(((CONNECT, publish_packet("a/#", 1, b"x")),), False),
    "SUBSCRIBE longer than itself": Trial(((CONNECT, b"\x82\x06\0\1\xff\xff#\1", PING),)),
    "PUBLISH longer than itself": Trial(((CONNECT, b"\x30\x06\xff\xffabcd", PING),)),
    "PUBACK with another packet in it": Trial(((CONNECT, b"\x40\x07\0\1\x30\xff\xff\x7f\0", PING),)),
    "PING with a body": Trial(((CONNECT, b"\xc0\x02\xc0\0"),)),
}


class Peer(Protocol):
    async def send(self, data: bytes) -> None: ...

    async def ended(self) -> None:
        """Returns when the broker has ended it."""

    async def leave(self) -> None:
        """With a word."""

    def reset(self) -> None:
        """Without a word."""


class TcpPeer:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def ended(self) -> None:
        with contextlib.suppress(ConnectionError):
            await self._reader.read()

    async def leave(self) -> None:
        with contextlib.suppress(OSError):
            self._writer.write_eof()
        await self.ended()
        self.reset()

    def reset(self) -> None:
        connection: socket.socket = self._writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


class WebSocketPeer:
    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(data)

    async def ended(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._connection.recv()

    async def leave(self) -> None:
        await self._connection.close()

    def reset(self) -> None:
        self._connection.transport.abort()


class Stage(NamedTuple):
    """An entrance to the broker, and the counters behind it."""

    dial: Callable[[], AbstractAsyncContextManager[Peer]]
    broker: EmbeddedBroker | None


@asynccontextmanager
async def by_tcp(_: Path) -> AsyncIterator[Stage]:
    async with EmbeddedBroker() as broker:

        @asynccontextmanager
        async def dial() -> AsyncIterator[Peer]:
            peer = TcpPeer(*await asyncio.open_connection(broker.host, broker.port))
            yield peer
            peer.reset()

        yield Stage(dial, broker)


@asynccontextmanager
async def by_web_socket(_: Path) -> AsyncIterator[Stage]:
    async with EmbeddedBroker() as broker, PageServer(profile(), broker, lambda: {"v": 1, "sets": []}) as server:
        yield Stage(web_socket(server), broker)


@asynccontextmanager
async def by_relay(folder: Path) -> AsyncIterator[Stage]:
    with mosquitto(folder) as behind:
        relay = Relay(Address(host="127.0.0.1", port=behind.port))
        async with PageServer(profile(host="127.0.0.1"), relay) as server:
            yield Stage(web_socket(server), None)


def web_socket(server: PageServer) -> Callable[[], AbstractAsyncContextManager[Peer]]:
    @asynccontextmanager
    async def dial() -> AsyncIterator[Peer]:
        address = f"ws://127.0.0.1:{server.port}/mqtt"
        async with connect(address, subprotocols=[Subprotocol("mqtt")]) as connection:
            yield WebSocketPeer(connection)
            connection.transport.abort()

    return dial


class Held(NamedTuple):
    connections: int
    tasks: int
    descriptors: int


def held(stage: Stage) -> Held:
    connections = len(stage.broker._connections) if stage.broker else 0
    return Held(connections, len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd")))


async def comes_to(wanted: Any, look: Callable[[], Any]) -> Any:
    """The wanted value, or the last one seen."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GONE_WITHIN_S):
            while look() != wanted:  # noqa: ASYNC110 - nothing reports that a task or a descriptor is gone
                await asyncio.sleep(0.01)
    return look()


def written(item: bytes | tuple[bytes, ...], client_id: str, keep_alive_s: int) -> bytes:
    packets = {
        CONNECT: connect_packet(client_id, keep_alive_s),
        WITH_WILL: connect_packet(client_id, keep_alive_s, will=("a/will", b"x")),
        KEPT: connect_packet(client_id, keep_alive_s, clean=False),
    }
    return b"".join(packets.get(part, part) for part in (item if isinstance(item, tuple) else (item,)))


async def undergo(stage: Stage, trial: Trial, leave: str, client_id: str, keep_alive_s: int) -> None:
    async with asyncio.timeout(GONE_WITHIN_S), stage.dial() as peer:
        for item in trial.writes:
            await peer.send(written(item, client_id, keep_alive_s))
            await asyncio.sleep(0.002)  # usually makes a separate write; the test does not depend on it
        match leave:
            case "waits":
                await peer.ended()
            case "leaves":
                await peer.leave()
            case "resets":
                peer.reset()


@pytest.mark.parametrize(
    ("way", "keep_alive_s"),
    [
        (by_tcp, 0),
        (by_tcp, 60),
        (by_web_socket, 60),
        pytest.param(by_relay, 60, marks=needs.mosquitto),
        pytest.param(by_web_socket, 0, marks=[soak, soak_only]),
        pytest.param(by_relay, 0, marks=[needs.mosquitto, soak, soak_only]),
    ],
)
def test_nothing_stays_of_a_hostile_peer(
    way: Callable[[Path], AbstractAsyncContextManager[Stage]], keep_alive_s: int, tmp_path: Path
) -> None:
    """One peer after another. Without keep-alive amqtt takes another path through the standard library."""
    unhandled: list[Any] = []

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
        async with way(tmp_path) as stage:
            before = held(stage)
            for name, trial in TRIALS.items():
                for leave in ("waits", "leaves", "resets"):
                    if leave == "waits" and not trial.is_ended:
                        continue
                    await undergo(stage, trial, leave, f"{name}, {leave}", keep_alive_s)
                    assert await comes_to(before, lambda: held(stage)) == before, (name, leave)
            if broker := stage.broker:
                assert await comes_to([], lambda: list(broker._broker.sessions)) == []
                assert await comes_to([], lambda: list(broker._broker.subscriptions)) == []
            gc.collect()  # a task with an unread error reports it now

    play(story())
    assert unhandled == []


GREEDY = {
    "a retained command": publish_packet("rep/m/cmd/resume", 1, b"x", retain=True),
    "a command of 5 kB": publish_packet("rep/m/cmd/resume", 1, bytes(5000)),
    "QoS 2": PUBLISH_QOS_2,
    "65 filters": b"".join(subscribe_packet(f"rep/m/{number}", 1) for number in range(65)),
    "65 filters at once": subscribe_packet("rep/m/0", 1, *(f"rep/m/{number}" for number in range(1, 65))),
}


@pytest.mark.parametrize("packet", GREEDY.values(), ids=GREEDY)
@pytest.mark.parametrize("way", [by_web_socket, pytest.param(by_relay, marks=needs.mosquitto)])
def test_a_page_that_takes_more_than_pages_need_is_ended_and_nothing_stays(
    way: Callable[[Path], AbstractAsyncContextManager[Stage]], packet: bytes, tmp_path: Path
) -> None:
    async def story() -> None:
        async with way(tmp_path) as stage:
            before = held(stage)
            await undergo(stage, Trial(((CONNECT, packet),)), "waits", "greedy", 60)
            assert await comes_to(before, lambda: held(stage)) == before
            if broker := stage.broker:
                assert broker.counts.rejected == 1
                assert not broker._broker.retained_messages

    play(story())


@pytest.mark.parametrize("number", [65, 1025])
def test_a_program_on_this_computer_has_limits_too(number: int, tmp_path: Path) -> None:
    async def story() -> None:
        async with by_tcp(tmp_path) as stage:
            before = held(stage)
            unreleased = tuple(publish_packet(f"a/{at}", at + 1, b"x", qos=2) for at in range(number))
            filters = (subscribe_packet("a", 1, *(f"a/{at}" for at in range(1, number))),)
            await undergo(stage, Trial(((CONNECT, *(unreleased if number == 65 else filters)),)), "waits", "busy", 60)
            assert await comes_to(before, lambda: held(stage)) == before

    play(story())


def test_the_will_is_published_unless_a_disconnect_came_however_early() -> None:
    async def story() -> None:
        async with EmbeddedBroker() as broker, aiomqtt.Client(broker.host, broker.port) as watcher:
            await watcher.subscribe("gone/+", 1)
            for name, last in (("polite", DISCONNECT), ("rude", HTTP), ("polite again", DISCONNECT), ("last", HTTP)):
                reader, writer = await asyncio.open_connection(broker.host, broker.port)
                writer.write(connect_packet(name, 60, will=(f"gone/{name}", b"x")) + last)
                with contextlib.suppress(ConnectionError):
                    await reader.read()
                writer.close()
            assert [str((await anext(watcher.messages)).topic) for _ in range(2)] == ["gone/rude", "gone/last"]

    play(story())


def test_an_empty_will_needs_no_next_packet() -> None:
    async def story() -> None:
        async with EmbeddedBroker() as broker:
            reader, writer = await asyncio.open_connection(broker.host, broker.port)
            writer.write(connect_packet("brief", 60, will=("a", b"")))
            assert await reader.readexactly(4) == b"\x20\x02\0\0"
            writer.close()

    play(story())


def test_a_client_that_sends_its_connect_byte_by_byte_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, but the packet does not."""
    monkeypatch.setattr(guard, "CONNECT_WITHIN_S", 0.5)

    async def story() -> None:
        async with EmbeddedBroker() as broker:
            reader, writer = await asyncio.open_connection(broker.host, broker.port)
            packet = b"\x10\xff\x7f" + bytes(16383)
            while not broker.counts.expired:
                writer.write(packet[:1])
                packet = packet[1:]
                await asyncio.sleep(0.05)
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()

    play(story())
