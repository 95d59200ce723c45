"""Sums up a set for its summary: time under load, time under tension, and what leaked.

All times are counts of moments, so they add up exactly however the stream was cut into batches.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.detect.detector import Detection
from monitor.detect.leak_tally import LeakTally
from monitor.detect.moment import Moment, seconds, steps
from monitor.events import LoadStretch, SetEnd
from monitor.signals.conditions import Bit
from monitor.signals.signal_window import SignalWindow


@dataclass(slots=True)
class TensionCounts:
    """Numbers of moments: under load, and of these in the band."""

    loaded: int = 0
    in_band: int = 0

    def __sub__(self, other: "TensionCounts") -> "TensionCounts":
        return TensionCounts(self.loaded - other.loaded, self.in_band - other.in_band)


def counts_at(signals: SignalWindow, moment: int) -> TensionCounts:
    """Counts from the stream's beginning up to but not including a moment."""
    row = signals.row(moment - 1)
    return TensionCounts(int(signals.loaded[row]), int(signals.in_band[row]))


@dataclass(frozen=True)
class _LoadBegun:
    """The counts at the beginning of a stretch of constant load."""

    counts: TensionCounts
    rested: int
    reps: int = 0
    full_reps: int = 0


class SetTally:
    """Sums since the start of a set; rests at lockout or at the bottom do not count as time in the band."""

    def __init__(self) -> None:
        self._leak = LeakTally()
        self._start = TensionCounts()
        self._rested = 0  # moments in band in rests that are over
        self._resting: TensionCounts | None = None  # when the present rest began
        self._at_lockout = False
        self._known = False  # a load was confirmed in this set
        self._stretches: list[LoadStretch] = []  # of constant load, those that are over
        self._load = _LoadBegun(self._start, 0)

    def note(self, detection: Detection[Any]) -> None:
        """Take every new event, in a set or not."""
        self._leak.note(detection)

    def start(self, signals: SignalWindow, at: int) -> None:
        """Begin a set at moment `at`."""
        self._leak.start_set(at)
        self._start, self._rested, self._resting = counts_at(signals, at), 0, None
        self._known = False
        self._stretches, self._load = [], _LoadBegun(self._start, 0)

    def update(self, moment: Moment) -> None:
        """Note the beginning and the end of rests, and of stretches of constant load."""
        self._leak.update(moment)
        self._known = self._known or moment.limits.load_n is not None
        confirmed = moment.load_confirmed
        if confirmed is not None and confirmed.instead_of_n is not None:
            lift_off = moment.set_start + steps(moment.limits.detect.set.start_hold_s)  # from a hook it takes as long
            if lift_off < confirmed.since:
                self._cut_stretch(moment, confirmed.since, confirmed.instead_of_n)
        on_rest, since = moment.on(Bit.CONTACT), moment.lockout.since
        if self._resting is None and (on_rest or since is not None):
            self._resting = counts_at(moment.signals, moment.now if since is None else since)
            self._at_lockout = since is not None
        elif self._resting is not None and not on_rest and since is None:
            until = moment.slow_now if self._at_lockout else moment.now
            self._rested += (counts_at(moment.signals, until) - self._resting).in_band
            self._resting = None

    def judge_again(self, moment: Moment, since: int, bits: NDArray[np.int32]) -> None:
        """Count again from moment `since`, since when the load is known."""
        self._leak.judge_again(moment, since, bits)
        if moment.in_set and moment.set_start >= since:
            self._start = counts_at(moment.signals, moment.set_start)
            self._load = _LoadBegun(self._start, 0)

    def rep_at(self, moment: int) -> int:
        """See `LeakTally.rep_at`."""
        return self._leak.rep_at(moment)

    def rep_of(self, detection: Detection[Any]) -> int | None:
        """See `LeakTally.rep_of`."""
        return self._leak.rep_of(detection)

    def times_s(self, loaded: int, in_band: int) -> tuple[float, float]:
        """Time under load and time under tension, up to a moment with these counts of the stream."""
        under_tension = in_band - self._start.in_band - self._rested_until(in_band)
        return seconds(loaded - self._start.loaded), seconds(under_tension)

    def _rested_until(self, in_band: int) -> int:
        """Moments in band in rests of this set; `in_band`: the stream's count up to now."""
        return self._rested + (0 if self._resting is None else in_band - self._resting.in_band)

    def end_set(self, moment: Moment, over: int, counts: dict[str, int]) -> SetEnd:
        """The summary of a set that ended at moment `over`: skill and strength are two numbers, never one."""
        limits, reps = moment.limits, moment.reps
        done = counts_at(moment.signals, over)
        under_load_s, under_tension_s = self.times_s(done.loaded, done.in_band)
        load_n = limits.selected_n if self._known else None
        loads = (*self._stretches, self._end_load(moment, over, load_n))
        sums = self._leak.set_sums
        known = load_n is not None
        lifted_n = max((one.load_n for one in loads if one.load_n and one.full_reps), default=None)
        working_n = load_n if lifted_n is None else lifted_n
        working_from = limits.load_from if known else "unknown"
        working_from = "learned" if working_from == "presumed" else working_from
        strength_n = moment.staging.highest_n if limits.kind == "static" else lifted_n
        stamp = moment.stamp(over, over, phase="rest")
        stamp["rep"] = None
        return SetEnd(
            **stamp,
            reps=reps.full + reps.partial,
            partial_reps=reps.partial,
            clean_reps=self._leak.clean_reps(reps.full + reps.partial, limits, over),
            set_s=seconds(sums.counted),
            under_load_s=under_load_s,
            under_tension_s=under_tension_s if known else None,
            leak=sums.leak() if known else None,
            counts={kind: n for kind, n in sorted(counts.items()) if n},
            working_load_n=None if working_n is None else round(working_n, 1),
            working_load_from=working_from,
            friction=None if limits.friction is None else round(limits.friction, 4),
            friction_from=limits.friction_from,
            skill=sums.skill(limits.detect.skill.least_s) if known else None,
            strength_n=None if strength_n is None else round(strength_n, 1),
            loads=loads,
            outcome="failure" if counts.get("failure") else "ended",
        )

    def _cut_stretch(self, moment: Moment, at: int, load_n: float) -> None:
        if moment.in_set:
            self._stretches.append(self._end_load(moment, at, load_n))
            reps, counts = moment.reps, counts_at(moment.signals, at)
            self._load = _LoadBegun(counts, self._rested_until(counts.in_band), reps.full + reps.partial, reps.full)

    def _end_load(self, moment: Moment, until: int, load_n: float | None) -> LoadStretch:
        """The sums of the stretch with one load up to a moment; its skill follows the rule of the set."""
        begun, known = self._load, load_n is not None
        now = counts_at(moment.signals, until)
        done = now - begun.counts
        under_tension = done.in_band - (self._rested_until(now.in_band) - begun.rested)
        sums = self._leak.end_load(moment, until)
        return LoadStretch(
            load_n=None if load_n is None else round(load_n, 1),
            reps=moment.reps.full + moment.reps.partial - begun.reps,
            full_reps=moment.reps.full - begun.full_reps,
            under_load_s=seconds(done.loaded),
            under_tension_s=seconds(under_tension) if known else None,
            skill=sums.skill(moment.limits.detect.skill.least_s) if known else None,
        )
