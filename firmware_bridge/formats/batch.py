"""Thousands of payloads as columns, to read the heads of a recording's blocks and make its rows by NumPy.

>>> block, other = Pos(1, 0, 5000, 2000, (7, 8)).to_bytes(seq=0), b"\\x03 no block"
>>> starts, lengths = np.array([0, len(block)]), np.array([len(block), len(other)])
>>> batch = Batch(Payloads(np.frombuffer(block + other, np.uint8), starts, lengths, received_ns=np.array([0, 0])))
>>> batch.is_block.tolist()                            # whether a payload is POS or FORCE of the right length
[True, False]
>>> int(batch.stamp_us[0]), int(batch.n[0])            # its head
(5000, 2)
>>> batch.put(np.array([0]), np.array([40]))           # the first sample of block 0 is at 40 us on the session clock
>>> samples = batch.to_samples(Calibration(metres_per_count=1, newtons_per_count=1))
>>> samples.t_s.tolist(), samples.position_m.tolist()
([4e-05, 0.00204], [7.0, 8.0])

`blocks.to_samples` makes the same rows, one block after the other.
"""

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.formats.blocks import HEAD, LENGTHS, NO_VALUE, WIRE_FLAGS, Block
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.clock import Whole
from firmware_bridge.formats.messages import Pos
from firmware_bridge.formats.unframing import Payloads
from firmware_bridge.samples import NOTHING, Flag, Samples, suspect

_HEAD = np.dtype([("kind", "u1"), ("seq", "u1"), ("stream_id", "u1"), ("idx", "<u2"), ("stamp_us", "<u4"),
                  ("dt_us", "<u2"), ("n", "u1")])  # fmt: skip
_LENGTHS = np.zeros((256, 256), np.uint8)
for _shape, _length in LENGTHS.items():
    _LENGTHS[_shape] = _length


class Batch:
    """Payloads and what is found out about each; every column is an array with one value for each."""

    def __init__(self, payloads: Payloads) -> None:
        self.received_ns = payloads.received_ns
        self._starts, self._lengths = payloads.starts, payloads.lengths
        self._wire = np.append(payloads.plain, np.zeros(HEAD.size, np.uint8))  # a head may reach beyond its payload
        heads = self._cut(self._starts, HEAD.size).view(_HEAD)[:, 0]
        self.kind, self.seq, self.stream_id, self.idx, self.stamp_us, dt_us, self.n = (
            heads[name].astype(np.int64) for name in _HEAD.names or ()
        )
        self.is_block = (self._lengths == _LENGTHS[self.kind, self.n]) & (dt_us >= self.n - 1)
        # A span is divided among the samples, a period is not.
        self.span_us = np.where(self.kind == Pos.TYPE, (self.n - 1) * dt_us, np.where(self.n > 1, dt_us, 0))
        self._placed = np.zeros(len(self), np.bool_)
        self._first_us = np.zeros(len(self), np.int64)
        self._skip = np.zeros(len(self), np.int64)
        self._flags = np.zeros(len(self), np.uint8)

    def __len__(self) -> int:
        return len(self._starts)

    def payload(self, at: int) -> bytes:
        start = int(self._starts[at])
        return self._wire[start : start + int(self._lengths[at])].tobytes()

    def put(self, rows: Whole, first_us: Whole) -> None:
        """Place these blocks: their first samples are at these times on the session clock."""
        self._placed[rows] = True
        self._first_us[rows] = first_us

    def flag(self, at: int, flags: int) -> None:
        """Add flags to the block's first row."""
        self._flags[at] |= flags

    def put_block(self, at: int, block: Block) -> None:
        """Place one block."""
        self._placed[at], self._first_us[at] = True, block.first_us
        self._skip[at], self._flags[at] = block.skip, block.flags

    def to_samples(self, calibration: Calibration) -> Samples:
        """The rows of the blocks that have a place, in the order of the payloads."""
        rows_of = np.where(self._placed, self.n, 0)
        starts = np.cumsum(rows_of) - rows_of
        rows = int(rows_of.sum())
        if not rows:
            return NOTHING
        at_us = np.empty(rows, np.int64)
        position = np.full(rows, np.nan)
        force = np.full(rows, np.nan)
        flags = np.zeros(rows, np.uint8)
        shapes = np.where(self._placed, self.kind * 256 + self.n, 0)
        for shape in np.flatnonzero(np.bincount(shapes)).tolist():
            kind, n = divmod(shape, 256)
            if not n:
                continue
            mine = np.flatnonzero(shapes == shape)
            wire = self._cut(self._starts[mine] + HEAD.size, LENGTHS[kind, n] - HEAD.size)
            to = starts[mine, None] + np.arange(n)
            parts = max(n - 1, 1)
            at_us[to] = self._first_us[mine, None] + np.arange(n) * self.span_us[mine, None] // parts
            if kind == Pos.TYPE:
                steps = np.empty((len(mine), n), np.int64)
                steps[:, :1] = wire[:, :4].copy().view("<i4")
                steps[:, 1:] = wire[:, 4:].copy().view("<i2")
                position[to] = np.cumsum(steps, axis=1)
            else:
                marks = wire[:, :1]
                words = wire[:, 1:].reshape(-1, n, 3).astype(np.int32)
                counts = words[..., 0] | words[..., 1] << 8 | (words[..., 2] << 24) >> 8
                force[to] = np.where(marks & NO_VALUE, np.nan, counts)
                flags[to] = marks & WIRE_FLAGS
        flags[suspect(force)] |= np.uint8(Flag.SUSPECT)
        odd = np.flatnonzero((self._skip > 0) | (self._flags > 0) & self._placed)
        flags[starts[odd] + self._skip[odd]] |= self._flags[odd]
        samples = Samples(at_us / 1e6, calibration.position_m(position), calibration.force_n(force), flags)
        if not self._skip.any():
            return samples
        keep = np.ones(rows, np.bool_)
        for start, skip in zip(starts[odd].tolist(), self._skip[odd].tolist(), strict=True):
            keep[start : start + skip] = False
        return samples.rows(keep)

    def _cut(self, starts: Whole, length: int) -> NDArray[np.uint8]:
        """`length` bytes from each of these places, shape (starts, length)."""
        return np.lib.stride_tricks.sliding_window_view(self._wire, length)[starts]
