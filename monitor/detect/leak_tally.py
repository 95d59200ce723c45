"""Sums up the leak of a set: the union of the moments that its faults spoiled, each moment with one cause.

    set       |--------------------------------------|        from set_start to the end of the last repetition
    pause                ######                               planned, or for another load: does not count
    unjudged  ####                                            does not count
    spoiled      ====        =====  ===                       by events, in the order of primaries

Everything is clipped to the moments that count, so the seconds by cause add up exactly (EVENTS.md 15).
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.detect.detector import Detection
from monitor.detect.moment import Moment, seconds, steps
from monitor.events import (
    AnyEvent,
    Assist,
    BottomRest,
    Drop,
    Jerk,
    Leak,
    LoadStep,
    SensorFault,
    StackTouch,
    Turnaround,
)
from monitor.profile.limits import Limits
from monitor.signals.conditions import Bit
from monitor.signals.grid import STEP_S
from monitor.signals.stretches import MOST, Follower, Stretch, length, runs_of, union, without
from monitor.vocabulary.leaks import LEAKS
from monitor.vocabulary.lookup import is_fault, leak_of

SETTLED_STEPS = steps(30.0)  # older moments no longer change
KEPT_STEPS = steps(40.0)  # no record that began this long before those is changed: hindsight reaches 64 s back
PIN_STEPS = steps(1.0)  # a pause for another load ends at most this long before the lift-off
EXPLAINED = frozenset({"slack", "unload", "tension_out"})  # by what is not the lifter's and they are part of
OF_LEAKS = Bit.JUDGED | Bit.KNOWN_X | Bit.CONTACT | Bit.FAST  # the bits that decide what counts


class Sums:
    """Numbers of moments in a set or a part of it: that count, that were not judged, that leaked by field of `Leak`."""

    def __init__(self) -> None:
        self.counted = self.unjudged = 0
        self.leaked = dict.fromkeys(LEAKS, 0)

    def add(self, counted: int, unjudged: int, leaked: dict[str, int]) -> None:
        """Add the moments of another part."""
        self.counted += counted
        self.unjudged += unjudged
        for cause, moments in leaked.items():
            self.leaked[cause] += moments

    def skill(self, least_s: float) -> float | None:
        """The share of the judged time that did not leak; None where too little was judged."""
        judged = self.counted - self.unjudged
        return round(1 - sum(self.leaked.values()) / judged, 4) if judged >= max(1, round(least_s / STEP_S)) else None

    def leak(self) -> Leak:
        leaked_s = {cause: seconds(moments) for cause, moments in self.leaked.items()}
        return Leak(**leaked_s, unjudged_s=seconds(self.unjudged))


class LeakTally:
    """Call `update` at every moment with a change and `note` with every event; `end_load` settles the rest.

    Moments older than `SETTLED_STEPS` are summed up and dropped, so a long set needs no more memory than a short one.
    """

    def __init__(self) -> None:
        self.set_sums, self.load_sums = Sums(), Sums()  # of the set, and of its present stretch of constant load
        self._events: deque[Detection[Any]] = deque(maxlen=MOST)
        self._turns: dict[str, deque[int]] = {"upper": deque(maxlen=MOST), "lower": deque(maxlen=MOST)}
        self._contacts, self._unjudged, self._fast_up = Follower(), Follower(), Follower()
        self._load_pauses: list[Stretch] = []  # on the rest, for another load
        self._flags = -1
        self._start = self._worked_until = self._settled_until = 0  # worked: the end of the last repetition
        self._first_rep = 0
        self._rep_ends: deque[int] = deque(maxlen=MOST)
        self._reps_forgotten = 0  # repetitions of this set before those
        self._faulty_reps = 0  # bit n: repetition n had a primary fault

    def start_set(self, at: int) -> None:
        """Begin a set at moment `at`."""
        self.set_sums, self.load_sums = Sums(), Sums()
        self._start = self._worked_until = self._settled_until = self._first_rep = at
        self._faulty_reps = 0
        self._rep_ends.clear()
        self._reps_forgotten = 0
        self._forget(at, [])

    def note(self, detection: Detection[Any]) -> None:
        """Take a new event of the book; later changes of its record count too."""
        self._events.append(detection)

    def update(self, moment: Moment) -> None:
        now = moment.now
        flags = (moment.bits & OF_LEAKS) << 1 | moment.trust.force_doubted
        if flags != self._flags:
            self._flags = flags
            self._contacts.update(moment.on(Bit.CONTACT), now)
            self._unjudged.update(_is_unjudged(moment), now)
            fast_up = moment.on(Bit.FAST) and float(moment.signals.v[moment.signals.row(now)]) > 0
            self._fast_up.update(fast_up, now)
        for turn in moment.turned.points:
            self._turns[turn.reversal.at].append(turn.dwell_start)
        if moment.rep_finished is not None:
            if self._worked_until == self._start:
                self._first_rep = moment.rep_finished.first.dwell_start
            self._worked_until = max(self._worked_until, moment.rep_finished.end)
            self._rep_ends.append(moment.rep_finished.end)
        if moment.rep_went_on is not None and self._rep_ends:
            self._worked_until = self._rep_ends[-1] = moment.rep_went_on.end
        if moment.load_confirmed is not None and moment.load_confirmed.instead_of_n is not None:
            self._pause_for_load(moment.limits, moment.load_confirmed.since)
        if moment.in_set and now - self._settled_until >= 2 * SETTLED_STEPS:
            self._settle(moment.limits, self._reached(moment, now - SETTLED_STEPS))

    def judge_again(self, moment: Moment, since: int, bits: NDArray[np.int32]) -> None:
        """Judge again from moment `since`, since when the load is known; `bits`: of the moments from there to now."""
        unjudged = (bits & (Bit.CONTACT | Bit.JUDGED) == 0) | (bits & (Bit.CONTACT | Bit.KNOWN_X) == 0)
        doubted = [(max(a, since), min(b, moment.now + 1)) for a, b in moment.trust.doubted if b > since]
        self._unjudged.rewrite(since, [*runs_of(unjudged, since), *doubted], moment.now + 1)

    def end_load(self, moment: Moment, at: int) -> Sums:
        """Return the sums of the stretch of constant load that ended at moment `at`, and begin the next one."""
        self._settle(moment.limits, self._reached(moment, at))
        sums, self.load_sums = self.load_sums, Sums()
        return sums

    def rep_at(self, moment: int) -> int:
        """The number of the repetition of this set that a moment belongs to; after one, to the next."""
        return self._reps_forgotten + bisect_right(self._rep_ends, moment) + 1

    def rep_of(self, detection: Detection[Any]) -> int | None:
        """The repetition in which an event began, although it may be known only in the next one."""
        number, now = self.rep_at(detection.start), detection.event.rep
        return now if now is None or number > self._reps_forgotten + len(self._rep_ends) else number

    def clean_reps(self, reps: int, limits: Limits, end: int) -> int:
        """The number of repetitions up to a moment without a primary fault; a fault in a free pause does not count."""
        self._note_faulty(self._events, self._free(limits, end))
        faulty = self._faulty_reps >> 1 & (1 << reps) - 1
        return reps - faulty.bit_count()

    def _reached(self, moment: Moment, until: int) -> int:
        """The moment up to which the set counts: the end of its last repetition, or `until` in a static set."""
        return until if moment.limits.kind == "static" else min(until, self._worked_until)

    def _settle(self, limits: Limits, until: int) -> None:
        """Sum up the moments that are not summed up yet, and drop what is no longer needed."""
        if until <= self._settled_until:
            return
        start, self._settled_until = self._settled_until, until
        counted = without([(start, until)], self._free(limits, until))
        judged = without(counted, self._unjudged.until(until))
        left, leaked = judged, dict.fromkeys(LEAKS, 0)
        for (_, cause), group in groupby(sorted(self._spoiled(limits, until)), key=lambda one: one[:2]):
            rest = without(left, [stretch for _, _, stretch in group])
            leaked[cause] += length(left) - length(rest)
            left = rest
        for sums in (self.set_sums, self.load_sums):
            sums.add(length(counted), length(counted) - length(judged), leaked)
        self._forget(until, self._free(limits, until))

    def _forget(self, until: int, free: list[Stretch]) -> None:
        """Drop what spoils nothing from moment `until` on."""
        before = until - KEPT_STEPS
        gone = []
        while self._events and self._events[0].start < before and self._events[0].end is not None:
            gone.append(self._events.popleft())
        self._note_faulty(gone, free)
        while self._rep_ends and self._rep_ends[0] < before - KEPT_STEPS:
            self._rep_ends.popleft()
            self._reps_forgotten += 1
        self._load_pauses = [pause for pause in self._load_pauses if pause[1] > before]
        for turns in self._turns.values():
            while turns and turns[0] < before:
                turns.popleft()
        for follower in (self._contacts, self._unjudged, self._fast_up):
            follower.forget(before)

    def _note_faulty(self, events: Iterable[Detection[Any]], free: list[Stretch]) -> None:
        """Note which repetitions have a fault; a fault between two repetitions belongs to the second."""
        for one in events:
            begun = one.start >= min(self._start, self._first_rep)
            if begun and is_fault(one.event) and not any(a <= one.start < b for a, b in free):
                self._faulty_reps |= 1 << self.rep_at(one.start)

    def _pause_for_load(self, limits: Limits, lift_off: int) -> None:
        """Note that the contact before this lift-off was a pause in which the pin was moved."""
        contacts = self._rested(limits, lift_off)
        self._load_pauses += [(a, b) for a, b in contacts[-1:] if a < lift_off < b + PIN_STEPS]

    def _rested(self, limits: Limits, end: int) -> list[Stretch]:
        """Contacts up to a moment: as events show them, too, which in doubt begin before the place does."""
        contacts = [one for one in self._events if isinstance(one.event, StackTouch | BottomRest)]
        spans = ((one.start, end if one.end is None else min(one.end, end)) for one in contacts)
        return union([*self._contacts.until(end), *spans], steps(limits.detect.stack_touch.join_s))

    def _free(self, limits: Limits, end: int) -> list[Stretch]:
        """Pauses on the rest that neither leak nor count: to change the load, or planned (up to the planned length)."""
        if not limits.pause_s:
            return self._load_pauses
        contacts, longest = self._rested(limits, end), steps(limits.pause_s)
        return [*self._load_pauses, *((a, min(b, a + longest)) for a, b in contacts)]

    def _spoiled(self, limits: Limits, end: int) -> Iterator[tuple[int, str, Stretch]]:
        """The stretch that each event spoiled, with its rank among the causes and its field of `Leak`."""
        explaining = [one.event for one in self._events if _explains(one.event)]
        helped = {id_ for event in explaining for id_ in (event.id, event.part_of) if id_ is not None}
        for one in self._events:
            leak = leak_of(one.event)
            if leak is not None and not (one.event.part_of in helped and one.event.kind in EXPLAINED):
                yield *leak, self._stretch(one.event, one.start, one.end or end, limits)

    def _stretch(self, event: AnyEvent, start: int, end: int, limits: Limits) -> Stretch:
        """The moments that an event spoils (EVENTS.md 15)."""
        skill = limits.detect.skill
        if isinstance(event, Jerk):
            return start, self._leg_end("upper", start, steps(skill.throw_s))
        if isinstance(event, Drop):
            return start, self._landed(start, self._leg_end("lower", start, steps(skill.throw_s)))
        if isinstance(event, Turnaround):
            half = steps(skill.turn_s) + round(event.dwell_s / STEP_S) // 2
            last = start + half
            if event.grade == "bounce":
                last = max([last, *(b for a, b in self._fast_up.until(last + KEPT_STEPS) if a <= last < b)])
            return start - half, last
        return start, end

    def _leg_end(self, at: str, start: int, longest: int) -> int:
        """The end of the movement that goes on at moment `start`: its turn."""
        return min([start + longest, *(turn for turn in self._turns[at] if turn > start)])

    def _landed(self, start: int, end: int) -> int:
        """The first contact between two moments; `end` without one."""
        return next((a for a, _ in self._contacts.until(end) if start < a < end), end)


def _explains(event: AnyEvent) -> bool:
    """Whether the lifter does not leak where the tension is too low or too high: somebody else, or another load."""
    if isinstance(event, SensorFault):
        return event.cause == "mismatch"
    return isinstance(event, Assist | LoadStep)


def _is_unjudged(moment: Moment) -> bool:
    """Whether the stack is off its rest while no load is known or a sensor is doubted."""
    if moment.on(Bit.CONTACT):
        return False
    placed = moment.on(Bit.KNOWN_X) or moment.limits.kind == "static"
    return not (moment.on(Bit.JUDGED) and placed) or moment.trust.force_doubted
