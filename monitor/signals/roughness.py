"""Force readings that no cable carries: one that leaps away from both its neighbours, as noise on the wires makes it.

A stack on a cable rings at 5 to 12 Hz, so a reading lies near the line between the one before it and the one after it:
on simulated sets within a sixth of the load where a reading is the mean over several conversions. A converter that
averages nothing sees a slammed cable clank: there it takes more than one. Judged when the next one has come.
"""

import numpy as np
from numpy.typing import NDArray

LEAP = 0.3  # of the greatest of the readings in the window
LEAST_LEAP_N = 50.0
WINDOW = 16
TOGETHER, MANY = 8, 3  # so many of so many readings
GAP_S = 0.05

Column = NDArray[np.float64]


class Roughness:
    """Feed readings as they come; remembers a window of them."""

    def __init__(self, averages: bool) -> None:
        self._averages = averages
        self._t = np.empty(0)
        self._y = np.empty(0)

    def update(self, t_s: Column, force_n: Column) -> list[tuple[int, float]]:
        """By which readings, by index, it becomes known that there was a rough one; and when that one was taken."""
        kept = len(self._t)
        t, y = np.concatenate((self._t, t_s)), np.concatenate((self._y, force_n))
        self._t, self._y = t[-WINDOW - 2 :], y[-WINDOW - 2 :]
        if len(t) < 3 or len(t) == kept:
            return []
        before, after = t[1:-1] - t[:-2], t[2:] - t[1:-1]
        leap = np.abs(y[1:-1] - y[:-2] - (y[2:] - y[:-2]) * before / (before + after))
        great = leap > LEAST_LEAP_N
        if not great.any():
            return []
        found = []
        loud = [float(np.abs(y[max(0, i + 2 - WINDOW) : i + 3]).max()) for i in great.nonzero()[0]]
        leaps = [i for i, most in zip(great.nonzero()[0].tolist(), loud, strict=True) if leap[i] > LEAP * most]
        for i in leaps:
            enough = self._averages or sum(i - TOGETHER < j <= i for j in leaps) >= MANY
            if max(before[i], after[i]) < GAP_S and enough:
                found.append((i + 2 - kept, float(t[i + 1])))
        return [(at, stamp_s) for at, stamp_s in found if at >= 0]
