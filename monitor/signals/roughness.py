"""Finds force readings that no cable carries: noise on the wires makes a reading leap away from both its neighbours.

A stack on a cable rings at 5 to 12 Hz, so a reading lies near the line between its neighbours: within a sixth of the
load on simulated sets, where a reading is the mean over several conversions. A cable that is pulled tight bends that
line more, but rises from each reading to the next. A converter that does not average sees the clank of a slammed cable
too: there several leaps are needed. A reading is judged when the next one has arrived.
"""

import numpy as np
from numpy.typing import NDArray

LEAP = 0.3  # of the greatest reading in the window
LEAST_LEAP_N = 50.0  # smaller ones are harmless
WINDOW = 16  # readings
TOGETHER, MANY = 8, 3  # without averaging, 3 leaps within 8 readings
GAP_S = 0.05  # readings further apart do not show what lies between them

Column = NDArray[np.float64]


class Roughness:
    """Feed it readings as they arrive; it keeps a window of them."""

    def __init__(self, averages: bool) -> None:
        self._averages = averages
        self._t = np.empty(0)
        self._y = np.empty(0)

    def update(self, t_s: Column, force_n: Column) -> list[tuple[int, float]]:
        """For each rough reading: the index of the reading that reveals it, and its own stamp."""
        kept = len(self._t)
        t, y = np.concatenate((self._t, t_s)), np.concatenate((self._y, force_n))
        self._t, self._y = t[-WINDOW - 2 :], y[-WINDOW - 2 :]
        if len(t) < 3 or len(t) == kept:
            return []
        leapt = np.abs(y[1:-1] - y[:-2]) > LEAST_LEAP_N  # the last quiet reading did not leap
        if not leapt.any():
            return []
        before, after = t[1:-1] - t[:-2], t[2:] - t[1:-1]
        leap = np.abs(y[1:-1] - y[:-2] - (y[2:] - y[:-2]) * before / (before + after))
        away = (y[1:-1] - y[:-2]) * (y[2:] - y[1:-1]) < 0  # from both: a pull goes on from one to the other
        great = (leap > LEAST_LEAP_N) & leapt & away
        found = []
        loud = [float(np.abs(y[max(0, i + 2 - WINDOW) : i + 3]).max()) for i in great.nonzero()[0]]
        leaps = [i for i, most in zip(great.nonzero()[0].tolist(), loud, strict=True) if leap[i] > LEAP * most]
        for i in leaps:
            enough = self._averages or sum(i - TOGETHER < j <= i for j in leaps) >= MANY
            if max(before[i], after[i]) < GAP_S and enough:
                found.append((i + 2 - kept, float(t[i + 1])))
        return [(at, stamp_s) for at, stamp_s in found if at >= 0]
