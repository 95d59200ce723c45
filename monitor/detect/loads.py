"""Detects which load is selected: presumed after each pause, then confirmed or replaced within a second of movement.

    on the rest   | for 1 s: presumed | lift-off | moves              | confirmed: judged from the lift-off on
    --------------|-------------------|----------|--------------------|---------------------------------------
                                                 |<- 1.0 s at most -->|

A pin can be moved whenever nothing pulls. So the load may be different after each pause, and nothing is compared with
a load that is only presumed (EVENTS.md 10). If the friction is not known yet, it is learned from the first repetition
together with the load, and that repetition is judged then.
"""

import numpy as np

from monitor.detect.detector import Detection, Finding, Findings
from monitor.detect.moment import NEVER, LoadConfirmed, Moment, ZeroFound, steps
from monitor.detect.since import is_look, next_look, since_when
from monitor.events import LoadChange, SensorFault
from monitor.learning.load import LATE_MOMENTS, SAME, estimate
from monitor.learning.teacher import Teacher
from monitor.profile.limits import Limits
from monitor.signals.conditions import Bit, loaded_since

PIN_STEPS = steps(1.0)  # nobody moves a pin in less
CONFIRM_STEPS = steps(1.0)  # of movement, within which the load is confirmed
BLOW_LEAD_STEPS = steps(0.1)  # a blow that lifts the stack can exceed the ceiling this long before the lift-off
BENT_STEPS = steps(0.1)  # a load may seem to vary along the way for this long
LOOK_STEPS = 8  # how often to look until then
FELT = 0.1  # a short lift shows the load before to within this share of it
LOWERED_STEPS = steps(0.3)  # a load that was lowered for this long is carried by the lifter
TAKEN_OVER = 2.0  # times the load, while the stack stands: the lifter has taken over what a helper lifted


class LoadDetector:
    """Reports `load_change`, and `sensor_fault` if the given load is not on the pin or the force leaves it."""

    watches = Bit.KNOWN_X | Bit.CONTACT | Bit.EMPTY | Bit.STILL | Bit.BENT | Bit.HEAVIER

    def __init__(self, teacher: Teacher) -> None:
        self.due = NEVER
        self._teacher = teacher
        self._free_since: int | None = None  # since when nothing pulls
        self._lift_off: int | None = None  # the lift-off since which no load is confirmed
        self._moves_since: int | None = None
        self._bent_since: int | None = None
        self._outgrown = False  # the stack has risen with more than its load, which is not the one before
        self._unjudged_since: int | None = None  # since when no load is confirmed, or the one that was is doubted
        self._look_from = 0  # until then somebody else carried the stack
        self._raised_since: int | None = None  # the lift-off of a load that was only raised since it was confirmed
        self._replaced = False  # that load is not the one before

    def update(self, moment: Moment) -> Findings:
        if moment.limits.kind != "stack":
            return ()
        if moment.set_over is not None and moment.limits.load_from != "given":
            self._teacher.forget_load()
        if moment.set_over is not None and moment.limits.lowered_n is not None:
            self.due = moment.now + 1
            return (moment.limits.with_lowered(None),)
        if moment.rep_finished is not None:
            findings = self._learn(moment)
            self.due = moment.now + 1  # then the new limits are in force
            return findings
        if moment.zero_found is not None:
            return self._correct_zero(moment, moment.zero_found)
        return self._follow(moment)

    def _correct_zero(self, moment: Moment, zero: ZeroFound) -> Findings:
        """The zero drifted while the load was learned, so the load is wrong by the mean of that drift."""
        limits = moment.limits
        load_n = self._teacher.correct_zero(limits.selected_n, zero.off_n, zero.since, moment.now)
        following = self._follow(moment)
        learned = limits.load_from in ("learned", "presumed")
        if load_n == limits.selected_n or not learned or any(isinstance(f, Limits) for f in following):
            return following
        return (*following, limits.corrected(load_n))

    def _follow(self, moment: Moment) -> Findings:
        """Follow lift-offs, and what is known about the load since the last one."""
        self.due = NEVER
        bent = moment.limits.load_from == "learned" and moment.on(Bit.BENT | Bit.HEAVIER)
        self._outgrown = bent and (self._outgrown or (self._replaced and _rises(moment)))
        self._bent_since = since_when(self._bent_since, bent, moment.now)
        if self._bent_since is not None:
            if self._raised_since is not None and _stands(moment):
                return self._take_over(moment, self._raised_since)
            if moment.on(Bit.BENT) and not moment.still:  # while it stands, a hand takes it over
                return self._doubt(moment, self._bent_since)
        if moment.on(Bit.CONTACT) or (moment.on(Bit.EMPTY) and moment.still):
            return self._free(moment)
        if self._free_since is not None and not moment.on(Bit.KNOWN_X):
            return ()  # a silence does not end a pause
        since, self._free_since = self._free_since, None
        paused = since is not None and moment.now - since >= PIN_STEPS
        unseen = paused and moment.limits.load_from == "learned"  # silence hid the end of the pause
        if self._lift_off is None:
            lifted = paused and (unseen or moment.limits.load_n is None)
        else:  # again, where before that it only hopped
            lifted = since is not None and since - self._lift_off < steps(moment.limits.detect.set.start_hold_s)
        if lifted:
            self._lift_off, self._look_from, self._moves_since = moment.now, moment.now, None
        if unseen:
            return (moment.limits.presuming(),)
        return self._confirm(moment) if self._lift_off is not None else ()

    def _doubt(self, moment: Moment, since: int) -> Findings:
        """The load that was confirmed does not fit where the stack is by now: it may vary along the way."""
        self.due = since + BENT_STEPS
        if moment.now < self.due:
            return ()
        self._bent_since, self._lift_off, self.due = None, None, NEVER
        self._unjudged_since = since
        return (moment.limits.unconfirmed(),)

    def _take_over(self, moment: Moment, raised_since: int) -> Findings:
        """The stack was only raised, and stands: the cable may carry more than its load since a helper has let go.

        More than the load before is a helper's, too, who presses; what is added only now may be a motor's.
        """
        assert moment.limits.load_n is not None
        self.due = moment.now + LOOK_STEPS
        carried_n = moment.signals.tension[moment.signals.row(moment.now)]
        if not self._outgrown and carried_n < TAKEN_OVER * moment.limits.load_n:
            return ()
        self._lift_off, self._look_from = raised_since, moment.now
        self._raised_since = self._moves_since = self._bent_since = None
        return (moment.limits.unconfirmed(),)

    def _free(self, moment: Moment) -> Findings:
        """Nothing pulls: after a while the pin may have been moved."""
        self._raised_since = None
        self._free_since = moment.now if self._free_since is None else self._free_since
        ripe = self._free_since + PIN_STEPS
        if moment.now < ripe:
            self.due = ripe
        hung = moment.hold.since
        if self._lift_off is not None and hung is not None and self._lift_off < hung:
            self._lift_off = moment.now
        if self._lift_off is not None and moment.limits.friction is not None:
            if moment.now < ripe:
                return ()
            self.due = moment.now + 1  # then the load is presumed
            return self._put_back(moment) if moment.on(Bit.CONTACT) else ()
        if moment.now < ripe:
            return ()
        self._lift_off = self._unjudged_since = None
        if moment.limits.load_from == "learned":
            return (moment.limits.presuming(),)
        return ()

    def _put_back(self, moment: Moment) -> Findings:
        """The stack was put down before its load was confirmed: the previous one is assumed where it fits."""
        lift_off, self._lift_off = self._lift_off, None
        presumed_n = moment.limits.presumed_n
        if lift_off is None or presumed_n is None:
            return ()
        carried = estimate(moment.signals, moment.limits, moment.trust.doubted, lift_off, moment.now)
        if carried is None or abs(carried.load_n / presumed_n - 1) > FELT:
            return ()
        return (_confirmed(moment.limits, presumed_n), LoadConfirmed(lift_off))

    def _confirm(self, moment: Moment) -> Findings:
        assert self._lift_off is not None
        limits, signals, now = moment.limits, moment.signals, moment.now
        if limits.friction is None:
            return ()  # learned from the first repetition
        self.due = next_look(now, self._lift_off, LOOK_STEPS)
        if not is_look(now, self._lift_off, LOOK_STEPS):
            return ()
        if self._moves_since is None:
            self._moves_since = _first_movement(moment, self._look_from)
        if self._moves_since is None:
            return ()
        found = estimate(signals, limits, moment.trust.doubted, self._moves_since, now + 1)
        varies, before_n = limits.resistance is not None and limits.resistance.varies, limits.presumed_n
        if varies and found is not None and (before_n is None or abs(found.load_n / before_n - 1) > SAME):
            found = estimate(signals, limits, moment.trust.doubted, self._moves_since, now + 1, beyond=False)
        faint_n = limits.detect.assist.lifted * (limits.presumed_n or 0.0)  # a helper may leave so little over
        if found is not None and found.load_n < faint_n and not _lowered(moment, self._moves_since):
            if signals.tension[signals.row(now)] > TAKEN_OVER * found.load_n:
                self._moves_since = None  # search again from here
                self._look_from = now
            return ()
        late = now - self._moves_since >= CONFIRM_STEPS - LOOK_STEPS
        if found is not None and found.enough(last_chance=late):
            return self._found(moment, self._teacher.snapped(found.load_n))
        if late and (found is None or found.n < LATE_MOMENTS):
            self._look_from, self._moves_since = now, None  # the stack stood again, or only trembled
        elif late:
            self._unjudged_since, self._lift_off = self._lift_off, None  # will be learned from a repetition
            self.due = NEVER
        return ()

    def _mismatch(self, moment: Moment, learned: Limits, until: int) -> list[Detection[SensorFault]]:
        """A fault: the force shows another load in two whole repetitions, up and down, though no pin was moved."""
        fit, known, fault = self._teacher.fit, moment.limits, moment.limits.detect.sensor_fault
        if fit is None or fit.odd_since is None or known.load_from != "learned":
            return []
        assert known.load_n is not None
        assert learned.load_n is not None
        brief = fit.shorter_way < steps(fault.mismatch_s)
        if brief or abs(learned.load_n / known.load_n - 1) <= fault.mismatch:
            return []
        detail = f"{learned.load_n:.0f} N is pulled, {known.load_n:.0f} N was"
        stamp = moment.stamp(fit.odd_since, until)
        return [Detection(SensorFault(**stamp, cause="mismatch", detail=detail), fit.odd_since, until)]

    def _found(self, moment: Moment, load_n: float) -> Findings:
        lift_off, self._lift_off, self.due = self._lift_off, None, NEVER
        assert lift_off is not None
        assert self._moves_since is not None
        before_n = moment.limits.presumed_n
        self._raised_since = None if _lowered(moment, self._moves_since) else lift_off
        if before_n is not None and abs(load_n / before_n - 1) <= SAME:
            self._replaced = False
            return (_confirmed(moment.limits, before_n), LoadConfirmed(self._carried_since(moment, lift_off, before_n)))
        self._replaced = True
        self._teacher.forget_load()
        carried = self._carried_since(moment, lift_off, load_n)
        confirmed = _confirmed(moment.limits, load_n)
        return (confirmed, LoadConfirmed(carried, before_n), *_changed(moment, confirmed, lift_off))

    def _carried_since(self, moment: Moment, lift_off: int, load_n: float) -> int:
        """A stack that hung is held until it moves, or the cable carries enough of its load."""
        signals, limits = moment.signals, moment.limits
        v_m_s, tension_n = (signals.part(column, lift_off, moment.now + 1) for column in (signals.v, signals.tension))
        carried = (np.abs(v_m_s) > limits.v_move_m_s) | (tension_n >= limits.detect.held.tension * load_n)
        return lift_off + int(carried.argmax())

    def _learn(self, moment: Moment) -> Findings:
        """Learn from a repetition."""
        rep, self._raised_since = moment.rep_finished, None
        assert rep is not None
        limits, wrong_load_n = self._teacher.learn_load(
            moment.signals, moment.limits, moment.trust.doubted, rep.first.dwell_end, rep.end
        )
        findings: list[Finding] = []
        if wrong_load_n is not None:
            findings.append(_wrong_load(moment, wrong_load_n, limits))
        if limits.load_n is None:
            up, down = (rep.first.dwell_end, rep.middle.dwell_start), (rep.middle.dwell_end, rep.end)
            limits = self._teacher.learn_lowered(moment.signals, limits, moment.trust.doubted, up, down)
        if limits is not moment.limits:
            findings += self._mismatch(moment, limits, rep.end)
            findings.append(limits)
        if moment.limits.load_n is None and limits.load_n is not None:
            unjudged = [since for since in (self._lift_off, self._unjudged_since) if since is not None]
            self._lift_off = self._unjudged_since = None
            since = min(unjudged, default=rep.first.dwell_end)
            changed = _changed(moment, limits, since)
            if limits.resistance is moment.limits.resistance and moment.limits.lowered_n is None:
                before_n = moment.limits.presumed_n if changed else None
                findings.append(LoadConfirmed(self._carried_since(moment, since, limits.load_n), before_n))
            findings += changed
        elif limits.load_from == "given" and _proven_constant(moment.limits, limits) and moment.in_set:
            findings.append(LoadConfirmed(moment.set_start))
        return findings


def _proven_constant(before: Limits, limits: Limits) -> bool:
    """A repetition has just shown that the load is constant along the way: what differed was somebody's force."""
    return limits.resistance_known and not before.resistance_known and limits.resistance is before.resistance


def _changed(moment: Moment, limits: Limits, since: int) -> list[Detection[LoadChange]]:
    """The load of the new limits is another one than before; what a helper leaves to the cable lifts it off no rest."""
    before_n, load_n = moment.limits.presumed_n, limits.load_n
    if before_n is None or load_n is None or abs(load_n / before_n - 1) <= SAME:
        return []
    hold = steps(limits.detect.set.start_hold_s)
    lift_off = loaded_since(moment.signals, limits, since, moment.now + 1, hold)
    change = LoadChange(**moment.stamp(lift_off, lift_off), from_n=round(before_n, 1), to_n=round(load_n, 1))
    return [Detection(change, lift_off, lift_off)]


def _stands(moment: Moment) -> bool:
    """As the newest readings show, which the slow velocity does not show yet."""
    return abs(float(moment.signals.v[moment.signals.row(moment.now)])) <= moment.limits.v_rest_m_s


def _rises(moment: Moment) -> bool:
    return bool(moment.signals.v[moment.signals.row(moment.now)] > moment.limits.v_move_m_s)


def _first_movement(moment: Moment, since: int) -> int | None:
    """When the stack first moves with a load in the lifter's hands."""
    limits, signals = moment.limits, moment.signals
    v_m_s, tension_n = (signals.part(column, since, moment.now + 1) for column in (signals.v, signals.tension))
    moving = (np.abs(v_m_s) > limits.v_move_m_s) & (tension_n >= limits.lifted_n)
    return since + int(moving.argmax()) if moving.any() else None


def _lowered(moment: Moment, since: int) -> bool:
    v_m_s = moment.signals.part(moment.signals.v, since, moment.now + 1)
    return int(np.count_nonzero(v_m_s < -moment.limits.v_move_m_s)) >= LOWERED_STEPS


def _confirmed(limits: Limits, load_n: float) -> Limits:
    return limits.with_load(load_n, limits.friction or 0.0, load_from="learned", friction_from=limits.friction_from)


def _wrong_load(moment: Moment, given_n: float, learned: Limits) -> Detection[SensorFault]:
    detail = f"{learned.load_n:.0f} N is pulled, the profile says {given_n:.0f} N"
    fault = SensorFault(**moment.stamp(moment.now, moment.now), cause="load", detail=detail)
    return Detection(fault, moment.now, moment.now)
