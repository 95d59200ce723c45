"""Finds the step of the encoder from the positions in a table."""

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]
DUST_M = 1e-6  # closer positions are the same count, rounded differently
FINEST_M = 1e-4  # finer steps may be digits of a smoothed position, whose noise is larger
FEWEST_GAPS = 20
COMMON = (
    0.05  # at least this share of the gaps between neighbouring positions is one step; a few odd values do not count
)
MOST_OFF = 0.15  # of a step: the mean distance of gaps from whole steps; without steps it is 0.25


def encoder_step_m(position_m: Column) -> float | None:
    """The smallest difference between positions; None if they have no steps coarser than FINEST_M.

    Over a whole set an encoder passes most of its counts, so neighbours among all positions are one step apart at any
    speed. Steps that were rounded when the table was written differ by a digit, so their mean is taken. NaN: not
    measured.
    """
    places = np.unique(position_m[~np.isnan(position_m)])
    gaps = np.diff(places)
    gaps = np.sort(gaps[gaps > DUST_M])
    if len(gaps) < FEWEST_GAPS:
        return None
    smallest = float(gaps[int(COMMON * len(gaps))])
    step_m = float(gaps[(gaps > 0.5 * smallest) & (gaps < 1.5 * smallest)].mean())
    steps = gaps[gaps > 0.5 * smallest] / step_m
    off = float(np.abs(steps - np.round(steps)).mean())
    return float(f"{step_m:.4g}") if off <= MOST_OFF and step_m > 1.01 * FINEST_M else None
