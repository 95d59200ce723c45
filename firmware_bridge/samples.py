"""The one type of measurement that enters `monitor`: a batch of samples as columns.

Position and force arrive at their own rates, each with the device's stamp. So a row has a position, or a force, or
(in a table of samples) both; a missing value is NaN. Rows are in the order of the wire, so the stamps of the two kinds
may interleave; within one kind they never go back.
"""

from enum import IntFlag
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Flag(IntFlag):
    """What the device or the decoder says about a row. The flags of the force have the same values as on the wire."""

    TIMEOUT = 1  # the converter did not answer: the row's force is NaN
    SATURATED = 2  # the converter is at the end of its range
    DESYNC = 4  # the converter lost a clock edge: the row's force is NaN
    LATE = 8  # a conversion was overwritten while it was read
    RESTART = 16  # first row after a device reset: arrival times bridge the gap
    SLIPPED = 32  # the device counted illegal encoder transitions before this row
    SUSPECT = 64  # 2^k - 1: what a converter reads when a bit slips, or a force that happens to be exactly this


LEAST_SUSPECT_COUNTS = 2**15 - 1


def is_suspect(counts: int) -> bool:
    """Whether a raw reading is 2^k - 1, as an HX711 gives it when a bit has slipped."""
    return counts >= LEAST_SUSPECT_COUNTS and counts & (counts + 1) == 0


def suspect(force_counts: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The same for many readings, shape (n,); False for NaN."""
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
        """These rows: a mask of shape (n,), or a slice."""
        return Samples(self.t_s[which], self.position_m[which], self.force_n[which], self.flags[which])


NOTHING = Samples(np.empty(0), np.empty(0), np.empty(0), np.empty(0, np.uint8))


def joined(batches: list[Samples]) -> Samples:
    """Consecutive batches as one."""
    if len(batches) == 1:
        return batches[0]
    return Samples(*map(np.concatenate, zip(*batches, strict=True))) if batches else NOTHING
