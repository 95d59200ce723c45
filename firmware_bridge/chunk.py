"""What one read returned: the unit that a source yields, a recording keeps and a decoder takes.

A source is any async iterator of chunks: the serial port, the simulator, a replay. No base class.
"""

from typing import Any, NamedTuple


class Split(NamedTuple):
    """What a splitter found in one chunk."""

    found: list[Any]  # the payloads of frames, or the fields of lines, that the chunk completes
    bad_crc: int  # blocks
    bad_shape: int
    garbage_bytes: int  # in the bad ones
    fresh: bool  # whether a new splitter would find the same: nothing from an earlier chunk is in it


class Chunk(NamedTuple):
    """Bytes as they came, with the host's monotonic clock when they came."""

    received_ns: int
    data: bytes
    split: Split | None = None  # where a link has split it already; never recorded, for it follows from the bytes
