"""Writes a client's sets as the CSV of FitNotes for Android, which other training logs import, too.

The columns are those of its "Spreadsheet Export". LiftLog describes what it reads of them in docs/CsvImport.md
(github.com/LiamMorrow/LiftLog, pull request 936): a day as 2026-11-29, a weight unit of kgs or lbs, the repetitions.
`Time` is the time under load. A set whose load is not known has no weight; LiftLog leaves such a row out.
"""

import csv
from collections.abc import Iterable
from pathlib import Path

from monitor.gym.export.selection import ExportedSet
from monitor.gym.people.people_table import guarded
from monitor.profile.weights import unit_name, weight_number
from monitor.report.local_time import local_moment

COLUMNS = (
    "Date", "Exercise", "Category", "Weight", "Weight Unit", "Reps", "Distance", "Distance Unit", "Time", "Comment",
)  # fmt: skip
CATEGORY = "Machines"


def write_fitnotes(path: Path, sets: Iterable[ExportedSet]) -> int:
    """Returns the number of rows. Raises OSError."""
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for count, one in enumerate(sets, 1):  # noqa: B007
            rows.writerow(_row(one))
    return count


def _row(one: ExportedSet) -> tuple[str, ...]:
    ended = local_moment(one.ended_unix_s)
    load = ("", "") if one.load_n is None else (weight_number(one.load_n, 2), f"{unit_name()}s")
    minutes, rest_s = divmod(round(one.under_load_s), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        "" if ended is None else f"{ended:%Y-%m-%d}",
        guarded(one.label),
        CATEGORY,
        *load,
        str(one.reps),
        "",
        "",
        f"{hours}:{minutes:02d}:{rest_s:02d}",
        guarded(_comment(one)),
    )


def _comment(one: ExportedSet) -> str:
    parts = [
        "to failure" if one.failure else "",
        "" if one.skill is None else f"skill {one.skill:.0%}",
        one.note or "",
    ]
    return "; ".join(part for part in parts if part)
