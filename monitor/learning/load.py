"""Load and friction, learned from the cruise of the first repetitions.

Between the turnarounds the cable carries W (1 + a/g) + mu W tanh(v / 4 mm/s): a line in tanh(v / 4 mm/s) whose level is
the load and whose slope is the friction, fitted over all moments of a repetition with little acceleration.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.profile.limits import Limits
from monitor.signals.friction import direction
from monitor.signals.signal_window import SignalWindow

CRUISE_G = 0.03  # below it a repetition hardly accelerates
LEAST_MOMENTS = 60  # 0.3 s in either direction: a fit over less is noise
SNAP = 0.02  # a learned load this close to a plate is that plate
TRUSTED_REPS = 2  # one repetition may be pulled unevenly
ALIEN = 0.04  # a given load this far from the fit is not the selected one


class LoadFit(NamedTuple):
    """A fit over one or more repetitions, as the sums that it is made of."""

    n: int
    reps: int
    level: float
    slope: float

    @property
    def friction(self) -> float:
        return max(0.0, self.slope / self.level)


class LoadLearner:
    """`update` after each repetition; None until there is something to learn from."""

    def __init__(self, plates_kg: tuple[float, ...] | None) -> None:
        self.loads_n = None if plates_kg is None else np.array(plates_kg) * G
        self._sums = np.zeros(5)  # n, sum c, sum c2, sum T, sum cT
        self._up = self._down = self._reps = 0

    def forget(self) -> None:
        """Start again: a new set may have a new load."""
        self._sums = np.zeros(5)
        self._up = self._down = self._reps = 0

    def update(
        self, signals: SignalWindow, limits: Limits, doubted: Iterable[tuple[int, int]], start: int, end: int
    ) -> LoadFit | None:
        """From moment `start` up to but not including `end`, without the stretches in which the force is doubted."""
        tension, v, a = (signals.part(column, start, end) for column in (signals.tension, signals.v, signals.a))
        slow_v = signals.part(signals.slow_v, start + signals.slow_lag, end + signals.slow_lag)
        n = min(len(tension), len(slow_v))
        tension, v, a, slow_v = tension[:n], v[:n], a[:n], slow_v[:n]
        cruise = (np.abs(a) < CRUISE_G * G) & (np.abs(slow_v) > limits.v_move_m_s) & ~np.isnan(tension)
        for since, until in doubted:
            cruise[max(0, since - start) : max(0, until - start)] = False
        if not cruise.any():
            return None
        self._reps += 1
        c, level = direction(v[cruise]), tension[cruise] / (1 + a[cruise] / G)
        self._up += int((c > 0).sum())
        self._down += int((c < 0).sum())
        self._sums = self._sums + np.array([len(c), c.sum(), (c * c).sum(), level.sum(), (c * level).sum()])
        if min(self._up, self._down) < LEAST_MOMENTS:
            return None
        count, sum_c, sum_cc, sum_t, sum_ct = self._sums
        spread = count * sum_cc - sum_c * sum_c
        if spread <= 0:
            return None
        slope = (count * sum_ct - sum_c * sum_t) / spread
        fit = LoadFit(int(count), self._reps, float((sum_t - slope * sum_c) / count), float(slope))
        return fit if fit.level > 0 else None

    def snapped(self, load_n: float) -> float:
        """The nearest load that the pin can select, where the profile lists the plates and one is near."""
        if self.loads_n is None:
            return load_n
        nearest = float(self.loads_n[int(np.abs(self.loads_n - load_n).argmin())])
        return nearest if abs(nearest - load_n) <= SNAP * load_n else load_n
