"""The results of a run over the life corpus as plain text."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from tests.quality import summary, tables
from tests.quality.life.circumstances import LIFE_KEYS
from tests.quality.life.corpus import CLEAN
from tests.quality.life.runner import LifeResult
from tests.quality.scorer import Outcome

Cell = tables.Cell


def everything(results: Sequence[LifeResult]) -> str:
    """All tables."""
    others = [result for result in results if result.kind != CLEAN]
    parts = [by_kind(results), clean_minutes(results)]
    if others:
        parts += [
            tables.kinds(
                "Events of all kinds of life; times in ms, `clean`: false ones where nothing is wrong",
                [result.as_set for result in others],
                LIFE_KEYS,
            ),
            details(others),
        ]
    return "\n".join(parts)


def by_kind(results: Sequence[LifeResult]) -> str:
    """A row for each kind of life."""
    rows = []
    for kind in dict.fromkeys(result.kind for result in results):
        rows.append(_row(kind, [result for result in results if result.kind == kind]))
    rows.append(_row("all", list(results)))
    head = ["kind of life", "sessions", "min", "sets exact", "F1", "missed", "false", "sensor false"]
    head += ["load known", "in time", "after ms p50/p95", "load |%| p50/max", "set loads", "assist F1"]
    head += ["held", "skill |err| mean/max", "clean reps", "unjudged s max", "rep reported ms p95"]
    return tables.table("The life of a gym", head, rows)


def _row(name: str, some: list[LifeResult]) -> list[Cell]:
    scores = [result.score for result in some]
    rows = [row for score in scores for row in score.events.rows if row.kind != "sensor_fault"]
    count = Counter(row.outcome for row in rows)
    assist = summary.of_kind([result.as_set for result in some], "assist")
    loads = [seen for score in scores for seen in score.loads]
    known_ms = [seen.known_after_s * 1000 for seen in loads if seen.known_after_s is not None]
    errors = [100 * abs(seen.error) for seen in loads if seen.error is not None]
    skills = [error for score in scores for error in score.skill_errors]
    told_ms = [1000 * late_s for score in scores for late_s in score.rep_known_s]
    unjudged = [value for score in scores for value in score.unjudged_s]
    sensors = sum(r.kind == "sensor_fault" and r.outcome == "false" for s in scores for r in s.events.rows)
    return [
        name,
        len(some),
        f"{sum(result.minutes for result in some):.0f}",
        _share([one for score in scores for one in score.sets_exact]),
        _f1(count),
        count["missed"],
        count["false"],
        sensors,
        _share([seen.known_after_s is not None for seen in loads]),
        _share([seen.in_time for seen in loads]),
        _two(known_ms, 50, 95, "{:.0f}"),
        _two(errors, 50, 100, "{:.1f}"),
        _share([one for score in scores for one in score.set_loads]),
        assist["f1"],
        sum(len(score.held_as_fault) for score in scores),
        f"{np.mean(skills):.3f}/{max(skills):.3f}" if skills else None,
        _share([one for score in scores for one in score.clean_reps]),
        f"{max(unjudged):.1f}" if unjudged else None,
        f"{np.percentile(told_ms, 95):.0f}" if told_ms else None,
    ]


def clean_minutes(results: Sequence[LifeResult]) -> str:
    """False events in clean sessions, for each kit."""
    clean = [result for result in results if result.kind == CLEAN]
    rows: list[list[Cell]] = []
    for sensors in sorted({result.sensors for result in clean}):
        some = [result for result in clean if result.sensors == sensors]
        false = Counter(row.kind for r in some for row in r.score.events.rows if row.outcome == "false")
        faults = Counter(
            row.note
            for r in some
            for row in r.score.events.rows
            if row.kind == "sensor_fault" and row.outcome == "false"
        )
        events = sum(number for kind, number in false.items() if kind != "sensor_fault")
        named = ", ".join(f"{kind} {n}" for kind, n in false.most_common() if kind != "sensor_fault")
        causes = ", ".join(f"{cause} {n}" for cause, n in faults.most_common())
        minutes = sum(result.minutes for result in some)
        rows.append([sensors, f"{minutes:.0f}", events, false["sensor_fault"], named or "", causes or ""])
    head = ["kit", "min", "false events", "false sensor_faults", "which", "causes"]
    return tables.table("Clean minutes", head, rows)


def details(results: Sequence[LifeResult]) -> str:
    """Details of sets, repetitions and failures."""
    scores = [result.score for result in results]
    right: dict[str, list[bool]] = {}
    for score in scores:
        for name, one in score.events.attributes:
            right.setdefault(name, []).append(one)
    held = [error for score in scores for error in score.held_s_errors]
    known = [abs(error) for error in held if error is not None]
    rows: list[list[Cell]] = [[f"right {name}", sum(some), f"of {len(some)}"] for name, some in sorted(right.items())]
    rows.append(["failure.held_s within 0.5 s", sum(error <= 0.5 for error in known), f"of {len(held)}"])
    for cell, leads in (("a cell known to be fast", True), ("any other", False)):
        late = [
            row.found_after_s * 1000
            for result in results
            for row in result.score.events.rows
            if row.kind == "jerk" and row.found_after_s is not None and result.leads == leads
        ]
        rows.append([f"jerk found, {cell}, ms p50/p95", _two(late, 50, 95, "{:.0f}"), f"of {len(late)}"])
    rows.append(["skill reported as null where it is known", sum(score.skill_missing for score in scores), ""])
    rows.append(["records whose time moved later", sum(score.events.moved for score in scores), ""])
    taken = Counter(name for score in scores for name in score.held_as_fault)
    rows += [[f"held taken for {name}", number, "0"] for name, number in taken.most_common()]
    causes = Counter(r.note for s in scores for r in s.events.rows if r.kind == "sensor_fault" and r.outcome == "false")
    rows += [[f"false sensor_fault {cause}", number, "0"] for cause, number in causes.most_common()]
    return tables.table("Details", ["", "", ""], rows)


def wrong(results: Sequence[LifeResult]) -> str:
    """Every missed and every false event, with its session."""
    rows: list[list[Cell]] = [
        [f"{result.name} {result.sensors}", row.outcome, row.kind, row.t_s, row.note]
        for result in results
        for row in result.score.events.rows
        if row.outcome in ("missed", "false")
    ]
    return tables.table("Missed and false events", ["session", "", "kind", "t_s", ""], rows)


def _f1(count: Counter[Outcome]) -> float | None:
    wrong = count["missed"] + count["false"]
    return 2 * count["hit"] / (2 * count["hit"] + wrong) if count["hit"] + wrong else None


def _share(some: list[bool]) -> str | None:
    return f"{sum(some)}/{len(some)}" if some else None


def _two(values: list[float], low: float, high: float, form: str) -> str | None:
    return "/".join(form.format(np.percentile(values, share)) for share in (low, high)) if values else None
