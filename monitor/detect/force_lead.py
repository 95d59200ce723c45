"""Predicts acceleration from the force of a fast cell, before the encoder can show it.

An encoder shows acceleration only as a second difference, so its estimate needs positions `lag` steps ahead. A fast
cell shows it directly: T = W (1 + a/g) + friction. So the acceleration of the next moments is the encoder's present one
plus what the force has added since:

    a(now + k) = a(now) + g (T(now + k) - T(now)) / W

The load follows from the same law at `now`, so it need not be known. An even pull (a helper, a drifting zero) is in
both tensions and makes no difference.
"""

import math

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.moment import Moment
from monitor.profile.settings import CellSettings
from monitor.signals.conditions import Bit
from monitor.signals.friction import TURNOVER_M_S
from monitor.signals.grid import STEP_S
from monitor.signals.kernels import ACCELERATION_HZ, tension_kernel

FAST_HZ = 330.0  # EVENTS.md 18
AHEAD = 4  # steps that a tension is filtered with; with fewer its error is larger than the encoder's
SHOWN = 5  # moments
SLIDING_M_S = 2 * TURNOVER_M_S  # from here on all friction acts, however much it is
LEAST_INERTIA = 0.5  # of load/g: with less mass on the cable, tension shows resistance rather than acceleration


class ForceLead:
    """For a cell that is `fast_enough`; `lag`: of a moment behind the grid, in steps."""

    def __init__(self, cell: CellSettings, lag: int) -> None:
        self.steps = lag - AHEAD  # how far it sees beyond the encoder
        period_s = cell.period_s(STEP_S)
        window_s = cell.conversions * period_s
        self._now = tension_kernel(ACCELERATION_HZ, lag, window_s, period_s)
        self._soon = tension_kernel(ACCELERATION_HZ, AHEAD, window_s, period_s)

    @staticmethod
    def fast_enough(cell: CellSettings, lag: int) -> bool:
        """Readings come often, each no mean over several; and the encoder is later than the force."""
        return (cell.rate_hz or 0.0) >= FAST_HZ and cell.conversions * cell.period_s(STEP_S) <= STEP_S and lag > AHEAD

    def acceleration_m_s2(self, moment: Moment) -> NDArray[np.float64] | None:
        """Of the `SHOWN` moments up to `steps` after this one; None where the force does not show it."""
        limits, signals = moment.limits, moment.signals
        end = signals.row(moment.now) + 1
        recent_n = signals.head_tension[max(0, end - len(self._now)) : end]
        v_m_s, a_m_s2 = float(signals.v[end - 1]), float(signals.a[end - 1])
        if len(recent_n) < len(self._now) or not _shown(moment, v_m_s):
            return None
        friction = limits.friction or 0.0
        sliding = math.tanh(v_m_s / TURNOVER_M_S)
        now_n = float(recent_n @ self._now)
        load_n = now_n / (1 + limits.inertia * a_m_s2 / G + friction * sliding)
        soon_n = np.correlate(recent_n[-len(self._soon) - SHOWN + 1 :], self._soon, mode="valid")
        risen = (soon_n - now_n) / load_n - friction * (1 - sliding)  # not by friction that begins to act
        return a_m_s2 + G / limits.inertia * risen


def _shown(moment: Moment, v_m_s: float) -> bool:
    """A stack hangs freely on its cable, which carries at least half of it; and the force can be trusted."""
    limits, trust, assistance = moment.limits, moment.trust, moment.assistance
    if limits.kind != "stack" or limits.inertia < LEAST_INERTIA:
        return False
    if trust.force_doubted or trust.fault is not None or moment.on(Bit.FROZEN) or not moment.on(Bit.OFF):
        return False
    if assistance.since is not None and assistance.until is None:
        return False
    return limits.friction is not None or v_m_s >= SLIDING_M_S
