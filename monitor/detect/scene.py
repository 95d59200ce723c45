"""What a detector sees when it is woken, and what detectors tell one another.

A detector is a class with public settings, private state, `watches` (the bits whose change wakes it), `due` (the moment
at which it wants to be woken even if nothing changes) and one way in, `update(scene)`. It is also woken by a reversal
and where a set begins or ends. At all other moments nothing may happen in it: the spine skips them.
"""

from dataclasses import dataclass, field
from typing import Protocol

from monitor.detect.book import Book
from monitor.profile.limits import Limits
from monitor.signals.conditions import Bit
from monitor.signals.grid import STEP_S
from monitor.signals.track import Track
from monitor.signals.zigzag import Reversal

NEVER = 1 << 62


@dataclass(slots=True)
class Turn:
    """A reversal with its dwell: moments from `dwell_start` up to but not including `dwell_end`."""

    reversal: Reversal
    dwell_start: int
    dwell_end: int

    @property
    def middle(self) -> int:
        return (self.dwell_start + self.dwell_end) // 2


@dataclass(slots=True)
class Scene:
    """One moment."""

    track: Track
    book: Book
    limits: Limits
    slow_lag: int
    now: int = 0
    bits: int = 0
    direction: int = 0  # of the present leg: +1 rising, -1 falling
    in_set: bool = False
    set_start: int = 0
    reps_full: int = 0  # told in this set
    reps_partial: int = 0
    rep_pending: bool = False  # the present swing will count once it is over
    stuck_until: int = -NEVER  # end of the last stall or sticking
    force_doubt: int = 0  # how many sensor faults of the force are open
    doubted: list[tuple[int, int]] = field(default_factory=list)  # the last stretches in which any was
    reversals: list[Reversal] = field(default_factory=list)  # confirmed at this moment
    turns: list[Turn] = field(default_factory=list)  # worked out at this moment
    rep_told: bool = False  # at this moment
    contact_since: int | None = None
    still_since: int | None = None  # in slow moments
    last_still: tuple[int, int] | None = None  # the newest stretch of stillness that is over, in slow moments
    resting_since: int | None = None  # a lockout rest is open
    stalled: bool = False
    pulled: bool = False  # motor: before the set is known to have begun, the lifter pulls already
    nudged: bool = False  # what follows in this moment has to look, though no bit changed
    aimless: bool = False  # static: the last stage is over, there is no target

    def on(self, bit: int) -> bool:
        return bool(self.bits & bit)

    @property
    def slow_now(self) -> int:
        """The moment that the slow bits speak of."""
        return self.now - self.slow_lag

    @property
    def still(self) -> bool:
        return bool(self.bits & Bit.STILL)


class Detector(Protocol):
    """See the module's docstring."""

    watches: int

    @property
    def due(self) -> int: ...

    def update(self, scene: Scene) -> None: ...


def steps(duration_s: float) -> int:
    """A duration in steps, at least one."""
    return max(1, round(duration_s / STEP_S))
