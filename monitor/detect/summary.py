"""The account of a set: time under load, time under tension, and where the difference leaked away.

All times are counts of moments, so they add up exactly however the stream was cut into batches.
"""

from dataclasses import dataclass
from typing import Any

from monitor.detect.book import seconds
from monitor.detect.scene import Scene
from monitor.events import Leak


@dataclass(slots=True)
class Tally:
    """Moments under load since some moment, by what they were."""

    loaded: int = 0
    in_band: int = 0
    unloaded: int = 0
    low: int = 0
    unjudged: int = 0  # the load was not known

    def __sub__(self, other: "Tally") -> "Tally":
        return Tally(
            self.loaded - other.loaded,
            self.in_band - other.in_band,
            self.unloaded - other.unloaded,
            self.low - other.low,
            self.unjudged - other.unjudged,
        )

    def __add__(self, other: "Tally") -> "Tally":
        return self - Tally(-other.loaded, -other.in_band, -other.unloaded, -other.low, -other.unjudged)


def tally_at(scene: Scene, moment: int) -> Tally:
    """Counts from the stream's beginning up to but not including a moment."""
    track = scene.track
    row = track.at(moment - 1)
    counters = (track.loaded, track.in_band, track.unloaded, track.low, track.unjudged)
    return Tally(*(int(counter[row]) for counter in counters))


class Account:
    """Kept from a set's start; rests at lockout are booked apart, whatever the tension was."""

    def __init__(self) -> None:
        self._start = Tally()
        self._lockout = Tally()  # of rests that are over
        self._resting: tuple[str, Tally] | None = None

    def start(self, scene: Scene, moment: int) -> None:
        self._start, self._lockout, self._resting = tally_at(scene, moment), Tally(), None

    def update(self, scene: Scene) -> None:
        """Book the beginning and the end of rests."""
        if scene.resting_since is not None and self._resting is None:
            self._resting = ("lockout", tally_at(scene, scene.resting_since))
        elif scene.resting_since is None and self._resting is not None:
            self._lockout += tally_at(scene, scene.slow_now) - self._resting[1]
            self._resting = None

    def so_far(self, scene: Scene, moment: int) -> tuple[Tally, Tally]:
        """All of the set up to a moment, and what of it was rest at lockout."""
        rest = self._lockout
        if self._resting is not None:
            rest = rest + (tally_at(scene, moment) - self._resting[1])
        return tally_at(scene, moment) - self._start, rest

    def times_s(self, scene: Scene, moment: int) -> tuple[float, float, Leak]:
        """Time under load, time under tension, and the leak between them."""
        total, rest = self.so_far(scene, moment)
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


def summary(scene: Scene, times_s: tuple[float, float, Leak], strength_n: float | None, failed: bool) -> dict[str, Any]:
    """A `set_end`'s own keys: skill and strength are two numbers, never one."""
    under_load_s, under_tension_s, leak = times_s
    limits = scene.limits
    known = limits.load_n is not None
    judged_s = under_load_s - leak.unjudged_s
    return {
        "rep": None,
        "phase": "rest",
        "reps": scene.reps_full + scene.reps_partial,
        "partial_reps": scene.reps_partial,
        "under_load_s": under_load_s,
        "under_tension_s": under_tension_s if known else None,
        "leak": leak if known else None,
        "counts": {kind: n for kind, n in sorted(scene.book.counts.items()) if n},
        "working_load_n": None if limits.load_n is None else round(limits.load_n, 1),
        "working_load_from": limits.load_from,
        "friction": None if limits.friction is None else round(limits.friction, 4),
        "friction_from": limits.friction_from,
        "skill": round(under_tension_s / judged_s, 4) if known and judged_s > 0 else None,
        "strength_n": None if strength_n is None else round(strength_n, 1),
        "outcome": "failure" if failed else "ended",
    }
