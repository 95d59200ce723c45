"""A set's sums: time under load, time under tension, and where the difference leaked away.

All times are counts of moments, so they add up exactly however the stream was cut into batches.
"""

from dataclasses import dataclass

from monitor.detect.moment import Moment, seconds
from monitor.events import Leak, SetEnd
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

    def start(self, signals: SignalWindow, at: int) -> None:
        self._start, self._lockout, self._resting = counts_at(signals, at), TensionCounts(), None

    def update(self, moment: Moment) -> None:
        """Note the beginning and the end of rests."""
        since = moment.lockout.since
        if since is not None and self._resting is None:
            self._resting = counts_at(moment.signals, since)
        elif since is None and self._resting is not None:
            self._lockout += counts_at(moment.signals, moment.slow_now) - self._resting
            self._resting = None

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


def set_end(moment: Moment, over: int, times_s: tuple[float, float, Leak], counts: dict[str, int]) -> SetEnd:
    """The summary of a set that was over at moment `over`: skill and strength are two numbers, never one."""
    under_load_s, under_tension_s, leak = times_s
    limits, reps = moment.limits, moment.reps
    known = limits.load_n is not None
    judged_s = under_load_s - leak.unjudged_s
    strength_n = moment.staging.highest_n if limits.kind == "static" else limits.load_n
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
        working_load_n=None if limits.load_n is None else round(limits.load_n, 1),
        working_load_from=limits.load_from,
        friction=None if limits.friction is None else round(limits.friction, 4),
        friction_from=limits.friction_from,
        skill=round(under_tension_s / judged_s, 4) if known and judged_s > 0 else None,
        strength_n=None if strength_n is None else round(strength_n, 1),
        outcome="failure" if counts.get("failure") else "ended",
    )
