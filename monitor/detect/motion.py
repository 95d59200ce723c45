"""Steps become motion: position, velocity, acceleration and filtered tension at one moment.

    raw steps   . . . . . . . . | . . . . . . . . head
    moment j                    ^ LAG steps behind the head; every signal is centred on it

Position and velocity are the value and slope of a least-squares quadratic over the window (Savitzky & Golay 1964),
centred: no phase error, at the price of half a window of delay. Acceleration decides heaves, and the truth for it is
motion low-passed at 6 Hz with zero phase, a filter that wants to see 80 ms ahead. The best that can be said LAG steps
behind the head is its Wiener estimate: the linear filter with the least expected error, given the past 80 ms, how
movement is distributed over frequencies and how coarse the encoder is. On simulated sets its error near events is a
third of the quadratic's at the same delay. An encoder's velocity near
standstill is coarse (one count in many steps), so a second velocity, for "moving or not", looks over a window
long enough for several counts; it is centred too, and lags the moment by `slow_lag` steps.

Tension is filtered by the truncated response of a zero-phase second-order Butterworth filter, |H|^2 = 1/(1+(f/fc)^4):
8 Hz for what is judged against the load, 15 Hz for slack, touch and ceiling, as EVENTS.md defines the truth.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.detect.grid import STEP_S, Steps
from monitor.detect.settings import Motion as MotionSettings

Column = NDArray[np.float64]
SLOW_COUNTS = 2.5  # the slow window spans this many encoder counts at v_rest
SLOWEST_WINDOW_S = 0.4
PAST = 16  # steps that the acceleration looks back
SPREAD_M_S2, BEND_HZ, SLOPE = 1.5, 4.0, 3.0  # how acceleration in faulty sets is spread over frequencies


class Signals(NamedTuple):
    """Consecutive moments: arrays of shape (n,), the first is moment number `first`; NaN where not known."""

    first: int
    x_m: Column  # raw coordinate
    v_m_s: Column
    a_m_s2: Column
    slow_v_m_s: Column  # of the moment `slow_lag` earlier
    tension_n: Column  # 8 Hz
    fast_tension_n: Column  # 15 Hz
    repeated: NDArray[np.bool_]  # the cell repeated itself
    head_x_m: Column  # newest known when the moment was made, for the eye: LAG steps younger
    head_tension_n: Column
    found_s: Column

    def part(self, low: int, high: int) -> "Signals":
        """Rows `low` to `high`."""
        columns: list[Any] = [column[low:high] for column in self[1:]]
        return Signals(self.first + low, *columns)


class Motion:
    """Steps in, signals out; keeps one longest window."""

    def __init__(self, settings: MotionSettings, v_rest_m_s: float, count_m: float) -> None:
        self.lag = max(3, round(settings.window_s / 2 / STEP_S))
        slow_window_s = min(max(settings.window_s, SLOW_COUNTS * count_m / v_rest_m_s), SLOWEST_WINDOW_S)
        self.slow_half = max(self.lag, round(slow_window_s / 2 / STEP_S))
        self.slow_lag = self.slow_half - self.lag
        self._smooth, self._speed = quadratic_kernel(self.lag), slope_kernel(self.lag)
        self._acceleration = wiener_kernel(self.lag, count_m)
        self._slow = slope_kernel(self.slow_half)
        self._low = butterworth_kernel(8.0, self.lag)
        self._high = butterworth_kernel(15.0, min(self.lag, 6))
        kept = max(2 * self.slow_half, len(self._acceleration))
        self._x = np.full(kept, np.nan)
        self._force = np.full(kept, np.nan)
        self._repeated = np.zeros(kept, bool)

    def update(self, steps: Steps) -> Signals:
        """The moments that these steps complete: as many as steps."""
        n = len(steps.found_s)
        x = np.concatenate((self._x, steps.x_raw_m))
        force = np.concatenate((self._force, steps.force_n))
        repeated = np.concatenate((self._repeated, steps.repeated))
        self._x, self._force, self._repeated = x[n:], force[n:], repeated[n:]
        head = force[-n:] if n else force[:0]
        return Signals(
            first=steps.first - self.lag,
            x_m=_centred(x, self._smooth, self.lag, n),
            v_m_s=_centred(x, self._speed, self.lag, n),
            a_m_s2=_newest(x, self._acceleration, n),
            slow_v_m_s=_centred(x, self._slow, self.slow_half, n),
            tension_n=_centred(force, self._low, self.lag, n),
            fast_tension_n=_centred(force, self._high, self.lag, n),
            repeated=repeated[len(repeated) - n - self.lag : len(repeated) - self.lag],
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


def quadratic_kernel(half: int) -> Column:
    """Value in the middle of the least-squares quadratic over 2 * half + 1 steps."""
    i = np.arange(-half, half + 1, dtype=float)
    return np.ascontiguousarray(np.linalg.pinv(np.stack((np.ones_like(i), i, i * i), axis=1))[0])


def slope_kernel(half: int) -> Column:
    """Slope (1/s) of the least-squares line over 2 * half + 1 steps."""
    i = np.arange(-half, half + 1, dtype=float)
    return i / (i @ i) / STEP_S


@lru_cache
def wiener_kernel(ahead: int, count_m: float) -> Column:
    """Acceleration (1/s2) low-passed at 6 Hz, estimated from PAST steps before a moment to `ahead` steps after it.

    It weighs second differences of position, so that neither place nor speed matters. With R the covariance of what is
    seen and r its covariance with what is sought, the weights are R^-1 r (Wiener 1949).
    """
    f_hz = np.linspace(0, 100, 2001)
    spectrum = SPREAD_M_S2**2 / (1 + (f_hz / BEND_HZ) ** SLOPE)
    spectrum /= (1 / (1 + (f_hz / BEND_HZ) ** SLOPE)).sum()
    seen = np.sinc(f_hz * STEP_S) ** 3  # the mean over a cell, and the triangle of a second difference
    sought = 1 / (1 + (f_hz / 6.0) ** 4)
    i = np.arange(-PAST, ahead)

    def covariance(power: Column, apart: NDArray[np.int64]) -> Column:
        by_distance: Column = np.cos(2 * np.pi * STEP_S * np.arange(len(i))[:, None] * f_hz) @ power
        return by_distance[np.abs(apart)]

    apart = i[:, None] - i[None, :]
    matrix = covariance(spectrum * seen * seen, apart)
    for distance, weight in ((0, 6.0), (1, -4.0), (2, 1.0)):  # rounding to counts, differenced twice
        matrix += weight * count_m**2 / 12 / STEP_S**4 * (np.abs(apart) == distance)
    weights = np.linalg.solve(matrix, covariance(spectrum * seen * sought, i))
    return np.convolve(weights, (1.0, -2.0, 1.0)) / STEP_S**2


def butterworth_kernel(cutoff_hz: float, half: int) -> Column:
    """Impulse response of |H|^2 = 1/(1 + (f/fc)^4), cut to 2 * half + 1 steps, of unit gain."""
    t = np.abs(np.arange(-half, half + 1) * STEP_S) * 2 * np.pi * cutoff_hz / np.sqrt(2)
    response = np.exp(-t) * (np.cos(t) + np.sin(t))
    kernel: Column = response / response.sum()
    return kernel
