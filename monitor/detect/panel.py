"""Runs each moment through the detectors in their order, and folds their findings.

    before   the finders of facts, FaultDetector, SetDetector          the zero may move, a set may begin
    after    the detectors of movement, or of a static contraction     a set may end

Events go into the book. Facts go into the moment that the next detector sees, and a changed fact wakes it.
A new detector is one line in `detectors_before` or `detectors_after`.
"""

from functools import reduce
from operator import or_
from typing import Any, get_args, get_type_hints

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from monitor.detect.assists import AssistDetector
from monitor.detect.detector import OF_LIFTER, Correction, Detection, Detector, Ending, Findings, Silence
from monitor.detect.event_book import EventBook
from monitor.detect.force_lead import ForceLead
from monitor.detect.holds import HoldFinder, StopFinder
from monitor.detect.jerks import SurgeDetector
from monitor.detect.leak_tally import OF_LEAKS
from monitor.detect.lessons import LessonDetector
from monitor.detect.load_steps import LoadStepDetector
from monitor.detect.loads import BLOW_LEAD_STEPS, LoadDetector
from monitor.detect.moment import Fact, Moment, News, RangeShown, Reps, Stillness, steps
from monitor.detect.phase import OF_PHASE, phase_of
from monitor.detect.repetitions import RepDetector
from monitor.detect.rest_finder import RestFinder
from monitor.detect.rests import ContactDetector, LockoutDetector
from monitor.detect.sensor_faults import FaultDetector
from monitor.detect.set_tally import SetTally
from monitor.detect.sets import SetDetector
from monitor.detect.speed_over import SpeedDetector
from monitor.detect.stalls import StallDetector
from monitor.detect.static import StageDetector
from monitor.detect.tension import TensionDetector
from monitor.detect.turnarounds import TurnaroundDetector, TurnFinder
from monitor.detect.zero_finder import ZeroFinder
from monitor.events import AnyEvent, SetStart
from monitor.learning.teacher import Teacher
from monitor.profile.limits import Limits
from monitor.profile.profile import Profile
from monitor.signals.conditions import Bit, believed, evaluate
from monitor.signals.kernels import acceleration_kernel, rounding_error
from monitor.signals.zigzag import Reversal

FIELD_OF: dict[type, str] = {  # where a moment keeps what detectors have found
    kind: name
    for name, hint in get_type_hints(Moment).items()
    for kind in (hint, *get_args(hint))
    if isinstance(kind, type) and issubclass(kind, Fact | Limits)
}
WATCHED_ANYWAY = OF_PHASE | OF_LEAKS
NOTHING_HAPPENS: dict[str, Any] = {
    field.name: field.default for field in msgspec.structs.fields(Moment) if not field.required
}


def detectors_before(profile: Profile, lag: int, count_m: float) -> tuple[Detector, ...]:
    """The first detectors, the same on every machine. `lag`: of a moment behind the grid, in steps.

    `count_m`: the step of the encoder.
    """
    detect = profile.detect
    return (
        RestFinder(),
        FaultDetector(detect.sensor_fault, lag),
        TurnFinder(lag),
        HoldFinder(detect.held),
        StopFinder(detect.set, count_m),
        ZeroFinder(),
        SetDetector(detect.set),
    )


def detectors_after(
    profile: Profile, limits: Limits, teacher: Teacher, lag: int, count_m: float
) -> tuple[Detector, ...]:
    """The other detectors of this machine. The order matters: later detectors see what earlier ones have found."""
    detect, protocol = profile.detect, profile.protocol
    if limits.kind == "static":
        stages = StageDetector(detect.failure, protocol.stages, protocol.stages_s, profile.machine.peak_n)
        return stages, TensionDetector(detect)
    lead = ForceLead(detect.cell, lag, steps(detect.jerk.hold_s)) if ForceLead.shows(detect.cell) else None
    return (
        RepDetector(detect.rep, lag),
        StallDetector(detect),
        AssistDetector(detect.assist),
        TensionDetector(detect),
        SurgeDetector(detect.jerk, lead, rounding_error(acceleration_kernel(lag, count_m), count_m)),
        TurnaroundDetector(detect, lag, count_m),
        ContactDetector(detect),
        LockoutDetector(limits.lockout_dwell_s),
        LessonDetector(teacher),
        SpeedDetector(detect.speed_over),
        LoadStepDetector(teacher),
        LoadDetector(teacher),
    )


class _Group:
    """Detectors in their order, what any of them watches, and when each wants to be woken."""

    def __init__(self, detectors: tuple[Detector, ...]) -> None:
        self.detectors = detectors
        self.watched = [detector.watches for detector in detectors]
        self.watches: int = reduce(or_, self.watched, 0)
        self.dues = [detector.due for detector in detectors]


class DetectorPanel:
    """Call `step` at each moment at which something changes, and at `due`; `moment` is the newest one."""

    def __init__(self, before: tuple[Detector, ...], after: tuple[Detector, ...], first: Moment) -> None:
        self._before, self._after = _Group(before), _Group(after)
        self.watches = WATCHED_ANYWAY | self._before.watches | self._after.watches  # a change of these makes a step
        self.moment = first
        self.tally = SetTally()
        self._book = EventBook()
        self._long_gap = steps(first.limits.long_gap_s)
        self._sets = 0
        self._set_start: Detection[SetStart] | None = None  # of the present set, or the last
        self._unknown_since: int | None = None
        self._limits = first.limits  # which all detectors have seen

    @property
    def before(self) -> tuple[Detector, ...]:
        return self._before.detectors

    @property
    def after(self) -> tuple[Detector, ...]:
        return self._after.detectors

    @property
    def due(self) -> int:
        """The next moment at which a detector has asked to be woken, or all see new limits."""
        if self.moment.limits is not self._limits:
            return self.moment.now + 1
        return min(min(self._before.dues), min(self._after.dues))

    def take(self) -> list[AnyEvent]:
        """The records since the last call, in order."""
        return self._book.take()

    def finish(self, now: int) -> None:
        """The stream has ended: open events end at the last good moment."""
        self._book.end(replace(self.moment, now=now))

    def step(self, now: int, bits: int, reversals: tuple[Reversal, ...], news: tuple[News, ...]) -> None:
        """Run one moment through the detectors that it concerns."""
        changed = self.moment.bits ^ bits
        after_silence = bool(changed & Bit.KNOWN_X) and self._silence_ends(now, bits)
        begun = self._begin(now, bits, reversals, news, after_silence)
        stirred = after_silence or bool(reversals or news) or self.moment.limits is not self._limits
        self._limits = self.moment.limits
        moment, stirred = self._wake(self._before, begun, changed, stirred)
        if moment.zero_found is not None:
            moment = _move_force_zero(moment, moment.zero_found.off_n)
        if moment.place_found is not None:
            moment = _move_zero(moment, moment.place_found.off_m)
        stirred = stirred or moment.limits is not begun.limits
        moment = middle = _in_phase(moment)
        if moment.set_started is not None:
            moment = self._start_set(moment, moment.set_started.at)
        moment, _ = self._wake(self._after, moment, changed, stirred)
        if moment.load_confirmed is not None:
            moment = self._judge_again(moment, moment.load_confirmed.since)
        if moment.range_shown is not None:
            moment = self._judge_by_range(moment, moment.range_shown)
        self.tally.update(moment)
        if moment.set_ended is not None and moment.in_set:
            moment = self._end_set(moment, moment.set_ended.at)
        self.moment = moment if moment is middle else _in_phase(moment)

    def _begin(
        self, now: int, bits: int, reversals: tuple[Reversal, ...], news: tuple[News, ...], after_silence: bool
    ) -> Moment:
        """A new moment, with everything that was found before it."""
        last, direction = self.moment, self.moment.direction
        if reversals:
            direction = -1 if reversals[-1].at == "upper" else 1
        moment = Moment(  # by position: several times faster than by name
            last.signals,
            last.session,
            last.limits,
            now,
            bits,
            0 if after_silence else direction,
            reversals,
            news,
            last.phase,
            last.in_set,
            last.set_start,
            last.set_number,
            _rep_number(last.limits, last.reps, bits),
            last.stillness,
            last.hold,
            last.stop,
            last.trust,
            last.pull,
            last.reps,
            last.stalling,
            last.lockout,
            last.staging,
            last.assistance,
            last.thrown,
        )
        return replace(moment, after_silence=True) if after_silence else moment

    def _wake(self, group: _Group, moment: Moment, changed: int, stirred: bool) -> tuple[Moment, bool]:
        """Update the detectors that the moment concerns (all if `stirred`).

        Returns the moment with their findings, and whether these concern all detectors.
        """
        dues, now = group.dues, moment.now
        if not stirred and not changed & group.watches and min(dues) > now:
            return moment, stirred
        for i, watches in enumerate(group.watched):
            if stirred or changed & watches or dues[i] <= now:
                detector = group.detectors[i]
                findings = detector.update(moment)
                dues[i] = detector.due
                if findings:
                    before, moment = moment, self._fold(moment, findings)
                    stirred = stirred or (moment is not before and any(type(one) is not Stillness for one in findings))
        return moment, stirred

    def _fold(self, moment: Moment, findings: Findings) -> Moment:
        """Put events into the book, and facts and silenced kinds into the moment."""
        changes: dict[str, Any] = {}
        for finding in findings:
            match finding:
                case Detection():
                    self._book.enter(finding, moment, self.tally.rep_of(finding))
                    self.tally.note(finding)
                case Ending():
                    self._book.close(finding, moment)
                case Correction():
                    self._book.correct(finding, moment)
                case Silence():
                    self._book.silence(finding, moment)
                    changes["silenced"] = (*changes.get("silenced", moment.silenced), *finding.kinds)
                case _:
                    changes[FIELD_OF[type(finding)]] = finding
        return replace(moment, **changes) if changes else moment

    def _judge_again(self, moment: Moment, since: int) -> Moment:
        """Judge again from moment `since` by the load, which is known only now, and the blow that lifted the stack."""
        since, pulled = (max(at, moment.signals.oldest) for at in (since, since - BLOW_LEAD_STEPS))
        bits = evaluate(moment.signals, moment.limits, pulled, moment.now + 1)
        bits[: since - pulled] &= Bit.CEILING
        self.tally.judge_again(moment, since, bits[since - pulled :])
        moment = self._walk_again(moment, Bit.JUDGED, pulled, believed(bits, pulled, moment.trust.doubted))
        return replace(moment, bits=int(bits[-1]))

    def _judge_by_range(self, moment: Moment, shown: RangeShown) -> Moment:
        """Judge a repetition again by the range, which includes it only now."""
        lag = moment.signals.slow_lag
        until = moment.now if moment.limits.range_agreed else min(moment.now, shown.until + lag)
        limits, since = moment.limits, max(shown.since, moment.signals.oldest)
        span = since, until + 1
        bits = evaluate(moment.signals, limits, *span, looking_back=True)
        if not limits.range_agreed:  # rests are judged by its own range, speed by the assumed range
            own = limits.including(limits.bottom_m, limits.top_m)
            bits = bits & Bit.FAST | evaluate(moment.signals, own, *span, looking_back=True) & ~Bit.FAST
            bits[-1] &= ~(Bit.FAST | Bit.TOP)  # what goes on is judged after the next one
        return self._walk_again(moment, Bit.FAST | Bit.TOP, since, bits)

    def _walk_again(self, moment: Moment, watched: int, since: int, bits: NDArray[np.int32]) -> Moment:
        """Update the detectors that watch these bits with past moments, one detector after another."""
        until = since + len(bits)
        for i, detector in enumerate(self._after.detectors):
            if not detector.watches & watched:
                continue
            seen = bits & detector.watches
            changes = [*(np.flatnonzero(seen[1:] != seen[:-1]) + since + 1).tolist(), until]
            at = since
            while at < until:
                past = replace(moment, now=at, bits=int(bits[at - since]), known_at=moment.now)
                past = _in_phase(replace(past, rep_number=self.tally.rep_at(at)))
                moment = self._fold(moment, detector.update(past))
                while changes[0] <= at:
                    changes.pop(0)
                at = min(changes[0], max(at + 1, detector.due))
            self._after.dues[i] = detector.due
        return moment

    def _silence_ends(self, now: int, bits: int) -> bool:
        """Note that the position has become known or unknown; return whether a long unknown stretch has ended."""
        since, self._unknown_since = self._unknown_since, None if bits & Bit.KNOWN_X else now
        return since is not None and now - since > self._long_gap

    def _start_set(self, moment: Moment, at: int) -> Moment:
        again = moment.in_set  # it stood on a stop until now
        self._sets += not again
        moment = replace(moment, in_set=True, set_start=at, set_number=self._sets, rep_number=None)
        self.tally.start(moment.signals, at)
        event = SetStart(**moment.stamp(at, at))
        if again and self._set_start is not None:
            self._book.correct(Correction(self._set_start, event), moment)
        else:
            self._book.start_set()
            self._set_start = Detection(event, at, at)
            self._book.enter(self._set_start, moment)
        return replace(moment, rep_number=_rep_number(moment.limits, Reps(pending=moment.reps.pending), moment.bits))

    def _end_set(self, moment: Moment, over: int) -> Moment:
        """Let the detectors end their open events, close the rest, and sum up."""
        moment = replace(moment, **NOTHING_HAPPENS)
        moment = replace(moment, in_set=False, set_over=over, silenced=OF_LIFTER)
        moment, _ = self._wake(self._after, moment, changed=0, stirred=True)
        self._book.end_set(over, moment)
        summary = self.tally.end_set(moment, over, self._book.counts)
        self._book.enter(Detection(summary, over, over), moment)
        return replace(moment, set_number=None, rep_number=None)


def _move_force_zero(moment: Moment, off_n: float) -> Moment:
    """Nothing pulls here: define the load cell's reading as 0."""
    moment.signals.shift_force(off_n, moment.now + 1)
    return replace(moment, limits=moment.limits.with_zero(moment.limits.zero_n + off_n))


def _move_zero(moment: Moment, off_m: float) -> Moment:
    """The stack stands at a known height, `off_m` lower than it seems."""
    moment.signals.shift(off_m)
    return replace(moment, limits=moment.limits.with_rest(off_m), zero_moved_m=off_m)


def _in_phase(moment: Moment) -> Moment:
    phase = phase_of(moment)
    return moment if phase == moment.phase else replace(moment, phase=phase)


def _rep_number(limits: Limits, reps: Reps, bits: int) -> int | None:
    """The repetition that a moment belongs to."""
    if limits.kind == "static":
        return None
    again = Bit.UP if limits.starts_up else Bit.DOWN  # the movement that a repetition begins with
    return reps.full + reps.partial + 1 + (reps.pending and bool(bits & again))
