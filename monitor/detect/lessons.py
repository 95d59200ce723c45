"""The range that each repetition teaches becomes new limits."""

from monitor.detect.detector import Findings
from monitor.detect.moment import NEVER, Moment
from monitor.learning.teacher import Teacher


class LessonDetector:
    """Reports nothing; learns the range from each repetition."""

    watches = 0
    due = NEVER

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher

    def update(self, moment: Moment) -> Findings:
        rep = moment.rep_finished
        if rep is None:
            return ()
        limits = self._teacher.learn_range(moment.limits, rep.middle.reversal.x_m, rep.last_m)
        return (limits,) if limits is not moment.limits else ()
