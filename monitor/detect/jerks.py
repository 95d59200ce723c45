"""Heaves and let-go negatives: acceleration of the stack, never the rate of force.

At every turnaround friction reverses, so the cable's tension steps by 2*mu*W with nothing jerky about it: an alarm on
raw force rings on every clean repetition, the encoder's acceleration does not (EVENTS.md 6).
A surge is a run of `hold_s`. It is announced from `announce_s` on, as soon as the acceleration, on the parabola that it
follows now, would stay above its threshold for the rest of the hold: where only the cable rings it bends down at once.
"""

import math
from typing import Any

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.interval import Run
from monitor.detect.scene import Scene, steps
from monitor.events import Drop, Jerk
from monitor.profile.settings import JerkSettings
from monitor.signals.conditions import Bit

AGO = np.arange(-4.0, 1.0)  # steps
PARABOLA = np.linalg.pinv(np.stack((np.ones_like(AGO), AGO, AGO * AGO / 2), axis=1))  # value, slope, bend now
MARGIN = 1.2  # what hardly exceeds the threshold is told only when its hold is over


class SurgeDetector:
    """`jerk` in the positive, `drop` in the negative."""

    watches = Bit.JERK | Bit.DROP | Bit.ODD

    def __init__(self, settings: JerkSettings) -> None:
        self.settings = settings
        hold, join, early = steps(settings.hold_s), steps(settings.join_s), steps(settings.announce_s)
        self._jerk = Run(Jerk, hold, join, describe=self._describe_jerk, early=early, foresee=_rising)
        self._drop = Run(Drop, hold, join, describe=self._describe_drop, early=early, foresee=_falling)

    @property
    def due(self) -> int:
        return min(self._jerk.due, self._drop.due)

    def update(self, scene: Scene) -> None:
        limits = scene.limits
        used = scene.in_set or scene.pulled or limits.kind == "stack"  # else a platform is put in place
        judged = used or limits.free  # but what a bar does may begin its set
        wait = scene.on(Bit.ODD) or not used
        self._jerk.update(scene, judged and scene.on(Bit.JERK), scene.now, wait=wait)
        self._drop.update(scene, judged and scene.on(Bit.DROP), scene.now, wait=wait)

    def _describe_jerk(self, scene: Scene, start: int, end: int) -> dict[str, Any]:
        limits = scene.limits
        x_m = float(scene.track.x[scene.track.at(start)])
        if x_m - limits.bottom_m <= self.settings.start * limits.range_m:
            cause = "start"
        elif scene.stalled or start - scene.stuck_until <= steps(self.settings.shove_s):
            cause = "shove"
        else:
            cause = "mid"
        if self._jerk.entry is not None:
            cause = self._jerk.entry.record.cause  # what was told stays
        peak = float(scene.track.part(scene.track.a, start, end).max())
        return {"cause": cause, "peak_g": round(peak / G, 3), "phase": "positive"}

    def _describe_drop(self, scene: Scene, start: int, end: int) -> dict[str, Any]:
        peak = -float(scene.track.part(scene.track.a, start, end).min())
        return {"peak_g": round(peak / G, 3), "phase": "negative"}


def _rising(scene: Scene, enough: int) -> int:
    return _left(scene, 1.0, enough)


def _falling(scene: Scene, enough: int) -> int:
    return _left(scene, -1.0, enough)


def _left(scene: Scene, sign: float, enough: int) -> int:
    """For how many steps more the acceleration stays beyond its threshold if it goes on as it does."""
    newest = scene.track.part(scene.track.a, scene.now - len(AGO) + 1, scene.now + 1)
    if len(newest) < len(AGO):
        return 0
    a, slope, bend = (sign * PARABOLA @ newest).tolist()
    excess, bend = a - MARGIN * scene.limits.a_jerk_m_s2, min(bend, 0.0)
    if not excess > 0:
        return 0
    fall = math.sqrt(slope * slope - 2 * bend * excess) - slope
    return int(2 * excess / fall) if fall * enough > 2 * excess else enough
