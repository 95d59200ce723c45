"""Foresees acceleration from the force, before the encoder can show it.

An encoder shows acceleration only as a second difference, so its estimate needs positions `lag` steps ahead. A cell
shows it directly: T = W (share + inertia a/g + friction), solved for `a` with the best estimate of the tension in the
next moments (`tension_outlook`); even a slow converter shows more of it than the encoder does. Share is 1 unless it is
known that the load varies along the way. Friction is taken out of each force by the speed at its time: it turns where
the stack turns. The load need not be known: it follows from the same law over the last moments, for which the encoder
shows the acceleration. It is a mean over `RECENT` of them, in which the rounding of a coarse encoder averages out. An
even pull (a helper, a drifting zero) is part of that load and makes no difference. Only moments count in which the
stack hung freely: on the rest the cable carries a part of it. Just off the rest there are none yet; there the load
counts that is known otherwise.
"""

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.moment import Moment
from monitor.detect.parabola import SHOWN, slope, steps_beyond
from monitor.profile.limits import Limits
from monitor.profile.settings import CellSettings
from monitor.signals.conditions import Bit
from monitor.signals.friction import TURNOVER_M_S
from monitor.signals.grid import STEP_S
from monitor.signals.kernels import ACCELERATION_HZ, TENSION_PAST, tension_kernel, tension_outlook
from monitor.signals.signal_window import SignalWindow

Column = NDArray[np.float64]
SLOWEST_HZ, LONGEST_MEAN_S = 60.0, 0.07  # of a converter that shows enough: an HX711 has 80 Hz and 50 ms
CAUTION = 0.7  # of the expected errors: by so much an acceleration must be greater than its threshold
MEAN_CAUTION = 1.0  # the same where each reading is a mean over several conversions
CLEAR, CLEARLY = 8, 1.5  # steps ahead, and how many times its threshold an acceleration that grows must be there
RECENT = 16  # moments, 80 ms: about as far as the encoder's errors are alike
FEWEST = 4  # of them that must count
HEAVY = 0.5  # least inertia of a machine whose tension shows acceleration, as a share of load/g
SLIDING_M_S = 2 * TURNOVER_M_S  # from here on all friction acts, however much it is


class ForceLead:
    """For a cell that `shows` enough. `lag`: of a moment behind the grid; `steps`: how far to look ahead."""

    def __init__(self, cell: CellSettings, lag: int, steps: int) -> None:
        period_s = cell.period_s(STEP_S)
        window_s = cell.conversions * period_s
        self._now = tension_kernel(ACCELERATION_HZ, lag, window_s, period_s)
        self._next, errors = tension_outlook(lag, steps, window_s, period_s)
        self._shows_growth = window_s <= STEP_S  # a mean over several conversions hides how a force grows
        self._caution_m_s2 = (CAUTION if self._shows_growth else MEAN_CAUTION) * G * errors

    @staticmethod
    def shows(cell: CellSettings) -> bool:
        """Its readings come often, and each is a mean over a short time."""
        rate_hz = cell.rate_hz or 0.0
        return rate_hz >= SLOWEST_HZ and cell.conversions <= LONGEST_MEAN_S * rate_hz

    def steps_beyond(self, moment: Moment, least_m_s2: float) -> int | None:
        """For how many steps after this moment the acceleration upwards will be more than `least_m_s2`.

        None where the force does not show it.
        """
        coming_m_s2 = self._coming_m_s2(moment)
        if coming_m_s2 is None:
            return None
        caution_m_s2 = self._caution_m_s2 / moment.limits.inertia
        below = (coming_m_s2 - caution_m_s2 <= least_m_s2).nonzero()[0]
        return int(below[0]) if len(below) else len(coming_m_s2)

    def grows_beyond(self, moment: Moment, least_m_s2: float) -> bool:
        """Whether the acceleration upwards, which grows, will soon be clearly more than `least_m_s2`, and stay so."""
        coming_m_s2 = self._coming_m_s2(moment) if self._shows_growth else None
        if coming_m_s2 is None:
            return False
        soon_m_s2, left = coming_m_s2[CLEAR - SHOWN : CLEAR], len(coming_m_s2) - CLEAR
        return slope(soon_m_s2) > 0 and steps_beyond(soon_m_s2, CLEARLY * least_m_s2, left) >= left

    def _coming_m_s2(self, moment: Moment) -> Column | None:
        """The acceleration upwards in the next steps; None where the force does not show it."""
        if not _can_show(moment):
            return None
        limits, signals = moment.limits, moment.signals
        end = signals.row(moment.now) + 1
        since = end - RECENT
        recent_n = signals.head_tension[max(0, since - len(self._now) + 1) : end]
        if len(recent_n) < RECENT + len(self._now) - 1:
            return None
        unmoved = _share_carried(limits, *_motion(signals, end, len(recent_n), len(self._now) - 1 - TENSION_PAST))
        load_n = self._load_n(moment, recent_n, unmoved, slice(since, end))
        if load_n is None:
            return None
        moved = (recent_n / load_n - unmoved)[-len(self._now) :]
        coming_m_s2: Column = self._next @ moved * (G / limits.inertia)
        return None if np.isnan(coming_m_s2).any() else coming_m_s2

    def _load_n(self, moment: Moment, recent_n: Column, unmoved: Column, rows: slice) -> float | None:
        """The load in the last moments, of which the cable carried `unmoved`; a friction that is not known is in it."""
        limits, signals = moment.limits, moment.signals
        free = _hung_freely(moment, rows)
        if free >= FEWEST:
            tension_n, carried = (
                np.correlate(column, self._now, mode="valid")[-free:] for column in (recent_n, unmoved)
            )
            return float(tension_n.sum() / (carried + signals.a[rows][-free:] * (limits.inertia / G)).sum())
        return None if limits.friction is None else limits.load_n


def _motion(signals: SignalWindow, end: int, n: int, ahead: int) -> tuple[Column, Column]:
    """Positions and velocities of `n` moments, the last `ahead` of them after row `end`: it moves on as it does."""
    x_m, v_m_s = signals.x[end - n + ahead : end], signals.v[end - n + ahead : end]
    t_s = STEP_S * np.arange(1, ahead + 1)
    return np.append(x_m, x_m[-1] + v_m_s[-1] * t_s), np.append(v_m_s, v_m_s[-1] + signals.a[end - 1] * t_s)


def _share_carried(limits: Limits, x_m: Column, v_m_s: Column) -> Column:
    """What the cable carries without acceleration, as a share of the load; a friction that is not known is left out."""
    share = limits.share_at(x_m, v_m_s)
    carried: Column = share * (1 + (limits.friction or 0.0) * np.tanh(v_m_s / TURNOVER_M_S))
    return carried


def _hung_freely(moment: Moment, rows: slice) -> int:
    """For how many of these moments, up to the newest, the cable carried the stack, with a friction that is known."""
    limits, signals = moment.limits, moment.signals
    free = signals.x[rows] > limits.detect.set.off_rest_m
    if limits.friction is None:
        free &= signals.v[rows] >= SLIDING_M_S
    return len(free) if free.all() else int(np.argmin(free[::-1]))


def _can_show(moment: Moment) -> bool:
    """A mass that is large enough hangs freely on its cable; and the force can be trusted."""
    limits = moment.limits
    return limits.kind == "stack" and limits.inertia >= HEAVY and moment.on(Bit.OFF) and not moment.trust.force_doubted
