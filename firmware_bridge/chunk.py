"""The bytes of one read: the unit that a source yields, a recording contains and a decoder takes.

A source is any async iterator of chunks: the serial port, the simulator, a replay. No base class.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


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


class ChunkRun(NamedTuple):
    """Consecutive chunks of a recording as columns, because there are half a million in an hour."""

    data: bytes  # of all chunks
    ends: NDArray[np.int64]  # of each chunk in `data`
    received_ns: NDArray[np.int64]

    def chunks(self) -> list[Chunk]:
        ends = self.ends.tolist()
        parts = [self.data[begin:end] for begin, end in pairwise([0, *ends])]
        return list(map(Chunk, self.received_ns.tolist(), parts))

    def part(self, low: int, high: int) -> "ChunkRun":
        """Chunks `low` to `high`."""
        begin, end = (int(self.ends[at - 1]) if at else 0 for at in (low, high))
        return ChunkRun(self.data[begin:end], self.ends[low:high] - begin, self.received_ns[low:high])


def run_of(chunks: Sequence[Chunk]) -> ChunkRun:
    """The same chunks as columns, without what a link has found in them."""
    ends = np.cumsum([len(chunk.data) for chunk in chunks], dtype=np.int64)
    received_ns = np.array([chunk.received_ns for chunk in chunks], np.int64)
    return ChunkRun(b"".join([chunk.data for chunk in chunks]), ends, received_ns)


def joined_runs(runs: list[ChunkRun]) -> ChunkRun:
    """Consecutive runs as one."""
    if not runs:
        return run_of([])
    begins = np.cumsum([0, *(len(run.data) for run in runs)]).tolist()
    ends = np.concatenate([run.ends + begin for run, begin in zip(runs, begins, strict=False)])
    return ChunkRun(b"".join([run.data for run in runs]), ends, np.concatenate([run.received_ns for run in runs]))
