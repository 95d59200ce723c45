"""Detects movement that is faster than the agreed tempo allows.

On a learned range a positive may go on to a wider one, in which its speed is right. There only a speed that is too high
for any range is reported at once; the rest of a positive is judged at its end, by the range that includes it.
"""

import numpy as np

from monitor.detect.detector import Detection, Finding, Findings
from monitor.detect.held_condition import HeldCondition
from monitor.detect.moment import Moment, TurningPoint, steps
from monitor.events import SpeedOver, Stamp
from monitor.profile.settings import SpeedOverSettings
from monitor.signals.conditions import Bit
from monitor.signals.stretches import runs_of, union

FLICKER_S = 0.1  # for shorter times a coarse encoder makes a steady speed look slower


class SpeedDetector:
    """Reports `speed_over`: faster than kappa times the phase's target speed for a while."""

    watches = Bit.FAST

    def __init__(self, settings: SpeedOverSettings) -> None:
        self._hold, self._join = steps(settings.hold_s), steps(FLICKER_S)
        self._up = HeldCondition(self._hold, self._join, describe=_fastest)
        self._down = HeldCondition(self._hold, self._join, describe=_fastest)
        self._turned = 0  # when the present movement began
        self._reported: Detection[SpeedOver] | None = None  # the newest one of a positive

    @property
    def due(self) -> int:
        return min(self._up.due, self._down.due)

    def update(self, moment: Moment) -> Findings:
        fast, up = moment.on(Bit.FAST), float(moment.signals.v[moment.signals.row(moment.now)]) > 0
        findings: list[Finding] = [
            *self._up.update(moment, fast and up, moment.now),
            *self._down.update(moment, fast and not up, moment.now),
        ]
        self._reported = self._up.detection or self._reported
        for turn in moment.turned.points if moment.known_at is None else ():
            if turn.reversal.at == "upper" and moment.limits.range_agreed and not moment.limits.range_given:
                findings += self._look_back(moment, turn)
            self._turned = turn.reversal.extreme
        return findings

    def _look_back(self, moment: Moment, turn: TurningPoint) -> list[Detection[SpeedOver]]:
        """Judge a positive that is over, unless it was reported at once."""
        end = turn.reversal.extreme
        if self._reported is not None and (self._reported.end is None or self._reported.end > self._turned):
            return []
        v_m_s = moment.signals.part(moment.signals.v, self._turned, end)
        runs = runs_of(v_m_s > moment.limits.fast_up_m_s, end - len(v_m_s))
        found = union((run for run in runs if run[1] - run[0] >= self._hold), self._join)
        return [self._past(moment, *run) for run in found]

    def _past(self, moment: Moment, start: int, end: int) -> Detection[SpeedOver]:
        stamp = moment.stamp(start, end, phase="positive")
        self._reported = Detection(_fastest(moment, stamp, start, end), start, end)
        return self._reported


def _fastest(moment: Moment, stamp: Stamp, start: int, end: int) -> SpeedOver:
    v_m_s = moment.signals.part(moment.signals.v, start, end)
    return SpeedOver(**stamp, peak_velocity_m_s=round(float(np.nanmax(np.abs(v_m_s))), 4))
