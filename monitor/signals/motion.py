"""Turns steps into motion: position, velocity, acceleration and filtered tension at one moment.

    raw steps   . . . . . . . . | . . . . . . . . head
    moment j                    ^ `lag` steps behind the head; every signal is centred on it

Position and velocity are the value and slope of a least-squares quadratic over the centred window: it has no phase
error, but a delay of half a window. Acceleration decides heaves. Its true signal is motion low-passed at 6 Hz with zero
phase, which needs 80 ms of look-ahead; the Wiener estimate of it has a third of the quadratic's error near events, at
the same delay. An encoder's velocity near standstill is coarse (one count in many steps). So a second velocity, for
"moving or not", uses a window long enough for several counts; it is centred, too, and lags the moment by `slow_lag`
steps.

Tension is estimated in the same way (true signals: EVENTS.md 1.1): low-passed at 8 Hz for comparison with the load, at
15 Hz for slack, touch and ceiling. The readings of a slow converter (HX711: each of 80 readings a second is the mean
over 50 ms, and half of that late) are sharpened: on simulated sets the error near events falls from 5 % of the load to
0.5 %.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.profile.settings import CellSettings, MotionSettings
from monitor.signals.grid import STEP_S, Steps
from monitor.signals.kernels import acceleration_kernel, quadratic_kernel, slope_kernel, tension_kernel
from monitor.signals.position_tracker import TrackedSteps

Column = NDArray[np.float64]
SLOW_COUNTS = 2.5  # the slow window spans this many encoder counts at v_rest
SLOWEST_WINDOW_S = 0.4  # a longer one would be late for every turnaround
TENSION_HZ, FAST_TENSION_HZ = 8.0, 15.0  # of the true signals: EVENTS.md 1.1


class SignalBlock(NamedTuple):
    """Consecutive moments: arrays of shape (n,), the first is moment number `first`; NaN where not known."""

    first: int
    x_m: Column  # raw coordinate
    v_m_s: Column
    a_m_s2: Column
    slow_v_m_s: Column  # of the moment `slow_lag` earlier
    tension_n: Column  # 8 Hz
    fast_tension_n: Column  # 15 Hz
    repeated: NDArray[np.bool_]  # the cell repeated itself
    odd: NDArray[np.bool_]  # the encoder may have stopped without the stack: not known yet
    head_x_m: Column  # the newest when the moment was completed, for live feedback: `lag` steps younger
    head_tension_n: Column
    found_s: Column

    def part(self, low: int, high: int) -> "SignalBlock":
        """Rows `low` to `high`."""
        if high - low == len(self.found_s):
            return self
        columns: list[Any] = [column[low:high] for column in self[1:]]
        return SignalBlock(self.first + low, *columns)

    @staticmethod
    def joined(parts: "list[SignalBlock]") -> "SignalBlock":
        """The blocks joined in order."""
        columns: list[Any] = [np.concatenate(column) for column in zip(*(part[1:] for part in parts), strict=True)]
        return SignalBlock(parts[0].first, *columns)


class MotionFilter:
    """Takes steps and returns signals; it keeps steps for its longest window."""

    def __init__(self, settings: MotionSettings, cell: CellSettings, v_rest_m_s: float, count_m: float) -> None:
        self.lag = max(3, round(settings.window_s / 2 / STEP_S))
        slow_window_s = min(max(settings.window_s, SLOW_COUNTS * count_m / v_rest_m_s), SLOWEST_WINDOW_S)
        self.slow_half = max(self.lag, round(slow_window_s / 2 / STEP_S))
        self.slow_lag = self.slow_half - self.lag
        self._smooth, self._speed = quadratic_kernel(self.lag), slope_kernel(self.lag)
        self._acceleration = acceleration_kernel(self.lag, count_m)
        self._slow = slope_kernel(self.slow_half)
        period_s = cell.period_s(STEP_S)
        window_s = cell.conversions * period_s
        self._low = tension_kernel(TENSION_HZ, self.lag, window_s, period_s)
        self._high = tension_kernel(FAST_TENSION_HZ, self.lag, window_s, period_s)
        kept = max(2 * self.slow_half, len(self._acceleration), len(self._low))
        self._x = np.full(kept, np.nan)
        self._force = np.full(kept, np.nan)
        self._repeated = np.zeros(kept, bool)

    def update(self, tracked: TrackedSteps) -> SignalBlock:
        """The moments that these steps complete: as many as steps."""
        steps, first = tracked.steps, tracked.steps.first
        cuts = [0, *(retraction.step - first for retraction in tracked.retractions), len(steps.found_s)]
        parts: list[SignalBlock] = []
        for i, (low, high) in enumerate(pairwise(cuts)):
            if i:
                self._x[tracked.retractions[i - 1].since - tracked.retractions[i - 1].step :] = np.nan
            parts.append(self._update(steps.part(low, high), tracked.odd[low:high]))
        return parts[0] if len(parts) == 1 else SignalBlock.joined(parts)

    def _update(self, steps: Steps, odd: NDArray[np.bool_]) -> SignalBlock:
        n = len(steps.found_s)
        x = np.concatenate((self._x, steps.x_raw_m))
        force = np.concatenate((self._force, steps.force_n))
        repeated = np.concatenate((self._repeated, steps.repeated))
        self._x, self._force, self._repeated = x[n:], force[n:], repeated[n:]
        head = force[-n:] if n else force[:0]
        return SignalBlock(
            first=steps.first - self.lag,
            x_m=_centred(x, self._smooth, self.lag, n),
            v_m_s=_centred(x, self._speed, self.lag, n),
            a_m_s2=_newest(x, self._acceleration, n),
            slow_v_m_s=_centred(x, self._slow, self.slow_half, n),
            tension_n=_newest(force, self._low, n),
            fast_tension_n=_newest(force, self._high, n),
            repeated=repeated[len(repeated) - n - self.lag : len(repeated) - self.lag],
            odd=odd,
            head_x_m=steps.x_raw_m,
            head_tension_n=head,
            found_s=steps.found_s,
        )


def _centred(values: Column, kernel: Column, centre: int, n: int) -> Column:
    """The last n values of the correlation whose kernel is centred `centre` steps behind the newest value."""
    if not n:
        return np.empty(0)
    return _newest(values[: len(values) - centre + len(kernel) // 2], kernel, n)


def _newest(values: Column, kernel: Column, n: int) -> Column:
    """The last n values of the correlation."""
    return np.correlate(values[len(values) - n - len(kernel) + 1 :], kernel, mode="valid") if n else np.empty(0)
