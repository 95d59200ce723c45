"""Detects movement that is faster than the agreed tempo allows."""

import numpy as np

from monitor.detect.detector import Findings
from monitor.detect.held_condition import HeldCondition
from monitor.detect.moment import Moment, steps
from monitor.events import SpeedOver, Stamp
from monitor.profile.settings import SpeedOverSettings
from monitor.signals.conditions import Bit

FLICKER_S = 0.1  # for shorter times a coarse encoder makes a steady speed look slower


class SpeedDetector:
    """Reports `speed_over`: faster than kappa times the phase's target speed for a while."""

    watches = Bit.FAST

    def __init__(self, settings: SpeedOverSettings) -> None:
        hold, join = steps(settings.hold_s), steps(FLICKER_S)
        self._up = HeldCondition(hold, join, describe=_fastest)
        self._down = HeldCondition(hold, join, describe=_fastest)

    @property
    def due(self) -> int:
        return min(self._up.due, self._down.due)

    def update(self, moment: Moment) -> Findings:
        fast, up = moment.on(Bit.FAST), float(moment.signals.v[moment.signals.row(moment.now)]) > 0
        return (
            *self._up.update(moment, fast and up, moment.now),
            *self._down.update(moment, fast and not up, moment.now),
        )


def _fastest(moment: Moment, stamp: Stamp, start: int, end: int) -> SpeedOver:
    v_m_s = moment.signals.part(moment.signals.v, start, end)
    return SpeedOver(**stamp, peak_velocity_m_s=round(float(np.nanmax(np.abs(v_m_s))), 4))
