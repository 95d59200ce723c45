"""The client reads and writes once a wake, loses nothing to a full socket, and waits for nobody who waits for it."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.mqtt.client import lean_client
from monitor.mqtt.client.connection import connect
from monitor.mqtt.client.lean_client import BufferedSocket, LeanClient
from monitor.mqtt.contract.payload import Packet
from tests import needs
from tests.mqtt.stage import a_broker, play, until

PUBLISH, DISCONNECT = b"\x30\x02ab", b"\xe0\x00"


class Counted:
    """A socket whose calls are counted; it takes `room` bytes at most."""

    def __init__(self, inner: socket.socket) -> None:
        self.inner = inner
        self.calls: list[str] = []
        self.room = 1_000_000

    def recv(self, size: int) -> bytes:
        self.calls.append("recv")
        return self.inner.recv(size)

    def send(self, data: bytes) -> int:
        self.calls.append("send")
        if not self.room:
            raise BlockingIOError
        taken = self.inner.send(data[: self.room])
        self.room -= taken
        return taken

    def fileno(self) -> int:
        return self.inner.fileno()


@pytest.fixture
def pair() -> Any:
    here, there = socket.socketpair()
    here.setblocking(False)
    with here, there:
        yield Counted(here), there


def test_a_socket_reads_ahead_and_writes_at_once(pair: tuple[Counted, socket.socket]) -> None:
    counted, there = pair
    sock = BufferedSocket(counted)
    there.send(b"abcdefg")
    assert [sock.recv(1), sock.recv(2), sock.pending(), sock.recv(9), sock.pending()] == [b"a", b"bc", 4, b"defg", 0]
    assert counted.calls == ["recv"]
    with pytest.raises(BlockingIOError):
        sock.recv(1)
    counted.calls.clear()
    sock.hold()
    assert [sock.send(PUBLISH) for _ in range(20)] == [4] * 20
    assert not counted.calls
    sock.flush()
    assert counted.calls == ["send"]
    assert there.recv(999) == 20 * PUBLISH
    there.close()
    assert sock.recv(1) == b"", "the end"


def test_what_a_full_socket_does_not_take_is_sent_later_in_order(pair: tuple[Counted, socket.socket]) -> None:
    counted, there = pair
    sock = BufferedSocket(counted)
    counted.room = 3
    sock.hold()
    sock.send(PUBLISH)
    sock.flush()
    assert sock.full
    with pytest.raises(BlockingIOError):
        sock.send(PUBLISH)
    sock.hold()
    assert sock.send(b"\x30\x02cd") == 4
    with pytest.raises(BlockingIOError):  # paho closes the socket as soon as a DISCONNECT is taken
        sock.send(DISCONNECT)
    counted.room = 99
    assert sock.send(DISCONNECT) == 2
    assert there.recv(99) == PUBLISH + b"\x30\x02cd" + DISCONNECT
    assert not sock.full


def test_a_broker_that_waits_for_acknowledgements_is_not_kept_waiting(
    pair: tuple[Counted, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lean_client, "HURRY_S", 60.0)  # the third read comes within it on any computer
    sock = BufferedSocket(pair[0])

    async def story() -> None:
        loop, client = asyncio.get_running_loop(), LeanClient("nowhere", gathered_s=60.0)
        for in_window, goes_on in [(3, False), (20, True), (3, True)]:
            client._begin_reading(sock)
            client._in_window = in_window
            client._gather(sock)
            assert loop.remove_reader(sock.fileno()) == goes_on

    play(story())


@needs.mosquitto
@pytest.mark.parametrize("version", [4, 5])
def test_a_message_that_is_written_at_once_follows_those_that_wait(version: int, tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            a_broker("mosquitto", tmp_path) as address,
            connect(address, "reader") as reader,
            connect(msgspec.structs.replace(address, version=version), "writer") as writer,
        ):
            await reader.subscribe(["größe"], 0)
            publishing = asyncio.create_task(writer.publish(Packet("größe", b"0", 1, False)))
            await asyncio.sleep(0)  # paho has the message, and writes it in the next turn of the loop
            assert writer._paho.want_write()
            for number in range(1, 200):
                writer.send(Packet("größe", b"%d" % number, 0, False))
            assert not writer._paho.want_write()
            await publishing
            await until(lambda: len(reader._client.arrived) >= 200)
            assert [message.payload for message in reader.arrived()] == [b"%d" % number for number in range(200)]

    play(story())


def test_what_is_written_at_once_waits_for_a_full_socket(pair: tuple[Counted, socket.socket]) -> None:
    counted, there = pair
    counted.room = 3

    async def story() -> None:
        client = LeanClient("nowhere")
        sock = client._client._sock = BufferedSocket(counted)  # type: ignore[assignment]
        assert client.write_now(PUBLISH)
        assert sock.full
        counted.room = 99
        await until(lambda: not sock.full)
        assert there.recv(99) == PUBLISH
        client._client._sock = None
        assert not client.write_now(PUBLISH), "the connection has ended"

    play(story())


@needs.mosquitto
def test_messages_are_gathered_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = {"_read": 0, "_begin_reading": 0}

    def count(name: str) -> None:
        inner = getattr(LeanClient, name)

        def counted(self: LeanClient, *args: Any) -> None:
            calls[name] += self._gathered_s > 0
            inner(self, *args)

        monkeypatch.setattr(LeanClient, name, counted)

    for name in calls:
        count(name)

    async def story() -> None:
        async with (
            a_broker("mosquitto", tmp_path) as address,
            connect(address, "reader", gathered_s=0.2) as reader,
            connect(address, "writer") as writer,
        ):
            await reader.subscribe(["rep/m/event/jerk"], 1)
            for qos in (0, 1):
                calls.update(dict.fromkeys(calls, 0))
                packets = [Packet("rep/m/event/jerk", b"%d" % number, qos, False) for number in range(400)]
                await asyncio.gather(*(writer.publish(packet) for packet in packets))
                received: list[int] = []
                async for message in reader.messages():
                    received.append(int(message.payload))
                    if len(received) == 400:
                        break
                assert received == list(range(400))
                if qos == 0:
                    assert calls["_read"] <= 40, "each read takes everything that has come"
                    assert calls["_begin_reading"] >= calls["_read"] - 1, "and the next one waits"

    play(story())
