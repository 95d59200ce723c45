"""Copies a store to one file while the daemon writes to it, and turns a copy into a store again."""

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from monitor.store.database import DamagedError, StoreError, classified_errors, connect
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
    except DamagedError as error:
        to.unlink(missing_ok=True)
        raise StoreError(f"{path} is damaged ({error}): restart the daemon; it sets the file aside") from error


def renew(path: Path) -> tuple[str, int]:
    """Gives a copy a store id of its own. Returns the new id and the last seq. Raises StoreVersionError, StoreError.

    A consumer may have seen more events of the old store than the copy contains. With the old id it would take new
    events for ones that it already has.
    """
    with Store(path) as store:
        if store.store_id is None or store.set_aside is not None:
            raise StoreError(f"{path} is not a store of rep-monitor: use another backup")
        store_id = uuid4().hex
        store.take_id(store_id)
        last_seq = store.last_seq
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")
    return store_id, last_seq
