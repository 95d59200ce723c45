"""The columns of an exported table of sets, the same in CSV and in a spreadsheet. Units are in the names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.gym.export.selection import ExportedSet
from monitor.profile.weights import newtons_per_unit, unit_name
from monitor.report.local_time import local_moment

Value = str | int | float | bool | datetime | None


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A name, and the value of a set; None where it is not known. `width`: in characters, for a spreadsheet."""

    name: str
    value: Callable[[ExportedSet], Value]
    width: int = 14


def columns() -> Sequence[TableColumn]:
    """Weights are in the unit that `shown_in` has chosen."""
    unit = unit_name()
    return (
        TableColumn("site", lambda one: one.site),
        TableColumn("machine", lambda one: one.machine, 20),
        TableColumn("label", lambda one: one.label, 20),
        TableColumn("client_id", lambda one: one.client_id),
        TableColumn("client_name", lambda one: one.client_name, 24),
        TableColumn("started_utc", lambda one: _utc(one.started_unix_s), 20),
        TableColumn("ended_utc", lambda one: _utc(one.ended_unix_s), 20),
        TableColumn("ended_local", lambda one: local_moment(one.ended_unix_s), 20),
        TableColumn(f"load_{unit}", lambda one: _weight(one.load_n)),
        TableColumn("under_load_s", lambda one: _rounded(one.under_load_s)),
        TableColumn("under_tension_s", lambda one: _rounded(one.under_tension_s)),
        TableColumn("skill_percent", lambda one: _rounded(None if one.skill is None else one.skill * 100)),
        TableColumn(f"strength_{unit}", lambda one: _weight(one.strength_n)),
        TableColumn("failure", lambda one: one.failure),
        TableColumn("failure_marked_by_hand", lambda one: one.marked, 22),
        TableColumn("reps", lambda one: one.reps),
        TableColumn("partial_reps", lambda one: one.partial_reps),
        TableColumn("clean_reps", lambda one: one.clean_reps),
        TableColumn("note", lambda one: one.note, 40),
    )


def _utc(unix_s: float | None) -> datetime | None:
    here = None if unix_s is None else local_moment(unix_s)
    return None if here is None else here.astimezone(UTC)


def _weight(force_n: float | None) -> float | None:
    return _rounded(None if force_n is None else force_n / newtons_per_unit())


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 2)
