"""Sums up the scores of many cases by kind and stratum, and compares them with the targets of EVENTS.md 18."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.quality.circumstances import KEYS
from tests.quality.corpus import Group
from tests.quality.runner import Result
from tests.quality.scorer import Row

Numbers = dict[str, float | int | None]


@dataclass(frozen=True)
class Target:
    """What detection of a kind must reach; latencies in s."""

    f1: float
    clean_false: bool = True  # none in the clean minutes
    found_p50_s: float | None = None  # after the onset
    found_p95_s: float | None = None
    known_p95_s: float | None = None  # after it could be known
    duration_error_p95_s: float | None = None


TARGETS = {
    "jerk": Target(0.98, found_p50_s=0.080, found_p95_s=0.120),
    "drop": Target(0.98, found_p50_s=0.080, found_p95_s=0.120),
    "fault_turn": Target(0.98, known_p95_s=0.100),
    "lockout_rest": Target(0.98, duration_error_p95_s=0.150),
    "bottom_rest": Target(0.98, duration_error_p95_s=0.150),
    "stack_touch": Target(0.98, known_p95_s=0.100),
    "slack": Target(0.98, known_p95_s=0.100),
    "force_ceiling": Target(0.98, known_p95_s=0.100),
    "stall": Target(0.95),
    "failure": Target(0.90),
}
REPS_EXACT = 0.998
BOUND_MEAN_S = {"2/4": 0.050, "4/4": 0.050, "5/5": 0.050, "10/10": 0.120}
LOAD_WITHIN, FRICTION_WITHIN = 0.01, 0.02


def lifted(results: Sequence[Result]) -> list[Result]:
    """Sets of a lifter with healthy sensors."""
    return [result for result in results if result.group in ("faulty", "clean")]


def of_group(results: Sequence[Result], group: Group) -> list[Result]:
    """Sets of one group."""
    return [result for result in results if result.group == group]


def of_kind(results: Sequence[Result], key: str) -> Numbers:
    """F1 over all these results; false events a minute over the clean sets among them."""
    rows = [row for result in results for row in result.score.rows if row.kind == key]
    count = Counter(row.outcome for row in rows)
    clean = [result for result in results if result.group == "clean"]
    clean_false = sum(row.kind == key and row.outcome == "false" for result in clean for row in result.score.rows)
    minutes = sum(result.minutes for result in clean)
    hit, missed, false = count["hit"], count["missed"], count["false"]
    found = [row for row in rows if row.outcome == "hit"]
    return {
        "required": hit + missed,
        "missed": missed,
        "false": false,
        "neutral": count["neutral"],
        "precision": hit / (hit + false) if hit + false else None,
        "recall": hit / (hit + missed) if hit + missed else None,
        "f1": 2 * hit / (2 * hit + missed + false) if hit + missed + false else None,
        "clean_false": clean_false,
        "false_per_clean_minute": clean_false / minutes if minutes else None,
        "t_error_mean_s": _mean(_absolute(row.t_error_s for row in found)),
        "t_error_p95_s": _percentile(_absolute(row.t_error_s for row in found), 95),
        "found_p50_s": _percentile(_known(row.found_after_s for row in found), 50),
        "found_p95_s": _percentile(_known(row.found_after_s for row in found), 95),
        "known_p50_s": _percentile(_known(row.known_after_s for row in found), 50),
        "known_p95_s": _percentile(_known(row.known_after_s for row in found), 95),
        "duration_error_mean_s": _mean(_absolute(row.duration_error_s for row in found)),
        "duration_error_p95_s": _percentile(_absolute(row.duration_error_s for row in found), 95),
    }


def misses_target(key: str, numbers: Numbers) -> list[str]:
    """The names of the kind's targets that are not met."""
    target = TARGETS.get(key)
    if target is None:
        return []
    found = []
    if (f1 := numbers["f1"]) is not None and f1 < target.f1:
        found.append(f"F1 < {target.f1:g}")
    if target.clean_false and numbers["clean_false"]:
        found.append("false in clean sets")
    for name in ("found_p50_s", "found_p95_s", "known_p95_s", "duration_error_p95_s"):
        limit, value = getattr(target, name), numbers[name]
        if limit is not None and value is not None and value > limit:
            found.append(f"{name.removesuffix('_s')} > {limit * 1000:.0f} ms")
    return found


def overall(results: Sequence[Result]) -> dict[str, Any]:
    """What is scored besides events: repetitions, boundaries, learning, grades, attributes."""
    exact = [one for result in results for one in result.score.sets_exact]
    bounds: dict[str, list[float]] = defaultdict(list)
    for result in results:
        bounds[result.strata["tempo"]] += result.score.bound_errors_s
    attributes: dict[str, list[bool]] = defaultdict(list)
    for result in results:
        for name, right in result.score.attributes:
            attributes[name].append(right)
    loads = _absolute(result.score.load_error for result in results)
    frictions = _absolute(result.score.friction_error for result in results)
    known = [result.score.load_known for result in results if result.score.load_known is not None]
    ranges = _absolute(result.score.range_error_m for result in results)
    return {
        "sets": len(exact),
        "sets_exact": _mean([float(one) for one in exact]),
        "bounds": {
            tempo: {"mean_s": _mean(_absolute(errors)), "p95_s": _percentile(_absolute(errors), 95)}
            for tempo, errors in sorted(bounds.items())
        },
        "grades": sorted(Counter(pair for result in results for pair in result.score.grades).items()),
        "attributes": {name: (sum(right), len(right)) for name, right in sorted(attributes.items())},
        "moved": sum(result.score.moved for result in results),
        "learned": {
            "sets": len(known),
            "in_time": sum(known),
            "load_within": sum(error <= LOAD_WITHIN for error in loads),
            "load_error_max": max(loads, default=None),
            "friction_within": sum(error <= FRICTION_WITHIN for error in frictions),
            "friction_error_max": max(frictions, default=None),
            "friction_sets": len(frictions),
        },
        "range_error_max_m": max(ranges, default=None),
        "under_load_error_mean_s": _mean(_absolute(result.score.under_load_error_s for result in results)),
        "under_tension_error_mean_s": _mean(_absolute(result.score.under_tension_error_s for result in results)),
    }


def by_stratum(results: Sequence[Result]) -> dict[str, dict[str, list[Result]]]:
    """Results by stratum, for each table."""
    tables: dict[str, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        for table, drawer in result.strata.items():
            tables[table][drawer].append(result)
    return tables


def sensors(results: Sequence[Result]) -> dict[str, Counter[str]]:
    """For each fault of a sensor: how often reported and missed; false reports count under the reported cause."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for result in results:
        for row in result.score.rows:
            if row.kind == "sensor_fault":
                table[row.note.split(":")[0]][row.outcome] += 1
    return dict(sorted(table.items()))


def broken_false(results: Sequence[Result]) -> Counter[str]:
    """False events of a lifter while sensors were at fault, by kind."""
    return Counter(
        row.kind
        for result in results
        if result.group == "broken"
        for row in result.score.rows
        if row.outcome == "false" and row.kind != "sensor_fault"
    )


def wrong(results: Sequence[Result], keys: Sequence[str] = KEYS) -> list[tuple[str, Row]]:
    """Every missed and every false event, with its case."""
    return [
        (f"{result.group}-{result.seed}", row)
        for result in results
        for row in result.score.rows
        if row.outcome in ("missed", "false") and row.kind in keys
    ]


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _absolute(values: Iterable[float | None]) -> list[float]:
    return [abs(value) for value in values if value is not None]


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _percentile(values: list[float], share: float) -> float | None:
    return float(np.percentile(values, share)) if values else None
