"""Detects when a set begins and ends, by a rule for each kind of machine.

stack   begins when the stack has been off its rest under load for 0.3 s; if the load is known only later, and somebody
        else had lifted the stack, the beginning moves to when the cable carried half of that load
        ends after 5 s on the rest (longer where pauses are planned), even if hands pull; after 5 s off the rest
        without tension; or after 5 s on a stop, but on a stop before the first repetition its beginning moves to the
        next lift-off
motor   begins with the first repetition that is pulled; ends after 5 s with neither movement nor force
squat   (no stack, negative first) begins with the first movement beyond the hysteresis; ends after 5 s of stillness
"""

from monitor.detect.detector import Finding, Findings
from monitor.detect.holds import DEAD_M
from monitor.detect.moment import NEVER, Moment, Pull, SetEnded, SetStarted, steps
from monitor.profile.settings import SetSettings
from monitor.signals.conditions import Bit, loaded_since


class SetDetector:
    """Finds when sets begin and end; the panel makes the events."""

    watches = (
        Bit.KNOWN_X
        | Bit.STILL
        | Bit.UP
        | Bit.DOWN
        | Bit.OFF
        | Bit.CONTACT
        | Bit.EMPTY
        | Bit.PULL
        | Bit.KNOWN_T
        | Bit.LIGHT
    )

    def __init__(self, settings: SetSettings) -> None:
        self.settings = settings
        self.due = NEVER
        self._off_since: int | None = None
        self._begun_by_n: float | None = None  # the load by which the beginning of the set was judged
        self._over_since: int | None = None
        self._over_by = 0  # the bit that held since then
        self._left: tuple[int, int, int] | None = None  # the bit of the last rest, when it began and when it ended
        self._lifted: int | None = None  # when the stack left its rest, by position alone
        self._stood = False  # on a stop, at the moment before
        self._from_stop = False  # it has not lain on the rest since
        self._set_down: int | None = None  # when the tension fell soon after the contact
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
        now, stood, self._stood = moment.now, self._stood, moment.stop.stands
        if moment.in_set:
            if self._stood and moment.reps.full + moment.reps.partial and moment.stop.since is not None:
                return (SetEnded(moment.stop.since),)
            if stood and not self._stood and moment.stop.until is not None:
                self._over_since = None
                return (SetStarted(moment.stop.until),)
            if moment.limits.load_n not in (None, self._begun_by_n) and (findings := self._weigh(moment)):
                return findings
            over_now = self._rests(moment, over)
            if over_now and not _placed(moment):
                return ()
            hold_s = moment.limits.end_rest_s if self._over_by == Bit.CONTACT else self.settings.end_rest_s
            return self._over(over_now, now, hold_s)
        self._over_since = None
        self._from_stop = (self._from_stop or stood) and not moment.on(Bit.CONTACT)
        idle = self._stood or (self._from_stop and _sinks_below(moment))
        if moment.on(Bit.CONTACT):
            self._lifted = None
        elif self._lifted is None and moment.on(Bit.KNOWN_X):
            self._lifted = now
        if moment.trust.force_doubted or idle or not moment.on(begun):  # doubted readings begin nothing
            self._off_since = None
        elif self._off_since is None:
            self._off_since = moment.stop.until if stood else self._began(moment)
        if self._off_since is None:
            return ()
        if now - self._off_since + 1 < steps(self.settings.start_hold_s):
            self.due = self._off_since + steps(self.settings.start_hold_s) - 1
            return ()
        started, self._off_since = SetStarted(self._off_since), None
        self._begun_by_n = moment.limits.load_n
        return (started,)

    def _weigh(self, moment: Moment) -> Findings:
        """Where the load is known only now: the set began when the cable carried half of it, not when a helper did."""
        limits, since, hold = moment.limits, moment.set_start, steps(self.settings.start_hold_s)
        self._begun_by_n = limits.load_n
        doubted = any(until > since for _, until in moment.trust.doubted)
        if limits.kind != "stack" or doubted or moment.reps.full + moment.reps.partial or since < moment.signals.oldest:
            return ()
        at = loaded_since(moment.signals, limits, since, moment.now + 1, hold)
        return (SetStarted(at),) if at - since >= hold else ()

    def _began(self, moment: Moment) -> int:
        """Since when the stack is off its rest under load: since its lift-off where the cell was doubted until now."""
        doubted, near = moment.trust.doubted, steps(self.settings.start_hold_s)
        if self._lifted is None or not doubted:
            return moment.now
        since, until = doubted[-1]
        return self._lifted if since <= self._lifted + near and moment.now <= until + near else moment.now

    def _rests(self, moment: Moment, over: int) -> bool:
        """Whether the stack rests, or is off its rest without tension, each timed separately; doubt changes nothing."""
        if moment.after_silence:
            self._over_since = self._left = None
        if moment.on(over & Bit.CONTACT) or moment.rests_since is not None:
            by = Bit.CONTACT
        elif moment.trust.force_doubted or not (moment.on(Bit.KNOWN_T) and _placed(moment)):
            rested = self._over_since is not None or self._left_lately(moment)
            by = self._over_by if rested and not moment.on(Bit.UP | Bit.DOWN) else 0  # still standing as before
        else:
            by = moment.bits & over
        self._join(moment, by)
        if by and by != self._over_by:  # what stands on a rest that is found only now, came to rest before
            self._over_by, self._over_since = by, None if moment.rests_since is None else self._over_since
        if by:
            self._note_set_down(moment)
        return bool(by)

    def _join(self, moment: Moment, by: int) -> None:
        """A landing bounces, and noise begins before it is known: what follows soon after a rest is the same rest."""
        if self._over_since is not None and by != self._over_by:
            self._left = self._over_by, self._over_since, moment.now
        elif by and self._over_since is None and self._left is not None and self._left_lately(moment):
            last, since, _ = self._left
            if by == last:
                self._over_by, self._over_since = by, since

    def _left_lately(self, moment: Moment) -> bool:
        return self._left is not None and moment.now - self._left[2] < steps(moment.limits.detect.stack_touch.join_s)

    def _note_set_down(self, moment: Moment) -> None:
        """Note when the tension falls just after the contact: the stack came to rest then."""
        if self._over_since is None:
            self._set_down = None
        since = moment.now if self._over_since is None else self._over_since
        soon = self._over_by == Bit.CONTACT and moment.now - since < steps(moment.limits.detect.stack_touch.join_s)
        if soon and not moment.on(Bit.LIGHT):
            self._set_down = None
        elif soon and self._set_down is None:
            self._set_down = moment.now

    def _over(self, over: bool, now: int, hold_s: float) -> Findings:
        if not over:
            self._over_since = None
            return ()
        if self._over_since is None:
            self._over_since = now
        if now - self._over_since < steps(hold_s):
            self.due = self._over_since + steps(hold_s)
            return ()
        ended = SetEnded(self._over_since if self._set_down is None else self._set_down)
        self._over_since = self._set_down = None
        return (ended,)

    def _motor(self, moment: Moment) -> Findings:
        if moment.in_set:
            self._leg = None
            over = self._over(moment.still and not moment.on(Bit.PULL), moment.now, self.settings.end_rest_s)
            return (*over, Pull(False)) if moment.pull.pulled else over
        self._over_since = None
        if any(reversal.at == "lower" for reversal in moment.reversals):
            self._leg = None  # the next leg begins at this turn, once it is known
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
            if afresh and still is not None and still[0] > self._leg[0]:  # positioned until here, pulled from here
                self._begin(still[1], moment.signals.x_m(still[1]))
            high = x_m - self._leg[1] >= _excursion_m(moment)
            if moment.direction > 0 or high:  # near the bottom again, a pull belongs to the next leg
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


def _placed(moment: Moment) -> bool:
    """Whether it is known where the stack is: a silence neither begins nor ends a rest, unless it is long."""
    return moment.on(Bit.KNOWN_X) or moment.limits.kind == "static"


def _sinks_below(moment: Moment) -> bool:
    """From its last stop down to its rest: no set begins there."""
    return moment.x_m < moment.stop.x_m - DEAD_M and not moment.on(Bit.UP)


def _excursion_m(moment: Moment) -> float:
    return moment.limits.detect.rep.excursion * moment.limits.range_m
