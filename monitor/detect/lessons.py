"""Learns the range from each repetition and sets new limits.

Until repetitions agree on a range, each repetition is judged after it has ended, with a range that includes it.
"""

from monitor.detect.detector import Finding, Findings
from monitor.detect.moment import NEVER, Moment, RangeShown, RepFinished
from monitor.learning.range import LearnedRange
from monitor.learning.teacher import Teacher
from monitor.profile.limits import Limits

KEPT = 10  # short movements of a set


class LessonDetector:
    """Learns the range, and finds the moments that can be judged by it now; it reports no event."""

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
        """Find what could not be judged during the repetition."""
        if moment.limits.range_agreed:
            return []
        since = max(self._judged_until, rep.first.dwell_end)
        self._judged_until = rep.end
        return [RangeShown(since, rep.end)]

    def _note_short(self, limits: Limits, turn_m: float) -> None:
        """Note a movement up and down that is too short for a repetition, while no range is known."""
        self._turns_m = [*self._turns_m[-2:], turn_m]
        if limits.range_known or len(self._turns_m) < 3:
            self._short_ways_m = []
            return
        first_m, middle_m, last_m = self._turns_m
        way_m = middle_m - max(first_m, last_m)
        if 0 < way_m < limits.detect.range.least_m:
            self._short_ways_m = [*self._short_ways_m[-KEPT:], way_m]
