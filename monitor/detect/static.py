"""Timed static contraction: stages of a tested peak, judged from force alone.

    target   ______------======______     50, 75, 100 % of the peak, 30 s each
    force    __/~~~~~~~/~~~~~\\__          set_start, stage 1, 2, 3, decay: failure, set_end

Where the profile has no peak, the first effort is the test: it has no target and no stage, its highest force is the
peak of the next. Movement without an external load is judged the same way: the displacement is not looked at.
"""

from typing import Literal

import numpy as np

from monitor.detect.book import Entry, seconds
from monitor.detect.scene import NEVER, Scene, steps
from monitor.events import Failure, Stage
from monitor.profile.settings import FailureSettings
from monitor.signals.conditions import Bit


class StageDetector:
    """`stage` and the static `failure`; sets the target that tension is judged against."""

    watches = Bit.BELOW | Bit.KNOWN_T | Bit.EMPTY

    def __init__(
        self, failure: FailureSettings, shares: tuple[float, ...], stages_s: tuple[float, ...], peak_n: float | None
    ) -> None:
        self.settings = failure
        self.shares = shares
        self.ends = np.cumsum([steps(stage_s) for stage_s in stages_s]).tolist()
        self.peak_n = peak_n
        self._source: Literal["given", "learned"] = "learned" if peak_n is None else "given"
        self.due = NEVER
        self.failed = False
        self.highest_n = 0.0  # in this set
        self._looked = 0
        self._start: int | None = None
        self._stage = 0
        self._opened = -1
        self._entry: Entry | None = None
        self._known_since: int | None = 0
        self._below_since: int | None = None
        self._held_since: int | None = None  # the target was first reached

    def update(self, scene: Scene) -> None:
        if self._entry is not None and self._entry.end is not None:  # cut by silence
            self._entry = None
        if not scene.in_set:
            self._start = self._entry = None
            self.due = NEVER
            return
        if self._start is None:
            self._begin(scene)
        if not scene.on(
            Bit.KNOWN_T
        ):  # a stage that ends in a silence is over, and the next begins, when force is known
            self._known_since, self.due = None, NEVER
            return
        if self._known_since is None:
            self._known_since = scene.now
        self._look(scene)
        if self.peak_n is None:
            return
        while self._stage < len(self.shares) and scene.now >= self._stage_end():
            if self._entry is not None:
                self._close(scene, self._stage_end())
            self._stage += 1
        aimless = self._stage >= len(self.shares)
        scene.nudged, scene.aimless = aimless != scene.aimless, aimless
        if self._opened < self._stage < len(self.shares):  # one that was cut is not begun again
            self._open(scene)
        if aimless:  # nothing to fail at
            self._below_since = None
        else:
            self._decay(scene)
        self.due = self._next()

    def end_set(self, scene: Scene, moment: int) -> None:
        """What is open ends with the set; a test effort has shown the peak."""
        self._look(scene)
        if self._entry is not None and self._entry.end is None:
            self._close(scene, max(moment, self._entry.start))
        if self.peak_n is None and self.highest_n > 0:
            self.peak_n = self.highest_n
            self._aim(scene, 0)
        self._start = self._entry = None
        self.due = NEVER

    def _begin(self, scene: Scene) -> None:
        scene.aimless = False
        self._start, self._stage, self._opened, self.failed = scene.set_start, 0, -1, False
        self._looked, self.highest_n = scene.set_start, 0.0
        self._below_since = self._held_since = None

    def _look(self, scene: Scene) -> None:
        part = scene.track.part(scene.track.tension, self._looked, scene.now + 1)
        self.highest_n = max(self.highest_n, float(np.nanmax(part, initial=0.0)))
        self._looked = scene.now

    def _stage_end(self) -> int:
        assert self._start is not None
        return int(self._start + self.ends[self._stage])

    def _open(self, scene: Scene) -> None:
        assert self._start is not None
        self._opened = self._stage
        start = self._start + (self.ends[self._stage - 1] if self._stage else 0)
        start = max(start, self._known_since or 0)
        self._aim(scene, self._stage)
        target_n = round((self.peak_n or 0.0) * self.shares[self._stage], 1)
        self._entry = scene.book.open(
            Stage, int(start), stage=self._stage + 1, target_n=target_n, mean_n=None, in_band_s=0.0, phase="hold"
        )

    def _aim(self, scene: Scene, stage: int) -> None:
        limits = scene.limits
        target_n = (self.peak_n or 0.0) * self.shares[stage]
        if limits.load_n != target_n:
            source = self._source
            scene.limits = limits.with_load(target_n, 0.0, load_from=source, friction_from="given")

    def _close(self, scene: Scene, end: int) -> None:
        assert self._entry is not None
        track, start = scene.track, self._entry.start
        tension = track.part(track.tension, start, end)
        known = tension[~np.isnan(tension)]
        scene.book.close(
            self._entry,
            end,
            mean_n=round(float(known.mean()), 1) if len(known) else None,
            in_band_s=seconds(track.count(track.in_band, start, end)),
        )
        self._entry = None

    def _decay(self, scene: Scene) -> None:
        now = scene.now
        below = scene.on(Bit.BELOW) and not scene.on(Bit.EMPTY)
        if not below and scene.on(Bit.KNOWN_T) and self._held_since is None:
            self._held_since = now
        self._below_since = (self._below_since if self._below_since is not None else now) if below else None
        if self._below_since is None or self._held_since is None or self.failed:
            return
        held = self._below_since - self._held_since >= steps(self.settings.static_after_s)
        if held and now - self._below_since >= steps(self.settings.static_hold_s):
            scene.book.tell(Failure, now, phase="hold")
            self.failed = True

    def _next(self) -> int:
        due = self._stage_end() if self._stage < len(self.shares) else NEVER
        if self._below_since is not None and not self.failed:
            due = min(due, self._below_since + steps(self.settings.static_hold_s))
        return due
