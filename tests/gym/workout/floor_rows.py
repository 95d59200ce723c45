"""Rows of `sets` and `machines` for tests, as the collector writes them."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from sqlalchemy import Connection, insert

from monitor.gym.database.tables import machines, sets
from monitor.gym.workout.visits import VisitSet

NOON_UNIX_S = 1_750_000_000.0
KG = 9.80665
_seq = count(1)


def set_row(machine: str, ended_unix_s: float, client_id: str | None = None, **values: Any) -> dict[str, Any]:
    """A set of 70 s under load with 100 kg, without failure."""
    row = {
        "site": "rep",
        "machine": machine,
        "store_id": "store",
        "seq": next(_seq),
        "session": "s1",
        "set_no": 1,
        "client_id": client_id,
        "ended_unix_s": ended_unix_s,
        "started_unix_s": ended_unix_s - 80,
        "load_n": 100 * KG,
        "under_load_s": 70.0,
        "under_tension_s": 65.0,
        "skill": 0.9,
        "strength_n": 1000.0,
        "outcome": "ended",
        "reps": 7,
        "partial_reps": 0,
        "clean_reps": 6,
        "marked_failure": None,
        "note": None,
        "record": {},
    }
    return row | values


def store_sets(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    connection.execute(insert(sets), list(rows))


def store_machine(connection: Connection, machine: str, **values: Any) -> None:
    row = {"site": "rep", "machine": machine, "first_seen_unix_s": 1.0, "last_seen_unix_s": 1.0}
    connection.execute(insert(machines).values(row | values))


def visit_set(under_load_s: float, failure: bool, load_n: float | None = 100 * KG, **values: Any) -> VisitSet:
    row = set_row("row", NOON_UNIX_S, under_load_s=under_load_s, load_n=load_n, **values)
    fields = {name: row[name] for name in VisitSet.__dataclass_fields__ if name in row}
    return VisitSet(**fields, label="Row", seat="", failure=failure, pause_before_s=None)
