"""The statements that read and copy the rows of a store; of a column that is too long they read nothing."""

import sqlite3
from collections.abc import Iterator
from typing import Any

from monitor.store.database import StoreError
from monitor.store.stored import MOST_RECORD_BYTES, SessionRow, SetRow, StoredEvent

COPIED_AT_ONCE = 1000  # rows: bounds the memory of a copy
RECORD = f"CASE WHEN typeof(record) = 'blob' AND length(record) <= {MOST_RECORD_BYTES} THEN record END"
SUMMARY = f"CASE WHEN summary IS NULL OR length(summary) <= {MOST_RECORD_BYTES} THEN summary ELSE '' END"
ROWS: tuple[tuple[type[StoredEvent | SetRow | SessionRow], str, str], ...] = (
    (
        StoredEvent,
        f"SELECT seq, '-', stored_unix_s, kind, session, {RECORD} FROM events",
        "INSERT OR IGNORE INTO events VALUES (:seq, :stored_unix_s, :kind, :session, :record)",
    ),
    (
        SetRow,
        f"SELECT session, number, stored_unix_s, lifter, {RECORD} FROM sets",
        "INSERT OR IGNORE INTO sets VALUES (:session, :number, :stored_unix_s, :lifter, :record)",
    ),
    (
        SessionRow,
        f"SELECT session, started_unix_s, ended_unix_s, lifter, recording, {SUMMARY} FROM sessions",
        "INSERT OR IGNORE INTO sessions VALUES"
        " (:session, :started_unix_s, :ended_unix_s, :lifter, :recording, :summary_json)",
    ),
)


def rows_of(copy: sqlite3.Connection, query: str) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a copy, many at a time. Raises StoreError for its damage: the store that takes them has none."""
    try:
        rows = copy.execute(query)
        while values := rows.fetchmany(COPIED_AT_ONCE):
            yield values
    except sqlite3.DatabaseError as error:
        raise StoreError(f"the copy cannot be read further ({error})") from error
