"""The range that each repetition teaches becomes new limits.

Until repetitions agree on it, what depends on the range is judged after each of them, by the range that includes it.
"""

from monitor.detect.detector import Finding, Findings
from monitor.detect.moment import NEVER, Moment, RangeShown, RepFinished
from monitor.learning.range import LearnedRange
from monitor.learning.teacher import Teacher
from monitor.profile.limits import Limits

KEPT = 10  # short ways of a set


class LessonDetector:
    """Reports nothing; learns the range, and says what can be judged by it afterwards."""

    watches = 0
    due = NEVER

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher
        self._judged_until = 0
        self._turns_m: list[float] = []  # the newest three turns of this set
        self._short_ways_m: list[float] = []  # of this set

    def update(self, moment: Moment) -> Findings:
        limits = moment.limits
        if moment.set_started is not None:
            self._turns_m, self._short_ways_m = [], []
        for turn in moment.turned.points:
            if turn.reversal.at == "upper":
                limits = self._teacher.widen_range(limits, LearnedRange(limits.bottom_m, turn.reversal.x_m))
            self._note_short(limits, turn.reversal.x_m)
        findings: list[Finding] = []
        if (rep := moment.rep_finished) is not None:
            findings, limits = self._look_back(moment, rep), self._teacher.learn_range(limits, rep.shown)
        if moment.set_over is not None and len(self._short_ways_m) >= limits.detect.range.reps:
            limits = limits.with_short_range(max(self._short_ways_m))
        return [limits, *findings] if limits is not moment.limits else findings

    def _look_back(self, moment: Moment, rep: RepFinished) -> list[Finding]:
        """What could not be judged while it was done."""
        if moment.limits.range_agreed:
            return []
        since = max(self._judged_until, rep.first.dwell_end)
        self._judged_until = rep.end
        return [RangeShown(since, rep.end)]

    def _note_short(self, limits: Limits, turn_m: float) -> None:
        """A way up and down that is too short to be a repetition, where no range is known."""
        self._turns_m = [*self._turns_m[-2:], turn_m]
        if limits.range_known or len(self._turns_m) < 3:
            self._short_ways_m = []
            return
        first_m, middle_m, last_m = self._turns_m
        way_m = middle_m - max(first_m, last_m)
        if 0 < way_m < limits.detect.range.least_m:
            self._short_ways_m = [*self._short_ways_m[-KEPT:], way_m]
