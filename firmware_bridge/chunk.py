"""The bytes of one read: the unit that a source yields, a recording contains and a decoder takes.

A source is any async iterator of chunks: the serial port, the simulator, a replay. No base class.
"""

from typing import Any, NamedTuple


class Split(NamedTuple):
    """What a splitter found in one chunk."""

    found: list[Any]  # the payloads of frames, or the fields of lines, that the chunk completes
    bad_crc: int  # blocks
    bad_shape: int
    garbage_bytes: int  # in the bad ones
    fresh: bool  # whether a new splitter would find the same: no part of it comes from an earlier chunk


class Chunk(NamedTuple):
    """Bytes, and the host's monotonic clock when they came."""

    received_ns: int
    data: bytes
    split: Split | None = None  # if a link has split it already; not recorded, because it follows from the bytes
