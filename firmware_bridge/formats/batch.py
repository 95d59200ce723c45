"""Thousands of payloads as columns: a recording's heads read, and its rows made, without a look at each one.

batch = Batch(payloads, received_ns)
batch.is_block[k], batch.stamp_us[k], ...     the heads, where they are heads
batch.put(k, 1, first_us)                     where the rows of a block go, once that is known
batch.to_samples(calibration)                 what `blocks.to_samples` makes of the same, in the same order
"""

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.formats.blocks import HEAD, LENGTHS, NO_VALUE, WIRE_FLAGS, Block
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.messages import Pos
from firmware_bridge.samples import NOTHING, Flag, Samples, suspect

_HEAD = np.dtype([("kind", "u1"), ("seq", "u1"), ("stream_id", "u1"), ("idx", "<u2"), ("stamp_us", "<u4"),
                  ("dt_us", "<u2"), ("n", "u1")])  # fmt: skip
_LENGTHS = np.zeros((256, 256), np.int64)
for _shape, _length in LENGTHS.items():
    _LENGTHS[_shape] = _length

Whole = NDArray[np.int64]


class Batch:
    """`count` payloads; every column is an array of shape (count,)."""

    def __init__(self, payloads: list[bytes], received_ns: list[int]) -> None:
        self.payloads = payloads
        self.received_ns = np.array(received_ns, np.int64)
        lengths = np.fromiter(map(len, payloads), np.int64, len(payloads))
        self._starts = np.cumsum(lengths) - lengths
        self._wire = np.frombuffer(b"".join([*payloads, bytes(HEAD.size)]), np.uint8)
        heads = self._cut(self._starts, HEAD.size).view(_HEAD)[:, 0]
        self.kind, self.seq, self.stream_id, self.idx, self.stamp_us, dt_us, self.n = (
            heads[name].astype(np.int64) for name in _HEAD.names or ()
        )
        self.is_block = (lengths == _LENGTHS[self.kind, self.n]) & (dt_us >= self.n - 1)
        # A span is divided among the samples, a period is not.
        self.span_us = np.where(self.kind == Pos.TYPE, (self.n - 1) * dt_us, np.where(self.n > 1, dt_us, 0))
        self._placed = np.zeros(len(payloads), np.bool_)
        self._first_us = np.zeros(len(payloads), np.int64)
        self._skip = np.zeros(len(payloads), np.int64)
        self._flags = np.zeros(len(payloads), np.uint8)

    def __len__(self) -> int:
        return len(self.payloads)

    def put(self, at: int, first_us: Whole) -> None:
        """The blocks from `at` on have their first samples at these times."""
        rows = slice(at, at + len(first_us))
        self._placed[rows] = True
        self._first_us[rows] = first_us

    def flag(self, at: int, flags: int) -> None:
        """The block's first row has these, too."""
        self._flags[at] |= flags

    def put_block(self, at: int, block: Block) -> None:
        """One that was placed alone."""
        self._placed[at], self._first_us[at] = True, block.first_us
        self._skip[at], self._flags[at] = block.skip, block.flags

    def to_samples(self, calibration: Calibration) -> Samples:
        """The rows of what has been placed, in the order of the payloads."""
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
        keep = np.ones(rows, np.bool_)
        for start, skip in zip(starts[odd].tolist(), self._skip[odd].tolist(), strict=True):
            keep[start : start + skip] = False
        return Samples(
            at_us[keep] / 1e6, calibration.position_m(position[keep]), calibration.force_n(force[keep]), flags[keep]
        )

    def _cut(self, starts: Whole, length: int) -> NDArray[np.uint8]:
        """So many bytes from each of these places, shape (starts, length)."""
        return np.lib.stride_tricks.sliding_window_view(self._wire, length)[starts]
