"""Decides which labelled events must be found and which detected ones are false, by the band of EVENTS.md 18.

A set is labelled three times: with thresholds 1.25 times as hard (strict), as defined (nominal), 0.8 times (loose). A
nominal event is REQUIRED where the strict labels have it too; a strict event shows one nominal event, no more. A
detected event is FALSE where not even the loose labels have it. An event in between is neither right nor wrong.
thresholds.py defines "harder" for each kind.
"""

from dataclasses import dataclass, replace
from itertools import product

from monitor.profile.profile import Profile
from tests.quality.labels import Label, Truth
from tests.quality.movement import movement
from tests.quality.signals import Signals, filtered
from tests.quality.thresholds import Thresholds
from tests.quality.truth import label

STRICT, LOOSE = 1.25, 0.8
SAME_S = 0.3  # the three labels of one act differ by less
SAME_LATE_S = {"failure": 3.0, "set_start": 0.5}  # a stall is stricter once it is slower, so it begins later
BAD = ("abrupt", "bounce")


@dataclass
class Judged:
    """One set's truth; `required` runs parallel to `nominal.events`."""

    nominal: Truth
    strict: Truth
    loose: Truth
    required: list[bool]
    rep_counts: list[set[int]]  # for each set the counts that are right
    sure_grades: dict[int, bool]  # turnaround's index: all three labellings grade it the same
    exact: Thresholds  # of the nominal labels


def judge(signals: Signals, profile: Profile, whole: bool = False, pause_s: float = 0.0) -> Judged:
    """Label three times and compare; `profile` holds the true range, load and friction."""
    f = filtered(signals, Thresholds.of(profile).rest_m)
    nominal, strict, loose = (label(signals, profile, factor, f, whole, pause_s) for factor in (1.0, STRICT, LOOSE))
    exact = Thresholds.of(profile, 1.0, signals.loads, whole, pause_s)
    sure = {
        i: all(
            (other := same(event, labels.events)) is not None and other.own["grade"] == event.own["grade"]
            for labels in (strict, loose)
        )
        for i, event in enumerate(nominal.events)
        if event.kind == "turnaround"
    }
    return Judged(
        nominal=nominal,
        strict=strict,
        loose=loose,
        required=shown(nominal.events, strict.events),
        rep_counts=_rep_counts(nominal, exact),
        sure_grades=sure,
        exact=exact,
    )


def shown(events: list[Label], strict: list[Label]) -> list[bool]:
    """For each event whether the strict labels have it, too: each shows the one that it shares most time with."""
    had = {id(max(near, key=lambda one: _shared_s(one, other))) for other in strict if (near := _near(other, events))}
    return [id(event) in had for event in events]


def same(event: Label, others: list[Label]) -> Label | None:
    """The event among `others` that is the same act."""
    return min(_near(event, others), key=lambda other: abs(other.t_s - event.t_s), default=None)


def _near(event: Label, others: list[Label]) -> list[Label]:
    slack_s = SAME_LATE_S.get(event.kind, SAME_S)
    return [
        other
        for other in others
        if other.kind == event.kind
        and other.own.get("at") == event.own.get("at")
        and other.own.get("side") == event.own.get("side")
        and other.t_s <= event.end_s + slack_s
        and event.t_s <= other.end_s + slack_s
    ]


def _shared_s(one: Label, other: Label) -> float:
    """For how long both last; below 0 it is how far they are apart."""
    return min(one.end_s, other.end_s) - max(one.t_s, other.t_s)


def is_bad(event: Label) -> bool:
    """Whether it is a turnaround whose grade is a fault."""
    return event.kind == "turnaround" and event.own["grade"] in BAD


def _rep_counts(nominal: Truth, exact: Thresholds) -> list[set[int]]:
    """The counts that result from any hysteresis and any excursion between 0.8 and 1.25 of the defined ones."""
    if exact.kind == "static":
        return []
    counts: list[set[int]] = [set() for _ in nominal.movement.spans]
    for reversal, excursion in product((LOOSE, 1.0, STRICT), repeat=2):
        th = replace(exact, reversal_m=exact.reversal_m * reversal, excursion_m=exact.excursion_m * excursion)
        spans = movement(nominal.filtered, th).spans
        for number, span in enumerate(spans[: len(counts)]):
            counts[number].add(len(span.reps))
    return counts
