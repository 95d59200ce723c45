"""Compares two studies of the same recordings, made by two versions of the detector.

Events of one kind are paired by their time: the same record, a changed one within PAIRED_WITHIN_S, or none.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from monitor.study.dataset import read
from monitor.study.errors import StudyError

PAIRED_WITHIN_S = 0.5
NUMBERING = ("id", "part_of")  # differ when any event comes or goes


class Kind(msgspec.Struct):
    """How the records of one kind differ."""

    same: int = 0
    changed: int = 0
    only_old: int = 0
    only_new: int = 0


class Comparison(msgspec.Struct):
    """What the new detector says differently."""

    recordings: int  # in both studies
    kinds: dict[str, Kind]
    differing: list[str]  # paths of the recordings, those with most differences first
    skill_changes: list[float]  # new minus old, of each set in both


def compare(old: Path, new: Path) -> Comparison:
    """Raises StudyError."""
    paths = {row["digest"]: row["path"] for row in read(new, "recordings").to_pylist() if row["trouble"] is None}
    before = {row["digest"] for row in read(old, "recordings").to_pylist() if row["trouble"] is None}
    both = paths.keys() & before
    if not both:
        raise StudyError(f"{old} and {new} have no recording in common: study the same folders with both versions")
    kinds: dict[str, Kind] = defaultdict(Kind)
    differences: dict[str, int] = defaultdict(int)
    olds, news = _events(old), _events(new)
    for digest, kind in sorted(olds.keys() | news.keys()):
        if digest in both:
            differences[digest] += _pair(olds.get((digest, kind), []), news.get((digest, kind), []), kinds[kind])
    differing = sorted((-differences[digest], paths[digest]) for digest in both if differences[digest])
    return Comparison(len(both), dict(sorted(kinds.items())), [path for _, path in differing], _skill(old, new, both))


def _events(folder: Path) -> dict[tuple[str, str], list[tuple[float, dict[str, Any]]]]:
    """By recording and kind: time and record, in the order of time."""
    events: dict[tuple[str, str], list[tuple[float, dict[str, Any]]]] = defaultdict(list)
    table = read(folder, "events").select(["digest", "kind", "t_s", "record"])
    for row in table.to_pylist():
        record = msgspec.json.decode(row["record"])
        for key in NUMBERING:
            record.pop(key, None)
        events[row["digest"], row["kind"]].append((row["t_s"], record))
    for some in events.values():
        some.sort(key=lambda event: event[0])
    return events


def _pair(old: list[tuple[float, dict[str, Any]]], new: list[tuple[float, dict[str, Any]]], kind: Kind) -> int:
    """Counts the pairs and the events without one. Returns the number of differences."""
    left = list(new)
    rest = []
    for event in old:
        if event in left:
            left.remove(event)
            kind.same += 1
        else:
            rest.append(event)
    differences = 0
    for t_s, _ in rest:
        nearest = min(left, key=lambda other: abs(other[0] - t_s), default=None)
        differences += 1
        if nearest is not None and abs(nearest[0] - t_s) <= PAIRED_WITHIN_S:
            left.remove(nearest)
            kind.changed += 1
        else:
            kind.only_old += 1
    kind.only_new += len(left)
    return differences + len(left)


def _skill(old: Path, new: Path, both: Iterable[str]) -> list[float]:
    wanted = set(both)

    def skills(folder: Path) -> Mapping[tuple[str, int], float | None]:
        rows = read(folder, "sets").select(["digest", "set", "skill"]).to_pylist()
        return {(row["digest"], row["set"]): row["skill"] for row in rows if row["digest"] in wanted}

    before, after = skills(old), skills(new)
    pairs = [(before[key], after[key]) for key in before.keys() & after.keys()]
    return [now - then for then, now in pairs if then is not None and now is not None]
