"""When a set begins and ends, by machine.

stack   off the rest and loaded for 0.3 s begins it; 5 s on the rest (longer where pauses are planned), or 5 s without
        tension off it, ends it
motor   the first repetition that is pulled begins it; 5 s with neither movement nor force ends it
squat   (no stack, negative first) the first movement beyond the hysteresis begins it; 5 s of stillness ends it
"""

from monitor.detect.detector import Finding, Findings
from monitor.detect.moment import NEVER, Moment, Pull, SetEnded, SetStarted, steps
from monitor.profile.settings import SetSettings
from monitor.signals.conditions import Bit


class SetDetector:
    """Finds the moments; the spine makes the events."""

    watches = Bit.KNOWN_X | Bit.STILL | Bit.UP | Bit.DOWN | Bit.OFF | Bit.CONTACT | Bit.EMPTY | Bit.PULL | Bit.KNOWN_T

    def __init__(self, settings: SetSettings) -> None:
        self.settings = settings
        self.due = NEVER
        self._off_since: int | None = None
        self._over_since: int | None = None
        self._leg: tuple[int, float] | None = None  # motor: when and where the present leg began, m
        self._top_m = -float("inf")  # of this leg
        self._pulled = self._pulling = False  # in this leg; now

    def update(self, moment: Moment) -> Findings:
        self.due = NEVER
        if moment.limits.kind == "stack":
            return self._held(moment, Bit.OFF, Bit.CONTACT | Bit.EMPTY)
        if moment.limits.kind == "static":
            return self._held(moment, Bit.PULL, Bit.EMPTY)
        if moment.limits.driven:
            return self._motor(moment)
        return self._squat(moment)

    def _held(self, moment: Moment, begun: int, over: int) -> Findings:
        now = moment.now
        if moment.in_set:
            silent = moment.still and not moment.on(Bit.KNOWN_T)  # the stack stands as it stood
            hold_s = moment.limits.end_rest_s if moment.on(Bit.CONTACT) else self.settings.end_rest_s
            return self._over(self._over_since is not None if silent else moment.on(over), now, hold_s)
        self._over_since = None
        self._off_since = (self._off_since if self._off_since is not None else now) if moment.on(begun) else None
        if self._off_since is None:
            return ()
        if now - self._off_since + 1 < steps(self.settings.start_hold_s):
            self.due = self._off_since + steps(self.settings.start_hold_s) - 1
            return ()
        started, self._off_since = SetStarted(self._off_since), None
        return (started,)

    def _over(self, over: bool, now: int, hold_s: float) -> Findings:
        if not over:
            self._over_since = None
            return ()
        if self._over_since is None:
            self._over_since = now
        if now - self._over_since < steps(hold_s):
            self.due = self._over_since + steps(hold_s)
            return ()
        ended, self._over_since = SetEnded(self._over_since), None
        return (ended,)

    def _motor(self, moment: Moment) -> Findings:
        if moment.in_set:
            self._leg = None
            over = self._over(moment.still and not moment.on(Bit.PULL), moment.now, self.settings.end_rest_s)
            return (*over, Pull(False)) if moment.pull.pulled else over
        self._over_since = None
        if any(reversal.at == "lower" for reversal in moment.reversals):
            self._leg = None  # the next one begins at this turn, once it is known
        for turn in moment.turned.points:
            if turn.reversal.at == "lower":
                self._begin(turn.dwell_end, turn.reversal.x_m)
            else:
                self._top_m = max(self._top_m, turn.reversal.x_m)
        findings = self._pull(moment)
        pulled = self._leg is not None and self._pulled
        return findings if pulled == moment.pull.pulled else [*findings, Pull(pulled)]

    def _pull(self, moment: Moment) -> list[Finding]:
        """Follow the present leg: whether it is pulled, and whether it is going to count."""
        pull, still, x_m = moment.on(Bit.PULL), moment.stillness.last, moment.x_m
        findings: list[Finding] = []
        if self._leg is not None:
            afresh = pull and not self._pulling and moment.on(Bit.UP)
            if afresh and still is not None and still[0] > self._leg[0]:  # put in place until here, pulled from here
                self._begin(still[1], moment.signals.x_m(still[1]))
            high = x_m - self._leg[1] >= _excursion_m(moment)
            if moment.direction > 0 or high:  # near the bottom again, it is the next one that is pulled
                self._pulled = self._pulled or pull
            if self._pulled and max(self._top_m, x_m) - self._leg[1] >= _excursion_m(moment):
                findings = [SetStarted(self._leg[0])]
            elif self._pulled and moment.on(Bit.UP):
                self.due = moment.now + 1
        self._pulling = pull
        return findings

    def _begin(self, at: int, x_m: float) -> None:
        self._leg, self._top_m, self._pulled = (at, x_m), x_m, False

    def _squat(self, moment: Moment) -> Findings:
        if moment.in_set:
            return self._over(moment.still, moment.now, self.settings.end_rest_s)
        down = [turn.dwell_end for turn in moment.turned.points if turn.reversal.at == "upper"]
        return (SetStarted(down[-1]),) if down else ()


def _excursion_m(moment: Moment) -> float:
    return moment.limits.detect.rep.excursion * moment.limits.range_m
