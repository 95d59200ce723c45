"""Finds the intact records of an MCAP file, however damaged it is.

    magic 8 | record | record | ...                 record: opcode u8 | length u64 | body
    end of the file: DataEnd (CRC of everything before) | summary | Footer (CRC of the summary) | magic

Ordinary readers stop at the first bad byte, or follow a damaged length. Here a chunk counts only if its lengths and CRC
agree (`chunk_body`). After a bad place the scan continues at the next such chunk. Lengths are bounded before they are
used.

A file that another tool has rewritten (the library in its header is not rep-monitor) may contain more kinds of records,
larger chunks, and no CRCs.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from monitor.record.chunk_body import MARKER_AT, NONE, ZSTD, compression_of, content_of, marker

MAGIC = b"\x89MCAP0\r\n"
HOLE, HEADER, FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK = 0, 1, 2, 3, 4, 5, 6
MESSAGE_INDEX, ATTACHMENT, METADATA, DATA_END = 7, 9, 12, 15
RECORD_CAP_BYTES = 2 << 20  # of a record's body, and of a chunk's content, in files of rep-monitor
OWN_LIBRARY = b"rep-monitor "
_PREFIX = struct.Struct("<BQ")
_FOOTER = struct.Struct("<BQQQI")
_WINDOW_BYTES = 1 << 20
_SECTOR_BYTES = 4096
_NO_RECORD = "the bytes are not a record"
_CUT = "the file is cut off"


class _Rules(NamedTuple):
    """The records that a file may contain."""

    opcodes: frozenset[int]
    cap_bytes: int
    crc_optional: bool


_OWN = _Rules(frozenset({HEADER, CHUNK, METADATA, DATA_END}), RECORD_CAP_BYTES, False)
_REWRITTEN = _Rules(_OWN.opcodes | {SCHEMA, CHANNEL, MESSAGE, MESSAGE_INDEX, ATTACHMENT}, 4 * RECORD_CAP_BYTES, True)


class Piece(NamedTuple):
    """A part of the file: an intact record, or a hole with its reason.

    The body of a chunk is its content, decompressed. A channel or message outside of chunks is a chunk of one record.
    """

    offset_bytes: int
    length_bytes: int
    opcode: int
    body: bytes = b""
    why: str = ""

    @property
    def end_bytes(self) -> int:
        return self.offset_bytes + self.length_bytes


def scan(fd: int) -> Iterator[Piece]:
    """The pieces of a file in order, which cover every byte. A file without an end has a hole of length 0 there."""
    disk = _Disk(fd)
    if disk.read(0, len(MAGIC)) != MAGIC:
        yield Piece(0, min(len(MAGIC), disk.size_bytes), HOLE, why="the file's beginning is damaged")
    at, crc, intact = len(MAGIC), zlib.crc32(MAGIC), True
    while at < disk.size_bytes:
        piece, raw = _record(disk, at)
        if piece.opcode == HOLE:
            at, intact = _resync(disk, piece), False
            yield piece._replace(length_bytes=at - piece.offset_bytes)
            continue
        if piece.opcode == HEADER and not is_own(piece.body):
            disk.rules = _REWRITTEN
        yield piece
        at = piece.end_bytes
        if piece.opcode == DATA_END:
            (expected_crc,) = struct.unpack("<I", piece.body)
            if intact and expected_crc != crc and not (disk.rules.crc_optional and expected_crc == 0):
                yield Piece(0, at, HOLE, why="a byte between the records is wrong")
            if not _ends_well(disk, at):
                yield Piece(at, disk.size_bytes - at, HOLE, why="the index at the end is damaged")
            return
        crc = zlib.crc32(raw, crc)
    yield Piece(disk.size_bytes, 0, HOLE, why="the recording was not closed")


def summary(fd: int) -> bytes:
    """The records between the data and the footer; empty if they are damaged."""
    disk = _Disk(fd)
    disk.rules = _REWRITTEN
    start = _summary_start(disk)
    return disk.read(start, disk.size_bytes - start) if start and _ends_well(disk, start) else b""


def is_own(header: bytes) -> bool:
    """True if the body of an MCAP header names rep-monitor as the library that has written the file."""
    return library_of(header).startswith(OWN_LIBRARY)


def library_of(header: bytes) -> bytes:
    """The second string of an MCAP header: the program that has written the file."""
    (profile_bytes,) = struct.unpack_from("<I", header)
    return header[8 + profile_bytes :]


class _Disk:
    """Reads of a file that never raise: an unreadable sector gives zeros, a missing tail gives nothing."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.size_bytes = os.fstat(fd).st_size
        self.patience_bytes = 16 * self.size_bytes + (64 << 20)  # bound of useless reads, for hostile files
        self.rules = _OWN
        self.compression = ZSTD  # of the last intact chunk
        self._window = (0, b"")

    def read(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size_bytes - offset))
        try:
            return os.pread(self._fd, length, offset)
        except OSError:
            return b"".join(self._sector(at, offset + length) for at in range(offset, offset + length, _SECTOR_BYTES))

    def _sector(self, offset: int, end: int) -> bytes:
        length = min(_SECTOR_BYTES, end - offset)
        try:
            return os.pread(self._fd, length, offset)
        except OSError:
            return bytes(length)

    def find(self, needle: bytes, start: int) -> int:
        while start + len(needle) <= self.size_bytes:
            window_start, window = self._window
            if not window_start <= start < window_start + len(window) - len(needle):
                window_start, window = self._window = start, self.read(start, _WINDOW_BYTES)
            if (found := window.find(needle, start - window_start)) >= 0:
                return window_start + found
            start = max(start, window_start + len(window) - len(needle)) + 1
        return -1


def _record(disk: _Disk, at: int) -> tuple[Piece, bytes]:
    """The record at a place and its raw bytes, or a hole."""
    rules = disk.rules
    prefix = disk.read(at, _PREFIX.size)
    if len(prefix) < _PREFIX.size:
        return Piece(at, len(prefix), HOLE, why=_CUT), b""
    opcode, length = _PREFIX.unpack(prefix)
    if opcode not in rules.opcodes or length > rules.cap_bytes:
        return Piece(at, _PREFIX.size + min(length, rules.cap_bytes), HOLE, why=_NO_RECORD), b""
    body = disk.read(at + _PREFIX.size, length)
    piece = Piece(at, _PREFIX.size + length, opcode, body)
    if len(body) < length:
        return piece._replace(opcode=HOLE, why=_CUT), b""
    if not _is_plausible(opcode, body):
        return piece._replace(opcode=HOLE, why=_NO_RECORD), b""
    if opcode == CHUNK:
        content = content_of(body, rules.cap_bytes, crc_optional=rules.crc_optional)
        if content is None:
            return piece._replace(opcode=HOLE, why="a chunk is damaged"), b""
        disk.compression = compression_of(body) or NONE
        piece = piece._replace(body=content)
    if opcode in (CHANNEL, MESSAGE):
        piece = piece._replace(opcode=CHUNK, body=prefix + body)
    return piece, prefix + body


def _is_plausible(opcode: int, body: bytes) -> bool:
    """False if the length of the record does not fit its content."""
    if opcode == DATA_END:
        return len(body) == 4
    if opcode in (HEADER, METADATA):
        return _is_full(body)
    if opcode == MESSAGE_INDEX:
        return len(body) >= 6 and struct.unpack_from("<I", body, 2)[0] == len(body) - 6
    return True


def _is_full(body: bytes) -> bool:
    """True if the first string and the string or map after it fill the record exactly."""
    if len(body) < 8:
        return False
    (first_bytes,) = struct.unpack_from("<I", body)
    if first_bytes > len(body) - 8:
        return False
    (rest_bytes,) = struct.unpack_from("<I", body, 4 + first_bytes)
    return bool(8 + first_bytes + rest_bytes == len(body))


def _resync(disk: _Disk, hole: Piece) -> int:
    """The place of the next intact record, or the end of the file."""
    after = hole.end_bytes
    if after < disk.size_bytes and _record(disk, after)[0].opcode in (CHUNK, MESSAGE_INDEX, METADATA, DATA_END):
        return after
    if disk.compression != NONE and (found := _next_chunk(disk, hole.offset_bytes + 1)) is not None:
        return found
    data_end = _summary_start(disk) - _PREFIX.size - 4
    if data_end > hole.offset_bytes and _record(disk, data_end)[0].opcode == DATA_END:
        return data_end
    return disk.size_bytes


def _next_chunk(disk: _Disk, at: int) -> int | None:
    """The place of the next intact chunk, by the name of its compression."""
    name, name_at = marker(disk.compression), _PREFIX.size + MARKER_AT
    while (found := disk.find(name, at + name_at)) >= 0 and disk.patience_bytes > 0:
        at = found - name_at
        piece, _ = _record(disk, at)
        if piece.opcode == CHUNK:
            return at
        disk.patience_bytes -= _SECTOR_BYTES + piece.length_bytes
        at += 1
    return None


def _summary_start(disk: _Disk) -> int:
    tail = disk.read(disk.size_bytes - _FOOTER.size - len(MAGIC), _FOOTER.size)
    if len(tail) < _FOOTER.size:
        return 0
    opcode, _, summary_start, _, _ = _FOOTER.unpack(tail)
    return summary_start if opcode == FOOTER and summary_start < disk.size_bytes else 0


def _ends_well(disk: _Disk, at: int) -> bool:
    """True if summary, footer and magic after the data are intact."""
    tail = disk.read(at, min(disk.size_bytes - at, RECORD_CAP_BYTES * 16))
    if len(tail) < _FOOTER.size + len(MAGIC) or not tail.endswith(MAGIC):
        return False
    covered = tail[: -len(MAGIC) - 4]
    (crc,) = struct.unpack("<I", tail[len(covered) : -len(MAGIC)])
    return bool(zlib.crc32(covered) == crc or (disk.rules.crc_optional and crc == 0))


def metadata(body: bytes, name: str) -> dict[str, str]:
    """The fields of a metadata record with this name; empty if anything is wrong, because it has no CRC."""
    prefix = struct.pack("<I", len(name)) + name.encode()
    if not body.startswith(prefix):
        return {}
    strings: list[str] = []
    at = len(prefix) + 4  # after the length of the map, which fills the rest
    try:
        while at < len(body):
            (length,) = struct.unpack_from("<I", body, at)
            at += 4 + length
            strings.append(body[at - length : at].decode())
        return dict(zip(strings[::2], strings[1::2], strict=True))
    except (struct.error, ValueError):
        return {}
