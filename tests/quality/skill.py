"""Labels a set's summary by the contract: skill, the union of leaked seconds, clean repetitions, loads."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from tests.quality.labels import EXPLAINED, Label, Truth
from tests.quality.movement import NEGATIVE, POSITIVE, Span
from tests.quality.signals import Bools, runs
from tests.quality.thresholds import Thresholds

FAULTS = (
    "jerk", "drop", "unload", "slack", "tension_out", "speed_over", "force_ceiling", "lockout_rest", "bottom_rest",
    "stack_touch",
)  # fmt: skip
BAD_GRADES = ("abrupt", "bounce")
LASTING = ("lockout_rest", "bottom_rest", "stack_touch", "unload", "slack", "tension_out", "speed_over")
THROW_S, TURN_S = 4.0, 0.5
LEAST_S = 10.0
BEGINS_S = 0.5  # a set may begin this much sooner, by `lift_off_n`, where its load is not known


@dataclass(frozen=True)
class Pauses:
    """Stretches of samples on the rest within sets that are not faults."""

    stretches: list[tuple[int, int]]

    def holds(self, sample: int) -> bool:
        """Whether a contact that begins at this sample begins a pause."""
        return any(a <= sample < b for a, b in self.stretches)


def pauses_of(truth: Truth, th: Thresholds) -> Pauses:
    """The planned pauses, up to their length, and those that end in another load."""
    f, found = truth.filtered, []
    changes = [round((event.t_s - float(f.t_s[0])) / f.step_s) for event in truth.of("load_change")]
    for a, b in runs(truth.movement.contact):
        if any(b <= change < b + round(1.0 / f.step_s) for change in changes):
            found.append((a, b))
        elif th.pause_s > 0:
            found.append((a, min(b, a + round(th.pause_s / f.step_s))))
    return Pauses(found)


def is_fault(event: Label) -> bool:
    """Whether it is a fault of the lifter."""
    if event.kind == "turnaround":
        return event.own["grade"] in BAD_GRADES
    return event.kind in FAULTS and not event.own.get("ended_set", False)


def explained(truth: Truth, event: Label) -> bool:
    """Whether somebody else's force explains it."""
    by = None if event.part_of is None else truth.events[event.part_of]
    return event.kind in EXPLAINED and by is not None and by.kind == "assist"


def leaked(truth: Truth, th: Thresholds) -> Bools:
    """Every sample that leaks, whether in a set or not."""
    f, phase = truth.filtered, truth.movement.phase
    mask = np.zeros(len(f.t_s), bool)
    for event in truth.events:
        a = round((event.t_s - float(f.t_s[0])) / f.step_s)
        if event.kind in LASTING and not explained(truth, event):
            mask[a : len(mask) if event.duration_s is None else a + round(event.duration_s / f.step_s)] = True
        elif event.kind in ("jerk", "drop"):
            moves = phase[a:] == (POSITIVE if event.kind == "jerk" else NEGATIVE)
            moves[: int(np.argmax(moves))] = True  # the leak may begin in the dwell before its movement
            end = len(moves) if moves.all() else int(np.argmin(moves))
            mask[a : a + min(end, round(THROW_S / f.step_s))] = True
        elif event.kind == "turnaround" and event.own["grade"] in BAD_GRADES:
            half = event.own["dwell_s"] / 2 + TURN_S
            first, last = a - round(half / f.step_s), a + round(half / f.step_s)
            if event.own["grade"] == "bounce":
                slow = f.v_m_s[last:] < th.speed_positive_m_s / th.factor
                last += int(np.argmax(slow)) if slow.any() else 0
            mask[max(first, 0) : last] = True
    return mask


def describe_sets(truth: Truth, th: Thresholds) -> None:
    """Add to each set_end what the contract requires about skill."""
    mask, pauses = leaked(truth, th), pauses_of(truth, th)
    f = truth.filtered
    for event in truth.of("set_end"):
        span = truth.movement.spans[(event.set or 1) - 1]
        counted = np.zeros(len(mask), bool)
        counted[span.first : min(span.reps[-1].last if span.reps else span.first, span.last or len(mask))] = True
        for a, b in pauses.stretches:
            counted[a:b] = False
        set_s, leaked_s = float(np.sum(counted)) * f.step_s, float(np.sum(counted & mask)) * f.step_s
        loads = _loads(truth, span)
        done = [load_n for load_n, full in loads if full]
        event.own |= {
            "set_s": set_s,
            "leaked_s": leaked_s,
            "skill": 1 - leaked_s / set_s if set_s >= LEAST_S else None,
            "clean_reps": _clean_reps(truth, span, event.set or 1, pauses),
            "loads_n": [load_n for load_n, _ in loads],
            "working_load_n": max(done, default=None),
        }


def _loads(truth: Truth, span: Span) -> list[tuple[float, int]]:
    """The load of each stretch of a set that had a repetition, with the number of full ones."""
    found: dict[int, int] = {}
    for rep in span.reps:
        index = truth.stretch_at(max(rep.first, span.first))
        found[index] = found.get(index, 0) + (not rep.partial)
    return [(truth.stretches[index].load_n, full) for index, full in sorted(found.items())]


def _clean_reps(truth: Truth, span: Span, number: int, pauses: Pauses) -> set[int]:
    """The right numbers of repetitions without a primary fault; a fault between two may count for either.

    A fault at the beginning of the set, or while the stack is hung up or taken over, may count or not.
    """
    f, start_s = truth.filtered, float(truth.filtered.t_s[0])
    sure: list[int] = []
    unsure: list[int] = []
    for event in truth.events:
        at = round((event.t_s - start_s) / f.step_s)
        begins = event.set is None and span.first - round(BEGINS_S / f.step_s) <= at < span.first
        if is_fault(event) and event.part_of is None and not pauses.holds(at) and (begins or event.set == number):
            (unsure if begins or truth.movement.eased[at] else sure).append(at)
    counts: set[int] = set()
    for late, some in product((False, True), (sure, sure + unsure)):
        begun = ([rep.first <= at if late else rep.last < at for rep in span.reps] for at in some)
        faulty = {sum(before) - late for before in begun}
        counts.add(len(set(range(len(span.reps))) - faulty))
    return counts
