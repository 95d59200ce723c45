"""Takes a person out of the damaged stores that were set aside: mended where SQLite still can, removed where not."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

SUFFIXES = ("", "-wal", "-shm")


def take_off(connection: sqlite3.Connection, lifter: str) -> int:
    """The id off every row that has it, whatever table; in a transaction of the caller's. How many rows."""
    tables = connection.execute(
        'SELECT t.name, c."notnull" OR c.pk FROM sqlite_schema t, pragma_table_info(t.name) c'
        " WHERE t.type = 'table' AND c.name = 'lifter'"
    ).fetchall()
    return sum(
        connection.execute(
            f"DELETE FROM {name} WHERE lifter = ?" if needed else f"UPDATE {name} SET lifter = NULL WHERE lifter = ?",
            (lifter,),
        ).rowcount
        for name, needed in tables
    )


def forget_set_aside(path: Path, lifter: str) -> list[Path]:
    """What had to be removed. Raises OSError where the disk does not let us."""
    removed = []
    for aside in sorted(path.parent.glob(f"{path.name}.corrupt-*")):
        if not aside.name.rpartition("-")[2].isdecimal():
            continue  # a log or index of one
        parts = [aside.with_name(aside.name + suffix) for suffix in SUFFIXES]
        if not _mention(parts, lifter):
            continue
        with suppress(sqlite3.Error), closing(sqlite3.connect(aside, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete=ON")
            take_off(connection, lifter)
            connection.execute("PRAGMA journal_mode=DELETE")
        if _mention(parts, lifter):
            for part in parts:
                part.unlink(missing_ok=True)
            removed.append(aside)
    return removed


def _mention(paths: Iterable[Path], lifter: str) -> bool:
    return any(path.exists() and lifter.encode() in path.read_bytes() for path in paths)
