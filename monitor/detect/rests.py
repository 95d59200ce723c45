"""Detects rests within a set: on locked joints at the top, on the stack's rest at the bottom.

A lockout is inferred from position and dwell. The force does not show it: at a standstill the cell reads the load,
whether muscle or bone holds it (EVENTS.md 1.6).
"""

from typing import Any

import msgspec
import numpy as np

from monitor.detect.detector import Correction, Detection, Ending, Finding, Findings
from monitor.detect.held_condition import HeldCondition
from monitor.detect.moment import NEVER, LockoutState, Moment, steps
from monitor.detect.since import since_when
from monitor.events import BottomRest, LockoutRest, StackTouch, Stamp
from monitor.profile.settings import DetectSettings
from monitor.signals.conditions import Bit

FALL_S = 0.5  # a stack whose cable is slack for longer was not thrown
KEPT_CUTS = 8  # contacts: more than there are silences in the rest that ends a set
LANDING_STEPS = steps(0.5)  # in which a stack comes to a stand on its rest
TOUCHDOWN_STEPS = 12  # the landing speed is the highest speed within this time before contact


class LockoutDetector:
    """Reports `lockout_rest`: the stack stands in the lockout zone for longer than a turnaround needs."""

    watches = Bit.KNOWN_X | Bit.STILL | Bit.TOP

    def __init__(self, dwell_s: float) -> None:
        self.due = NEVER
        self._rest = HeldCondition(steps(dwell_s) + 1, describe=_at_top, phase="upper_turn")

    def update(self, moment: Moment) -> Findings:
        used = moment.in_set or moment.limits.kind == "stack"  # without a cell there is no set
        resting = used and moment.still and moment.on(Bit.TOP) and not moment.held
        findings = self._rest.update(moment, resting, moment.slow_now)
        self.due = self._rest.due + moment.signals.slow_lag if self._rest.due != NEVER else NEVER
        rest = self._rest.detection
        since = None if rest is None else rest.start
        return findings if since == moment.lockout.since else (*findings, LockoutState(since))


def _at_top(moment: Moment, stamp: Stamp, start: int, end: int) -> LockoutRest:
    return LockoutRest(**stamp)


class ContactDetector:
    """Reports `stack_touch` and `bottom_rest`: one contact is both if it lasts and the tension falls.

    position   ----._____.-._______________.----   a landing bounces: contacts closer than `join` are one
    tension    --------.____________________.---   falls later: cells average, rubber yields
                    |  |<->| stack_touch, from the contact on
    """

    watches = Bit.CONTACT | Bit.KNOWN_X | Bit.KNOWN_T | Bit.STILL | Bit.EMPTY | Bit.LIGHT

    def __init__(self, detect: DetectSettings) -> None:
        self.touch_hold = steps(detect.stack_touch.hold_s)
        self.join = steps(detect.stack_touch.join_s)
        self.rest_hold = steps(detect.bottom_rest.hold_s)
        self.due = NEVER
        self._since: int | None = None
        self._left: int | None = None  # when the contact was left; it may come back at once
        self._doubt_m = 0.0  # of the position, so far
        self._light_since: int | None = None  # since when the tension of this contact has been low
        self._loose_since: int | None = None
        self._hangs = False  # its cable was loose off the rest: so it is, too, while the position is unknown
        self._cut: list[Detection[Any]] = []  # contacts of this set that silence has cut
        self._touch: Detection[StackTouch] | None = None
        self._rest: Detection[BottomRest] | None = None

    def update(self, moment: Moment) -> Findings:
        if moment.set_over is not None:
            return self._end_set(moment)
        now = moment.now
        mute = moment.trust.force_doubted or not moment.on(Bit.KNOWN_T)
        silent = moment.on(Bit.KNOWN_X) and mute  # the stack stands as it stood
        if StackTouch in moment.silenced:  # what came before is known and cut: only what follows may be a landing
            self._cut = [*self._cut[-KEPT_CUTS:], *self._open()]
            self._touch = self._rest = None
            self._loose_since = None if self._loose_since is None else now
        landed = self._landed(moment)
        on = moment.on(Bit.CONTACT) or landed is not None or (silent and self._since is not None and moment.still)
        on = on or moment.rests_since is not None
        findings: list[Finding] = []
        if self._contradicted(moment):
            findings += self._leave(now)
        elif on:
            if self._since is not None and self._left is not None and now - self._left >= self.join:
                findings += self._leave(self._left)
            self._left = None
            if self._since is None:
                self._since = _met(moment) if landed is None else landed
        elif self._since is not None:
            self._left = now if self._left is None else self._left
            if now - self._left >= self.join or not moment.on(Bit.KNOWN_X):  # silence proves nothing
                findings += self._leave(self._left)
        self._follow_tension(moment, mute)
        self.due = self._wait(moment)
        if self._since is not None and moment.in_set and self._since >= moment.set_start:
            findings += self._lasting(moment, self._since)
        return findings

    def _contradicted(self, moment: Moment) -> bool:
        """The place has come into doubt while the cable carried the stack: then this was no contact."""
        before_m, self._doubt_m = self._doubt_m, moment.limits.doubt_m
        return self._doubt_m > before_m and self._light_since is None

    def _leave(self, end: int) -> list[Finding]:
        ends: list[Finding] = [Ending(one, end) for one in self._open()]
        self._since = self._left = self._light_since = self._touch = self._rest = None
        return ends

    def _follow_tension(self, moment: Moment, mute: bool) -> None:
        """Follow when the tension of a contact falls; doubted readings begin nothing."""
        if not mute:
            light = self._since is not None and moment.on(Bit.LIGHT)
            self._light_since = since_when(self._light_since, light, moment.now)

    def _wait(self, moment: Moment) -> int:
        """When to look again. While the position is unknown, only the cell shows a landing, after `FALL_S`."""
        if self._left is not None:
            return self._left + self.join
        if self._since is None and self._loose_since is not None and not moment.on(Bit.KNOWN_X):
            return self._loose_since + steps(FALL_S)
        return NEVER

    def _lasting(self, moment: Moment, since: int) -> list[Finding]:
        """The contact has lasted from moment `since` until now, within the set."""
        findings: list[Finding] = []
        now, light = moment.now, self._light_since
        if self._touch is None and light is not None:
            if now - light + 1 >= self.touch_hold:
                speed_m_s = _landing_speed(moment, since)
                slam = speed_m_s > moment.limits.slam_m_s
                stamp = moment.stamp(since, phase="rest")
                self._touch = Detection(StackTouch(**stamp, slam=slam, speed_m_s=speed_m_s), since)
                findings.append(self._touch)
            else:
                self.due = min(self.due, light + self.touch_hold - 1)
        if self._rest is None and self._left is None:
            if now - since + 1 >= self.rest_hold:
                self._rest = Detection(BottomRest(**moment.stamp(since, phase="rest")), since)
                findings.append(self._rest)
            else:
                self.due = min(self.due, since + self.rest_hold - 1)
        return findings

    def _landed(self, moment: Moment) -> int | None:
        """Since when the stack must be on its rest, while only the cell can show it."""
        if moment.limits.kind != "stack" or not moment.on(Bit.EMPTY):
            self._loose_since, self._hangs = None, False
        elif self._loose_since is None:
            self._loose_since = moment.now
        if moment.on(Bit.KNOWN_X):
            self._hangs = self._loose_since is not None and not moment.on(Bit.CONTACT)
        if self._loose_since is None or self._hangs or moment.on(Bit.KNOWN_X) or moment.trust.force_doubted:
            return None
        return self._loose_since if moment.now - self._loose_since >= steps(FALL_S) else None

    def _end_set(self, moment: Moment) -> list[Finding]:
        """The contact ended the set, so it is not a fault, not even what silence cut of it."""
        over = moment.now if moment.set_over is None else moment.set_over
        cut = [one for one in self._cut if one.end is not None and one.end > over]
        findings: list[Finding] = [Ending(one, moment.now, _of_end(one.event)) for one in self._open()]
        findings += [Correction(one, _of_end(one.event)) for one in cut]
        self._touch = self._rest = None
        self._cut = []
        return findings

    def _open(self) -> list[Detection[Any]]:
        return [one for one in (self._touch, self._rest) if one is not None]


def _of_end(event: StackTouch | BottomRest) -> StackTouch | BottomRest:
    """A contact that ended its set."""
    return msgspec.structs.replace(event, ended_set=True)


def _met(moment: Moment) -> int:
    """When the stack met its rest. Where its place was in doubt, or is known only now, the rest is where it stands."""
    limits, signals, rests_since = moment.limits, moment.signals, moment.rests_since
    if not limits.doubt_m and rests_since is None:
        return moment.now
    since = moment.now if rests_since is None else rests_since
    x = signals.part(signals.x, since - LANDING_STEPS, moment.now + 1)
    above = np.flatnonzero(~(x <= moment.x_m + limits.detect.set.off_rest_m))
    return min(moment.now, moment.now + 1 - len(x) + (int(above[-1]) + 1 if len(above) else 0))


def _landing_speed(moment: Moment, contact: int) -> float:
    v_m_s = moment.signals.part(moment.signals.v, contact - TOUCHDOWN_STEPS, contact + 1)
    return round(max(0.0, -float(np.fmin.reduce(v_m_s, initial=0.0))), 4)
