"""Chooses the one thing to do better after a set or a session: the remedy that would save most.

A set is called clean only where no fault was counted in it.
"""

from collections.abc import Iterator

from monitor.report.session_story import SetStory
from monitor.vocabulary.leaks import CLEAN, CLEAN_SO_FAR
from monitor.vocabulary.rows import Row
from monitor.vocabulary.table import ROWS

WORTH_S = 1.0
SLIGHT_S = 0.01  # the cost of a fault whose leak is its whole cost
BY_LEAK = {row.leak: row for row in reversed(ROWS) if row.leak}  # the first row of each cause
BY_COUNT = {row.counted_as: row for row in ROWS if row.fault}


def advice(*sets: SetStory) -> str | None:
    """None if none of the sets has a summary."""
    judged = [one for one in sets if one.end is not None and (one.end.leak is not None or one.reps)]
    if not judged:
        return None
    costs_s: dict[str, float] = {}
    for one in judged:
        for remedy, seconds in _costs_s(one):
            costs_s[remedy] = costs_s.get(remedy, 0.0) + seconds
    remedy, most_s = max(costs_s.items(), key=lambda cost: cost[1])
    if most_s >= WORTH_S or any(one.end.counts.get(counted_as) for one in judged if one.end for counted_as in BY_COUNT):
        return remedy
    return (CLEAN if sum(one.unjudged_s for one in judged) < WORTH_S else CLEAN_SO_FAR).en


def _costs_s(one: SetStory) -> Iterator[tuple[str, float]]:
    """Yields remedies with the seconds that each would save: leak, and faults that count like leak."""
    assert one.end is not None
    for field, row in BY_LEAK.items():
        yield _remedy(row), getattr(one.end.leak, field) if one.end.leak is not None else 0.0
    for counted_as, row in BY_COUNT.items():
        yield _remedy(row), (row.cost_s or SLIGHT_S) * one.end.counts.get(counted_as, 0)


def _remedy(row: Row) -> str:
    assert row.remedy is not None, f"{row.key} costs something, so it needs a remedy"
    return row.remedy.en
