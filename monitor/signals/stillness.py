"""Decides whether an encoder stands still because the stack does: a stop without a shock is a frozen encoder.

    position  ////////|___________|////////      in cells that did not change by one count
              moving  c  frozen   r  moving

A stack has mass. To stop or start within 20 ms it needs a push, which the cable shows. So where running counts stop
dead, or a long standstill ends at full speed, the tension decides: if it is calm, only the encoder has stopped. Where
the counts alone leave no doubt (beyond `MOST_G`) the tension is not needed. Nor is it where the counts run out by and
by, or begin so: that is a stack that brakes, or falls. A freeze that begins or ends while the stack rests, hangs on
something else than its cable, or so slowly that an encoder this coarse would look the same, cannot be detected. A stack
that lands takes its tension with it, which a slow converter shows late.
"""

from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.signals.grid import STEP_S

Column = NDArray[np.float64]
PLATEAU = 8  # steps without a count that make a standstill
SPEED_STEPS = 4  # the speed next to an edge is measured over this many steps
WAIT = 10  # steps that the tension may lag: a slow converter averages over 50 ms, and shows all of a change after them
MOST_G = 0.6  # no stack stops harder, except on its rest, where the tension goes too
KINK_G = 1.0  # a change of speed so hard that it must show in the cable
LEAST_M_S = 0.025  # slower stops look the same on a frozen and on a healthy encoder
LEAST_COUNTS = 2.2  # within the window of speed
SHOCK_S = 0.03  # a stop that looks sudden to these counts takes at least this
BRAKING = 1.5  # times the speed next to a standstill, as long again before: less is an even speed
SLACK_N = 15.0  # with less tension a hand or the rest can stop a stack, and no cable shows it
LEFT = 0.5  # of the tension: with less left, the stack has landed
LANDING_WAIT = 24  # steps in which even a slow converter shows that
LEAST_SHOCK = 0.04  # of the tension before: less is tremor
CALM_BEFORE = 40  # steps before the edge: from here ...
SHOCK_BEFORE = 16  # ... to here the tension is what it was, from here on it may change
REACH = CALM_BEFORE + LANDING_WAIT + SPEED_STEPS  # steps of history that a verdict needs


class Verdict(Enum):
    REAL = "real"
    ODD = "odd"  # not known yet
    FROZEN = "frozen"


class Judge:
    """For encoders with counts of this size; all arguments are positions, m, or tensions, N, of consecutive steps."""

    def __init__(self, count_m: float) -> None:
        window_s = SPEED_STEPS * STEP_S
        self.least_way_m = max(LEAST_M_S * window_s, LEAST_COUNTS * count_m)  # within the window
        hidden_s = float(np.sqrt(2 * count_m / (MOST_G * G)))  # how long a stack can move before the first count
        self.kink_way_m = KINK_G * G * window_s * (window_s + hidden_s)  # between two windows
        self._most_m_s = 0.5 * MOST_G * G * (window_s + hidden_s) ** 2 / window_s

    def stop(self, x_m: Column, force_n: Column, edge: int) -> Verdict:
        """The verdict on counts that stand from step `edge` on; the columns end with the newest step."""
        way_m = float(x_m[edge - 1] - x_m[edge - 1 - SPEED_STEPS])
        if _gradual(x_m[edge - 1 :: -2 * SPEED_STEPS]):
            return Verdict.REAL
        return self._judge(way_m, force_n, edge, PLATEAU + WAIT, lands=way_m < 0)

    def start(self, x_m: Column, force_n: Column, edge: int) -> Verdict:
        """The verdict on counts that run again from step `edge` on; the columns end with the newest step."""
        way_m = float(x_m[edge + SPEED_STEPS] - x_m[edge])
        if _gradual(x_m[edge::SPEED_STEPS]):
            return Verdict.REAL
        return self._judge(way_m, force_n, edge, SPEED_STEPS + 1 + WAIT)

    def kink(self, x_m: Column, force_n: Column, edge: int) -> Verdict:
        """The verdict on counts that run at another speed from step `edge` on; the columns end with the newest step."""
        if _tension(force_n, edge) is None:  # a stack that lands does it too
            return Verdict.REAL
        way_m = float(x_m[edge + SPEED_STEPS] - 2 * x_m[edge] + x_m[edge - SPEED_STEPS])
        lands = way_m > 0 and bool(x_m[edge] < x_m[edge - SPEED_STEPS])
        return self._judge(way_m, force_n, edge, SPEED_STEPS + 1 + WAIT, lands=lands, alone=False)

    def _judge(
        self, way_m: float, force_n: Column, edge: int, wait: int, *, lands: bool = False, alone: bool = True
    ) -> Verdict:
        """The verdict on a change of speed by `way_m` in the window; `alone`: counts alone may prove a freeze."""
        speed_m_s = abs(way_m) / (SPEED_STEPS * STEP_S)
        tension = _tension(force_n, edge)
        if tension is not None:
            if tension.usual_n < SLACK_N or (lands and tension.left < LEFT):
                return Verdict.REAL
            if tension.shock >= max(LEAST_SHOCK, 0.5 * speed_m_s / (SHOCK_S * G)):
                return Verdict.REAL
        late = len(force_n) - edge >= (LANDING_WAIT if lands and tension is not None else wait)
        if speed_m_s >= self._most_m_s and (late or (alone and not lands)):
            return Verdict.FROZEN
        if tension is None:
            return Verdict.FROZEN if speed_m_s >= self._most_m_s else Verdict.REAL
        return Verdict.FROZEN if late else Verdict.ODD


def _gradual(x_m: Column) -> bool:
    """Whether the way to the second of these places, from the standstill on, is followed by a much longer one."""
    if len(x_m) < 3:
        return False
    near_m, far_m = np.diff(x_m[:3])
    return bool(near_m * far_m >= BRAKING * near_m * near_m > 0)


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
