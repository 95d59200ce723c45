"""Relays pages to an external broker, through the daemon's port, with the daemon's account, and within the page's role.

    page -> Line -> GuardedReader -> Relay -> the broker, with TLS if the profile says so
    page <- Line <- GuardedWriter <-

So no browser has a password, a page has the same rights as at the embedded broker, and a tablet needs only the page's
port. A publish that the role does not allow is acknowledged and dropped, as brokers do. What names lifters is not
forwarded to pages.
"""

import asyncio
import contextlib
import struct
from collections.abc import Coroutine
from typing import Any

from monitor.mqtt.broker.guard import (
    PAGE,
    Counts,
    GuardedReader,
    GuardedWriter,
    Line,
    Unsound,
    packet_bytes,
)
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.tls import tls_context
from monitor.mqtt.contract.publish_packet import length_bytes
from monitor.mqtt.contract.roles import Page, names_lifters

CONNECT, PUBLISH = 1, 3
USERNAME, PASSWORD = 0x80, 0x40
REACHED_WITHIN_S = 5.0
READ_BYTES = 65536


class Relay:
    """One relay for all pages; `serve` is one connection."""

    def __init__(self, address: Address) -> None:
        self.counts = Counts()
        self.not_reached = 0  # connections that were closed because the broker did not answer
        self._address = address

    async def serve(self, line: Line, page: Page) -> None:
        """Relays until either side ends the connection."""
        self.counts.connections += 1
        try:
            async with asyncio.timeout(REACHED_WITHIN_S):
                tls = tls_context(self._address) if self._address.tls else None
                source, sink = await asyncio.open_connection(self._address.host, self._address.port, ssl=tls)
        except (OSError, TimeoutError):
            self.not_reached += 1
            await line.close()
            return
        reader, writer = GuardedReader(line, PAGE, self.counts), GuardedWriter(line, self.counts)
        try:
            await _first_of(self._up(reader, sink, writer, page), self._down(source, sink, writer))
        finally:
            line.abort()
            sink.close()
            with contextlib.suppress(OSError):
                await sink.wait_closed()

    async def _up(self, reader: GuardedReader, sink: asyncio.StreamWriter, writer: GuardedWriter, page: Page) -> None:
        while packet := await _packet(reader):
            if packet[0] >> 4 == CONNECT:
                packet = with_account(packet, self._address)
            elif packet[0] >> 4 == PUBLISH:
                topic, acknowledgement = _published(packet)
                if not page.may_publish(topic):
                    self.counts.rejected += 1
                    writer.write(acknowledgement)
                    await writer.drain()
                    continue
            sink.write(packet)
            await sink.drain()

    async def _down(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, writer: GuardedWriter) -> None:
        arriving = bytearray()
        while data := await source.read(READ_BYTES):
            arriving += data
            while (size := packet_bytes(arriving)) is not None and size <= len(arriving):
                packet = bytes(arriving[:size])
                del arriving[:size]
                if packet[0] >> 4 == PUBLISH:
                    topic, acknowledgement = _published(packet)
                    if names_lifters(topic):
                        sink.write(acknowledgement)
                        continue
                writer.write(packet)
                await writer.drain()


async def _first_of(*ways: Coroutine[Any, Any, None]) -> None:
    """The end of one direction ends the other. A peer that leaves or sends an invalid packet is not an error here."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, OSError | Unsound):
                raise outcome


async def _packet(reader: GuardedReader) -> bytes:
    """The next whole packet; empty at the end."""
    packet = await reader.read(1)
    while packet and (len(packet) < 2 or packet[-1] & 0x80):
        packet += await reader.read(1)
    rest = (packet_bytes(packet) or 0) - len(packet)
    return packet + (await reader.read(rest) if rest > 0 else b"")


def with_account(connect: bytes, address: Address) -> bytes:
    """A page's CONNECT with the daemon's account instead of its own."""
    start = connect.index(b"\0\4MQTT\4", 2)
    flags_at = start + 7
    (client_bytes,) = struct.unpack_from(">H", connect, flags_at + 3)
    head, body = (
        bytearray(connect[start : flags_at + 3]),
        bytearray(connect[flags_at + 3 : flags_at + 5 + client_bytes]),
    )
    head[7] &= ~(USERNAME | PASSWORD) & 0xFF
    for flag, word in ((USERNAME, address.username), (PASSWORD, address.password)):
        if word is not None and (flag == USERNAME or address.username is not None):
            head[7] |= flag
            body += struct.pack(">H", len(word.encode())) + word.encode()
    return connect[:1] + length_bytes(len(head) + len(body)) + head + body


def _published(packet: bytes) -> tuple[str, bytes]:
    """The topic of a PUBLISH, and its acknowledgement, which is empty with QoS 0. Raises Unsound."""
    qos = packet[0] >> 1 & 3
    at = 1
    while packet[at] & 0x80:
        at += 1
    if len(packet) < at + 3 + (2 if qos else 0):
        raise Unsound("a PUBLISH without a topic")
    (topic_bytes,) = struct.unpack_from(">H", packet, at + 1)
    end = at + 3 + topic_bytes
    if qos > 1 or len(packet) < end + 2 * qos:
        raise Unsound("a PUBLISH that is cut, or of QoS 2")
    topic = packet[at + 3 : end].decode(errors="replace")
    return topic, b"\x40\x02" + packet[end : end + 2] if qos else b""
