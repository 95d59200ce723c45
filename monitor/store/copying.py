"""Copies a store to one file while the daemon writes to it, and turns a copy into a store again."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from monitor.store.database import (
    DamagedError,
    StoreError,
    check_copy,
    classified_errors,
    connect,
    connect_frozen,
)
from monitor.store.store import Store


def copy_store(path: Path, to: Path) -> None:
    """A consistent snapshot by SQLite's backup. Raises StoreError if the store is damaged or cannot be read."""
    try:
        with (
            closing(connect(path, read_only=True)) as source,
            classified_errors(path),
            closing(sqlite3.connect(to, isolation_level=None)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, no write-ahead log beside it
            (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise DamagedError(verdict)
    except StoreError as error:
        if getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:  # the store is only read
            raise StoreError(f"a copy of {path} does not fit on the disk of {to}: free disk space there") from error
        raise
    except DamagedError as error:
        to.unlink(missing_ok=True)
        raise StoreError(f"{path} is damaged ({error}): restart the daemon; it sets the file aside") from error


class Rebuilt(NamedTuple):
    """A new store made of a copy."""

    store_id: str
    last_seq: int
    left_out: int  # rows that could not be read


def rebuild(source: Path, path: Path) -> Rebuilt:
    """Makes a new store at `path` of the sound rows of a copy.

    Only rows are copied, so nothing else in the copy has an effect: no trigger, no view, no table of another program.
    The id is new: a consumer may have seen more events of the old store than the copy contains, and with the old id it
    would take new events for ones that it already has. Raises StoreVersionError, StoreError.
    """
    try:
        with (
            classified_errors(source, forged=True),
            closing(connect_frozen(source)) as copy,
            Store(path) as store,
        ):
            last_seq = check_copy(copy, source)
            left_out = store.take_rows(copy, last_seq)
            assert store.store_id is not None  # take_rows has written
            store_id = store.store_id
    except (DamagedError, StoreError) as error:
        raise StoreError(f"{source.name} is not a store of rep-monitor, or it is damaged ({error})") from error
    with closing(sqlite3.connect(path, isolation_level=None)) as fresh:
        fresh.execute("PRAGMA journal_mode=DELETE")
    return Rebuilt(store_id, last_seq, left_out)
