"""Decodes the body of an MCAP chunk, within bounds: every length and the CRC must agree.

    start u64 | end u64 | inflated u64 | crc32 u32 | u32 length of name | name | deflated u64 | data

In recordings of rep-monitor the name of the compression is "zstd". Other tools also write "lz4", or "" for none, and
may write 0 instead of a CRC.
"""

import struct
import zlib

import lz4.frame
import zstandard

ZSTD, LZ4, NONE = b"zstd", b"lz4", b""
_HEAD = struct.Struct("<QQQII")  # up to the length of the name
_LENGTH = struct.Struct("<Q")
MARKER_AT = _HEAD.size - 4  # the place of `marker` in a body


def marker(compression: bytes) -> bytes:
    """Bytes that every chunk with this compression contains; a damaged file is searched for them."""
    return struct.pack("<I", len(compression)) + compression


def compression_of(body: bytes) -> bytes | None:
    """The name of the compression; None if the body is too short."""
    if len(body) < _HEAD.size:
        return None
    *_, name_bytes = _HEAD.unpack_from(body)
    return body[_HEAD.size : _HEAD.size + name_bytes] if name_bytes <= len(ZSTD) else None


def content_of(body: bytes, cap_bytes: int, *, crc_optional: bool) -> bytes | None:
    """The records of a chunk; None if a length or the CRC is wrong, or if the content exceeds `cap_bytes`."""
    compression = compression_of(body)
    if compression is None or len(body) < (start := _HEAD.size + len(compression) + _LENGTH.size):
        return None
    _, _, inflated_bytes, crc, _ = _HEAD.unpack_from(body)
    (deflated_bytes,) = _LENGTH.unpack_from(body, start - _LENGTH.size)
    data = body[start:]
    if deflated_bytes != len(data) or inflated_bytes > cap_bytes:
        return None
    content = _inflated(compression, data, inflated_bytes)
    if content is None or len(content) != inflated_bytes:
        return None
    return content if zlib.crc32(content) == crc or (crc_optional and crc == 0) else None


def _inflated(compression: bytes, data: bytes, inflated_bytes: int) -> bytes | None:
    """At most one byte more than `inflated_bytes` is ever allocated, whatever the data claim."""
    try:
        if compression == ZSTD:
            known_bytes = zstandard.get_frame_parameters(data).content_size
            if known_bytes not in (inflated_bytes, zstandard.CONTENTSIZE_UNKNOWN):
                return None
            return zstandard.ZstdDecompressor().decompress(data, max_output_size=max(inflated_bytes, 1))
        if compression == LZ4:
            content: bytes = lz4.frame.LZ4FrameDecompressor().decompress(data, max_length=inflated_bytes + 1)
            return content
    except (zstandard.ZstdError, RuntimeError, EOFError):  # lz4 raises the latter two
        return None
    return data if compression == NONE else None
