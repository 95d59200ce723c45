"""Keeps the signals of the last minute by moment number, for detectors that look back.

column[window.row(a) : window.row(b)]      moments a (included) to b (excluded); moments that are too old are cut off

How many rows are kept depends on how the stream was cut into batches. What detectors see must not. So at each moment
they see the `KEPT` moments before it, and nothing older. Nor may it matter which moments after it have arrived already.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.signals.motion import SignalBlock

KEPT = 64 * 200  # moments: 64 s, in which a repetition at 30/30 fits
SPARE = 200  # older moments, which only the conditions of the oldest ones look back to
CAPACITY = 5 * KEPT // 4  # so that rows are moved at most once in a block, and live every 15 s

Column = NDArray[np.float64]
Counts = NDArray[np.int64]


class SignalWindow:
    """Columns of signals with common rows; memory is constant. `slow_v` lags its moment by `slow_lag` steps."""

    def __init__(self, slow_lag: int = 0) -> None:
        self.slow_lag = slow_lag
        self.first: int | None = None  # number of the moment in row 0
        self.oldest = self.now = 0  # the oldest moment that detectors see, and the present one
        self.end = 0  # number of the moment after the newest
        columns = np.zeros((10, CAPACITY))  # the system gives the memory when it is used
        self.x, self.v, self.a, self.slow_v, self.tension, self.fast_tension = columns[:6]
        self.head_x, self.head_tension, self.found, self.relative = columns[6:]
        self.repeated, self.odd = marks = np.zeros((2, CAPACITY), bool)
        # Running counts of moments since the stream began: differences are exact whatever the batches were.
        self.loaded, self.in_band = counts = np.zeros((2, CAPACITY), np.int64)
        self._columns: tuple[NDArray[Any], ...] = (*columns, *marks, *counts)

    def append(self, signals: SignalBlock, rest_m: float, zero_n: float) -> None:
        """Add moments that follow the newest."""
        n = len(signals.found_s)
        if self.first is None:
            self.first = self.oldest = self.end = signals.first
        used = self.end - self.first
        if used + n > CAPACITY:
            kept = KEPT + SPARE
            drop = used - kept
            for column in self._columns:  # all at once would copy them twice, as they overlap
                column[:kept] = column[drop:used]
            self.first += drop
            used = kept
        rows = slice(used, used + n)
        self.x[rows] = signals.x_m - rest_m
        self.v[rows] = signals.v_m_s
        self.a[rows] = signals.a_m_s2
        self.slow_v[rows] = signals.slow_v_m_s
        self.tension[rows] = signals.tension_n - zero_n
        self.fast_tension[rows] = signals.fast_tension_n - zero_n
        self.repeated[rows] = signals.repeated
        self.odd[rows] = signals.odd
        self.head_x[rows] = signals.head_x_m - rest_m
        self.head_tension[rows] = signals.head_tension_n - zero_n
        self.found[rows] = signals.found_s
        self.end += n

    def look_from(self, now: int) -> None:
        """Detectors look back from moment `now`."""
        self.now = now
        if self.oldest < now - KEPT:
            self.oldest = now - KEPT

    def shift(self, by_m: float) -> None:
        """The zero of the positions was moved up."""
        self.x -= by_m
        self.head_x -= by_m

    def shift_force(self, by_n: float, start: int) -> None:
        """The zero of the tension has moved up from moment `start` on."""
        rows = slice(self.row(start), None)
        for column in (self.tension, self.fast_tension, self.head_tension):
            column[rows] -= by_n

    def row(self, moment: int) -> int:
        """Row of a moment; that of the oldest visible moment for one that is older."""
        assert self.first is not None
        return (moment if moment > self.oldest else self.oldest) - self.first

    def x_m(self, moment: int) -> float:
        """The position of one moment, m above the rest; NaN where not known."""
        return float(self.x[self.row(moment)])

    def count(self, counter: Counts, start: int, end: int) -> int:
        """How many moments from `start` up to but not including `end` were counted."""
        return int(counter[self.row(max(start, end) - 1)] - counter[self.row(start - 1)])

    def slow_part(self, start: int, end: int) -> Column:
        """The slow velocities of moments `start` up to but not including `end`, those that are known by now."""
        lag = self.slow_lag
        return self.part(self.slow_v, max(start, self.oldest) + lag, min(end + lag, self.now + 1))

    def part(self, column: Column, start: int, end: int) -> Column:
        """A column from moment `start` up to but not including `end`; never empty while anything is kept."""
        low = self.row(start)
        return column[low : max(low + 1, self.row(end))]
