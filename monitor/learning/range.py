"""Learns the lifter's range from the turns of repetitions.

    repetition      1      2      3      4      5      6      7
    top of it      0.23   0.23   0.43   0.43   0.42   0.43   0.47
    range up to    0.23   0.23   0.43   0.43   0.43   0.43   0.47
                   |<- the one that includes all ->| |<- what three agree on, widened at once

A repetition shows the way from a lower turn to its top. That turn is the one that it began with, if another repetition
of the set ended there, off the rest. Otherwise it is the higher of the two around it: the first repetition begins on
the rest, below the range.
"""

from collections import deque
from typing import Annotated

import msgspec
from msgspec import Meta

from monitor.profile.settings import RangeSettings

KEPT_REPS = 20  # the newest ones that may agree


class LearnedRange(msgspec.Struct, frozen=True):
    """A lifter's range as a session has shown it: m above the rest."""

    bottom_m: float
    top_m: float

    @property
    def length_m(self) -> float:
        return self.top_m - self.bottom_m

    def including(self, other: "LearnedRange") -> "LearnedRange":
        return LearnedRange(min(self.bottom_m, other.bottom_m), max(self.top_m, other.top_m))


class _StoredRange(msgspec.Struct, frozen=True):
    bottom_m: Annotated[float, Meta(ge=-5, le=5)]
    top_m: Annotated[float, Meta(ge=-5, le=5)]


def read_range(stored: object) -> LearnedRange | None:
    """The range that an earlier session stored; None if it stored none, or something else."""
    try:
        found = msgspec.convert(stored, _StoredRange)
    except msgspec.ValidationError:
        return None
    return LearnedRange(found.bottom_m, found.top_m) if found.bottom_m < found.top_m else None


class RangeLearner:
    """Call `update` with what each repetition shows; `agreed`: what enough of them agree on; `seen` includes all."""

    def __init__(self, settings: RangeSettings) -> None:
        self.settings = settings
        self.agreed: LearnedRange | None = None
        self.seen: LearnedRange | None = None
        self.too_short_m: float | None = None  # the newest way that is too short to be a range
        self._reps: deque[LearnedRange] = deque(maxlen=KEPT_REPS)

    def update(self, shown: LearnedRange) -> None:
        """Learn from one repetition."""
        if shown.length_m < self.settings.least_m:
            self.too_short_m = shown.length_m
            return
        self.too_short_m = None
        self.seen = shown if self.seen is None else self.seen.including(shown)
        self._reps.append(shown)
        if self.agreed is None:
            self._agree(self.seen)

    def _agree(self, widest: LearnedRange) -> None:
        """Set `agreed` once enough repetitions almost reach the highest top and the lowest bottom of those that do.

        A short movement before the first repetition, as from the rest onto a stop, may lie below the range.
        """
        near_m = self.settings.agreement * widest.length_m
        high = [one for one in self._reps if widest.top_m - one.top_m <= near_m]
        lowest_m = min((one.bottom_m for one in high), default=widest.bottom_m)
        full = [one for one in high if one.bottom_m - lowest_m <= near_m]
        if len(full) >= self.settings.reps:
            bottom_m = sum(one.bottom_m for one in full) / len(full)
            self.agreed = LearnedRange(bottom_m, sum(one.top_m for one in full) / len(full))
