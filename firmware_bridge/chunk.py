"""What one read returned: the unit that a source yields, a recording keeps and a decoder eats.

A source is any async iterator of chunks: the serial port, the simulator, a replay. No base class.
"""

from typing import NamedTuple


class Chunk(NamedTuple):
    """Bytes as they came, with the host's monotonic clock when they came."""

    received_ns: int
    data: bytes
