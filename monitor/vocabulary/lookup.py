"""Finds the row of an event in the vocabulary: its name, and whether it is the lifter's fault."""

from collections import Counter
from collections.abc import Iterable
from itertools import groupby

from monitor.events import AnyEvent
from monitor.vocabulary.rows import Row
from monitor.vocabulary.table import ROWS

STANDS_WITH = {"unload": "slack", "bottom_rest": "stack_touch"}  # where causes of leak are ordered
_BY_KIND = {kind: list(rows) for kind, rows in groupby(ROWS, key=lambda row: row.kind)}


def row_of(event: AnyEvent) -> Row:
    """The most specific row that fits the event."""
    return next(row for row in _BY_KIND[event.kind] if _holds(row, event))


def name_of(event: AnyEvent) -> str:
    """The English name of an event."""
    return row_of(event).name.en


def name_of_sensor_fault(cause: str) -> str:
    """The name of a sensor fault by its cause, as live feedback gives it."""
    rows = _BY_KIND["sensor_fault"]
    return next((row for row in rows if row.when.get("cause") == cause), rows[-1]).name.en


def is_fault(event: AnyEvent) -> bool:
    """True for a fault of the lifter. One physical act is one fault: a part of another event does not count."""
    return event.part_of is None and row_of(event).fault


def leak_of(event: AnyEvent) -> tuple[int, str] | None:
    """The place of an event among causes of leak, and the field of `Leak` for its seconds; None: it leaks nothing."""
    row = row_of(event)
    if row.leak is None:
        return None
    rank = row.rank or next(row.rank for row in _BY_KIND[STANDS_WITH[row.kind]] if row.rank)
    return rank, row.leak


def faults_by_name(events: Iterable[AnyEvent]) -> Counter[str]:
    return Counter(name_of(event) for event in events if is_fault(event))


def parts_by_name(events: Iterable[AnyEvent]) -> Counter[str]:
    """Counts like the faults, but of events that are part of another event."""
    return Counter(name_of(event) for event in events if event.part_of is not None and row_of(event).fault)


def _holds(row: Row, event: AnyEvent) -> bool:
    return all(getattr(event, field, None) == value for field, value in row.when.items())
