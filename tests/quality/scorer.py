"""Scores one set's reported events against its truth: found, missed, false, how exactly and how soon.

Matching is one to one, greedy by nearest time, within the tolerances of EVENTS.md 18. The first record of an id gives
its times (`t_s`, `found_s`); the last record gives what only the end of an interval shows, such as its duration. KEYS
lists the kinds; `fault_turn` are the turnarounds graded `abrupt` or `bounce`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from monitor.events import AnyEvent, Feedback, SetEnd
from monitor.profile.profile import Profile
from tests.quality.acts import creep, hovering, hovers
from tests.quality.circumstances import (
    FAULT_LATE_S,
    KEYS,
    KNOWN_LATE_S,
    MISREAD,
    OF_LOAD,
    OF_SETS,
    TOLERANCES_S,
    Blind,
    Circumstances,
)
from tests.quality.judge import BAD, Judged, is_bad, same, shown
from tests.quality.labels import Label
from tests.quality.reported import Reported, reported

ATTRIBUTES = {
    "jerk": ("cause",),
    "rep": ("partial", "sticking", "assisted", "start_grade", "dips_positive", "dips_negative"),
    "stack_touch": ("slam", "ended_set"),
    "bottom_rest": ("ended_set",),
}
Outcome = Literal["hit", "missed", "false", "neutral"]


@dataclass
class Row:
    """One event, true or reported; times in s."""

    kind: str
    outcome: Outcome
    t_s: float
    t_error_s: float | None = None
    found_after_s: float | None = None  # after the true onset
    known_after_s: float | None = None  # after it could be known: hold or reversal passed
    duration_error_s: float | None = None
    note: str = ""


@dataclass
class SetScore:
    """One case's score."""

    rows: list[Row] = field(default_factory=list)
    sets_exact: list[bool] = field(default_factory=list)  # repetitions counted, for each set
    bound_errors_s: list[float] = field(default_factory=list)  # of repetitions and phases
    grades: list[tuple[str, str]] = field(default_factory=list)  # true and reported, where the truth is certain
    attributes: list[tuple[str, bool]] = field(default_factory=list)  # "jerk.cause" and whether it is right
    moved: int = 0  # records whose t_s changed after their first report
    load_error: float | None = None  # relative, where it was to be learned
    friction_error: float | None = None
    range_error_m: float | None = None  # the larger of bottom's and top's, where it was to be learned
    load_known: bool | None = None  # by the end of the second repetition
    under_load_error_s: float | None = None
    under_tension_error_s: float | None = None


def score(judged: Judged, events: list[AnyEvent], under: Circumstances) -> SetScore:
    """Score one case."""
    detected, moved = reported(events)
    result = SetScore(moved=moved)
    for key in KEYS:
        if key != "sensor_fault" and not (under.misread and key in OF_LOAD):
            score_kind(result, judged, detected, key, under)
    _score_sensors(result, detected, under)
    if judged.rep_counts and not any(blind.lasting for blind in under.blind):
        _score_sets(result, judged, detected, under)
    return result


def score_learning(
    result: SetScore, events: list[AnyEvent], feedback: list[Feedback], profile: Profile, known_by_s: float
) -> None:
    """Score how well load and friction were learned, and whether in time; `profile` holds the truth."""
    learned = [moment for moment in feedback if moment.load_from == "learned"]
    result.load_known = bool(learned) and learned[0].t_s <= known_by_s + KNOWN_LATE_S
    load_n, friction = profile.machine.working_load_n, profile.machine.friction
    if learned and learned[-1].load_n is not None and load_n:
        result.load_error = learned[-1].load_n / load_n - 1
    for end in events:
        if isinstance(end, SetEnd) and end.friction_from == "learned" and None not in (end.friction, friction):
            result.friction_error = (end.friction or 0.0) - (friction or 0.0)


def pair(
    true_s: list[float], told_s: list[float], allowed: Callable[[int, int], bool], tolerance_s: float
) -> list[tuple[int, int]]:
    """Pair times one to one, the nearest first."""
    return pair_spans(true_s, [(t_s, t_s) for t_s in true_s], told_s, allowed, tolerance_s)


def pair_spans(
    true_s: list[float],
    spans_s: list[tuple[float, float]],
    told_s: list[float],
    allowed: Callable[[int, int], bool],
    tolerance_s: float,
) -> list[tuple[int, int]]:
    """The same where each true time is as right as any other one in its span."""
    distances = sorted(
        (abs(true_s[i] - t_s), i, j)
        for i, span in enumerate(spans_s)
        for j, t_s in enumerate(told_s)
        if abs(_off_s(span, t_s)) <= tolerance_s and allowed(i, j)
    )
    pairs: list[tuple[int, int]] = []
    for _, i, j in distances:
        if all(i != k and j != m for k, m in pairs):
            pairs.append((i, j))
    return pairs


def _off_s(span: tuple[float, float], t_s: float) -> float:
    """How much later than the span the time is; below 0: earlier."""
    return max(t_s - span[1], 0.0) + min(t_s - span[0], 0.0)


def _select(events: list[Label], key: str) -> list[Label]:
    if key == "fault_turn":
        return [event for event in events if is_bad(event)]
    return [event for event in events if event.kind == key]


def _alike(true: Label, found: Reported) -> bool:
    return all(name not in true.own or true.own[name] == found.own.get(name) for name in ("at", "side", "stage"))


def score_kind(result: SetScore, judged: Judged, detected: list[Reported], key: str, under: Circumstances) -> None:
    tolerance_s = under.tolerance_s(key)
    true = _select(judged.nominal.events, key)
    strict, loose = _select(judged.strict.events, key), _select(judged.loose.events, key)
    found = [
        event
        for event in detected
        if event.kind == key or (key == "fault_turn" and event.kind == "turnaround" and event.own["grade"] in BAD)
    ]
    if key == "stall":
        true, strict, loose, found = creep(true), creep(strict), creep(loose), creep(found)
    elif key == "force_ceiling":
        over = hovers(true, loose)
        true, strict, found = hovering(true, over), hovering(strict, over), hovering(found, over)
    spans = [under.moment(event, strict, loose) for event in true]
    pairs = pair_spans(
        [event.t_s for event in true],
        spans,
        [event.t_s for event in found],
        lambda i, j: _alike(true[i], found[j]),
        tolerance_s,
    )
    matched = dict(pairs)
    allowed = [
        event
        for event in loose + strict
        if not any(abs(_off_s(spans[i], event.t_s)) <= tolerance_s and _alike(event, found[j]) for i, j in pairs)
    ]
    left = [event for j, event in enumerate(found) if j not in matched.values()]
    excused = pair(  # anywhere within what only the looser or stricter thresholds label
        [event.t_s for event in allowed],
        [event.t_s for event in left],
        lambda i, j: (
            _alike(allowed[i], left[j])
            and allowed[i].t_s - tolerance_s <= left[j].t_s <= allowed[i].end_s + tolerance_s
        ),
        float("inf"),
    )
    for i, (event, had) in enumerate(zip(true, shown(true, strict), strict=True)):
        required = had and not under.waives(key, event)
        if i in matched:
            _score_match(result, judged, key, event, found[matched[i]], required, under, spans[i])
        else:  # reported at the time of the strict or loose labels: found, but this time does not count
            required = required and same(event, [allowed[k] for k, _ in excused]) is None
            result.rows.append(Row(key, "missed" if required else "neutral", event.t_s, note=_describe(event)))
    excuses = {j for _, j in excused}
    started_s = {event.set: event.t_s for event in detected if event.kind == "set_start"}
    for j, wrong in enumerate(left):
        between = _between(wrong, strict, loose)
        outside = key in OF_SETS and wrong.t_s < started_s.get(wrong.set, float("inf"))
        neutral = j in excuses or between or outside or under.excuses(key, wrong, loose)
        result.rows.append(Row(key, "neutral" if neutral else "false", wrong.t_s, note=_describe(wrong)))


def _between(found: Reported, strict: list[Label], loose: list[Label]) -> bool:
    """Whether it lies within what only the looser thresholds label: neither right nor wrong."""
    end_s = found.t_s + (found.duration_s or 0.0)
    seen = any(_alike(true, found) and true.t_s <= found.t_s <= true.end_s for true in loose)
    return seen and not any(true.t_s <= end_s and found.t_s <= true.end_s for true in strict)


def _score_match(
    result: SetScore,
    judged: Judged,
    key: str,
    true: Label,
    found: Reported,
    required: bool,
    under: Circumstances,
    span_s: tuple[float, float],
) -> None:
    row = Row(
        key,
        "hit" if required else "neutral",
        true.t_s,
        t_error_s=_off_s(span_s, found.t_s),
        found_after_s=found.found_s - true.t_s,
        known_after_s=found.found_s - max(true.true_s, true.t_s),
    )
    ended_set = true.own.get("ended_set", False)
    if true.duration_s and found.duration_s is not None and not found.cut and not ended_set:
        row.duration_error_s = found.duration_s - true.duration_s
    result.rows.append(row)
    if key == "turnaround":
        index = judged.nominal.events.index(true)
        if judged.sure_grades.get(index):
            result.grades.append((str(true.own["grade"]), str(found.own["grade"])))
    if not required:
        return
    for name in ATTRIBUTES.get(key, ()):
        if name not in true.own or not under.sure_of(f"{key}.{name}", true):
            continue
        views = [same(true, labels.events) for labels in (judged.strict, judged.loose)]
        if all(view is not None and view.own.get(name) == true.own[name] for view in views):
            result.attributes.append((f"{key}.{name}", found.own.get(name) == true.own[name]))
    if true.rank is not None and key != "turnaround" and under.ranks(true):
        result.attributes.append((f"{key}.primary", found.primary == (true.part_of is None)))
    if key == "rep":
        leg, dwell = ("positive_s", "upper_dwell_s") if true.own["up_first"] else ("negative_s", "lower_dwell_s")
        turned_s = found.t_s + (found.own[leg] or 0.0)
        edges = [found.t_s, turned_s, turned_s + found.own[dwell], found.t_s]
        edges[3] += found.duration_s or 0.0
        result.bound_errors_s += [told_s - true_s for told_s, true_s in zip(edges, true.own["bounds_s"], strict=True)]


def _score_sensors(result: SetScore, detected: list[Reported], under: Circumstances) -> None:
    """Score sensor faults: each blind stretch must be reported at least once; other reports are false."""
    faults = [event for event in detected if event.kind == "sensor_fault"]
    before_s = TOLERANCES_S["sensor_fault"][0]
    explained: set[int] = set()
    stretches = list(under.blind)
    if under.misread:
        stretches.append(Blind(MISREAD, 0.0, float("inf"), under.misread_required))
    for blind in stretches:
        end_s = float("inf") if blind.lasting else blind.to_s + FAULT_LATE_S
        about = [
            i
            for i, event in enumerate(faults)
            if blind.from_s - before_s <= event.t_s <= end_s
            and (blind.name != MISREAD or event.own["cause"] in ("load", "mismatch"))
        ]
        explained.update(about)
        row = Row("sensor_fault", "hit" if blind.required else "neutral", blind.from_s, note=blind.name)
        if about:
            first = min((faults[i] for i in about), key=lambda event: event.found_s)
            row.note = f"{blind.name}: {first.own['cause']}"
            row.found_after_s = None if blind.name == MISREAD else first.found_s - blind.from_s
        elif blind.required:
            row.outcome = "missed"
        result.rows.append(row)
    for i, event in enumerate(faults):
        if i not in explained:
            result.rows.append(Row("sensor_fault", "false", event.t_s, note=str(event.own["cause"])))


def _score_sets(result: SetScore, judged: Judged, detected: list[Reported], under: Circumstances) -> None:
    ends = [event for event in detected if event.kind == "set_end"]
    starts = [event for event in detected if event.kind == "set_start"]
    for number, counts in enumerate(judged.rep_counts):
        if number >= len(starts):
            result.sets_exact.append(False)
            continue
        name = starts[number].set
        told_reps = sum(event.kind == "rep" and event.set == name for event in detected)
        result.sets_exact.append(told_reps in counts and len(starts) == len(judged.rep_counts))
    true_ends = judged.nominal.of("set_end")
    if len(ends) == len(true_ends) == 1:
        result.under_load_error_s = ends[0].own["under_load_s"] - true_ends[0].own["under_load_s"]
        if ends[0].own["under_tension_s"] is not None and not under.misread and not under.load_known_s:
            result.under_tension_error_s = ends[0].own["under_tension_s"] - true_ends[0].own["under_tension_s"]


def _describe(event: Label | Reported) -> str:
    shown = ("at", "grade", "side", "cause", "dwell_s", "peak_g", "extreme", "low", "slam")
    parts = [f"{name}={value}" for name in shown if (value := event.own.get(name)) is not None]
    duration = "" if event.duration_s is None else f"for {event.duration_s:.3f} s"
    return " ".join([duration, *parts]).strip()
