"""The broker inside the daemon: amqtt, on loopback only, behind the guard.

    async with EmbeddedBroker() as broker:
        broker.port                          the TCP listener on 127.0.0.1, for other programs on this computer
        broker.open(client_id, will)         the daemon's own channel, which is no connection
        await broker.serve(line)             one more connection, a page's WebSocket; returns when it has ended

The daemon is no client of it: the client library would take 2 MB, and every message would pass through a socket.

A page may read everything except what names lifters, and publish only the commands of its role (`roles`). What is for
collectors alone passes only between the daemon and clients that log in with an account.
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType, TracebackType
from typing import ClassVar, Self

from monitor.mqtt.broker.guard import LOCAL, PAGE, SEND_BUFFER_BYTES, Counts, GuardedReader, GuardedWriter, Line
from monitor.mqtt.broker.own_channel import OwnChannel
from monitor.mqtt.broker.sound_broker import CLOSE_WITHIN_S, LISTENER, SoundBroker
from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.roles import Page

FLUSH_WITHIN_S = 0.5  # at the end, so that `offline` reaches the pages


class EmbeddedBroker:
    """Runs from `async with` to its end. `passwords`: of the accounts that may use what is for collectors."""

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, passwords: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"the embedded broker has no access control, so it must be on loopback, not on {host}")
        self.host = host
        self.port = port
        self.counts = Counts()
        self._passwords = dict(passwords)

    async def __aenter__(self) -> Self:
        _silence(self.counts)
        self._broker = SoundBroker(self.counts, self._passwords)
        await self._broker.start()
        self._connections: dict[asyncio.Task[None], Line] = {}
        self._server = await asyncio.start_server(self._accepted, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_WITHIN_S):
                await self._broker.all_sent()
        for line in self._connections.values():
            line.abort()
        if self._connections:
            await asyncio.wait(list(self._connections), timeout=CLOSE_WITHIN_S)
        await self._broker.shutdown()

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @contextlib.asynccontextmanager
    async def open(self, _client_id: str, _will: Packet) -> AsyncIterator[OwnChannel]:
        """A `Channel`. It needs no will: the process that would leave it behind is the broker's."""
        channel = OwnChannel(self._broker)
        self._broker.own_channels.append(channel)
        try:
            yield channel
        finally:
            self._broker.own_channels.remove(channel)

    async def serve(self, line: Line, page: Page | None = None) -> None:
        """Serves one connection until it ends: a page's, or that of a program on this computer."""
        self.counts.connections += 1
        if page is not None:
            line.peer = (str(page), line.peer[1])  # amqtt keeps it, so the rights are known at each message
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = line
        allowance = LOCAL if page is None else PAGE
        reader, writer = GuardedReader(line, allowance, self.counts), GuardedWriter(line, self.counts)
        try:
            await self._broker.external_connected(reader, writer, LISTENER)
        finally:
            del self._connections[task]
            line.abort()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # at the end; a stream server would log it as an error
            await self.serve(TcpLine(reader, writer))


class TcpLine:
    """A TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.peer = tuple(writer.get_extra_info("peername") or ("gone", 0))[:2]
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    async def pull(self) -> bytes:
        try:
            return await self._reader.read(65536)
        except OSError:
            return b""  # reset by the peer: treated as the end

    async def push(self, data: bytes) -> None:
        self.push_now(data)

    def push_now(self, data: bytes) -> None:
        if not self._writer.is_closing():  # asyncio would log who writes on
            self._writer.write(data)

    def unsent_bytes(self) -> int:
        return self._writer.transport.get_write_buffer_size()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def close(self) -> None:
        if self.unsent_bytes():
            self.abort()  # a peer that does not read would keep a closing socket open
        else:
            self._writer.close()


class _ComplaintCounter(logging.Handler):
    """Counts amqtt's warnings and errors instead of logging them; amqtt logs every fault of a peer as its own error."""

    counts: ClassVar[Counts] = Counts()

    def emit(self, record: logging.LogRecord) -> None:
        self.counts.complaints += 1


def _silence(counts: Counts) -> None:
    _ComplaintCounter.counts = counts
    for name in ("amqtt", "transitions"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        if not any(isinstance(handler, _ComplaintCounter) for handler in logger.handlers):
            logger.addHandler(_ComplaintCounter())
