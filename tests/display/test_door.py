"""Any number of visitors: the daemon continues, and other clients are served."""

import asyncio
import os
import resource
import socket
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import connect
from websockets.frames import OP_BINARY, OP_CONT, OP_PING, Frame
from websockets.protocol import State
from websockets.typing import Subprotocol

from monitor.display import door
from monitor.display.server import PageServer
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from tests.mqtt.page_requests import get, half_open, profile
from tests.mqtt.stage import play, until


@pytest.fixture
def few_descriptors() -> Iterator[int]:
    """A limit of 100 more than the open descriptors."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = len(os.listdir("/proc/self/fd")) + 100
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, before[1]))
    yield limit
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_half_open_connections_are_few_and_their_end_lets_others_in() -> None:
    async def story() -> None:
        async with PageServer(profile(), None) as server:
            peers = [await asyncio.to_thread(half_open, server.port) for _ in range(100)]
            await until(lambda: server.door.refused == 100 - door.MOST_UNGREETED_OF_A_PEER)
            for peer in peers:
                peer.close()
            await until(lambda: server.visitors.handshakes_failed == 100)
            assert (await get(server)).status == 200

    play(story())


def test_the_last_descriptors_are_reserved_for_the_daemon(few_descriptors: int) -> None:
    """Here they are also the peers': both ends of a connection are in this process."""

    async def story() -> None:
        async with PageServer(profile(), None) as server:
            peers = list[socket.socket]()
            while not server.door.refused:
                peers.append(await asyncio.to_thread(half_open, server.port, source=f"127.0.0.{2 + len(peers)}"))
                await asyncio.sleep(0.001)
            reserved = min(door.RESERVED_DESCRIPTORS, few_descriptors * door.RESERVED_SHARE)
            assert few_descriptors - len(os.listdir("/proc/self/fd")) >= reserved - 10
            for peer in peers:
                peer.close()
            await until(lambda: server.visitors.handshakes_failed == len(peers))

    play(story())


def test_connections_that_were_answered_do_not_count_as_half_open() -> None:
    async def story() -> None:
        async with PageServer(profile(), None) as server:
            for _ in range(2 * door.MOST_UNGREETED_OF_A_PEER):
                assert (await get(server)).status == 200
            assert server.door.refused == 0

    play(story())


def frames(*of: Frame) -> bytes:
    return b"".join(frame.serialize(mask=True) for frame in of)


async def is_ended_by(server: PageServer, first: bytes, again: bytes, *, times: int, reads: bool) -> bool:
    """Sends raw frames over an open WebSocket, `again` so many times; returns whether the server has ended it."""
    address = f"ws://127.0.0.1:{server.port}/mqtt"
    async with connect(address, subprotocols=[Subprotocol("mqtt")]) as connection:
        transport = connection.transport
        if not reads:
            transport.pause_reading()
        transport.write(first)
        for _ in range(times):
            if connection.state is not State.OPEN or transport.is_closing():
                return True
            transport.write(again)
            while transport.get_write_buffer_size() and not transport.is_closing():  # noqa: ASYNC110
                await asyncio.sleep(0)
            await asyncio.sleep(0.001)
        transport.abort()
        return False


@pytest.mark.parametrize("data", [b"", b"\x10"], ids=["empty", "of one byte"])
def test_a_message_of_endless_fragments_is_ended(data: bytes) -> None:
    async def story() -> None:
        async with EmbeddedBroker() as broker, PageServer(profile(), broker) as server:
            first = frames(Frame(OP_BINARY, b"", fin=False))
            more = frames(*[Frame(OP_CONT, data, fin=False)] * 1000)
            assert await is_ended_by(server, first, more, times=50, reads=True), "long before its other limits"
            await until(lambda: not broker._connections)

    play(story())


def test_a_peer_that_reads_no_pong_is_disconnected() -> None:
    async def story() -> None:
        async with EmbeddedBroker() as broker, PageServer(profile(), broker) as server:
            pings = frames(*[Frame(OP_PING, bytes(125))] * 1000)
            assert await is_ended_by(server, b"", pings, times=300, reads=False)
            await until(lambda: not broker._connections)

    play(story(), 100)
