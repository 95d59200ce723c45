"""Finds turns, repetitions, sets and phases in true signals, by EVENTS.md 1.3 to 1.5, 4 and 5."""

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tests.quality.signals import Bools, Filtered, Floats, filled, held, longest, runs
from tests.quality.thresholds import Thresholds

PHASES = ("rest", "positive", "upper_turn", "negative", "lower_turn", "hold", "held")
DEAD_STILL_M_S = 0.001  # a stack that stands on a stop ...
SETTLING_M = 0.0005  # ... and settles there: less than one count of the coarsest encoder is no movement
ALIKE = 0.8  # of the longest stretch: which one is the longest is neither right nor wrong (EVENTS.md 18)
ENDS_NEAR_S = 0.6  # a repetition may end this long after its set: its dwell begins after the contact, on rubber later
REST, POSITIVE, UPPER_TURN, NEGATIVE, LOWER_TURN, HOLD, HELD = range(len(PHASES))
LANDING_S = 0.06  # the speed of a landing is the highest in this time before the contact


@dataclass(frozen=True)
class Turn:
    """A pivot of the zig-zag; `reversal`: the stack travelled h_rev on both sides."""

    at: Literal["upper", "lower"]
    index: int
    dwell: tuple[int, int]  # samples, the end not included
    reversal: bool
    contact: bool
    rests_s: float = 0.0  # how long the stack stands on its rest there
    alike: tuple[tuple[int, int], ...] = ()  # the dwell and stretches that are almost as long

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
    held: Bools  # without tension above its rest
    eased: Bools  # the same, with the stillness around it in which somebody lets go or takes over
    idle: list[Span] = field(default_factory=list)  # off the rest without a repetition: onto a stop, or down from it


def movement(f: Filtered, th: Thresholds) -> Movement:
    stack = th.kind == "stack"
    if stack:  # a hard landing compresses the rest: that is not travel
        f = f._replace(x_m=np.maximum(f.x_m, 0.0))
    contact = f.x_m < th.touch_m if stack else np.zeros(len(f.t_s), bool)
    contact = filled(contact, th.contact_join_s, f.step_s)
    hangs = _hangs(f, th) if stack else np.zeros(len(f.t_s), bool)
    parked = _parked(f, th) if stack and th.whole else np.zeros(len(f.t_s), bool)
    turns = _turns(f, th, contact)
    reps = [_stopped(f, th, turns, rep, hangs | parked) for rep in _reps(f, th, turns)]
    spans = _stack_sets(f, th, contact, parked, reps) if stack else _free_sets(f, th, turns, reps)
    idle = [span for span in spans if th.whole and not span.reps]
    spans = [span for span in spans if not th.whole or span.reps]
    if th.whole:
        _begin_at_hand(f, th, spans, hangs)
    in_set = np.zeros(len(f.t_s), np.int64)
    for number, span in enumerate(spans, 1):
        in_set[span.first : span.last] = number
    return Movement(
        turns=turns,
        spans=spans,
        contact=contact,
        off_rest=(f.x_m > th.off_rest_m) & ~hangs & ~contact if stack else in_set > 0,
        in_set=in_set,
        phase=_phases(turns, contact, hangs),
        held=hangs,
        eased=_eased(f, th, hangs),
        idle=idle,
    )


def _hangs(f: Filtered, th: Thresholds) -> Bools:
    """Samples at which the stack stands still without tension above its rest: on a hook, a limiter, a hand."""
    loose = (f.x_m >= th.touch_m) & (np.abs(f.v_m_s) < th.rest_m_s) & (f.fast_tension_n < th.held_tension_n)
    return _where(held(loose, th.held_s, f.step_s), len(loose))


def _eased(f: Filtered, th: Thresholds, hangs: Bools) -> Bools:
    still = np.abs(f.v_m_s) < th.rest_m_s
    return _where([(a, b) for a, b in runs(still) if hangs[a:b].any()], len(hangs))


def _parked(f: Filtered, th: Thresholds) -> Bools:
    """Samples at which the stack stands completely still under load below the range, on the machine's own stop."""
    low = (f.x_m >= th.touch_m) & (f.x_m < th.parked_x_m)
    still = low & (np.abs(f.v_m_s) < DEAD_STILL_M_S)
    stretches = runs(still)
    for (_, a), (b, _) in pairwise(stretches):
        if low[a:b].all() and np.ptp(f.x_m[a - 1 : b + 1]) < SETTLING_M:
            still[a:b] = True
    return _where(held(still & (f.fast_tension_n >= th.held_tension_n), th.end_loose_s, f.step_s), len(still))


def _where(stretches: list[tuple[int, int]], n: int) -> Bools:
    mask = np.zeros(n, bool)
    for a, b in stretches:
        mask[a:b] = True
    return mask


def _stopped(f: Filtered, th: Thresholds, turns: list[Turn], rep: Rep, stands: Bools) -> Rep:
    """The repetition, ended at the stop or hook that it meets on its way down, whatever follows."""
    down = turns[rep.turns[1]].dwell[1]
    at = np.flatnonzero(stands[down : rep.last])
    if not len(at):
        return rep
    moving = np.flatnonzero(np.abs(f.v_m_s[down : down + int(at[0]) + 1]) >= th.rest_m_s)
    return replace(rep, last=down + (int(moving[-1]) + 1 if len(moving) else 0))


def _begin_at_hand(f: Filtered, th: Thresholds, spans: list[Span], hangs: Bools) -> None:
    """Move the beginning of a repetition that began before the stack hung for good to where it is taken over."""
    still = np.abs(f.v_m_s) < th.rest_m_s
    for span in spans:
        for i, rep in enumerate(span.reps):
            hung = np.flatnonzero(hangs[rep.first : span.first])
            if rep.first < span.first and len(hung):
                from_hook = rep.first + int(hung[-1])
                moves = np.flatnonzero(~still[from_hook : rep.last])
                span.reps[i] = replace(rep, first=from_hook + (int(moves[0]) if len(moves) else 0))


def pivots(x_m: Floats, hysteresis_m: float) -> list[tuple[int, int]]:
    """(+1 upper or -1 lower, index) of the zig-zag's pivots; the first and the last have travel on one side only.

    There is no pivot if nothing moves by the hysteresis.
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
    nearly = [np.abs(f.v_m_s) < th.rest_m_s * factor for factor in (ALIKE, 1 / ALIKE)]
    turns = []
    for i, (side, index) in enumerate(found):
        a = found[i - 1][1] if i else 0
        b = found[i + 1][1] if i + 1 < len(found) else len(f.t_s)
        at_extreme = np.abs(f.x_m[a:b] - f.x_m[index]) <= th.extreme_m
        near = slow[a:b] & at_extreme
        dwell = longest(near)
        first, last = (a + dwell[0], a + dwell[1]) if dwell else (index, index)
        alike = [(a + start, a + end) for start, end in runs(near) if end - start >= ALIKE * (last - first)]
        shown = [longest(speed[a:b] & at_extreme) for speed in nearly]
        alike += [(a + stretch[0], a + stretch[1]) for stretch in shown if stretch]
        stands = contact[min(first, index) : max(last, index + 1)]
        turns.append(
            Turn(
                at="upper" if side > 0 else "lower",
                index=index,
                dwell=(first, last),
                reversal=0 < i < len(found) - 1,
                contact=bool(stands.any()),
                rests_s=_around(contact, min(first, index) + int(np.argmax(stands))) * f.step_s,
                alike=tuple(alike) or ((first, last),),
            )
        )
    return turns


def _around(mask: Bools, at: int) -> int:
    """The length of the stretch of True around a sample; 0 if the sample is False."""
    if not mask[at]:
        return 0
    before = np.flatnonzero(~mask[:at])
    after = np.flatnonzero(~mask[at:])
    first = int(before[-1]) + 1 if len(before) else 0
    return (at + int(after[0]) if len(after) else len(mask)) - first


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
            reached_m = x[1] if middle_at == "upper" else x[2]  # in the positive
            partial = excursion_m < th.partial_m or reached_m < th.top_x_m - th.partial_top_m
            first = before.dwell[1]
            if before.contact:  # decompressing rubber is not movement
                low = np.flatnonzero(f.x_m[before.index : middle.index] < th.touch_m)
                first = max(first, before.index + int(low[-1]) + 1) if len(low) else first
            reps.append(Rep((i - 1, i, i + 1), first, after.dwell[0], excursion_m, partial))
    return reps


def _stack_sets(f: Filtered, th: Thresholds, contact: Bools, parked: Bools, reps: list[Rep]) -> list[Span]:
    """Sets from where the stack leaves its rest to where it comes to rest for good."""
    begins = [
        a
        for a, b in runs((f.x_m > th.start_m) & (f.fast_tension_n > th.start_tension_n) & ~parked)
        if (b - a) * f.step_s >= th.start_hold_s
    ]
    loose = (f.x_m >= th.touch_m) & (f.fast_tension_n < th.end_tension_n)
    long = ((contact, th.end_rest_s), (loose, th.end_loose_s), (parked, th.end_loose_s))
    ends = sorted(a for mask, least_s in long for a, b in runs(mask) if (b - a) * f.step_s >= least_s)
    spans: list[Span] = []
    for begin in begins:
        if spans and (spans[-1].last is None or begin < spans[-1].last):
            continue
        spans.append(Span(begin, next((end for end in ends if end > begin), None)))
    for span, following in zip(spans, [*spans[1:], None], strict=True):
        last = len(f.t_s) if following is None else following.first
        span.reps = [rep for rep in reps if span.first < rep.last and (following is None or rep.last <= last)]
        if th.whole and span.last is not None:  # what other hands move afterwards is not a repetition
            ends_by = span.last + round(ENDS_NEAR_S / f.step_s)
            span.reps = [rep for rep in span.reps if rep.first < span.last and rep.last <= max(ends_by, span.last)]
    return spans


def _free_sets(f: Filtered, th: Thresholds, turns: list[Turn], reps: list[Rep]) -> list[Span]:
    """Sets without a stack: repetitions with force, until 5 s without movement and without force.

    If the lowering comes first, the set starts with the first movement, and stillness alone ends it.
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


def _phases(turns: list[Turn], contact: Bools, hangs: Bools) -> NDArray[np.int8]:
    phase = np.full(len(contact), LOWER_TURN, np.int8)
    for i, turn in enumerate(turns):
        resting = LOWER_TURN if turn.at == "lower" else UPPER_TURN
        phase[(turn.dwell[0] if i else 0) : turn.dwell[1]] = resting
        end = turns[i + 1].dwell[0] if i + 1 < len(turns) else len(phase)
        phase[turn.dwell[1] : end] = POSITIVE if turn.at == "lower" else NEGATIVE
    if turns and turns[-1].still:
        phase[turns[-1].dwell[1] :] = LOWER_TURN if turns[-1].at == "lower" else UPPER_TURN
    phase[hangs] = HELD
    phase[contact] = REST
    return phase
