"""Turns, repetitions, sets and phases of a movement, by EVENTS.md 1.3 to 1.5, 4 and 5 on true signals."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tests.quality.signals import Bools, Filtered, Floats, longest, runs
from tests.quality.thresholds import Thresholds

PHASES = ("rest", "positive", "upper_turn", "negative", "lower_turn", "hold")
REST, POSITIVE, UPPER_TURN, NEGATIVE, LOWER_TURN, HOLD = range(len(PHASES))
LANDING_S = 0.06  # the speed of a landing is the highest in this time before the contact


@dataclass(frozen=True)
class Turn:
    """A pivot of the zig-zag; `reversal` says that there was h_rev of travel on both sides."""

    at: Literal["upper", "lower"]
    index: int
    dwell: tuple[int, int]  # samples, the second behind the last
    reversal: bool
    contact: bool

    @property
    def still(self) -> bool:
        return self.dwell[1] > self.dwell[0]


@dataclass(frozen=True)
class Rep:
    """One movement away and one back, as indices of turns."""

    turns: tuple[int, int, int]
    first: int  # sample at which it begins
    last: int  # sample at which it ends
    excursion_m: float
    partial: bool


@dataclass
class Span:
    """One set, in samples; `last` is None where the signals end first."""

    first: int
    last: int | None
    reps: list[Rep] = field(default_factory=list)


@dataclass(frozen=True)
class Movement:
    turns: list[Turn]
    spans: list[Span]
    contact: Bools  # on the rest
    off_rest: Bools
    in_set: NDArray[np.int64]  # number of the set, 0 outside
    phase: NDArray[np.int8]


def movement(f: Filtered, th: Thresholds) -> Movement:
    stack = th.kind == "stack"
    if stack:  # below the rest is no travel: what a hard landing presses it in
        f = f._replace(x_m=np.maximum(f.x_m, 0.0))
    contact = (f.x_m < th.touch_m) & (f.fast_tension_n < th.touch_tension_n) if stack else np.zeros(len(f.t_s), bool)
    turns = _turns(f, th, contact)
    reps = _reps(f, th, turns)
    spans = _stack_sets(f, th, contact, reps) if stack else _free_sets(f, th, turns, reps)
    in_set = np.zeros(len(f.t_s), np.int64)
    for number, span in enumerate(spans, 1):
        in_set[span.first : span.last] = number
    return Movement(
        turns=turns,
        spans=spans,
        contact=contact,
        off_rest=f.x_m > th.off_rest_m if stack else in_set > 0,
        in_set=in_set,
        phase=_phases(turns, contact),
    )


def pivots(x_m: Floats, hysteresis_m: float) -> list[tuple[int, int]]:
    """(+1 upper or -1 lower, index) of the zig-zag's pivots; the first and the last have travel on one side only.

    No pivot at all where nothing moves by the hysteresis.
    """
    slope = np.sign(np.diff(x_m))
    moving = np.flatnonzero(slope)
    bends = moving[1:][slope[moving[1:]] != slope[moving[:-1]]]
    candidates = np.concatenate([[0], bends, [len(x_m) - 1]])
    found: list[tuple[int, int]] = []
    direction, low, high = 0, 0, 0
    for i in map(int, candidates):
        x = x_m[i]
        if x < x_m[low]:
            low = i
        if x > x_m[high]:
            high = i
        if direction <= 0 and x - x_m[low] >= hysteresis_m:
            found.append((-1, low))
            direction, high = 1, i
        elif direction >= 0 and x_m[high] - x >= hysteresis_m:
            found.append((1, high))
            direction, low = -1, i
    if direction:
        found.append((direction, high if direction > 0 else low))
    return found


def _turns(f: Filtered, th: Thresholds, contact: Bools) -> list[Turn]:
    found = pivots(f.x_m, th.reversal_m)
    slow = np.abs(f.v_m_s) < th.rest_m_s
    turns = []
    for i, (side, index) in enumerate(found):
        a = found[i - 1][1] if i else 0
        b = found[i + 1][1] if i + 1 < len(found) else len(f.t_s)
        near = slow[a:b] & (np.abs(f.x_m[a:b] - f.x_m[index]) <= th.extreme_m)
        dwell = longest(near)
        first, last = (a + dwell[0], a + dwell[1]) if dwell else (index, index)
        turns.append(
            Turn(
                at="upper" if side > 0 else "lower",
                index=index,
                dwell=(first, last),
                reversal=0 < i < len(found) - 1,
                contact=bool(contact[min(first, index) : max(last, index + 1)].any()),
            )
        )
    return turns


def _reps(f: Filtered, th: Thresholds, turns: list[Turn]) -> list[Rep]:
    middle_at = "upper" if th.starts_with == "positive" else "lower"
    reps = []
    for i in range(1, len(turns) - 1):
        before, middle, after = turns[i - 1 : i + 2]
        last_is_open = i + 1 == len(turns) - 1 and not after.still
        if middle.at != middle_at or last_is_open:
            continue
        x = [float(f.x_m[turn.index]) for turn in (before, middle, after)]
        floor_m = min(x[0], x[2]) if middle_at == "upper" else x[1]
        top_m = x[1] if middle_at == "upper" else max(x[0], x[2])
        excursion_m = top_m - max(floor_m, 0.0)
        if excursion_m >= th.excursion_m:
            reached_m = x[1] if middle_at == "upper" else x[2]  # by the positive
            partial = excursion_m < th.partial_m or reached_m < th.top_x_m - th.partial_top_m
            reps.append(Rep((i - 1, i, i + 1), before.dwell[1], after.dwell[0], excursion_m, partial))
    return reps


def _stack_sets(f: Filtered, th: Thresholds, contact: Bools, reps: list[Rep]) -> list[Span]:
    """From the stack off its rest to the stack come to rest for good."""
    begins = [
        a
        for a, b in runs((f.x_m > th.start_m) & (f.fast_tension_n > th.start_tension_n))
        if (b - a) * f.step_s >= th.start_hold_s
    ]
    loose = (f.x_m >= th.touch_m) & (f.fast_tension_n < th.end_tension_n)
    ends = sorted(a for mask in (contact, loose) for a, b in runs(mask) if (b - a) * f.step_s >= th.end_rest_s)
    spans: list[Span] = []
    for begin in begins:
        if spans and (spans[-1].last is None or begin < spans[-1].last):
            continue
        spans.append(Span(begin, next((end for end in ends if end > begin), None)))
    for span, following in zip(spans, [*spans[1:], None], strict=True):
        last = len(f.t_s) if following is None else following.first
        span.reps = [rep for rep in reps if span.first < rep.last and (following is None or rep.last <= last)]
    return spans


def _free_sets(f: Filtered, th: Thresholds, turns: list[Turn], reps: list[Rep]) -> list[Span]:
    """Without a stack: repetitions with force, until 5 s without movement and without force.

    Where the lowering comes first, the set starts with the first movement and stillness alone ends it.
    """
    negative_first = th.starts_with == "negative"
    still = np.abs(f.v_m_s) < th.rest_m_s
    if not negative_first:
        reps = [rep for rep in reps if (f.tension_n[rep.first : rep.last] > th.lift_off_n).any()]
        still &= f.tension_n < th.lift_off_n
    ends = [a for a, b in runs(still) if (b - a) * f.step_s >= th.end_rest_s]
    begins = [turn.dwell[1] for turn in turns[:-1]] if negative_first else [rep.first for rep in reps]
    spans: list[Span] = []
    for begin in begins:
        if spans and (spans[-1].last is None or begin < spans[-1].last):
            continue
        spans.append(Span(begin, next((end for end in ends if end > begin), None)))
    for span in spans:
        last = len(f.t_s) if span.last is None else span.last + 1
        span.reps = [rep for rep in reps if span.first <= rep.first < last]
    return spans


def _phases(turns: list[Turn], contact: Bools) -> NDArray[np.int8]:
    phase = np.full(len(contact), LOWER_TURN, np.int8)
    for i, turn in enumerate(turns):
        resting = LOWER_TURN if turn.at == "lower" else UPPER_TURN
        phase[(turn.dwell[0] if i else 0) : turn.dwell[1]] = resting
        end = turns[i + 1].dwell[0] if i + 1 < len(turns) else len(phase)
        phase[turn.dwell[1] : end] = POSITIVE if turn.at == "lower" else NEGATIVE
    if turns and turns[-1].still:
        phase[turns[-1].dwell[1] :] = LOWER_TURN if turns[-1].at == "lower" else UPPER_TURN
    phase[contact] = REST
    return phase
