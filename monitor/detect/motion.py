"""Steps become motion: position, velocity, acceleration and filtered tension at one moment.

    raw steps   . . . . . . . . | . . . . . . . . head
    moment j                    ^ LAG steps behind the head; every signal is centred on it

Position, velocity and acceleration are the value and slopes of a least-squares quadratic over the window
(Savitzky & Golay 1964), centred: no phase error, at the price of half a window of delay. An encoder's velocity near
standstill is coarse (one count in many steps), so a second velocity, for "moving or not", looks over a window
long enough for several counts; it is centred too, and lags the moment by `slow_lag` steps.

Tension is filtered by the truncated response of a zero-phase second-order Butterworth filter, |H|^2 = 1/(1+(f/fc)^4):
8 Hz for what is judged against the load, 15 Hz for slack, touch and ceiling, as EVENTS.md defines the truth.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.detect.grid import STEP_S, Steps
from monitor.detect.settings import Motion as MotionSettings

Column = NDArray[np.float64]
SLOW_COUNTS = 2.5  # the slow window spans this many encoder counts at v_rest
SLOWEST_WINDOW_S = 0.4


class Signals(NamedTuple):
    """Consecutive moments: arrays of shape (n,), the first is moment number `first`; NaN where not known."""

    first: int
    x_m: Column  # raw coordinate
    v_m_s: Column
    a_m_s2: Column
    slow_v_m_s: Column  # of the moment `slow_lag` earlier
    tension_n: Column  # 8 Hz
    fast_tension_n: Column  # 15 Hz
    raw_tension_n: Column
    head_x_m: Column  # newest known when the moment was made, for the eye: LAG steps younger
    head_tension_n: Column
    found_s: Column


class Motion:
    """Steps in, signals out; keeps one longest window."""

    def __init__(self, settings: MotionSettings, v_rest_m_s: float, count_m: float) -> None:
        self.lag = max(3, round(settings.window_s / 2 / STEP_S))
        slow_window_s = min(max(settings.window_s, SLOW_COUNTS * count_m / v_rest_m_s), SLOWEST_WINDOW_S)
        self.slow_half = max(self.lag, round(slow_window_s / 2 / STEP_S))
        self.slow_lag = self.slow_half - self.lag
        self._fit = quadratic_kernels(self.lag)
        self._slow = slope_kernel(self.slow_half)
        self._low = butterworth_kernel(8.0, self.lag)
        self._high = butterworth_kernel(15.0, min(self.lag, 6))
        self._x = np.full(2 * self.slow_half, np.nan)
        self._force = np.full(2 * self.slow_half, np.nan)

    def update(self, steps: Steps) -> Signals:
        """The moments that these steps complete: as many as steps."""
        n = len(steps.found_s)
        x = np.concatenate((self._x, steps.x_raw_m))
        force = np.concatenate((self._force, steps.force_n))
        self._x, self._force = x[n:], force[n:]
        smooth, v, a = (_centred(x, kernel, self.lag, n) for kernel in self._fit)
        head = force[-n:] if n else force[:0]
        return Signals(
            first=steps.first - self.lag,
            x_m=smooth,
            v_m_s=v,
            a_m_s2=a,
            slow_v_m_s=_centred(x, self._slow, self.slow_half, n),
            tension_n=_centred(force, self._low, self.lag, n),
            fast_tension_n=_centred(force, self._high, self.lag, n),
            raw_tension_n=force[len(force) - n - self.lag : len(force) - self.lag],
            head_x_m=steps.x_raw_m,
            head_tension_n=head,
            found_s=steps.found_s,
        )


def _centred(values: Column, kernel: Column, centre: int, n: int) -> Column:
    """The last n values of the correlation whose kernel is centred `centre` steps behind the newest value."""
    if not n:
        return np.empty(0)
    half = len(kernel) // 2
    end = len(values) - centre + half
    return np.correlate(values[end - n - 2 * half : end], kernel, mode="valid")


def quadratic_kernels(half: int) -> tuple[Column, Column, Column]:
    """Value, slope (1/s) and second derivative (1/s2) at the middle of 2 * half + 1 steps."""
    i = np.arange(-half, half + 1, dtype=float)
    fit = np.linalg.pinv(np.stack((np.ones_like(i), i, i * i), axis=1))
    return fit[0].copy(), slope_kernel(half), fit[2] * 2 / STEP_S**2


def slope_kernel(half: int) -> Column:
    """Slope (1/s) of the least-squares line over 2 * half + 1 steps."""
    i = np.arange(-half, half + 1, dtype=float)
    return i / (i @ i) / STEP_S


def butterworth_kernel(cutoff_hz: float, half: int) -> Column:
    """Impulse response of |H|^2 = 1/(1 + (f/fc)^4), cut to 2 * half + 1 steps, of unit gain."""
    t = np.abs(np.arange(-half, half + 1) * STEP_S) * 2 * np.pi * cutoff_hz / np.sqrt(2)
    response = np.exp(-t) * (np.cos(t) + np.sin(t))
    kernel: Column = response / response.sum()
    return kernel
