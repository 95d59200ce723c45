"""Finds the intact records of an MCAP file, however damaged it is.

    magic 8 | record | record | ...                 record: opcode u8 | length u64 | body
    body of a chunk: start u64 | end u64 | inflated u64 | crc32 u32 | 4 u32 | "zstd" | deflated u64 | data
                                                                     ^^^^^^^^^^^^^^ the marker for a resync
    end of the file: DataEnd (crc of all before) | summary | Footer (crc of the summary) | magic

The usual readers give up at the first bad byte, or follow a flipped length into nowhere. Here a chunk counts only
when its two lengths agree and its inflated content has the right CRC; from a bad place the scan goes on at the next
chunk that does. No length is believed: nothing above `RECORD_CAP_BYTES` is read or inflated.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import zstandard

MAGIC = b"\x89MCAP0\r\n"
RECORD_CAP_BYTES = 2 << 20  # of a record's body, and of a chunk's inflated content
HOLE, HEADER, FOOTER, MESSAGE, CHUNK, METADATA, DATA_END = 0, 1, 2, 5, 6, 12, 15
_PREFIX = struct.Struct("<BQ")
_CHUNK = struct.Struct("<QQQI8sQ")
_FOOTER = struct.Struct("<BQQQI")
_MARKER = struct.pack("<I4s", 4, b"zstd")
_MARKER_AT = _PREFIX.size + 28  # within a chunk's record
_WINDOW_BYTES = 1 << 20
_SECTOR_BYTES = 4096


class Piece(NamedTuple):
    """A stretch of the file: an intact record (a chunk's body inflated), or a hole that says why."""

    offset_bytes: int
    length_bytes: int
    opcode: int
    body: bytes = b""
    why: str = ""

    @property
    def end_bytes(self) -> int:
        return self.offset_bytes + self.length_bytes


def scan(fd: int) -> Iterator[Piece]:
    """The pieces of a file in its order, without a byte left out; an unclosed one ends with a hole of length 0."""
    disk = _Disk(fd)
    if disk.read(0, len(MAGIC)) != MAGIC:
        yield Piece(0, min(len(MAGIC), disk.size_bytes), HOLE, why="the file's beginning is damaged")
    at, crc, whole = len(MAGIC), zlib.crc32(MAGIC), True
    while at < disk.size_bytes:
        piece, raw = _record(disk, at)
        if piece.opcode == HOLE:
            at, whole = _resync(disk, piece), False
            yield piece._replace(length_bytes=at - piece.offset_bytes)
            continue
        yield piece
        at = piece.end_bytes
        if piece.opcode == DATA_END:
            (expected_crc,) = struct.unpack("<I", piece.body)
            if whole and expected_crc != crc:
                yield Piece(0, at, HOLE, why="a byte between the records is wrong")
            if not _ends_well(disk, at):
                yield Piece(at, disk.size_bytes - at, HOLE, why="the index at the end is damaged")
            return
        crc = zlib.crc32(raw, crc)
    yield Piece(disk.size_bytes, 0, HOLE, why="the recording was not closed")


class _Disk:
    """Reads of a file that never raise: a sector that cannot be read comes as zeros, a missing tail as nothing."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.size_bytes = os.fstat(fd).st_size
        self.patience_bytes = 16 * self.size_bytes + (64 << 20)  # what may be read in vain: a bound for hostile files
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
    """The record at a place with its raw bytes, or a hole."""
    prefix = disk.read(at, _PREFIX.size)
    if len(prefix) < _PREFIX.size:
        return Piece(at, len(prefix), HOLE, why="the file is cut"), b""
    opcode, length = _PREFIX.unpack(prefix)
    if opcode not in (HEADER, CHUNK, METADATA, DATA_END) or length > RECORD_CAP_BYTES:
        return Piece(at, _PREFIX.size + min(length, RECORD_CAP_BYTES), HOLE, why="the bytes are no record"), b""
    body = disk.read(at + _PREFIX.size, length)
    piece = Piece(at, _PREFIX.size + length, opcode, body)
    if len(body) < length:
        return piece._replace(opcode=HOLE, why="the file is cut"), b""
    if opcode == DATA_END and length != 4:
        return piece._replace(opcode=HOLE, why="the bytes are no record"), b""
    if opcode in (HEADER, METADATA) and not _is_full(body):
        return piece._replace(opcode=HOLE, why="the bytes are no record"), b""
    if opcode == CHUNK:
        content = _inflate(body)
        if content is None:
            return piece._replace(opcode=HOLE, why="a chunk is damaged"), b""
        piece = piece._replace(body=content)
    return piece, prefix + body


def _is_full(body: bytes) -> bool:
    """Whether the first string and what follows it, a string or a map, fill the record: a wrong length would not."""
    if len(body) < 8:
        return False
    (first_bytes,) = struct.unpack_from("<I", body)
    if first_bytes > len(body) - 8:
        return False
    (rest_bytes,) = struct.unpack_from("<I", body, 4 + first_bytes)
    return bool(8 + first_bytes + rest_bytes == len(body))


def _inflate(body: bytes) -> bytes | None:
    """A chunk's content; None unless every length and the CRC agree."""
    if len(body) < _CHUNK.size:
        return None
    _, _, inflated_bytes, crc, compression, deflated_bytes = _CHUNK.unpack_from(body)
    if compression != _MARKER or deflated_bytes != len(body) - _CHUNK.size or inflated_bytes > RECORD_CAP_BYTES:
        return None
    data = body[_CHUNK.size :]
    try:
        if zstandard.get_frame_parameters(data).content_size != inflated_bytes:  # before it is allocated
            return None
        content = zstandard.ZstdDecompressor().decompress(data, max_output_size=RECORD_CAP_BYTES)
    except zstandard.ZstdError:
        return None
    return content if zlib.crc32(content) == crc else None


def _resync(disk: _Disk, hole: Piece) -> int:
    """Where the next intact record begins, or the end of the file."""
    after = hole.end_bytes
    if after < disk.size_bytes and _record(disk, after)[0].opcode in (CHUNK, METADATA, DATA_END):
        return after
    at = hole.offset_bytes + 1
    while (marker := disk.find(_MARKER, at + _MARKER_AT)) >= 0 and disk.patience_bytes > 0:
        at = marker - _MARKER_AT
        piece, _ = _record(disk, at)
        if piece.opcode == CHUNK:
            return at
        disk.patience_bytes -= _SECTOR_BYTES + piece.length_bytes
        at += 1
    data_end = _summary_start(disk) - _PREFIX.size - 4
    if data_end > hole.offset_bytes and _record(disk, data_end)[0].opcode == DATA_END:
        return data_end
    return disk.size_bytes


def _summary_start(disk: _Disk) -> int:
    tail = disk.read(disk.size_bytes - _FOOTER.size - len(MAGIC), _FOOTER.size)
    if len(tail) < _FOOTER.size:
        return 0
    opcode, _, summary_start, _, _ = _FOOTER.unpack(tail)
    return summary_start if opcode == FOOTER and summary_start < disk.size_bytes else 0


def _ends_well(disk: _Disk, at: int) -> bool:
    """Whether summary, footer and magic stand whole behind the data."""
    tail = disk.read(at, min(disk.size_bytes - at, RECORD_CAP_BYTES * 16))
    if len(tail) < _FOOTER.size + len(MAGIC) or not tail.endswith(MAGIC):
        return False
    covered = tail[: -len(MAGIC) - 4]
    (crc,) = struct.unpack("<I", tail[len(covered) : -len(MAGIC)])
    return bool(zlib.crc32(covered) == crc)


def metadata(body: bytes, name: str) -> dict[str, str]:
    """The fields of a metadata record of this name; none if anything about it is odd, for it has no CRC."""
    prefix = struct.pack("<I", len(name)) + name.encode()
    if not body.startswith(prefix):
        return {}
    strings: list[str] = []
    at = len(prefix) + 4  # past the length of the map, which fills the rest
    try:
        while at < len(body):
            (length,) = struct.unpack_from("<I", body, at)
            at += 4 + length
            strings.append(body[at - length : at].decode())
        return dict(zip(strings[::2], strings[1::2], strict=True))
    except (struct.error, ValueError):
        return {}
