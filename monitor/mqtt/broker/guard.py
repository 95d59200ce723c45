"""Guards each connection to the embedded broker, so that no peer can harm it by what it sends or stops sending.

    socket -> Line -> GuardedReader -> amqtt -> GuardedWriter -> Line -> socket

amqtt 0.12 does not enforce keep-alive, reads beyond the end of a packet, and buffers without limit for a peer that has
stopped reading. So the reader passes on only whole packets, and ends the connection if none comes for 1.5 times the
keep-alive of CONNECT. The writer drops live messages (QoS 0: they may be lost, but must not be late) while the peer is
behind, and disconnects a peer that is far behind or has read nothing for STANDSTILL_S.
"""

import asyncio
import ssl
import struct
from collections import deque
from typing import NamedTuple, Protocol

import msgspec
from amqtt.adapters import ReaderAdapter, WriterAdapter

from monitor.mqtt.contract.publish_packet import PUBLISH_QOS_0
from monitor.mqtt.contract.roles import OWN_CLIENTS

CONNECT_WITHIN_S = 10.0  # for the first packet
KEEP_ALIVE_FACTOR = 1.5  # MQTT 3.1.1, 3.1.2.10
NO_KEEP_ALIVE_S = 300.0  # the limit for a peer that asks for no keep-alive
MAX_PACKET_BYTES = 256 * 1024
SEND_BUFFER_BYTES = 32 * 1024  # of a line, small, so that a slow reader is noticed early
BEHIND_BYTES = 8 * 1024  # about a second of live feedback; more would be late
FAR_BEHIND_BYTES = 256 * 1024
CLIENT_PACKETS = {*range(0x30, 0x36), *range(0x3A, 0x3E), 0x40, 0x50, 0x62, 0x70, 0x82, 0xA2, 0xC0, 0xE0}
WHOLE_BYTES = {0x40: 4, 0x50: 4, 0x62: 4, 0x70: 4, 0xC0: 2, 0xE0: 2}  # amqtt would read extra bytes as a packet
MQTT_3_1_1 = 4
CLEAN_SESSION, WILL = 0x02, 0x04
UNACCEPTABLE_VERSION = b"\x20\x02\x00\x01"
STANDSTILL_S = 10.0  # data waits, and no byte has left for this long


class Counts(msgspec.Struct):
    """Counters of the guard and of the broker behind it."""

    connections: int = 0
    rejected: int = 0  # not admitted, or sent a packet that no client may send
    expired: int = 0  # keep-alive
    slow_readers_cut: int = 0
    live_dropped: int = 0  # QoS 0 messages that would have been late
    takeovers: int = 0
    complaints: int = 0  # warnings and errors of amqtt


class Line(Protocol):
    """A connection to a peer, over TCP or WebSocket."""

    peer: tuple[str, int]

    async def pull(self) -> bytes: ...  # b"" at the end

    async def push(self, data: bytes) -> None: ...

    def push_now(self, data: bytes) -> None: ...  # without waiting for room; nothing if the connection has ended

    def unsent_bytes(self) -> int: ...

    def abort(self) -> None: ...

    async def close(self) -> None: ...


class Connect(NamedTuple):
    """The fields of a CONNECT packet that the guard checks."""

    keep_alive_s: int
    clean_session: bool
    has_will: bool
    client_id: str


class Unsound(Exception):
    """A packet that a client may not send here."""


class OtherVersion(Unsound):
    """MQTT 5 or 3.1: the client may try again with 3.1.1."""


def packet_bytes(data: bytes | bytearray) -> int | None:
    """The length of the first packet; None if its fixed header is incomplete. Raises Unsound."""
    length = 0
    for index, digit in enumerate(data[1:5]):
        length |= (digit & 0x7F) << (7 * index)
        if digit < 0x80:
            if length > MAX_PACKET_BYTES:
                raise Unsound(f"a packet of {length} bytes")
            return 2 + index + length
    if len(data) >= 5:
        raise Unsound("a length without an end")
    return None


def read_connect(packet: bytes | bytearray) -> Connect:
    """Reads the fixed header, "MQTT", level, flags, keep-alive and client id. Raises Unsound."""
    start = _protocol_name(packet)
    if packet[0] != 0x10 or start < 0 or len(packet) < start + 12:
        raise Unsound("the first packet is not CONNECT")
    if packet[start + 6] != MQTT_3_1_1:
        raise OtherVersion
    flags, keep_alive_s, length = struct.unpack_from(">BHH", packet, start + 7)
    client_id = packet[start + 12 : start + 12 + length].decode(errors="replace")
    return Connect(keep_alive_s, bool(flags & CLEAN_SESSION), bool(flags & WILL), client_id)


def with_clean_session(connect: bytes) -> bytes:
    """The same CONNECT with a session that ends with its connection.

    amqtt keeps the session of an anonymous client for one second only, and taking over a kept session ends both
    connections.
    """
    packet = bytearray(connect)
    packet[_protocol_name(packet) + 7] |= CLEAN_SESSION
    return bytes(packet)


def _filters(subscribe: bytes) -> int:
    """The number of filters in a SUBSCRIBE; amqtt checks that it is complete."""
    at = 1
    while subscribe[at] & 0x80:
        at += 1
    at, found = at + 3, 0
    while at + 2 <= len(subscribe):
        at += 3 + int.from_bytes(subscribe[at : at + 2])
        found += 1
    return found


def _protocol_name(packet: bytes | bytearray) -> int:
    """The offset of the protocol name, after a fixed header of 2 to 5 bytes; -1 if it is not there."""
    return packet.find(b"\0\4MQTT", 2, 5 + 6)


class Allowance(NamedTuple):
    """The packets that a kind of client may send; any other packet ends its connection."""

    is_page: bool
    publishes: frozenset[int]  # the first byte: QoS, retain flag, repetition
    most_publish_bytes: int
    most_filters: int  # of all subscriptions of a connection
    most_unreleased: int  # publishes of QoS 2 without their PUBREL

    def admit(self, connect: Connect) -> None:
        """Raises Unsound for a page with a will, which could publish anything, or a kept session, maybe another's."""
        if self.is_page and (
            connect.has_will or not connect.clean_session or connect.client_id.startswith(OWN_CLIENTS)
        ):
            raise Unsound("a page must not have a will, a kept session or the daemon's client id")


LOCAL = Allowance(False, frozenset({*range(0x30, 0x36), *range(0x3A, 0x3E)}), MAX_PACKET_BYTES, 1024, 64)
PAGE = Allowance(True, frozenset({0x30, 0x32, 0x3A}), 4096 + 256, 64, 0)  # a command of 4096 bytes and its topic


class GuardedReader(ReaderAdapter):  # type: ignore[misc]
    """Gives amqtt only whole packets, of the types that a client may send.

    No read goes beyond the end of a packet: a field that is longer than its packet ends the connection.
    """

    def __init__(self, line: Line, allowance: Allowance, counts: Counts) -> None:
        self._line = line
        self._allowance = allowance
        self._filters = self._unreleased = 0
        self._counts = counts
        self._arriving = bytearray()
        self._sound: deque[bytes] = deque()
        self._packet = memoryview(b"")  # the unread rest of the current packet
        self._connected = False
        self._ended = False
        self._idle_s = CONNECT_WITHIN_S
        self._last_s = asyncio.get_running_loop().time()

    async def read(self, n: int = -1) -> bytes:
        if n == 0:
            return b""
        if not self._packet:
            while not self._sound and not self._ended:
                await self._fill()
            if not self._sound:
                return b""
            self._packet = memoryview(self._sound.popleft())
        if n > len(self._packet):
            self._sound.clear()
            self._reject()
        data, self._packet = self._packet[:n], self._packet[n:]
        return bytes(data)

    async def _fill(self) -> None:
        try:
            async with asyncio.timeout_at(self._last_s + self._idle_s):
                data = await self._line.pull()
        except TimeoutError:
            self._counts.expired += 1
            self._end()
            return
        self._arriving += data
        try:
            while (size := packet_bytes(self._arriving)) is not None and size <= len(self._arriving):
                packet = bytes(self._arriving[:size])
                del self._arriving[:size]
                self._sound.append(self._judged(packet))
                self._last_s = asyncio.get_running_loop().time()
        except OtherVersion:  # amqtt would misread the packet and wait for more
            await self._line.push(UNACCEPTABLE_VERSION)
            await self._line.close()
            self._ended = True
        except Unsound:
            self._reject()
        if not data:
            self._end()

    def _judged(self, packet: bytes) -> bytes:
        if self._connected:
            if packet[0] not in CLIENT_PACKETS or len(packet) != WHOLE_BYTES.get(packet[0], len(packet)):
                raise Unsound(f"packet {packet[0]:#04x} of {len(packet)} bytes")
            self._count(packet)
            return packet
        connect = read_connect(packet)
        self._allowance.admit(connect)
        self._connected = True
        self._idle_s = connect.keep_alive_s * KEEP_ALIVE_FACTOR or NO_KEEP_ALIVE_S
        return with_clean_session(packet)

    def _count(self, packet: bytes) -> None:
        allowance = self._allowance
        match packet[0] >> 4:
            case 0x3 if packet[0] not in allowance.publishes or len(packet) > allowance.most_publish_bytes:
                raise Unsound(f"a PUBLISH {packet[0]:#04x} of {len(packet)} bytes")
            case 0x3:
                self._unreleased += packet[0] & 0x04 > 0
            case 0x6:
                self._unreleased = max(0, self._unreleased - 1)
            case 0x8:
                self._filters += _filters(packet)
        if self._filters > allowance.most_filters or self._unreleased > allowance.most_unreleased:
            raise Unsound(f"{self._filters} filters, {self._unreleased} messages that were not released")

    def _reject(self) -> None:
        self._counts.rejected += 1
        self._end()

    def _end(self) -> None:
        self._ended = True
        self._line.abort()

    def feed_eof(self) -> None:
        self._ended = True


class GuardedWriter(WriterAdapter):  # type: ignore[misc]
    """Takes packets from amqtt: one packet per `write`, then `drain`; and whole packets for many peers."""

    def __init__(self, line: Line, counts: Counts) -> None:
        self._line = line
        self._counts = counts
        self._pending = bytearray()
        self._pushed_bytes = 0
        self._left_bytes = -1
        self._left_at_s = 0.0
        self.is_closed = False
        self.is_behind = False  # so far that its connection was ended

    def write(self, data: bytes) -> None:
        self._pending += data

    async def drain(self) -> None:
        packet = bytes(self._pending)
        self._pending.clear()
        if packet and self._has_room(packet):
            await self._line.push(packet)
        elif self.is_behind:
            raise ConnectionResetError("slow reader")

    def send_now(self, packet: bytes) -> None:
        """Sends a whole packet without waiting, or drops it: the same bytes may go to many peers."""
        if self._has_room(packet):
            self._line.push_now(packet)

    def _has_room(self, packet: bytes) -> bool:
        """Counts the packet as sent, unless its peer is behind or gone. A peer that is far behind is disconnected."""
        if self.is_closed:
            return False
        unsent_bytes = self._line.unsent_bytes()
        if unsent_bytes > FAR_BEHIND_BYTES or self._stands_still(unsent_bytes):
            self._counts.slow_readers_cut += 1
            self.is_behind = True
            self.abort()
            return False
        if unsent_bytes > BEHIND_BYTES and packet[0] in PUBLISH_QOS_0:
            self._counts.live_dropped += 1
            return False
        self._pushed_bytes += len(packet)
        return True

    def _stands_still(self, unsent_bytes: int) -> bool:
        now_s = asyncio.get_running_loop().time()
        left_bytes = self._pushed_bytes - unsent_bytes
        if left_bytes > self._left_bytes or unsent_bytes == 0:
            self._left_bytes, self._left_at_s = left_bytes, now_s
        return now_s - self._left_at_s > STANDSTILL_S

    def get_peer_info(self) -> tuple[str, int]:
        return self._line.peer

    def get_ssl_info(self) -> ssl.SSLObject | None:
        return None

    def abort(self) -> None:
        self.is_closed = True
        self._line.abort()

    async def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            await self._line.close()
