"""Reads session recordings: all intact records in stream order, and a list of the damage.

A damaged recording is normal, for example after a power cut, so damage is not an exception: the records before it come
exactly as written, reading continues after it, and `damage` lists what was lost. Only a file that is not a recording,
or one of a newer format, is refused.

Channels are recognised by topic, because tools that rewrite a file may change their numbers.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import msgspec

from firmware_bridge.chunk import Chunk
from monitor.events import UNREADABLE, AnyEvent, Feedback
from monitor.record.damage import Damage, LossCounter, Plain
from monitor.record.records import CHANNELS, FORMAT_VERSION, MESSAGE_CAP_BYTES, PROFILE, Gap, Header, Record
from monitor.record.scan import (
    CHANNEL,
    CHUNK,
    HEADER,
    MAGIC,
    MESSAGE,
    METADATA,
    Piece,
    is_own,
    library_of,
    metadata,
    scan,
    summary,
)
from monitor.safe_output import plain

MOST_NS = 2**62  # no clock that runs since a boot shows 146 years
_MESSAGE = struct.Struct("<BQHIQQ")  # opcode, length, channel, number, log time, publish time
_CHANNEL = struct.Struct("<BQHHI")  # opcode, length, channel, schema, length of the topic
_MESSAGE_BYTES, _PREFIX_BYTES = _MESSAGE.size, 9  # before the data, and before the part that the length counts
_EMPTY_BYTES = _MESSAGE_BYTES - _PREFIX_BYTES  # the length of a message without data
_LONGEST_BYTES = _EMPTY_BYTES + MESSAGE_CAP_BYTES
_OWN_TOPICS: dict[int, str] = {number: topic for topic, number in CHANNELS.items()}
_FIRST_PIECES = 8  # both copies of the header are in the first four; other tools may add some before them
_T = TypeVar("_T")


class _FormatVersion(msgspec.Struct):
    format_version: int


_VERSION = msgspec.json.Decoder(_FormatVersion)
_HEADER = msgspec.json.Decoder(Header)
_GAP = msgspec.json.Decoder(Gap)
_FEEDBACK = msgspec.json.Decoder(Feedback)
_EVENT: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


class SessionFileError(Exception):
    """The file is not a recording that this version can read; the message names the reason and the remedy."""


class SessionFile:
    """A recording. It can be iterated for its records, repeatedly; `damage` is complete after a whole pass."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: list[Damage] = []
        self.read_bytes = 0  # by the current pass
        self.size_bytes = path.stat().st_size
        self.header: Header | None = self._find_header()  # None: both copies are lost

    def __iter__(self) -> Iterator[Record]:
        return map(Record._make, self._pass())

    def replayable(self) -> Iterator[Chunk | Gap]:
        """The items that a replay needs: the bytes of the wire, and the places where records are missing."""
        for item in self.replayable_parts():
            if isinstance(item, Gap):
                yield item
            else:
                yield from item

    def replayable_parts(self) -> Iterator[list[Chunk] | Gap]:
        """The same with many chunks at a time."""
        for records in self._parts():
            begin = 0
            for gap in [k for k, record in enumerate(records) if record[0] == "/gap"]:
                yield _chunks(records[begin:gap])
                yield self._decode(records[gap][2], _GAP)
                begin = gap + 1
            yield _chunks(records[begin:])

    def chunks(self) -> Iterator[Chunk]:
        return (Chunk(at_ns, data) for topic, at_ns, data in self._pass() if topic == "/wire")

    def events(self) -> Iterator[AnyEvent]:
        return (self._decode(data, _EVENT) for topic, _, data in self._pass() if topic == "/event")

    def feedback(self) -> Iterator[Feedback]:
        return (self._decode(data, _FEEDBACK) for topic, _, data in self._pass() if topic == "/feedback")

    def _pass(self) -> Iterator[Plain]:
        return chain.from_iterable(self._parts())

    def _parts(self) -> Iterator[list[Plain]]:
        """Every record once, many at a time and as plain tuples, because there are half a million in an hour."""
        losses = LossCounter(self.path)
        self.damage = losses.damage
        topics = _OWN_TOPICS.copy()
        fd = os.open(self.path, os.O_RDONLY)
        try:
            for piece in scan(fd):
                self.read_bytes = piece.end_bytes
                if piece.opcode == HEADER and not is_own(piece.body):
                    topics = _topics_of_summary(fd)
                if piece.opcode != CHUNK:
                    losses.take_piece(piece)
                    continue
                numbers, records = _messages(piece.body, topics)
                if losses.take_all(numbers, records):
                    yield records
                    continue
                numbered = zip(numbers, records, strict=True)
                yield [record for number, record in numbered if losses.take(number, record, piece)]
        finally:
            os.close(fd)
        losses.close()

    def _decode(self, data: bytes, decoder: msgspec.json.Decoder[_T]) -> _T:
        try:
            return decoder.decode(data)
        except UNREADABLE as error:
            raise SessionFileError(
                f"{self.path} contains a record that this rep-monitor cannot read: {error}"
            ) from error

    def _find_header(self) -> Header | None:
        """The header from either copy. Raises SessionFileError if the file is of another program."""
        topics = _OWN_TOPICS.copy()
        foreign: str | None = None
        fd = os.open(self.path, os.O_RDONLY)
        try:
            if not MAGIC.startswith(os.pread(fd, len(MAGIC), 0)):
                foreign = "not a session recording of rep-monitor"
            for piece in islice(scan(fd), _FIRST_PIECES):
                if piece.opcode == HEADER and not is_own(piece.body):
                    topics = _topics_of_summary(fd)
                if (text := _header_text(piece, topics)) and (version := _format_version(text)) is not None:
                    return self._decode_header(text, version)
                if piece.opcode == HEADER and not piece.body[4:].startswith(PROFILE.encode()):
                    library = library_of(piece.body).decode(errors="replace") or "unknown"
                    foreign = f'an MCAP file of another program ("{library}"), not a session recording of rep-monitor'
        finally:
            os.close(fd)
        if foreign:
            raise SessionFileError(f"{self.path} is {foreign}")
        return None

    def _decode_header(self, text: bytes, version: int) -> Header:
        if version > FORMAT_VERSION:
            raise SessionFileError(
                f"{self.path} has format {version}; this rep-monitor reads up to {FORMAT_VERSION}: use a newer one"
            )
        return _plain(self._decode(text, _HEADER))


def _plain(header: Header) -> Header:
    """The header without control characters: its texts are printed, and somebody else may have written them."""
    texts = {
        name: plain(text)
        for name in ("session", "machine", "created_utc", "daemon_version", "firmware_version")
        if (text := getattr(header, name)) is not None
    }
    provenance = {plain(name): plain(text) for name, text in header.provenance.items()}
    return msgspec.structs.replace(header, provenance=provenance, **texts)


def read_session(path: Path) -> SessionFile:
    """Opens a recording. Raises SessionFileError, or OSError if the file cannot be opened."""
    return SessionFile(path)


def _messages(content: bytes, topics: dict[int, str]) -> tuple[list[int], list[Plain]]:
    """The records of a chunk with their numbers, in order; invalid ones are skipped. Adds new channels to `topics`."""
    numbers: list[int] = []
    records: list[Plain] = []
    at, size, unpack = 0, len(content), _MESSAGE.unpack_from
    last = size - _MESSAGE_BYTES
    while at <= last:
        opcode, length, channel, number, at_ns, _ = unpack(content, at)
        begin, at = at, at + _PREFIX_BYTES + length
        if opcode == MESSAGE:
            whole = at <= size and _EMPTY_BYTES <= length <= _LONGEST_BYTES
            if whole and at_ns < MOST_NS and (topic := topics.get(channel)) is not None:
                numbers.append(number)
                records.append((topic, at_ns, content[begin + _MESSAGE_BYTES : at]))
        elif opcode == CHANNEL and at <= size:
            topics[channel] = _topic(content[begin:at])
    if numbers != sorted(numbers):  # a tool has sorted them by time
        order = sorted(range(len(numbers)), key=numbers.__getitem__)
        return [numbers[k] for k in order], [records[k] for k in order]
    return numbers, records


def _chunks(records: list[Plain]) -> list[Chunk]:
    return [Chunk(at_ns, data) for topic, at_ns, data in records if topic == "/wire"]


def _topics_of_summary(fd: int) -> dict[int, str]:
    """The channels of a rewritten file, as far as its end repeats them: the chunk that defines them may be damaged."""
    topics: dict[int, str] = {}
    _messages(summary(fd), topics)
    return topics


def _topic(channel: bytes) -> str:
    """The topic in a channel record."""
    *_, topic_bytes = _CHANNEL.unpack_from(channel)
    return channel[_CHANNEL.size : _CHANNEL.size + topic_bytes].decode(errors="replace")


def _header_text(piece: Piece, topics: dict[int, str]) -> bytes | None:
    """The header's JSON, if this piece contains an intact copy of it."""
    if piece.opcode == CHUNK:
        return next((data for topic, _, data in _messages(piece.body, topics)[1] if topic == "/header"), None)
    if piece.opcode == METADATA:
        fields = metadata(piece.body, PROFILE)
        text = fields.get("header", "").encode()
        return text if fields.get("crc32") == str(zlib.crc32(text)) else None
    return None


def _format_version(text: bytes) -> int | None:
    """None if the text is not a header of rep-monitor."""
    try:
        return _VERSION.decode(text).format_version
    except UNREADABLE:
        return None
