"""The one measurement type that crosses into `monitor`: a batch of samples as columns.

Position and force arrive at rates of their own, each with the device's stamp. So a row carries a position, or
a force, or (in a table of samples) both; what it does not carry is NaN. Rows stand in the order of
the wire, so stamps of the two kinds may interleave; within one kind they never go back.
"""

from enum import IntFlag
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Flag(IntFlag):
    """What the device or the decoder says about a row. The force flags have the wire's own values."""

    TIMEOUT = 1  # the converter did not answer: the row's force is NaN
    SATURATED = 2  # the force stands at the rail
    DESYNC = 4  # the converter lost a clock edge: the value is not a measurement
    LATE = 8  # a conversion was overwritten while it was read
    RESTART = 16  # first row after a device reset: the stamps were bridged by arrival times
    SLIPPED = 32  # the device counted illegal encoder transitions before this row
    SUSPECT = 64  # all ones: what a converter reads when a bit slips, or a force that happens to be just that


LEAST_SUSPECT_COUNTS = 2**15 - 1


def is_suspect(counts: int) -> bool:
    """Whether one raw reading is 2^k - 1, as an HX711 hands over when a bit has slipped."""
    return counts >= LEAST_SUSPECT_COUNTS and counts & (counts + 1) == 0


def suspect(force_counts: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The same of many (NaN: none)."""
    counts = np.where(force_counts >= LEAST_SUSPECT_COUNTS, force_counts, 1).astype(np.int64)
    marks: NDArray[np.bool_] = ((counts & (counts + 1)) == 0) & (counts >= LEAST_SUSPECT_COUNTS)
    return marks


class Samples(NamedTuple):
    """A batch of `n` rows; every column is an array of shape (n,)."""

    t_s: NDArray[np.float64]  # session clock: device seconds, unwrapped, from the session's first sample
    position_m: NDArray[np.float64]  # raw machine coordinate, up positive; NaN: not in this row
    force_n: NDArray[np.float64]  # load-cell tension, pull positive; NaN: not in this row
    flags: NDArray[np.uint8]  # bits of Flag

    def __len__(self) -> int:
        return len(self.t_s)

    def rows(self, which: NDArray[np.bool_] | slice) -> "Samples":
        """Some of them: a mask of shape (n,), or a slice."""
        return Samples(self.t_s[which], self.position_m[which], self.force_n[which], self.flags[which])


NOTHING = Samples(np.empty(0), np.empty(0), np.empty(0), np.empty(0, np.uint8))


def joined(batches: list[Samples]) -> Samples:
    """Batches that follow each other as one."""
    if len(batches) == 1:
        return batches[0]
    return Samples(*map(np.concatenate, zip(*batches, strict=True))) if batches else NOTHING
