"""Limits what visitors of the page can take: connections, descriptors, and what one connection makes the server hold.

A descriptor always gets the lowest free number, so the number of a new connection shows how many are in use, whoever
uses them. The last ones are reserved for the daemon's own files, port and broker.
"""

import asyncio
import resource
import socket
from collections import Counter
from ipaddress import ip_address
from typing import Any, cast

from websockets.asyncio.server import Server, ServerConnection
from websockets.exceptions import ProtocolError
from websockets.frames import OP_CONT, Frame
from websockets.server import ServerProtocol

from monitor.display.request_reader import read_any_method

RESERVED_DESCRIPTORS = 64
RESERVED_SHARE = 0.25  # of a limit so low that the number above would leave no visitor
MOST_UNGREETED = 128  # connections that have not sent their whole request
MOST_UNGREETED_OF_A_PEER = 32  # a browser opens six at once
MOST_FRAGMENTS = 64  # of one WebSocket message
MOST_UNSENT_BYTES = 1 << 20  # including answers to pings, which nothing else limits


def may_take(descriptor: int) -> bool:
    """True if a new connection with this descriptor leaves enough descriptors to the daemon."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return descriptor < limit - min(RESERVED_DESCRIPTORS, limit * RESERVED_SHARE)


class Door:
    """Admits connections, or closes them before they can send anything."""

    def __init__(self) -> None:
        self.refused = 0
        self.broken_handshakes = 0  # of TLS
        self.handshakes: dict[asyncio.Task[None], asyncio.Transport] = {}  # each with its connection
        self._ungreeted: Counter[str] = Counter()

    def enter(self, connection: socket.socket, peer: str) -> bool:
        if (
            not may_take(connection.fileno())
            or self._ungreeted.total() >= MOST_UNGREETED
            or self._ungreeted[peer] >= MOST_UNGREETED_OF_A_PEER
        ):
            self.refused += 1
            return False
        self._ungreeted[peer] += 1
        return True

    def greeted(self, peer: str) -> None:
        """The request of a connection is complete, or the connection has ended."""
        self._ungreeted[peer] -= 1
        self._ungreeted += Counter()  # removes peers without connections

    def end_handshakes(self) -> None:
        """Also those that have not begun: a task that is cancelled before its first step cannot close anything."""
        for handshake, connection in self.handshakes.items():
            handshake.cancel()
            connection.abort()

    def connection(self, protocol: ServerProtocol, server: Server, **options: Any) -> ServerConnection:
        """Called by `websockets` for each connection."""
        return LimitedConnection(self, protocol, server, **options)


class LimitedConnection(ServerConnection):
    """A connection that is closed when it exceeds a limit."""

    def __init__(self, door: Door, protocol: ServerProtocol, server: Server, **options: Any) -> None:
        super().__init__(protocol, server, **options)
        self._door = door
        self._reader = read_any_method(protocol)
        self._ungreeted_as: str | None = None
        self._fragments = 0
        self._receive_frame = protocol.recv_frame
        protocol.recv_frame = self._count_fragments  # type: ignore[method-assign]

    @property
    def method(self) -> str:
        """The method of the request."""
        return self._reader.method

    @property
    def is_secure(self) -> bool:
        return self.transport.get_extra_info("ssl_object") is not None

    @property
    def is_from_here(self) -> bool:
        """Whether the peer is on this computer."""
        here, there = self.transport.get_extra_info("sockname"), self.transport.get_extra_info("peername")
        return bool(here and there) and (here[0] == there[0] or ip_address(there[0].partition("%")[0]).is_loopback)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername") or ("gone",)
        super().connection_made(transport)
        if self._door.enter(transport.get_extra_info("socket"), peer[0]):
            self._ungreeted_as = peer[0]
            self.request_rcvd.add_done_callback(self._greet)
        else:
            cast(asyncio.Transport, transport).abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._greet()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            self.transport.abort()

    def _greet(self, _: object = None) -> None:
        peer, self._ungreeted_as = self._ungreeted_as, None
        if peer is not None:
            self._door.greeted(peer)

    def _count_fragments(self, frame: Frame) -> None:
        self._fragments = self._fragments + 1 if frame.opcode is OP_CONT else 0
        if self._fragments > MOST_FRAGMENTS:
            raise ProtocolError(f"a message of more than {MOST_FRAGMENTS} fragments")
        self._receive_frame(frame)
