"""A store as one file elsewhere, and back: a copy that is whole while the daemon goes on writing."""

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from monitor.store.database import DamagedError, StoreError, connect, told_apart
from monitor.store.store import Store


def copy_store(path: Path, to: Path) -> None:
    """One moment of it, by SQLite's backup; raises StoreError where it cannot be read or is damaged."""
    try:
        with (
            closing(connect(path, read_only=True)) as source,
            told_apart(path),
            closing(sqlite3.connect(to, isolation_level=None)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
            (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise DamagedError(verdict)
    except DamagedError as error:
        to.unlink(missing_ok=True)
        raise StoreError(f"{path} is damaged ({error}): restart the daemon, which sets it aside") from error


def renew(path: Path) -> tuple[str, int]:
    """Makes a copy a store of its own; its new id and its last seq. Raises StoreVersionError, StoreError.

    Under the old id consumers may have seen more than it holds, and would take what comes for what they have.
    """
    with Store(path) as store:
        if store.store_id is None or store.set_aside is not None:
            raise StoreError(f"{path} is no store of rep-monitor: take another backup")
        store_id = uuid4().hex
        store.take_id(store_id)
        last_seq = store.last_seq
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")
    return store_id, last_seq
