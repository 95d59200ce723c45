"""Removes a lifter's id from the rows of a store, and from the damaged stores that were set aside."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

from monitor.store.database import DamagedError, check_passive

SUFFIXES = ("", "-wal", "-shm")


def remove_lifter(connection: sqlite3.Connection, lifter: str) -> dict[str, int]:
    """Removes the id from every table, within the caller's transaction. Returns the changed rows of each such table.

    A row that cannot be without a lifter is deleted.
    """
    tables = connection.execute(
        'SELECT t.name, c."notnull" OR c.pk FROM sqlite_schema t, pragma_table_info(t.name) c'
        " WHERE t.type = 'table' AND c.name = 'lifter'"
    ).fetchall()
    rows = {
        name: connection.execute(
            f"DELETE FROM {_quoted(name)} WHERE lifter = ?"
            if needed
            else f"UPDATE {_quoted(name)} SET lifter = NULL WHERE lifter = ?",
            (lifter,),
        ).rowcount
        for name, needed in tables
    }
    return {name: count for name, count in rows.items() if count}


def forget_in_set_aside(path: Path, lifter: str) -> list[Path]:
    """Removes the id from damaged stores. Deletes those that SQLite cannot change; returns these. Raises OSError."""
    removed = []
    for aside in sorted(path.parent.glob(f"{path.name}.corrupt-*")):
        if not aside.name.rpartition("-")[2].isdecimal():
            continue  # the log or index of a store
        parts = [aside.with_name(aside.name + suffix) for suffix in SUFFIXES]
        if not _mention(parts, lifter):
            continue
        with suppress(sqlite3.Error, DamagedError), closing(sqlite3.connect(aside, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete=ON")
            check_passive(connection)  # a trigger could write the id back, or never end
            remove_lifter(connection, lifter)
            connection.execute("PRAGMA journal_mode=DELETE")
        if _mention(parts, lifter):
            for part in parts:
                part.unlink(missing_ok=True)
            removed.append(aside)
    return removed


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _mention(paths: Iterable[Path], lifter: str) -> bool:
    return any(path.exists() and lifter.encode() in path.read_bytes() for path in paths)
