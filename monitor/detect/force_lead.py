"""Predicts acceleration from the force of a fast cell, before the encoder can show it.

An encoder shows acceleration only as a second difference, so its estimate needs positions `lag` steps ahead. A fast
cell shows it directly: T = W (1 + a/g + friction), solved for `a` with the tension of the next moments. The load need
not be known: it follows from the same law over the last moments, for which the encoder shows the acceleration. It is a
mean over `RECENT` of them, in which the rounding of a coarse encoder averages out. An even pull (a helper, a drifting
zero) is part of that load and makes no difference. Only moments count in which the stack hung freely: on the rest the
cable carries a part of it, and friction that is not known turns where the stack turns. Just off the rest there are none
yet; there the load counts that is known otherwise. Beyond what the force shows, an acceleration that grows keeps to its
parabola; behind a peak the parabola would end too soon, and the statistics of smooth accelerations count (`Outlook`).
"""

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.foresight import SHOWN, Outlook, by_parabola, grows
from monitor.detect.moment import Moment
from monitor.profile.settings import CellSettings
from monitor.signals.conditions import Bit
from monitor.signals.friction import TURNOVER_M_S
from monitor.signals.grid import STEP_S
from monitor.signals.kernels import ACCELERATION_HZ, tension_kernel

FAST_HZ = 330.0  # EVENTS.md 18
AHEAD = 4  # steps that a tension is filtered with; with fewer its error is larger than the encoder's
MARGIN = 1.2  # of the threshold, which an acceleration that grows must exceed
RECENT = 16  # moments, 80 ms: about as far as the encoder's errors are alike
FEWEST = 4  # of them that must count
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
        self._outlook = Outlook()

    @staticmethod
    def fast_enough(cell: CellSettings, lag: int) -> bool:
        """Readings come often, each no mean over several; and the encoder is later than the force."""
        return (cell.rate_hz or 0.0) >= FAST_HZ and cell.conversions * cell.period_s(STEP_S) <= STEP_S and lag > AHEAD

    def acceleration_m_s2(self, moment: Moment) -> NDArray[np.float64] | None:
        """Of the `SHOWN` moments up to `steps` after this one; None where the force does not show it."""
        limits, signals = moment.limits, moment.signals
        end = signals.row(moment.now) + 1
        since = end - RECENT
        recent_n = signals.head_tension[max(0, since - len(self._now) + 1) : end]
        if len(recent_n) < RECENT + len(self._now) - 1 or not _shown(moment):
            return None
        rows, friction = slice(since, end), limits.friction or 0.0
        free = _hung_freely(moment, rows)
        if free >= FEWEST:
            v_m_s, a_m_s2 = signals.v[rows], signals.a[rows]
            carried = 1 + limits.inertia * a_m_s2 / G + friction * np.tanh(v_m_s / TURNOVER_M_S)
            recent_n = np.correlate(recent_n, self._now, mode="valid")
            load_n = float(recent_n[-free:].sum() / carried[-free:].sum())
        elif limits.load_n is not None and limits.friction is not None:
            load_n = limits.load_n * float(limits.share_at(moment.x_m))
        else:
            return None
        soon_n = np.correlate(signals.head_tension[end - len(self._soon) - SHOWN + 1 : end], self._soon, mode="valid")
        newest: NDArray[np.float64] = G / limits.inertia * (soon_n / load_n - 1 - friction)  # all friction acts by then
        return None if np.isnan(newest).any() else newest

    def steps_beyond(self, shown_m_s2: NDArray[np.float64], least_m_s2: float, enough: int) -> int:
        """For how many steps after the moment, up to `enough`, such an acceleration will stay above `least_m_s2`."""
        if grows(shown_m_s2):
            return self.steps + by_parabola(shown_m_s2, MARGIN * least_m_s2, enough)
        after = shown_m_s2[-self.steps :]
        below = (after <= least_m_s2).nonzero()[0]
        if len(below):
            return self.steps - len(after) + int(below[0])
        return self.steps + self._outlook.steps_beyond(shown_m_s2, least_m_s2)


def _hung_freely(moment: Moment, rows: slice) -> int:
    """For how many of these moments, up to the newest, the cable carried the stack, with a friction that is known."""
    limits, signals = moment.limits, moment.signals
    free = signals.x[rows] > limits.detect.set.off_rest_m
    if limits.friction is None:
        free &= signals.v[rows] >= SLIDING_M_S
    return len(free) if free.all() else int(np.argmin(free[::-1]))


def _shown(moment: Moment) -> bool:
    """A stack hangs freely on its cable, which carries at least half of it; and the force can be trusted."""
    limits, trust = moment.limits, moment.trust
    if limits.kind != "stack" or limits.inertia < LEAST_INERTIA:
        return False
    if trust.force_doubted or trust.fault is not None or moment.on(Bit.FROZEN) or not moment.on(Bit.OFF):
        return False
    return not moment.assistance.lasts
