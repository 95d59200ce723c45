"""Writes sets as CSV: UTF-8, a comma between the cells, a point in numbers, times as ISO 8601 with their offset."""

import csv
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from monitor.gym.csv_text import as_text
from monitor.gym.export.columns import Value, columns
from monitor.gym.export.selection import ExportedSet


def write_csv(path: Path, sets: Iterable[ExportedSet]) -> int:
    """Returns the number of rows. Raises OSError."""
    count = 0
    table = columns()
    with path.open("w", newline="", encoding="utf-8") as file:
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
            return as_text(value)
        case _:
            return str(value)
