"""Decides whether an encoder stands still because the stack does: a stop without a shock is a frozen encoder.

    position  ////////|___________|////////      in cells that did not change by one count
              moving  c  frozen   r  moving

A stack has mass. To stop or start within 20 ms it needs a push, which the cable shows. So where running counts stop
dead, or a long standstill ends at full speed, the tension decides: if it is calm, only the encoder has stopped. Where
the counts alone leave no doubt (beyond `MOST_G`) the tension is not needed. A freeze that begins or ends while the
stack rests, or so slowly that an encoder this coarse would look the same, cannot be detected.
"""

from enum import Enum

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.signals.grid import STEP_S

Column = NDArray[np.float64]
PLATEAU = 8  # steps without a count that make a standstill
SPEED_STEPS = 4  # next to its edge the speed is taken over so many
WAIT = 6  # steps that the tension may lag: a slow converter averages over 50 ms
MOST_G = 0.6  # no stack stops harder, except on its rest, where the tension goes too
KINK_G = 1.0  # a change of speed so hard that it must show in the cable
LEAST_M_S = 0.025  # slower stops look the same on a frozen and on a healthy encoder
LEAST_COUNTS = 2.2  # within the window of speed
SHOCK_S = 0.03  # a stop that looks sudden to these counts takes at least this
LEAST_SHOCK = 0.04  # of the tension before: less is tremor
CALM_BEFORE = 40  # steps before the edge: from here ...
SHOCK_BEFORE = 16  # ... to here the tension is what it was, from here on it may change
REACH = CALM_BEFORE + PLATEAU + WAIT + SPEED_STEPS  # steps of history that a verdict needs


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
        """Of counts that stand from step `edge` on; the columns end with the newest step."""
        speed_m_s = abs(float(x_m[edge - 1] - x_m[edge - 1 - SPEED_STEPS])) / (SPEED_STEPS * STEP_S)
        return self._judge(speed_m_s, force_n, edge, len(x_m) - edge >= PLATEAU + WAIT)

    def start(self, x_m: Column, force_n: Column, edge: int) -> Verdict:
        """Of counts that run again from step `edge` on, after a standstill; the columns end with the newest step."""
        speed_m_s = abs(float(x_m[edge + SPEED_STEPS] - x_m[edge])) / (SPEED_STEPS * STEP_S)
        return self._judge(speed_m_s, force_n, edge, len(x_m) - edge >= SPEED_STEPS + 1 + WAIT)

    def kink(self, x_m: Column, force_n: Column, edge: int) -> Verdict:
        """Of counts that run on at another speed from step `edge` on; the columns end with the newest step."""
        if len(x_m) - edge < SPEED_STEPS + 1 + WAIT:
            return Verdict.ODD
        if _shock(force_n, edge) is None:  # a stack that lands does it too
            return Verdict.REAL
        way_m = float(x_m[edge + SPEED_STEPS] - 2 * x_m[edge] + x_m[edge - SPEED_STEPS])
        return self._judge(abs(way_m) / (SPEED_STEPS * STEP_S), force_n, edge, late=True)

    def _judge(self, speed_m_s: float, force_n: Column, edge: int, late: bool) -> Verdict:
        shock = _shock(force_n, edge)
        if shock is not None and shock >= max(LEAST_SHOCK, 0.5 * speed_m_s / (SHOCK_S * G)):
            return Verdict.REAL
        if speed_m_s >= self._most_m_s:
            return Verdict.FROZEN
        if shock is None:
            return Verdict.REAL
        return Verdict.FROZEN if late else Verdict.ODD


def _shock(force_n: Column, edge: int) -> float | None:
    """How far the tension swings about an edge, as a share of what it was before; None where that is not known."""
    before = force_n[max(0, edge - CALM_BEFORE) : edge - SHOCK_BEFORE]
    about = force_n[edge - SHOCK_BEFORE :]
    known = before[~np.isnan(before)]
    if not len(known) or np.isnan(about).all():
        return None
    usual_n = float(known.mean())
    if usual_n <= 0:
        return None
    return float(np.nanmax(np.abs(about - usual_n))) / usual_n
