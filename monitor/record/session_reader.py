"""Reads session recordings: all intact records in stream order, and a list of the damage.

A damaged recording is normal, for example after a power cut, so damage is not an exception: the records before it come
exactly as written, reading continues after it, and `damage` lists what was lost. Only a file that is not a recording,
or one of a newer format, is refused.
"""

import os
import zlib
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from firmware_bridge.chunk import Chunk, ChunkRun
from monitor.events import UNREADABLE, AnyEvent, Feedback
from monitor.record.damage import Damage, LossCounter, Plain
from monitor.record.messages import Messages, messages_of
from monitor.record.records import CHANNELS, FORMAT_VERSION, PROFILE, Gap, Header, Record
from monitor.record.scan import (
    CHUNK,
    HEADER,
    MAGIC,
    METADATA,
    Piece,
    is_own,
    library_of,
    metadata,
    scan,
    summary,
)
from monitor.safe_output import plain

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
                yield from item.chunks()

    def replayable_parts(self) -> Iterator[ChunkRun | Gap]:
        """The same with many chunks at a time."""
        for messages in self._parts():
            begin = 0
            for gap in messages.of("/gap").tolist():
                yield messages.rows(slice(begin, gap)).wire()
                yield self._decode(messages.data()[gap], _GAP)
                begin = gap + 1
            yield messages.rows(slice(begin, None)).wire()

    def chunks(self) -> Iterator[Chunk]:
        return (Chunk(at_ns, data) for topic, at_ns, data in self._pass() if topic == "/wire")

    def events(self) -> Iterator[AnyEvent]:
        return (self._decode(data, _EVENT) for topic, _, data in self._pass() if topic == "/event")

    def feedback(self) -> Iterator[Feedback]:
        return (self._decode(data, _FEEDBACK) for topic, _, data in self._pass() if topic == "/feedback")

    def _pass(self) -> Iterator[Plain]:
        return chain.from_iterable(messages.records() for messages in self._parts())

    def _parts(self) -> Iterator[Messages]:
        """Every record once, many at a time."""
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
                messages = messages_of(piece.body, topics)
                if not losses.take_all(messages.numbers, messages.at_ns):
                    numbered = zip(messages.numbers.tolist(), messages.records(), strict=True)
                    new = [losses.take(number, record, piece) for number, record in numbered]
                    messages = messages.rows(np.array(new, np.bool_))
                yield messages
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


def _topics_of_summary(fd: int) -> dict[int, str]:
    """The channels of a rewritten file, as far as its end repeats them: the chunk that defines them may be damaged."""
    topics: dict[int, str] = {}
    messages_of(summary(fd), topics)
    return topics


def _header_text(piece: Piece, topics: dict[int, str]) -> bytes | None:
    """The header's JSON, if this piece contains an intact copy of it."""
    if piece.opcode == CHUNK:
        messages = messages_of(piece.body, topics)
        return next(iter(messages.rows(messages.of("/header")).data()), None)
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
