"""Rests within a set: on locked joints at the top, on the stack's rest at the bottom.

A lockout is inferred from position and dwell. No force tells it: statically the cell reads the load whether muscle or
bone holds it (EVENTS.md 1.6).
"""

from typing import Any

from monitor.detect.book import Entry
from monitor.detect.interval import Run
from monitor.detect.scene import NEVER, Scene, steps
from monitor.events import BottomRest, LockoutRest, StackTouch
from monitor.profile.settings import DetectSettings
from monitor.signals.conditions import Bit

FALL_S = 0.5  # a cable that is loose for longer is no throw
TOUCHDOWN_STEPS = 10  # the speed of landing is the fastest shortly before contact


class LockoutDetector:
    """`lockout_rest`: still in the lockout zone for longer than a turnaround needs."""

    watches = Bit.KNOWN_X | Bit.STILL | Bit.TOP

    def __init__(self, dwell_s: float) -> None:
        self._run = Run(LockoutRest, steps(dwell_s) + 1, describe=_at_top)

    @property
    def due(self) -> int:
        return self._run.due + self._lag if self._run.due != NEVER else NEVER

    _lag = 0

    def update(self, scene: Scene) -> None:
        self._lag = scene.slow_lag
        used = scene.in_set or scene.limits.kind == "stack"  # nobody else lifts it: without a cell there is no set
        self._run.update(scene, used and scene.still and scene.on(Bit.TOP), scene.slow_now)
        entry = self._run.entry
        scene.resting_since = entry.start if scene.book.is_open(entry) and entry is not None else None


def _at_top(scene: Scene, start: int, end: int) -> dict[str, Any]:
    return {"phase": "upper_turn"}


class ContactDetector:
    """`stack_touch` and `bottom_rest`: the same contact, told twice if it lasts."""

    watches = Bit.CONTACT | Bit.KNOWN_X | Bit.KNOWN_T | Bit.STILL | Bit.EMPTY

    def __init__(self, detect: DetectSettings) -> None:
        self.touch_hold = steps(detect.stack_touch.hold_s)
        self.rest_hold = steps(detect.bottom_rest.hold_s)
        self.due = NEVER
        self._since: int | None = None
        self._loose_since: int | None = None
        self._touch: Entry | None = None
        self._rest: Entry | None = None

    def update(self, scene: Scene) -> None:
        now = scene.now
        mute = scene.force_doubt or not scene.on(Bit.KNOWN_T)
        silent = scene.on(Bit.KNOWN_X) and mute  # the stack stands as it stood
        landed = self._landed(scene)
        on = scene.on(Bit.CONTACT) or landed is not None or (silent and self._since is not None and scene.still)
        for entry in (self._touch, self._rest):
            if entry is not None and entry.end is not None:  # cut, or ended with the set
                self._touch = self._rest = None
        if on and self._since is None:
            self._since = now if landed is None else landed
        elif not on and self._since is not None:
            for entry in (self._touch, self._rest):
                if entry is not None:
                    scene.book.close(entry, now)
            self._since = self._touch = self._rest = None
        self.due = NEVER
        if self._since is None:
            if self._loose_since is not None and not scene.on(Bit.KNOWN_X):
                self.due = self._loose_since + steps(FALL_S)
            return
        held = now - self._since + 1
        within = scene.in_set and self._since >= scene.set_start
        if within and held >= self.touch_hold and self._touch is None and self._rest is None:
            speed_m_s = _landing_speed(scene, self._since)
            slam = speed_m_s > scene.limits.slam_m_s
            self._touch = scene.book.open(StackTouch, self._since, slam=slam, speed_m_s=speed_m_s, phase="rest")
        if within and held >= self.rest_hold and self._rest is None and self._touch is not None:
            self._rest = scene.book.open(BottomRest, self._since, phase="rest")
        if within:
            self.due = self._since + (self.touch_hold if self._touch is None else self.rest_hold) - 1
            if self._rest is not None:
                self.due = NEVER

    def _landed(self, scene: Scene) -> int | None:
        """Since when the stack must be on its rest, where only the cell can tell."""
        if scene.limits.kind != "stack" or not scene.on(Bit.EMPTY):
            self._loose_since = None
        elif self._loose_since is None:
            self._loose_since = scene.now
        if self._loose_since is None or scene.on(Bit.KNOWN_X) or scene.force_doubt:
            return None
        return self._loose_since if scene.now - self._loose_since >= steps(FALL_S) else None

    def end_set(self, scene: Scene) -> None:
        """The contact has ended the set: no fault of the lifter's."""
        for entry in (self._touch, self._rest):
            if entry is not None and entry.end is None:
                if scene.book.counts.get(entry.record.kind):
                    scene.book.counts[entry.record.kind] -= entry.record.part_of is None
                scene.book.close(entry, scene.now, ended_set=True)
        self._touch = self._rest = None


def _landing_speed(scene: Scene, contact: int) -> float:
    part = scene.track.part(scene.track.v, contact - TOUCHDOWN_STEPS, contact + 2)
    lowest: Any = part.min()
    return round(max(0.0, -float(lowest)), 4)
