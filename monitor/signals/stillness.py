"""Decides whether an encoder stands still because the stack does: a stop without a shock is a frozen encoder.

    position  ////////|___________|////////      in cells that did not change by one count
              moving  c  frozen   r  moving

A stack has mass. To stop or start within 20 ms it needs a push, which the cable shows. So where running counts stop
dead, or a long standstill ends at full speed, the tension decides: if it is calm, only the encoder has stopped. The
less mass moves (air, bands), the faster it stops and the less of that the cable shows. Where the tension is not known,
only counts that no stack can make (beyond `MOST_G`) are those of a frozen encoder.

Friction may hide from the cable that a stack stops or starts. So counts that slow down to a turning point, or run
faster and faster from one, are those of the stack. So are counts that have just turned: a stack that lands bounces, and
missed counts never turn. A stack that lands takes its tension with it, which a slow converter shows late. A freeze that
begins or ends while the stack rests, hangs on something else than its cable, or so slowly that an encoder this coarse
would look the same, cannot be detected.
"""

from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.signals.grid import STEP_S

Column = NDArray[np.float64]
PLATEAU = 8  # steps without a count that make a standstill; the speed before is measured over as many
SPEED_STEPS = 4  # the speed after a standstill, or next to a kink, is measured over this many steps
WAIT = 10  # steps that the tension may lag: a slow converter averages over 50 ms, and shows all of a change after them
MOST_G = 0.6  # no stack stops harder, except on its rest
KINK_G = 1.0  # a change of speed so hard that it must show in the cable
LEAST_M_S = 0.025  # slower stops look the same on a frozen and on a healthy encoder
LEAST_COUNTS = 2.2  # within SPEED_STEPS
TURNED_COUNTS = 2.0  # a movement that has turned by more is no rounding
SOON_COUNTS = 3.0  # a movement whose turning point is nearer than this has come to stand there
SHOCK_S = 0.03  # a stop that looks sudden to these counts takes at least this
SLACK_N = 15.0  # with less tension a hand or the rest can stop a stack, and no cable shows it
LEFT = 0.5  # of the tension: with less left, the stack has landed
LANDING_WAIT = 24  # steps in which even a slow converter shows that
LEAST_SHOCK = 0.04  # of the tension before: less is tremor
LOUD_SHOCK = 0.3  # of it: more moves any stack, however little mass it has
CALM_BEFORE = 40  # steps before the edge: from here ...
SHOCK_BEFORE = 16  # ... to here the tension is what it was, from here on it may change
REACH = CALM_BEFORE + LANDING_WAIT + SPEED_STEPS  # steps of history that a verdict needs


class Verdict(Enum):
    REAL = "real"
    ODD = "odd"  # not known yet
    FROZEN = "frozen"


class Judge:
    """For encoders with counts of this size; all arguments are positions, m, or tensions, N, of consecutive steps.

    `inertia`: the moving mass, as a share of load/g.
    """

    def __init__(self, count_m: float, inertia: float) -> None:
        self.count_m, self.inertia = count_m, inertia
        self._full_m_s2 = G / inertia if inertia else np.inf  # to which the whole tension accelerates the mass
        self._hidden_s = float(np.sqrt(2 * count_m / (MOST_G * self._full_m_s2)))  # of movement before its first count
        kink_s = SPEED_STEPS * STEP_S
        self.least_start_m = max(LEAST_M_S * self._full_m_s2 / G * kink_s, LEAST_COUNTS * count_m)
        self.least_stop_m = self.least_start_m * PLATEAU / SPEED_STEPS  # the same speed
        self.kink_way_m = KINK_G * self._full_m_s2 * kink_s * (kink_s + self._hidden_s)  # between two windows

    def stop(self, x_m: Column, force_n: Column, edge: int) -> Verdict:
        """The verdict on counts that stand from step `edge` on; the columns end with the newest step."""
        if self._turns(x_m, edge) or self._gradual(x_m, edge - 1, -PLATEAU):
            return Verdict.REAL
        way_m = float(x_m[edge - 1] - x_m[edge - 1 - PLATEAU])
        return self._judge(way_m, PLATEAU, force_n, edge, PLATEAU + WAIT, lands=way_m < 0)

    def start(self, x_m: Column, force_n: Column, edge: int) -> Verdict:
        """The verdict on counts that run again from step `edge` on; the columns end with the newest step."""
        if edge + 3 * SPEED_STEPS < len(x_m) and self._gradual(x_m, edge, SPEED_STEPS):
            return Verdict.REAL
        way_m = float(x_m[edge + SPEED_STEPS] - x_m[edge])
        return self._judge(way_m, SPEED_STEPS, force_n, edge, SPEED_STEPS + 1 + WAIT)

    def kink(self, x_m: Column, force_n: Column, edge: int) -> Verdict:
        """The verdict on counts that run at another speed from step `edge` on; the columns end with the newest step."""
        way_m = float(x_m[edge + SPEED_STEPS] - 2 * x_m[edge] + x_m[edge - SPEED_STEPS])
        lands = way_m > 0 and bool(x_m[edge] < x_m[edge - SPEED_STEPS])
        if _tension(force_n, edge) is None or (lands and self._turns(x_m, edge)):
            return Verdict.REAL  # it may have landed, or has
        return self._judge(way_m, SPEED_STEPS, force_n, edge, SPEED_STEPS + 1 + WAIT, lands=lands)

    def _turns(self, x_m: Column, edge: int) -> bool:
        """Whether the movement has turned about then."""
        ways_m = np.diff(x_m[edge - 3 * PLATEAU :])
        up_m, down_m = float(ways_m[ways_m > 0].sum()), -float(ways_m[ways_m < 0].sum())
        return min(up_m, down_m) > TURNED_COUNTS * self.count_m

    def _gradual(self, x_m: Column, at: int, window: int) -> bool:
        """Whether the parabola through the counts on the moving side of step `at` turns near it.

        `window`: of how many steps, negative before `at`. The speed is measured in one window and in the two beyond.
        """
        near_m, middle_m, far_m = (float(x_m[at + windows * window]) for windows in (0, 1, 3))
        way_m, beyond_m = abs(middle_m - near_m), abs(far_m - middle_m) / 2
        gain_m = (beyond_m - way_m) / 1.5  # from window to window
        edge_m = max(0.0, way_m - 0.5 * gain_m)  # the speed at the standstill
        return gain_m > 0 and edge_m**2 < 2 * gain_m * SOON_COUNTS * self.count_m

    def _judge(
        self, way_m: float, window: int, force_n: Column, edge: int, wait: int, *, lands: bool = False
    ) -> Verdict:
        """The verdict on a change of speed by `way_m` in a window."""
        tension = _tension(force_n, edge)
        window_s = window * STEP_S
        if tension is None:
            most_m = 0.5 * MOST_G * self._full_m_s2 * (window_s + self._hidden_s) ** 2
            return Verdict.FROZEN if abs(way_m) >= most_m else Verdict.REAL
        if tension.usual_n < SLACK_N or (lands and tension.left < LEFT):
            return Verdict.REAL
        shock = 0.5 * abs(way_m) / window_s / (SHOCK_S * self._full_m_s2)
        if tension.shock >= min(max(shock, LEAST_SHOCK), LOUD_SHOCK):
            return Verdict.REAL
        return Verdict.FROZEN if len(force_n) - edge >= (LANDING_WAIT if lands else wait) else Verdict.ODD


class Tension(NamedTuple):
    """The tension around a change of speed: its level before, and as shares of that its swing and its least value."""

    usual_n: float
    shock: float
    left: float


def _tension(force_n: Column, edge: int) -> Tension | None:
    """The tension around an edge; None if it is not known."""
    before = force_n[max(0, edge - CALM_BEFORE) : edge - SHOCK_BEFORE]
    about = force_n[edge - SHOCK_BEFORE :]
    known = before[~np.isnan(before)]
    if not len(known) or np.isnan(about).all():
        return None
    usual_n = float(known.mean())
    if usual_n < SLACK_N:
        return Tension(usual_n, 0.0, 0.0)
    shock = float(np.nanmax(np.abs(about - usual_n))) / usual_n
    return Tension(usual_n, shock, float(np.nanmin(about)) / usual_n)
