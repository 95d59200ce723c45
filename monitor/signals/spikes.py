"""Removes force readings that no mass on a cable can make: one or two leap away, and the next one is back.

    force   ____|____     a spike: it leaps, and is back within `MOST_S`; it is taken out
            ____/~~~\\     a clank when slack is taken up, an effort: real, however steep

Cables ring at 5 to 12 Hz, so what a stack does to its cable lasts longer. A reading that leaps waits for the next one;
all others pass at once.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEAP = 0.3  # of the greatest reading in the window before
WINDOW = 16  # readings
MOST_S = 0.031  # from the reading before a spike to the one after it: 30 ms, however its stamps are rounded
RETURN = 0.1  # of the leap: after a spike the force is where it was before, up to this
MOST_READINGS = 2  # of one spike: a disturbance on the wires is shorter than three conversions

Column = NDArray[np.float64]
Rows = NDArray[np.int64]


class Sifted(NamedTuple):
    """Readings that are known to be real, in order, and the spikes. `row`: of this batch, with which that was known."""

    t_s: Column
    force_n: Column
    row: Rows
    spikes: list[tuple[int, float]]  # row, stamp
    prompt: bool  # nothing was held back


class SpikeSieve:
    """Feed it readings as they arrive; it holds back those that leap, at most two.

    `least_leap_n`: smaller leaps are harmless.
    """

    def __init__(self, least_leap_n: float) -> None:
        self._least_leap_n = least_leap_n
        self._before = np.full((2, 1), np.nan)  # stamps and forces of the last real readings
        self._held = np.empty((2, 0))

    def update(self, t_s: Column, force_n: Column) -> Sifted:
        """The readings that follow."""
        held = self._held.shape[1]
        known_n = np.concatenate((self._before[1, -1:], force_n))
        if not held and not (np.abs(known_n[1:] - known_n[:-1]) > self._least_leap_n).any():
            fresh = np.array((t_s[-WINDOW:], force_n[-WINDOW:]))
            self._before = np.concatenate((self._before, fresh), axis=1)[:, -WINDOW:]
            return Sifted(t_s, force_n, np.arange(len(t_s)), [], prompt=True)
        readings = np.concatenate((self._before, self._held, (t_s, force_n)), axis=1)
        return self._sift(readings, self._before.shape[1], held)

    def _sift(self, readings: Column, first: int, held: int) -> Sifted:
        """Readings from column `first` on are new, the first `held` of them from the last batch."""
        n = readings.shape[1]
        real, known_at = np.ones(n, bool), np.arange(n)
        end, at, seen = n, first, first
        known = readings[:, :first]  # the last real readings before `seen`
        leaps = np.flatnonzero(np.abs(np.diff(readings[1])) > self._least_leap_n) + 1
        for leap in leaps[leaps >= first].tolist():
            if leap < at:
                continue
            known = _last(known, readings[:, seen:leap])
            back = self._back(readings[:, leap:], known)
            if back is None:
                end = leap
                break
            at = leap + max(1, back)
            known_at[leap:at] = leap + abs(back)
            real[leap:at] = back <= 0
            seen = at if back > 0 else leap
        self._held = readings[:, end:]
        self._before = _last(known, readings[:, seen:end])
        rows = np.maximum.accumulate(known_at) - first - held
        kept, spikes = real.copy(), ~real
        kept[:first] = kept[end:] = spikes[end:] = False
        stamps = zip(rows[spikes].tolist(), readings[0, spikes].tolist(), strict=True)
        return Sifted(readings[0, kept], readings[1, kept], rows[kept], list(stamps), prompt=False)

    def _back(self, readings: Column, known: Column) -> int | None:
        """How many readings leapt before the force was back; None: not known yet.

        0 or less: the leap is real; the reading after that many shows it.
        """
        from_s, from_n = known[:, -1].tolist()
        leap_n = abs(float(readings[1, 0]) - from_n)
        harmless_n = max(self._least_leap_n, LEAP * float(np.abs(known[1]).max()))
        if readings[0, 0] - from_s >= MOST_S or not leap_n > harmless_n:
            return 0
        for count in range(1, MOST_READINGS + 1):
            if count >= readings.shape[1]:
                return None
            if readings[0, count] - from_s > MOST_S:
                return -count
            if abs(float(readings[1, count]) - from_n) <= RETURN * leap_n:
                return count
        return -MOST_READINGS


def _last(*readings: Column) -> Column:
    """The last `WINDOW` of readings that follow each other."""
    return np.concatenate([part[:, -WINDOW:] for part in readings], axis=1)[:, -WINDOW:]
