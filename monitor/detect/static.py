"""Judges a timed static contraction by force alone, in stages of a tested peak.

    target   ______------======______     50, 75, 100 % of the peak, 30 s each
    force    __/~~~~~~~/~~~~~\\__          set_start, stage 1, 2, 3, decay: failure, set_end

Where the profile has no peak, the first effort is the test: it has no target and no stage, its highest force is the
peak of the next. Movement without an external load is judged the same way: the displacement is not looked at.
"""

from typing import Literal

import numpy as np
from msgspec.structs import replace

from monitor.detect.detector import Detection, Ending, Finding, Findings
from monitor.detect.moment import NEVER, Moment, Staging, seconds, steps
from monitor.detect.pushing import Pushing
from monitor.detect.since import since_when
from monitor.events import Failure, Stage
from monitor.profile.limits import Limits
from monitor.profile.settings import FailureSettings
from monitor.signals.conditions import Bit


class StageDetector:
    """Reports `stage` and the static `failure`; finds the target that the tension is compared with."""

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
        self._pushing = Pushing(failure.pushing)
        self._failed = False  # in this set
        self._highest_n = 0.0  # in this set
        self._looked = 0
        self._start: int | None = None
        self._stage = 0
        self._opened = -1
        self._detection: Detection[Stage] | None = None
        self._known_since: int | None = 0
        self._below_since: int | None = None
        self._held_since: int | None = None  # since when the target has been reached

    def update(self, moment: Moment) -> Findings:
        findings = [*self._update_stages(moment), *self._pushing.update(moment)]
        self.due = min(self.due, self._pushing.due)
        return findings

    def _update_stages(self, moment: Moment) -> Findings:
        if moment.set_over is not None:
            return self._end_set(moment, moment.set_over)
        if Stage in moment.silenced:
            self._detection = None
        if not moment.in_set:
            self._start = self._detection = None
            self.due = NEVER
            return ()
        findings: list[Finding] = []
        if self._start is None:
            self._begin(moment)
        if not moment.on(Bit.KNOWN_T):  # a stage that ends in a silence ends, and the next begins, when force is known
            self._known_since, self.due = None, NEVER
            return ()
        if self._known_since is None:
            self._known_since = moment.now
        self._look(moment)
        if self.peak_n is None:
            return ()
        while self._stage < len(self.shares) and moment.now >= self._stage_end():
            if self._detection is not None:
                findings.append(self._close(moment, self._detection, self._stage_end()))
            self._stage += 1
        aimless = self._stage >= len(self.shares)
        if aimless != moment.staging.aimless:
            findings.append(Staging(aimless, self._highest_n))
        if self._opened < self._stage < len(self.shares):  # a stage that was cut does not begin again
            findings += self._open(moment, self.peak_n)
        if aimless:  # no target, no failure
            self._below_since = None
        else:
            findings += self._decay(moment)
        self.due = self._next()
        return findings

    def _end_set(self, moment: Moment, over: int) -> list[Finding]:
        """End what is open with the set; a test effort has shown the peak."""
        findings: list[Finding] = []
        self._look(moment)
        if self._detection is not None:
            findings.append(self._close(moment, self._detection, max(over, self._detection.start)))
        if self.peak_n is None and self._highest_n > 0:
            self.peak_n = self._highest_n
            findings += self._aim(moment, self.peak_n, 0)
        findings.append(Staging(False, self._highest_n))
        self._start = self._detection = None
        self.due = NEVER
        return findings

    def _begin(self, moment: Moment) -> None:
        self._start, self._stage, self._opened, self._failed = moment.set_start, 0, -1, False
        self._looked, self._highest_n = moment.set_start, 0.0
        self._below_since = self._held_since = None

    def _look(self, moment: Moment) -> None:
        tension_n = moment.signals.part(moment.signals.tension, self._looked, moment.now + 1)
        self._highest_n = max(self._highest_n, float(np.nanmax(tension_n, initial=0.0)))
        self._looked = moment.now

    def _stage_end(self) -> int:
        assert self._start is not None
        return int(self._start + self.ends[self._stage])

    def _open(self, moment: Moment, peak_n: float) -> list[Finding]:
        assert self._start is not None
        self._opened = self._stage
        start = int(max(self._start + (self.ends[self._stage - 1] if self._stage else 0), self._known_since or 0))
        stage = Stage(
            **moment.stamp(start, phase="hold"),
            stage=self._stage + 1,
            target_n=round(peak_n * self.shares[self._stage], 1),
            mean_n=None,
            in_band_s=0.0,
        )
        self._detection = Detection(stage, start)
        return [*self._aim(moment, peak_n, self._stage), self._detection]

    def _aim(self, moment: Moment, peak_n: float, stage: int) -> list[Limits]:
        target_n = peak_n * self.shares[stage]
        if moment.limits.load_n == target_n:
            return []
        return [moment.limits.with_load(target_n, 0.0, load_from=self._source, friction_from="given")]

    def _close(self, moment: Moment, detection: Detection[Stage], end: int) -> Ending:
        signals, start = moment.signals, detection.start
        tension_n = signals.part(signals.tension, start, end)
        known_n = tension_n[~np.isnan(tension_n)]
        self._detection = None
        ended = replace(
            detection.event,
            mean_n=round(float(known_n.mean()), 1) if len(known_n) else None,
            in_band_s=seconds(signals.count(signals.in_band, start, end)),
        )
        return Ending(detection, end, ended)

    def _decay(self, moment: Moment) -> list[Finding]:
        now = moment.now
        below = moment.on(Bit.BELOW) and not moment.on(Bit.EMPTY)
        if not below and moment.on(Bit.KNOWN_T) and self._held_since is None:
            self._held_since = now
        self._below_since = since_when(self._below_since, below, now)
        if self._below_since is None or self._held_since is None or self._failed:
            return []
        held = self._below_since - self._held_since >= steps(self.settings.static_after_s)
        if held and now - self._below_since >= steps(self.settings.static_hold_s):
            self._failed = True
            detection = Detection(Failure(**moment.stamp(now, now, phase="hold")), now, now)
            self._pushing.follow(detection)
            return [detection]
        return []

    def _next(self) -> int:
        due = self._stage_end() if self._stage < len(self.shares) else NEVER
        if self._below_since is not None and not self._failed:
            due = min(due, self._below_since + steps(self.settings.static_hold_s))
        return due
