"""Scores one session's reported events, feedback and summaries against its truth.

Events are scored as in every corpus (tests/quality/scorer.py). In addition it scores when the load is known after each
lift-off and how exactly, what is reported about a held stack, how soon a repetition is known, and the sets' summaries.
Fields of events and feedback are read by name, so that a detector may have fewer or more of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from tests.quality.finders_load import lift_off
from tests.quality.judge import Judged
from tests.quality.labels import EXPLAINED, Label, Stretch, Truth
from tests.quality.life.circumstances import LIFE_KEYS, During, LifeCircumstances
from tests.quality.life.corpus import LifeCase
from tests.quality.reported import Reported
from tests.quality.scorer import Outcome, Row, SetScore, score_kind
from tests.quality.signals import runs
from tests.quality.skill import pauses_of
from tests.quality.thresholds import Thresholds

KNOWN_S = 1.0  # after the stack first moves, where the machine's friction is known
ENDS_NEAR = 0.10  # of the range above the lowest turn
LATE_S = 0.6  # a repetition may be reported this long after its end
CONFIRMED = ("given", "learned", "confirmed")  # origins of a load that is more than presumed
CLOSE, CLOSER = 0.02, 0.01
FEEDBACK_S = 0.04
NOT_OF_HELD = (*EXPLAINED, "stack_touch", "bottom_rest", "lockout_rest", "assist", "sensor_fault", "stall", "failure")
HELD_EDGE_S = 0.3


@dataclass
class LoadSeen:
    """One stretch of constant load."""

    known_after_s: float | None  # from the first movement until the load is right; None: never
    in_time: bool
    error: float | None  # at the end of the first repetition


@dataclass
class LifeScore:
    """One session's score."""

    events: SetScore
    sets_exact: list[bool] = field(default_factory=list)
    loads: list[LoadSeen] = field(default_factory=list)
    set_loads: list[bool] = field(default_factory=list)  # each set's list of loads, and its working load
    held_as_fault: list[str] = field(default_factory=list)
    rep_known_s: list[float] = field(default_factory=list)
    skill_errors: list[float] = field(default_factory=list)
    skill_missing: int = 0
    clean_reps: list[bool] = field(default_factory=list)
    unjudged_s: list[float] = field(default_factory=list)
    held_s_errors: list[float | None] = field(default_factory=list)  # of failures
    clean: bool = False  # it contains nothing that could be a fault


def circumstances(item: LifeCase, judged: Judged) -> LifeCircumstances:
    """What is not required in this session."""
    truth = judged.nominal
    th = judged.exact
    f, m = truth.filtered, truth.movement
    end_s = float(f.t_s[-1])

    def during(stretches: Sequence[tuple[int, int | None]]) -> tuple[During, ...]:
        return tuple(
            During(float(f.t_s[a]), end_s if b is None else float(f.t_s[min(b, len(f.t_s) - 1)])) for a, b in stretches
        )

    return LifeCircumstances(
        tempo_s=max(item.session.tempo_s),
        slow_cell=item.slow_cell,
        sets=during([(span.first, span.last) for span in m.spans]),
        idle=during([(span.first, span.last) for span in m.idle]),
        unjudged=tuple(_unjudged(item, truth, th)),
        begun=tuple(During(event.own["from_s"], event.t_s) for event in truth.of("set_start")),
        eased=during(runs(m.eased)),
        pauses=during(pauses_of(truth, th).stretches),
        assists=tuple(During(event.t_s, event.end_s) for event in truth.of("assist")),
        learning=() if item.session.range_given else (During(0.0, _third_full_s(truth)),),
        short=() if item.session.range_given else (During(0.0, _first_full_s(truth)),),
        hybrid=item.session.machine.resistance.down != 1.0,
        untold=tuple(_untold(item, truth, th)),
    )


def _untold(item: LifeCase, truth: Truth, th: Thresholds) -> list[During]:
    """The lift-offs of loads before which another one was selected that could not be learned."""
    lifts = [(stretch, lifts_s) for stretch, lifts_s, _, _ in _deadlines_s(item, truth, th)]
    t_s = truth.filtered.t_s
    return [
        During(later_s, later_s)
        for (stretch, lifts_s), (_, later_s) in pairwise(lifts)
        if not _teaches(item, truth, lifts_s, float(t_s[stretch.last - 1]))
    ]


def _first_full_s(truth: Truth) -> float:
    return min((event.t_s for event in truth.of("rep") if not event.own["partial"]), default=float("inf"))


def _third_full_s(truth: Truth) -> float:
    full = [event.end_s for event in truth.of("rep") if not event.own["partial"]]
    return full[2] + LATE_S if len(full) > 2 else float("inf")


def _deadlines_s(item: LifeCase, truth: Truth, th: Thresholds) -> list[tuple[Stretch, float, float, float]]:
    """For each stretch of constant load: lift-off, first movement, and when its load must be known."""
    f = truth.filtered
    found: list[tuple[Stretch, float, float, float]] = []
    stepped = item.session.machine.resistance.down != 1.0
    known = item.friction_known
    for stretch in truth.stretches:
        at = lift_off(truth, th, stretch)
        if at is None:
            continue
        moving = np.flatnonzero(np.abs(f.v_m_s[at:]) > 2 * th.rest_m_s)
        moves_s = float(f.t_s[at + int(moving[0])]) if len(moving) else float(f.t_s[at])
        helped = [During(event.t_s, event.end_s) for event in truth.of("assist")]  # it teaches nothing
        plain = [rep for rep in truth.of("rep") if not any(one.touches(rep.t_s, rep.end_s) for one in helped)]
        ends_s = [rep.end_s for rep in plain if rep.end_s > f.t_s[at]]
        slow_reps = 3 if stepped else 2 if item.varies and not found else 1  # until a motor or a curve is known
        first_s = ends_s[min(slow_reps, len(ends_s)) - 1] + LATE_S if ends_s else float(f.t_s[-1])
        soon = known and slow_reps == 1
        found.append((stretch, float(f.t_s[at]), moves_s, moves_s + KNOWN_S if soon else first_s))
        known = known or not stepped  # learned in these repetitions
    return found


def _unjudged(item: LifeCase, truth: Truth, th: Thresholds) -> list[During]:
    """Where the load need not be known, not even in hindsight."""
    end_s = float(truth.filtered.t_s[-1])
    late = item.varies or not _teaches(item, truth, 0.0, end_s)
    found = [During(lifts_s - 1.0, due_s) for _, lifts_s, _, due_s in _deadlines_s(item, truth, th) if late]
    if item.session.machine.resistance.down != 1.0:  # in each set again: a motor can be switched off
        for span in truth.movement.spans:
            third = span.reps[min(3, len(span.reps)) - 1].last
            from_s, to_s = (float(truth.filtered.t_s[i]) for i in (span.first, third))
            found.append(During(from_s - 1.0, to_s + LATE_S))
    return found


def score_session(
    item: LifeCase, judged: Judged, detected: list[Reported], feedback: Sequence[Any], moved: int = 0
) -> LifeScore:
    """Score one session; `moved`: how many records changed their time."""
    under = circumstances(item, judged)
    truth, th = judged.nominal, judged.exact
    result = LifeScore(SetScore(moved=moved))
    for key in LIFE_KEYS:
        score_kind(result.events, judged, detected, key, under)
    _score_sensors(result, item, detected)
    _score_sets(result, judged, detected)
    _score_loads(result, item, truth, th, feedback)
    _score_summaries(result, item, judged, detected)
    _score_held(result, truth, [event for event in detected if not _is_real_spike(item, event)])
    _score_reps(result, judged, detected)
    _score_failures(result, truth, detected)
    result.clean = not any(_blames(event) for event in judged.loose.events)
    return result


def _blames(event: Label) -> bool:
    bad = event.own.get("grade") in ("abrupt", "bounce")
    lasting = event.kind in (*NOT_OF_HELD, "jerk", "drop", "speed_over") and not event.own.get("ended_set")
    return bad or lasting


def _score_sensors(result: LifeScore, item: LifeCase, detected: list[Reported]) -> None:
    """No sensor is at fault in this corpus; only spikes that happened may be reported."""
    for event in detected:
        if event.kind == "sensor_fault":
            outcome: Outcome = "neutral" if _is_real_spike(item, event) else "false"
            result.events.rows.append(Row("sensor_fault", outcome, event.t_s, note=str(event.own.get("cause"))))


def _is_real_spike(item: LifeCase, event: Reported) -> bool:
    return bool(item.session.spike_every) and event.kind == "sensor_fault" and event.own.get("cause") == "spike"


def _score_sets(result: LifeScore, judged: Judged, detected: list[Reported]) -> None:
    """The repetitions of each set, all with the number of that set."""
    truth, f = judged.nominal, judged.nominal.filtered
    seen: list[set[int | None]] = []
    exact: list[bool] = []
    for span, counts in zip(truth.movement.spans, judged.rep_counts, strict=True):
        from_s = float(f.t_s[min(span.first, span.reps[0].first)]) - LATE_S
        to_s = float(f.t_s[-1 if span.last is None else span.last])
        reps = [event for event in detected if event.kind == "rep" and from_s <= event.t_s <= to_s]
        seen.append({event.set for event in reps})
        exact.append(len(reps) in counts and len(seen[-1]) == 1)
    for i, numbers in enumerate(seen):
        others: set[int | None] = set().union(*seen[:i], *seen[i + 1 :]) if len(seen) > 1 else set()
        result.sets_exact.append(exact[i] and not numbers & others)


def _score_loads(result: LifeScore, item: LifeCase, truth: Truth, th: Thresholds, feedback: Sequence[Any]) -> None:
    for stretch, lifts_s, moves_s, due_s in _deadlines_s(item, truth, th):
        end_s = float(truth.filtered.t_s[min(stretch.last, len(truth.filtered.t_s)) - 1])
        if not _teaches(item, truth, lifts_s, end_s):
            continue
        moments = [one for one in feedback if lifts_s <= one.t_s <= end_s]
        right = [one for one in moments if _near(one, stretch.load_n, CLOSE)]
        known_s = None if not right else max(right[0].t_s - moves_s, 0.0)
        in_time = known_s is not None and moves_s + known_s <= due_s + FEEDBACK_S
        result.loads.append(LoadSeen(known_s, in_time, _error(moments, truth, stretch, lifts_s)))


def _teaches(item: LifeCase, truth: Truth, from_s: float, to_s: float) -> bool:
    """Whether the load can be learned: an unknown friction cannot be separated from one that a motor changes.

    Nor from one that is only lowered.
    """
    reps = [event for event in truth.of("rep") if from_s - LATE_S <= event.t_s <= to_s]
    lowered = bool(reps) and all(rep.own["assisted"] for rep in reps)
    stepped = item.session.machine.resistance.down != 1.0
    return item.friction_known or not (lowered or stepped)


def _near(moment: Any, load_n: float, share: float) -> bool:
    told_n = getattr(moment, "load_n", None)
    return getattr(moment, "load_from", None) in CONFIRMED and told_n is not None and abs(told_n / load_n - 1) <= share


def _error(moments: list[Any], truth: Truth, stretch: Stretch, lifts_s: float) -> float | None:
    """The load's error at the end of the first repetition, with a moment for the report."""
    ends_s = [event.end_s for event in truth.of("rep") if event.end_s > lifts_s]
    after = [one for one in moments if ends_s and one.t_s >= ends_s[0] + LATE_S]
    known = [one for one in after[:1] if getattr(one, "load_n", None) and getattr(one, "load_from", None) in CONFIRMED]
    return float(known[0].load_n / stretch.load_n - 1) if known else None


def _score_summaries(result: LifeScore, item: LifeCase, judged: Judged, detected: list[Reported]) -> None:
    """Skill, clean repetitions and loads of each reported set."""
    truth = judged.nominal
    begun_s = {event.set: event.t_s for event in truth.of("set_start")}
    ends = [event for event in detected if event.kind == "set_end"]
    views = [
        {event.set: event for event in labels.of("set_end")} for labels in (judged.nominal, judged.strict, judged.loose)
    ]
    for number, true in views[0].items():
        found = next((end for end in ends if abs(end.t_s - true.t_s) < 1.0), None)
        if found is None:
            continue
        skills = [view[number].own["skill"] for view in views if number in view]
        known = [skill for skill in skills if skill is not None]
        told_skill = found.own.get("skill")
        if len(known) == len(skills) and told_skill is None:
            result.skill_missing += 1
        elif known and told_skill is not None:
            result.skill_errors.append(max(min(known) - told_skill, told_skill - max(known), 0.0))
        allowed = set().union(*(view[number].own["clean_reps"] for view in views if number in view))
        result.clean_reps.append(found.own.get("clean_reps") in allowed)
        if _teaches(item, truth, begun_s[number], true.t_s):
            result.set_loads.append(_same_loads(true, found))
        leak = found.own.get("leak") or {}
        result.unjudged_s.append(float(leak.get("unjudged_s") or 0.0))


def _same_loads(true: Label, found: Reported) -> bool:
    wanted, parts = true.own["loads_n"], found.own.get("loads")
    got = [part.get("load_n") for part in parts] if parts else [found.own.get("working_load_n")]
    pairs = [*zip(got, wanted, strict=False), (found.own.get("working_load_n"), true.own["working_load_n"])]
    return len(got) == len(wanted) and all(b is None or (a is not None and abs(a / b - 1) <= CLOSER) for a, b in pairs)


def _score_held(result: LifeScore, truth: Truth, detected: list[Reported]) -> None:
    """What is reported about a stack that stands without tension above its rest."""
    t_s = truth.filtered.t_s
    for a, b in runs(truth.movement.held):
        from_s, to_s = float(t_s[a]) + HELD_EDGE_S, float(t_s[b - 1]) - 0.05
        result.held_as_fault += [
            f"{event.kind} {event.own.get('cause', '')}".strip()
            for event in detected
            if event.kind in NOT_OF_HELD and from_s <= event.t_s <= to_s
        ]


def _score_reps(result: LifeScore, judged: Judged, detected: list[Reported]) -> None:
    """How long after its end each repetition that ends near the bottom was reported."""
    truth = judged.nominal
    f, m = truth.filtered, truth.movement
    told_reps = [event for event in detected if event.kind == "rep"]
    for rep, label in zip((rep for span in m.spans for rep in span.reps), truth.of("rep"), strict=True):
        after = m.turns[rep.turns[2]]
        near = [event for event in told_reps if abs(event.t_s - label.t_s) < 1.0]
        lowest = min(float(f.x_m[m.turns[i].index]) for i in (rep.turns[0], rep.turns[2]))
        if near and after.still and float(f.x_m[after.index]) <= lowest + ENDS_NEAR * judged.exact.range_m:
            result.rep_known_s.append(near[0].found_s - label.end_s)


def _score_failures(result: LifeScore, truth: Truth, detected: list[Reported]) -> None:
    for true in truth.of("failure"):
        near = [event for event in detected if event.kind == "failure" and abs(event.t_s - true.t_s) < 1.0]
        if near:
            held_s = near[0].own.get("held_s")
            result.held_s_errors.append(None if held_s is None else held_s - true.own["held_s"])
