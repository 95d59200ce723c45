"""Detects a motor that changes the load at the turnarounds, so that it differs between up and down (EVENTS.md 12).

Without a known friction nothing else confirms the load of such a machine, so another one than in the set before is
reported here.
"""

from monitor.detect.detector import Detection, Findings
from monitor.detect.moment import NEVER, Moment
from monitor.events import LoadChange, LoadStep
from monitor.learning.load import SAME
from monitor.learning.teacher import Teacher


class LoadStepDetector:
    """Reports `load_step`, once a set; from then on each direction has its own load until the set ends."""

    watches = 0

    def __init__(self, teacher: Teacher) -> None:
        self.due = NEVER
        self._teacher = teacher
        self._before_n: float | None = None  # the way up in the last set with a step

    def update(self, moment: Moment) -> Findings:
        if moment.set_over is not None:
            self._teacher.forget_step()
            self.due = moment.now + 1  # the set's summary still needs its two loads
            return ()
        if moment.now >= self.due:
            self.due = NEVER
            return (moment.limits.with_step(1.0),) if moment.limits.down != 1.0 else ()
        rep = moment.rep_finished
        if rep is None or moment.limits.kind != "stack" or not moment.in_set or moment.limits.down != 1.0:
            return ()
        limits = self._teacher.learn_step(
            moment.signals, moment.limits, moment.trust.doubted, rep.first.dwell_end, rep.end
        )
        if limits.down == 1.0:
            return ()
        assert limits.load_n is not None
        up_n, down_n = limits.load_n, limits.load_n * limits.down
        stamp = moment.stamp(moment.now, moment.now)
        event = LoadStep(**stamp, load_up_n=round(up_n, 1), load_down_n=round(down_n, 1))
        return limits, *self._changed(moment, up_n), Detection(event, moment.now, moment.now)

    def _changed(self, moment: Moment, load_n: float) -> list[Detection[LoadChange]]:
        before_n, self._before_n = self._before_n, load_n
        known = moment.limits.friction_from != "unknown" or moment.limits.load_from == "given"
        if before_n is None or known or abs(load_n / before_n - 1) <= SAME:
            return []
        at = moment.set_start
        change = LoadChange(**moment.stamp(at, at), from_n=round(before_n, 1), to_n=round(load_n, 1))
        return [Detection(change, at, at)]
