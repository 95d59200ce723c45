"""Heaves and let-go negatives: acceleration of the stack, never the rate of force.

At every turnaround friction reverses, so the cable's tension steps by 2*mu*W with nothing jerky about it: an alarm on
raw force rings on every clean repetition, the encoder's acceleration does not (EVENTS.md 6).
A surge is acceleration that is held for `hold_s`. It is announced from `announce_s` on, as soon as the acceleration, on
the parabola that it follows now, would stay above its threshold for the rest of the hold: where only the cable rings it
bends down at once.
"""

import math
from typing import Literal

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.detector import Correction, Detection, Findings
from monitor.detect.held_condition import HeldCondition
from monitor.detect.moment import Moment, Thrown, steps
from monitor.events import Drop, Jerk, Stamp, stamp_of
from monitor.profile.settings import JerkSettings
from monitor.signals.conditions import Bit

AGO = np.arange(-4.0, 1.0)  # steps
PARABOLA = np.linalg.pinv(np.stack((np.ones_like(AGO), AGO, AGO * AGO / 2), axis=1))  # value, slope, bend now
MARGIN = 1.2  # below this multiple of the threshold nothing is announced early


class SurgeDetector:
    """`jerk` in the positive, `drop` in the negative."""

    watches = Bit.JERK | Bit.DROP | Bit.ODD

    def __init__(self, settings: JerkSettings) -> None:
        self.settings = settings
        hold, join, early = steps(settings.hold_s), steps(settings.join_s), steps(settings.announce_s)
        self._jerk = HeldCondition(
            hold, join, describe=self._describe_jerk, phase="positive", early=early, foresee=_rising
        )
        self._last_jerk: Detection[Jerk] | None = None
        self._drop = HeldCondition(hold, join, describe=_describe_drop, phase="negative", early=early, foresee=_falling)

    @property
    def due(self) -> int:
        return min(self._jerk.due, self._drop.due)

    def update(self, moment: Moment) -> Findings:
        limits = moment.limits
        used = moment.in_set or moment.pull.pulled or limits.kind == "stack"  # else a motor is positioning
        judged = used or limits.free  # but what a bar does may begin its set
        wait = moment.on(Bit.ODD) or not used
        return (
            *self._jerk.update(moment, judged and moment.on(Bit.JERK), moment.now, wait=wait),
            *self._drop.update(moment, judged and moment.on(Bit.DROP), moment.now, wait=wait),
            *self._thrown(moment),
            *self._shoved(moment),
        )

    def _shoved(self, moment: Moment) -> tuple[Correction, ...]:
        """A jerk after sticking is a shove also where the sticking is known only later."""
        self._last_jerk = self._jerk.detection or self._last_jerk
        jerk, reps = self._last_jerk, moment.reps
        if jerk is None or jerk.event.cause != "mid" or not reps.sticking_since < jerk.start:
            return ()
        if jerk.start - reps.sticking_until > steps(self.settings.shove_s):
            return ()
        event = Jerk(**stamp_of(jerk.event), cause="shove", peak_g=jerk.event.peak_g)
        return (Correction(jerk, event),)

    def _thrown(self, moment: Moment) -> tuple[Thrown, ...]:
        jerk = self._jerk.detection
        new = jerk is not None and jerk.event.cause == "start" and jerk.start != moment.thrown.start_at
        return (Thrown(jerk.start),) if jerk is not None and new else ()

    def _describe_jerk(self, moment: Moment, stamp: Stamp, start: int, end: int) -> Jerk:
        peak_m_s2 = float(moment.signals.part(moment.signals.a, start, end).max())
        announced = self._jerk.detection
        cause = self._cause(moment, start) if announced is None else announced.event.cause
        return Jerk(**stamp, cause=cause, peak_g=round(peak_m_s2 / G, 3))

    def _cause(self, moment: Moment, start: int) -> Literal["start", "shove", "mid"]:
        limits = moment.limits
        if moment.signals.x_m(start) - limits.bottom_m <= self.settings.start * limits.range_m:
            return "start"
        stuck_until = max(moment.stalling.until, moment.reps.sticking_until)
        if moment.stalling.open or start - stuck_until <= steps(self.settings.shove_s):
            return "shove"
        return "mid"


def _describe_drop(moment: Moment, stamp: Stamp, start: int, end: int) -> Drop:
    peak_m_s2 = -float(moment.signals.part(moment.signals.a, start, end).min())
    return Drop(**stamp, peak_g=round(peak_m_s2 / G, 3))


def _rising(moment: Moment, enough: int) -> int:
    return _left(moment, 1.0, enough)


def _falling(moment: Moment, enough: int) -> int:
    return _left(moment, -1.0, enough)


def _left(moment: Moment, sign: float, enough: int) -> int:
    """How many steps the acceleration will stay beyond its threshold if it keeps to its parabola."""
    newest = moment.signals.part(moment.signals.a, moment.now - len(AGO) + 1, moment.now + 1)
    if len(newest) < len(AGO):
        return 0
    a, slope, bend = (sign * PARABOLA @ newest).tolist()
    excess, bend = a - MARGIN * moment.limits.a_jerk_m_s2, min(bend, 0.0)
    if not excess > 0:
        return 0
    fall = math.sqrt(slope * slope - 2 * bend * excess) - slope
    return int(2 * excess / fall) if fall * enough > 2 * excess else enough
