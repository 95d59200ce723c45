"""Copies a whole database into an empty one of either kind: backup, restore, and moving to PostgreSQL."""

from pathlib import Path

from sqlalchemy import URL, insert, select

from monitor.gym.database.database import Database, open_database
from monitor.gym.database.errors import DatabaseError
from monitor.gym.database.tables import metadata

ROWS_AT_ONCE = 1000


def back_up(database: Database, file: Path) -> int:
    """Writes a snapshot to a new SQLite file, also while a gym collects. Returns the rows. Raises DatabaseError."""
    if file.exists():
        raise DatabaseError(f"{file} exists: give the name of a new file")
    backup = open_database(_url(file))
    try:
        return copy_rows(database, backup)
    except BaseException:
        backup.close()  # now, because it removes its log
        for suffix in ("", "-journal", "-wal", "-shm"):  # and no file whose name only begins in the same way
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        raise
    finally:
        backup.close()


def restore(database: Database, file: Path) -> int:
    """Copies a backup into an empty database. Returns the rows. Raises DatabaseError."""
    if not file.is_file():
        raise DatabaseError(f"{file}: no such file; check the path")
    backup = open_database(_url(file))
    try:
        return copy_rows(backup, database)
    finally:
        backup.close()


def copy_rows(source: Database, target: Database) -> int:
    """In one transaction. Raises DatabaseError if the target is not empty."""
    copied = 0
    with source.reading() as reader, target.writing() as writer:
        for table in metadata.sorted_tables:
            if writer.execute(select(table).limit(1)).first() is not None:
                raise DatabaseError(f"{target.place} is not empty: give a new database")
            for rows in reader.execute(select(table)).mappings().partitions(ROWS_AT_ONCE):
                writer.execute(insert(table), [dict(row) for row in rows])
                copied += len(rows)
    return copied


def _url(file: Path) -> URL:
    """Also of a file whose name has the signs of an address, such as `?`."""
    return URL.create("sqlite", database=str(file))
