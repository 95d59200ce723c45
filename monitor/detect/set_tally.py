"""A set's sums: time under load, time under tension, and where the difference leaked away.

All times are counts of moments, so they add up exactly however the stream was cut into batches.
"""

from dataclasses import dataclass

from monitor.detect.moment import Moment, seconds
from monitor.events import Leak, LoadStretch, SetEnd
from monitor.signals.signal_window import SignalWindow


@dataclass(slots=True)
class TensionCounts:
    """Moments under load since some moment, by what they were."""

    loaded: int = 0
    in_band: int = 0
    unloaded: int = 0
    low: int = 0
    unjudged: int = 0  # the load was not known

    def __sub__(self, other: "TensionCounts") -> "TensionCounts":
        return TensionCounts(
            self.loaded - other.loaded,
            self.in_band - other.in_band,
            self.unloaded - other.unloaded,
            self.low - other.low,
            self.unjudged - other.unjudged,
        )

    def __add__(self, other: "TensionCounts") -> "TensionCounts":
        return self - TensionCounts(-other.loaded, -other.in_band, -other.unloaded, -other.low, -other.unjudged)


def counts_at(signals: SignalWindow, moment: int) -> TensionCounts:
    """Counts from the stream's beginning up to but not including a moment."""
    row = signals.row(moment - 1)
    counters = (signals.loaded, signals.in_band, signals.unloaded, signals.low, signals.unjudged)
    return TensionCounts(*(int(counter[row]) for counter in counters))


class SetTally:
    """Kept from a set's start; rests at lockout are counted apart, whatever the tension was."""

    def __init__(self) -> None:
        self._start = TensionCounts()
        self._lockout = TensionCounts()  # of rests that are over
        self._resting: TensionCounts | None = None  # when the present rest began
        self._stretches: list[LoadStretch] = []  # of constant load, those that are over
        self._stretch = (TensionCounts(), TensionCounts(), 0, 0)  # where the present one began: counts, lockout, reps

    def start(self, signals: SignalWindow, at: int) -> None:
        self._start, self._lockout, self._resting = counts_at(signals, at), TensionCounts(), None
        self._stretches, self._stretch = [], (self._start, self._lockout, 0, 0)

    def update(self, moment: Moment) -> None:
        """Note the beginning and the end of rests, and of stretches of constant load."""
        confirmed = moment.load_confirmed
        if confirmed is not None and confirmed.instead_of_n is not None and moment.set_start < confirmed.since:
            self._cut_stretch(moment, confirmed.since, confirmed.instead_of_n)
        since = moment.lockout.since
        if since is not None and self._resting is None:
            self._resting = counts_at(moment.signals, since)
        elif since is None and self._resting is not None:
            self._lockout += counts_at(moment.signals, moment.slow_now) - self._resting
            self._resting = None

    def loads(self, moment: Moment, until: int) -> tuple[LoadStretch, ...]:
        """The stretches of constant load up to a moment."""
        last = self._described(moment, until, moment.limits.selected_n)
        return (*self._stretches, last)

    def _cut_stretch(self, moment: Moment, at: int, load_n: float) -> None:
        if moment.in_set:
            self._stretches.append(self._described(moment, at, load_n))
            reps = moment.reps
            self._stretch = (counts_at(moment.signals, at), self._lockout, reps.full + reps.partial, reps.full)

    def _described(self, moment: Moment, until: int, load_n: float | None) -> LoadStretch:
        counts, lockout, reps, full = self._stretch
        done = counts_at(moment.signals, until) - counts
        under_tension = done.in_band - (self._lockout - lockout).in_band
        judged = done.loaded - done.unjudged
        known = load_n is not None and judged > 0
        return LoadStretch(
            load_n=None if load_n is None else round(load_n, 1),
            reps=moment.reps.full + moment.reps.partial - reps,
            full_reps=moment.reps.full - full,
            under_load_s=seconds(done.loaded),
            under_tension_s=seconds(under_tension) if known else None,
            skill=round(under_tension / judged, 4) if known else None,
        )

    def times_s(self, signals: SignalWindow, until: int) -> tuple[float, float, Leak]:
        """Time under load, time under tension, and the leak between them, up to a moment."""
        now = counts_at(signals, until)
        total = now - self._start
        rest = self._lockout if self._resting is None else self._lockout + (now - self._resting)
        under_load, under_tension = total.loaded, total.in_band - rest.in_band
        unload, low = total.unloaded - rest.unloaded, total.low - rest.low
        unjudged = total.unjudged - rest.unjudged
        high = under_load - under_tension - rest.loaded - unload - low - unjudged
        leak = Leak(
            lockout_s=seconds(rest.loaded),
            bottom_s=0.0,
            unload_s=seconds(unload),
            low_tension_s=seconds(low),
            high_tension_s=seconds(high),
            unjudged_s=seconds(unjudged),
        )
        return seconds(under_load), seconds(under_tension), leak


def set_end(
    moment: Moment,
    over: int,
    times_s: tuple[float, float, Leak],
    loads: tuple[LoadStretch, ...],
    counts: dict[str, int],
) -> SetEnd:
    """The summary of a set that was over at moment `over`: skill and strength are two numbers, never one."""
    under_load_s, under_tension_s, leak = times_s
    limits, reps = moment.limits, moment.reps
    known = limits.selected_n is not None
    judged_s = under_load_s - leak.unjudged_s
    working_n = max((one.load_n for one in loads if one.load_n and one.full_reps), default=limits.selected_n)
    strength_n = moment.staging.highest_n if limits.kind == "static" else working_n
    stamp = moment.stamp(over, over, phase="rest")
    stamp["rep"] = None
    return SetEnd(
        **stamp,
        reps=reps.full + reps.partial,
        partial_reps=reps.partial,
        under_load_s=under_load_s,
        under_tension_s=under_tension_s if known else None,
        leak=leak if known else None,
        counts={kind: n for kind, n in sorted(counts.items()) if n},
        working_load_n=None if working_n is None else round(working_n, 1),
        working_load_from="learned" if limits.load_from == "presumed" else limits.load_from,
        friction=None if limits.friction is None else round(limits.friction, 4),
        friction_from=limits.friction_from,
        skill=round(under_tension_s / judged_s, 4) if known and judged_s > 0 else None,
        strength_n=None if strength_n is None else round(strength_n, 1),
        loads=loads,
        outcome="failure" if counts.get("failure") else "ended",
    )
