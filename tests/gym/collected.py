"""Sets as a collector would have stored them."""

from typing import Any

from sqlalchemy import Connection, func, insert, select

from monitor.gym.database.tables import machines, sets

NOON_UNIX_S = 1_764_331_200.0  # 2025-11-28, 12:00 UTC


def add_machine(connection: Connection, machine: str, label: str | None = None, **columns: Any) -> None:
    row = {"site": "rep", "first_seen_unix_s": NOON_UNIX_S, "last_seen_unix_s": NOON_UNIX_S} | columns
    connection.execute(insert(machines).values(machine=machine, label=label, **row))


def add_set(connection: Connection, client_id: str | None, machine: str, ended_unix_s: float, **columns: Any) -> None:
    """Without `columns`: 80 s under load, a skill of 0.8, to no failure."""
    seq = connection.execute(select(func.count()).select_from(sets)).scalar_one() + 1
    connection.execute(insert(sets).values(set_row(client_id, machine, ended_unix_s, seq, **columns)))


def set_row(client_id: str | None, machine: str, ended_unix_s: float, seq: int, **columns: Any) -> dict[str, Any]:
    return {
        "site": "rep",
        "machine": machine,
        "store_id": "s",
        "seq": seq,
        "session": f"s{seq}",
        "client_id": client_id,
        "ended_unix_s": ended_unix_s,
        "started_unix_s": ended_unix_s - 85.0,
        "load_n": 800.0,
        "under_load_s": 80.0,
        "under_tension_s": 64.0,
        "skill": 0.8,
        "strength_n": 800.0,
        "outcome": "ended",
        "reps": 4,
        "partial_reps": 0,
        "clean_reps": 3,
        "record": {},
    } | columns
