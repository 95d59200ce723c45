"""Reads session recordings: everything that is intact, in stream order, and an account of what is not.

A damaged recording is normal (somebody pulled the plug), so damage is never an exception: the records before it come
exactly as written, reading goes on behind it, and `damage` says what was lost. Only a file that is no recording
at all, or one of a newer format, is refused.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from firmware_bridge.chunk import Chunk
from monitor.events import UNREADABLE, AnyEvent, Feedback
from monitor.record.damage import Account, Damage, Plain
from monitor.record.records import FORMAT_VERSION, MESSAGE_CAP_BYTES, PROFILE, TOPICS, Command, Gap, Header, Record
from monitor.record.scan import CHUNK, HEADER, MAGIC, MESSAGE, METADATA, Piece, metadata, scan

_MESSAGE = struct.Struct("<BQHIQQ")  # opcode, length, channel, number, log time, publish time
_MESSAGE_BYTES, _PREFIX_BYTES = _MESSAGE.size, 9  # what stands before the data, and before the length counts
_TOPICS = dict(enumerate(TOPICS, start=1))
_FIRST_PIECES = 8  # the header stands twice in the first four; if not in these, nowhere
_T = TypeVar("_T")


class _Version(msgspec.Struct):
    format_version: int


_VERSION = msgspec.json.Decoder(_Version)
_HEADER = msgspec.json.Decoder(Header)
_COMMAND = msgspec.json.Decoder(Command)
_GAP = msgspec.json.Decoder(Gap)
_FEEDBACK = msgspec.json.Decoder(Feedback)
_EVENT: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


class SessionFileError(Exception):
    """The file is no recording that this version can read; the sentence says why and what helps."""


class SessionFile:
    """A recording. Iterate it for its records, as often as you like; `damage` is complete after a whole pass."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: list[Damage] = []
        self.read_bytes = 0  # how far the pass has come
        self.size_bytes = path.stat().st_size
        self.header: Header | None = self._find_header()  # None: lost, both copies of it

    def __iter__(self) -> Iterator[Record]:
        return map(Record._make, self._pass())

    def replayable(self) -> Iterator[Chunk | Command | Gap]:
        """What a replay needs: the wire, what changed the detection, and where bytes are known to be missing."""
        for topic, at_ns, data in self._pass():
            if topic == "/wire":
                yield Chunk(at_ns, data)
            elif topic == "/command":
                yield self._decode(data, _COMMAND)
            elif topic == "/gap":
                yield self._decode(data, _GAP)

    def chunks(self) -> Iterator[Chunk]:
        return (Chunk(at_ns, data) for topic, at_ns, data in self._pass() if topic == "/wire")

    def events(self) -> Iterator[AnyEvent]:
        return (self._decode(data, _EVENT) for topic, _, data in self._pass() if topic == "/event")

    def feedback(self) -> Iterator[Feedback]:
        return (self._decode(data, _FEEDBACK) for topic, _, data in self._pass() if topic == "/feedback")

    def _pass(self) -> Iterator[Plain]:
        """Every record once, as a plain tuple: a recording has half a million an hour."""
        account = Account(self.path)
        self.damage = account.damage
        fd = os.open(self.path, os.O_RDONLY)
        try:
            for piece in scan(fd):
                self.read_bytes = piece.end_bytes
                if piece.opcode != CHUNK:
                    account.enter(piece)
                    continue
                numbers, records = _messages(piece.body)
                if account.take_all(numbers, records):
                    yield from records
                    continue
                for number, record in zip(numbers, records, strict=True):
                    if account.take(number, record, piece):
                        yield record
        finally:
            os.close(fd)
        account.close()

    def _decode(self, data: bytes, decoder: msgspec.json.Decoder[_T]) -> _T:
        try:
            return decoder.decode(data)
        except UNREADABLE as error:
            raise SessionFileError(f"{self.path} holds a record that this rep-monitor cannot read: {error}") from error

    def _find_header(self) -> Header | None:
        """From either copy. Raises where the file is something else."""
        fd = os.open(self.path, os.O_RDONLY)
        try:
            foreign = not MAGIC.startswith(os.pread(fd, len(MAGIC), 0))
            for piece in islice(scan(fd), _FIRST_PIECES):
                if (text := _header_text(piece)) and (version := _format_version(text)) is not None:
                    return self._decode_header(text, version)
                if piece.opcode == HEADER:
                    foreign |= not piece.body[4:].startswith(PROFILE.encode())
        finally:
            os.close(fd)
        if foreign:
            raise SessionFileError(f"{self.path} is not a session recording of rep-monitor")
        return None

    def _decode_header(self, text: bytes, version: int) -> Header:
        if version > FORMAT_VERSION:
            raise SessionFileError(
                f"{self.path} has format {version} and this rep-monitor reads up to {FORMAT_VERSION}: use a newer one"
            )
        return self._decode(text, _HEADER)


def read_session(path: Path) -> SessionFile:
    """Opens a recording. Raises SessionFileError where it is none, OSError where it cannot be opened."""
    return SessionFile(path)


def _messages(content: bytes) -> tuple[list[int], list[Plain]]:
    """The records of a chunk's content with their numbers; what breaks its structure is not among them."""
    numbers: list[int] = []
    records: list[Plain] = []
    at, last, unpack = 0, len(content) - _MESSAGE_BYTES, _MESSAGE.unpack_from
    while at <= last:
        opcode, length, channel, number, at_ns, _ = unpack(content, at)
        start, at = at + _MESSAGE_BYTES, at + _PREFIX_BYTES + length
        if opcode == MESSAGE and start <= at <= len(content) and at - start <= MESSAGE_CAP_BYTES and channel in _TOPICS:
            numbers.append(number)
            records.append((_TOPICS[channel], at_ns, content[start:at]))
    return numbers, records


def _header_text(piece: Piece) -> bytes | None:
    """The header's JSON, if this piece holds a whole copy of it."""
    if piece.opcode == CHUNK:
        return next((data for topic, _, data in _messages(piece.body)[1] if topic == "/header"), None)
    if piece.opcode == METADATA:
        fields = metadata(piece.body, PROFILE)
        text = fields.get("header", "").encode()
        return text if fields.get("crc32") == str(zlib.crc32(text)) else None
    return None


def _format_version(text: bytes) -> int | None:
    """None where the text is somebody else's."""
    try:
        return _VERSION.decode(text).format_version
    except UNREADABLE:
        return None
