"""One labelled event, and everything labelled in a set."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.quality.movement import PHASES, Movement
from tests.quality.signals import Filtered, Floats

ORDER = (
    "sensor_fault",
    "assist",
    "force_ceiling",
    "slack",
    "bounce",
    "drop",
    "jerk",
    "abrupt",
    "stack_touch",
    "lockout_rest",
    "tension_out",
    "speed_over",
)


EXPLAINED = ("slack", "unload", "tension_out", "force_ceiling")  # by an assist


@dataclass
class Label:
    """One event; `own` holds the keys of its kind."""

    kind: str
    t_s: float
    duration_s: float | None  # None: the signals end first
    set: int | None
    rep: int | None
    phase: str
    position_m: float
    own: dict[str, Any] = field(default_factory=dict)
    part_of: int | None = None  # index of the primary
    true_s: float = 0.0  # from when on it can be known: the hold has passed, the movement is reversed by h_rev

    @property
    def end_s(self) -> float:
        return self.t_s + (self.duration_s or 0.0)

    @property
    def rank(self) -> int | None:
        """Its rank in the order of primaries; None if it has none."""
        name = self.own.get("grade") if self.kind == "turnaround" else self.kind
        return ORDER.index(name) if name in ORDER else None


class Stretch(NamedTuple):
    """A stretch of samples with the pin in one place."""

    first: int
    last: int
    load_n: float


@dataclass
class Truth:
    """Everything labelled, in the order of time."""

    events: list[Label]
    movement: Movement
    filtered: Filtered
    relative: Floats  # w'
    stretches: list[Stretch] = field(default_factory=list)  # of constant load; empty: the profile's throughout

    def of(self, kind: str) -> list[Label]:
        return [event for event in self.events if event.kind == kind]

    def stretch_at(self, sample: int) -> int:
        """Index of the stretch of constant load; 0 if there is only one."""
        return max(sum(stretch.first <= sample for stretch in self.stretches) - 1, 0)

    def reps(self) -> list[int]:
        """The number of repetitions in each set."""
        return [len(span.reps) for span in self.movement.spans]


def event_at(truth: Truth, kind: str, first: int, end: int | None, hold_s: float = 0.0, **own: Any) -> Label:
    """An interval from one sample to another, true once it has held; `end` None: an instant."""
    f, m = truth.filtered, truth.movement
    i = min(first, len(f.t_s) - 1)
    duration_s: float | None = 0.0 if end is None else (end - i) * f.step_s
    if end is not None and end >= len(f.t_s):
        duration_s = None
    number = int(m.in_set[i])
    rep = max(sum(rep.first <= i for rep in m.spans[number - 1].reps), 1) if number else None
    x_m, phase = float(f.x_m[i]), PHASES[m.phase[i]]
    t_s = float(f.t_s[i])
    return Label(kind, t_s, duration_s, number or None, rep, phase, x_m, own, true_s=t_s + hold_s)
