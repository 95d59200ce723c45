"""Heaves and let-go negatives: acceleration of the stack, never the rate of force.

At every turnaround friction reverses, so the cable's tension steps by 2*mu*W with nothing jerky about it: an alarm on
raw force rings on every clean repetition, the encoder's acceleration does not (EVENTS.md 6).
A surge is acceleration that is held for `hold_s`. It is announced from `announce_s` on, as soon as the acceleration, on
the parabola that it follows now, would stay above its threshold for the rest of the hold: where only the cable rings it
bends down at once, or swings back from as much the other way. An acceleration that has just turned the stack may be
about to end, so it must move the stack for longer first, and for longer still on the rest, whose rubber throws it.
Where the cable jumps tight out of its slack, it throws the stack, which swings back: the whole hold must pass.
Where the force shows how the acceleration goes on (`ForceLead`), it decides when a jerk is announced: at its first
moment if it will last, or a moment sooner if it grows. While the load may vary along the way, the encoder must agree.
"""

from typing import Literal

import numpy as np
from msgspec.structs import replace

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.detector import Correction, Detection, Findings
from monitor.detect.force_lead import ForceLead
from monitor.detect.held_condition import HeldCondition
from monitor.detect.moment import NEVER, Moment, Thrown, steps
from monitor.detect.parabola import SHOWN, off_parabola, steps_beyond
from monitor.events import Drop, Jerk, Stamp
from monitor.profile.settings import JerkSettings
from monitor.signals.conditions import Bit

MARGIN = 1.2  # the encoder alone announces nothing early below this multiple of the threshold ...
SURE = 3.0  # ... nor below the threshold and this many errors of its rounding
SETTLED = 4  # steps for which an acceleration that has turned the stack must have moved it
OFF_RUBBER = 20  # the same where the stack was on its rest within these steps: its rubber pushes for up to 80 ms
SWING, SWING_STEPS = 1.5, 20  # a jerk is more than so many times what it swings back from within these steps
BLOW_STEPS = 12  # 60 ms: no hand pulls an empty cable tight so fast; a cable that is pulled through its slack does
JUMPS = 0.15  # of the threshold, rms: what is so far off its parabola is noise


class SurgeDetector:
    """`jerk` in the positive, `drop` in the negative.

    `lead`: None where the cell shows too little. `error_m_s2`: of the acceleration, by the steps of the encoder.
    """

    watches = Bit.RISING | Bit.HARD | Bit.DROP | Bit.ODD

    def __init__(self, settings: JerkSettings, lead: ForceLead | None, error_m_s2: float) -> None:
        self.settings = settings
        self._sure_m_s2 = SURE * error_m_s2
        self._lead = lead
        self._led = False  # the open jerk is known from the force; the encoder does not show all of it yet
        self._look = NEVER  # when the force is asked again
        self._early = steps(settings.announce_s)
        hold, join = steps(settings.hold_s), steps(settings.join_s)
        self._jerk = HeldCondition(hold, join, describe=self._describe_jerk, phase="positive", foresee=self._rising)
        self._last_jerk: Detection[Jerk] | None = None
        self._drop = HeldCondition(hold, join, describe=_describe_drop, phase="negative", foresee=self._falling)

    @property
    def due(self) -> int:
        return min(self._jerk.due, self._drop.due, self._look)

    def update(self, moment: Moment) -> Findings:
        limits = moment.limits
        used = moment.in_set or moment.pull.pulled or limits.kind == "stack"  # else a motor is positioning
        judged = used or limits.free  # but what a bar does may begin its set
        wait = moment.on(Bit.ODD) or not used
        return (
            *self._update_jerk(moment, judged and moment.on(Bit.RISING), wait),
            *self._drop.update(moment, judged and moment.on(Bit.DROP), moment.now, wait=wait),
            *self._thrown(moment),
            *self._shoved(moment),
        )

    def _update_jerk(self, moment: Moment, rising: bool, wait: bool) -> Findings:
        hard = rising and moment.on(Bit.HARD)
        coming = rising and not hard
        if self._jerk.detection is not None:
            self._led = self._led and coming
        elif self._lead is not None:
            self._led = coming and not wait and self._grows(self._lead, moment)
        findings = self._jerk.update(moment, hard or self._led, moment.now, wait=wait)
        asks = coming and self._lead is not None and self._jerk.detection is None
        self._look = moment.now + 1 if asks else NEVER
        return findings

    @staticmethod
    def _grows(lead: ForceLead, moment: Moment) -> bool:
        if _struck(moment, moment.now):
            return False
        return lead.grows_beyond(moment, _least_m_s2(moment))

    def _rising(self, moment: Moment, held: int, enough: int) -> int:
        if self._led:
            return enough
        if _struck(moment, moment.now - held + 1):
            return 0
        least_m_s2 = _least_m_s2(moment)
        shown = self._lead.steps_beyond(moment, least_m_s2) if self._lead is not None else None
        if shown is None:
            return self._left(moment, 1.0, held, enough, max(least_m_s2, self._clear_m_s2(moment)))
        if moment.limits.resistance_known:
            return shown
        return min(shown, self._left(moment, 1.0, held, enough, least_m_s2))

    def _falling(self, moment: Moment, held: int, enough: int) -> int:
        return self._left(moment, -1.0, held, enough, self._clear_m_s2(moment))

    def _clear_m_s2(self, moment: Moment) -> float:
        """An acceleration that is more than a_jerk by more than the encoder's rounding."""
        return max(MARGIN * moment.limits.a_jerk_m_s2, moment.limits.a_jerk_m_s2 + self._sure_m_s2)

    def _left(self, moment: Moment, sign: float, held: int, enough: int, least_m_s2: float) -> int:
        """How many steps, up to `enough`, the encoder's acceleration stays beyond `least_m_s2`."""
        if held < self._early:
            return 0
        newest = sign * moment.signals.part(moment.signals.a, moment.now - SHOWN + 1, moment.now + 1)
        a_jerk_m_s2 = moment.limits.a_jerk_m_s2
        if len(newest) < SHOWN or _older(moment, sign):
            return 0
        if off_parabola(newest) > JUMPS * a_jerk_m_s2:
            return 0
        return steps_beyond(newest, least_m_s2, enough)

    def _shoved(self, moment: Moment) -> tuple[Correction, ...]:
        """A jerk after sticking is a shove also where the sticking is known only later."""
        self._last_jerk = self._jerk.detection or self._last_jerk
        jerk, reps = self._last_jerk, moment.reps
        if jerk is None or jerk.event.cause != "mid" or not reps.sticking_since < jerk.start:
            return ()
        if jerk.start - reps.sticking_until > steps(self.settings.shove_s):
            return ()
        return (Correction(jerk, replace(jerk.event, cause="shove")),)

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


def _struck(moment: Moment, since: int) -> bool:
    """The cable, which was empty just before, became tight with a blow."""
    signals = moment.signals
    before_n = signals.part(signals.fast_tension, since - BLOW_STEPS, since)
    return bool((before_n < moment.limits.empty_n).any())


def _least_m_s2(moment: Moment) -> float:
    """How great an acceleration must be: a jerk, and more than what the stack swings back with."""
    lately_m_s2 = moment.signals.part(moment.signals.a, moment.now - SWING_STEPS, moment.now + 1)
    return max(moment.limits.a_jerk_m_s2, -SWING * float(np.fmin.reduce(lately_m_s2)))


def _older(moment: Moment, sign: float) -> bool:
    """The acceleration was there before the movement, which has just begun."""
    signals, since = moment.signals, moment.now - SETTLED + 1
    if moment.limits.kind == "stack" and signals.x_m(since) <= moment.limits.detect.set.off_rest_m:
        since = moment.now - OFF_RUBBER + 1
    v_m_s, a_m_s2 = (signals.part(column, since, moment.now + 1) for column in (signals.v, signals.a))
    return bool(((sign * a_m_s2 > moment.limits.a_jerk_m_s2) & ~(sign * v_m_s > 0)).any())
