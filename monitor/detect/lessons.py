"""What each repetition teaches becomes new limits; a load that is not the profile's is reported."""

from monitor.detect.detector import Detection, Findings
from monitor.detect.moment import NEVER, Moment
from monitor.events import SensorFault
from monitor.learning.teacher import Teacher
from monitor.profile.limits import Limits


class LessonDetector:
    """`sensor_fault` of the load; learns from each repetition, and forgets the load with the set."""

    watches = 0
    due = NEVER

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher

    def update(self, moment: Moment) -> Findings:
        if moment.set_over is not None and moment.limits.load_from == "learned":
            self._teacher.forget_load()
        rep = moment.rep_finished
        if rep is None:
            return ()
        limits = moment.limits
        findings: Findings = ()
        if limits.kind == "stack":
            start, doubted = rep.first.dwell_end, moment.trust.doubted
            limits, wrong_load_n = self._teacher.learn_load(moment.signals, limits, doubted, start, rep.end)
            if wrong_load_n is not None:
                findings = (_wrong_load(moment, wrong_load_n, limits),)
        limits = self._teacher.learn_range(limits, rep.middle.reversal.x_m, rep.last_m)
        return (*findings, limits) if limits is not moment.limits else findings


def _wrong_load(moment: Moment, given_n: float, learned: Limits) -> Detection[SensorFault]:
    detail = f"{learned.load_n:.0f} N is pulled, the profile says {given_n:.0f} N"
    fault = SensorFault(**moment.stamp(moment.now, moment.now), cause="load", detail=detail)
    return Detection(fault, moment.now, moment.now)
