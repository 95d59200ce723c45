"""Writes sets as CSV: a comma between the cells, a point in numbers, times as ISO 8601 with their offset.

It is UTF-8 with a byte order mark, without which a spreadsheet would show other letters for those with accents.
"""

import csv
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from monitor.gym.export.columns import Value, columns
from monitor.gym.export.selection import ExportedSet
from monitor.gym.people.people_table import guarded


def write_csv(path: Path, sets: Iterable[ExportedSet]) -> int:
    """Returns the number of rows. Raises OSError."""
    count = 0
    table = columns()
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(column.name for column in table)
        for count, one in enumerate(sets, 1):  # noqa: B007
            rows.writerow(_cell(column.value(one)) for column in table)
    return count


def _cell(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(timespec="seconds")
        case str():
            return guarded(value)
        case _:
            return str(value)
