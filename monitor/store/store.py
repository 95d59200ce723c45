"""The store of one machine: numbered event records, and summaries of its sets and sessions.

    stored = store.append(events)       the events are on disk when this returns; publish them only then
    store.after(seq, limit)             the events that follow `seq`
    store.store_id                      a new id means a new store: a consumer starts over

A call raises StoreError if the disk refuses; the next call tries again. A damaged file is renamed and a new store
begins. Calls are thread-safe. Each waits for the disk, so none may be made from an event loop.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import msgspec

from monitor.events import AnyEvent, SetEnd, encode
from monitor.store import database
from monitor.store.database import DamagedError, Opened, StoreError, classified_errors
from monitor.store.forgetting import remove_lifter
from monitor.store.index_file import IndexFile
from monitor.store.row_queries import RECORD, ROWS, SUMMARY, rows_of
from monitor.store.stored import Row, SessionRow, SetRow, StoredEvent, StoredSet, read_name, sound

SPARED_EVENTS = 1000  # the newest are never too old: a machine without a clock battery may date them decades ago
DAY_S = 86_400.0
MOST_ODD_ROWS = 1000  # that are remembered and reported
SHOWN_S = 60.0  # how long `trouble` names a file that was replaced
_GONE = "was replaced, moved or removed while it was in use"
_log = logging.getLogger(__name__)


class Store:
    """The only writer, or with `read_only` one of many readers."""

    def __init__(self, path: Path, *, read_only: bool = False, clock: Callable[[], float] = time.time) -> None:
        """Raises StoreVersionError. If the disk refuses, a later call opens the store."""
        self.path = path
        self.store_id: str | None = None  # None until the store is open
        self.set_aside: Path | None = None  # the damaged store that this one replaces
        self.first_seq = 1  # above last_seq if the store contains no event
        self.last_seq = 0
        self._odd: set[tuple[Any, ...]] = set()
        self._read_only = read_only
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._file: database.FileId | None = None  # the open one
        self._log_file: database.FileId | None = None
        self._index = IndexFile(path)
        self._shown_until_s = 0.0  # until then a replaced file is reported
        self._turn = threading.Lock()
        with self._turn, suppress(StoreError):  # the next call raises it
            self._open()

    @property
    def odd_rows(self) -> int:
        """Rows that were skipped so far, because they cannot be read."""
        return len(self._odd)

    def open(self) -> None:
        """Opens the store, where it is not open yet. Raises StoreError."""
        with self._reading():
            pass

    def append(self, events: Sequence[AnyEvent]) -> list[StoredEvent]:
        """Stores all events or none. A `set_end` also becomes a row in `sets`. Raises StoreError."""
        now_s = self._clock()
        with self._transaction() as connection:
            stored = []
            for event in events:
                record = encode(event)
                row = (now_s, event.kind, event.session, record)
                seq = connection.execute(
                    "INSERT INTO events (stored_unix_s, kind, session, record) VALUES (?, ?, ?, ?)", row
                ).lastrowid
                assert seq is not None
                assert self.store_id is not None
                stored.append(StoredEvent(seq, self.store_id, *row))
                if isinstance(event, SetEnd) and event.set is not None:
                    lifter = "(SELECT lifter FROM sessions WHERE session = ?)"
                    connection.execute(
                        f"INSERT OR REPLACE INTO sets VALUES (?, ?, ?, {lifter}, ?)",
                        (event.session, event.set, now_s, event.session, record),
                    )
        if stored:
            self.last_seq = stored[-1].seq
        return stored

    def after(self, seq: int, limit: int) -> list[StoredEvent]:
        """The next records in order, at most `limit`. Raises StoreError."""
        query = f"SELECT seq, ?, stored_unix_s, kind, session, {RECORD} FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
        found: list[StoredEvent] = []
        with self._reading() as connection:
            while not found:  # more than `limit` odd rows may follow each other
                rows = connection.execute(query, (self.store_id, seq, limit)).fetchall()
                if not rows:
                    break
                found = self._sound(StoredEvent, rows)
                seq = rows[-1][0]
        return found

    def sets_after(self, seq: int, limit: int) -> list[StoredSet]:
        """The `set_end` records after an event, in order, at most `limit`, with their lifters. Raises StoreError."""
        query = (
            f"SELECT seq, ?, stored_unix_s, kind, session, {RECORD} FROM events"
            " WHERE kind = 'set_end' AND seq > ? ORDER BY seq LIMIT ?"
        )
        who = "SELECT lifter FROM sets WHERE session = ? AND number = ?"
        found: list[StoredSet] = []
        with self._reading() as connection:
            while not found:
                rows = connection.execute(query, (self.store_id, seq, limit)).fetchall()
                if not rows:
                    break
                for event in self._sound(StoredEvent, rows):
                    row = connection.execute(who, (event.session, event.event.set)).fetchone()
                    lifter = read_name(row[0]) if row else None
                    found.append(StoredSet(**msgspec.structs.asdict(event), lifter=lifter))
                seq = rows[-1][0]
        return found

    def begin_session(self, session: str, *, lifter: str | None = None, recording: str | None = None) -> None:
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO sessions (session, started_unix_s, lifter, recording) VALUES (?, ?, ?, ?)",
                (session, self._clock(), lifter, recording),
            )

    def end_session(self, session: str, summary: dict[str, Any]) -> None:
        self._note(session, {"ended_unix_s": self._clock(), "summary": msgspec.json.encode(summary).decode()})

    def change_lifter(self, session: str, lifter: str | None) -> None:
        """For the sets to come; the sets that have ended keep their lifter."""
        self._note(session, {"lifter": lifter})

    def _note(self, session: str, values: dict[str, Any]) -> None:
        """Also adds the session, because the disk may have refused its beginning."""
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        with self._transaction() as connection:
            connection.execute(
                f"INSERT INTO sessions (session, started_unix_s, {names}) VALUES (?, ?, {marks})"
                f" ON CONFLICT DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in values)}",
                (session, self._clock(), *values.values()),
            )

    def remove_lifter(self, lifter: str) -> dict[str, int]:
        """Removes the lifter's id from every row. Returns the changed rows by table. Call `checkpoint` afterwards.

        secure_delete overwrites the id in the pages and the checkpoint removes it from the log, so no VACUUM has to
        block the store.
        """
        with self._transaction() as connection:
            return remove_lifter(connection, lifter)

    def checkpoint(self) -> None:
        """Empties the write-ahead log, which still contains old pages. Raises StoreError while somebody reads."""
        with self._reading() as connection:
            (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreError(f"{self.path} is in use, so its log still contains the id: close the reader and try again")

    def take_rows(self, copy: sqlite3.Connection, last_seq: int) -> int:
        """Takes the sound rows of a copy into this new store, in one transaction. Returns how many were not sound.

        Raises StoreError if either cannot be read further.
        """
        left_out = 0
        with self._transaction() as connection:
            for kind, query, insert in ROWS:
                for values in rows_of(copy, query):
                    taken = [row for one in values if (row := sound(kind, one)) is not None]
                    added = connection.executemany(insert, [msgspec.structs.asdict(row) for row in taken])
                    left_out += len(values) - added.rowcount
            connection.execute("DELETE FROM sqlite_sequence")
            connection.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (last_seq,))
        self.last_seq = last_seq
        return left_out

    def newest_lifter(self) -> str | None:
        """The lifter of the newest set, None if it has none, or if its row is odd."""
        with self._reading() as connection:
            row = connection.execute("SELECT lifter FROM sets ORDER BY stored_unix_s DESC LIMIT 1").fetchone()
        return read_name(row[0]) if row else None

    def sessions(self, lifter: str | None = None, limit: int = 1000) -> list[SessionRow]:
        """The latest first; with `lifter`, only the sessions in which they did a set."""
        query = (
            f"SELECT session, started_unix_s, ended_unix_s, lifter, recording, {SUMMARY} FROM sessions"
            " WHERE :lifter IS NULL OR lifter = :lifter OR session IN (SELECT session FROM sets WHERE lifter = :lifter)"
            " ORDER BY started_unix_s DESC LIMIT :limit"
        )
        with self._reading() as connection:
            rows = connection.execute(query, {"lifter": lifter, "limit": limit}).fetchall()
        return self._sound(SessionRow, rows)

    def sets(self, session: str) -> list[SetRow]:
        query = f"SELECT session, number, stored_unix_s, lifter, {RECORD} FROM sets WHERE session = ? ORDER BY number"
        with self._reading() as connection:
            rows = connection.execute(query, (session,)).fetchall()
        return self._sound(SetRow, rows)

    def _sound(self, kind: type[Row], rows: Sequence[tuple[Any, ...]]) -> list[Row]:
        """The rows that can be read. The others are left in the store, counted and reported, each once."""
        found: list[Row] = []
        for values in rows:
            row = sound(kind, values)
            place = (kind.__name__, values[0], values[1])
            if row is not None:
                found.append(row)
            elif place not in self._odd and len(self._odd) < MOST_ODD_ROWS:
                self._odd.add(place)
                _log.warning("%s: a row is skipped, because it cannot be read: %.100r", self.path, place)
        return found

    def prune(self, keep_days: float, keep_events: int) -> int:
        """Removes events that are too old or too many; sets and sessions stay. Returns how many were removed.

        Only the oldest are removed, so the rest has no gap even if the wall clock was changed.
        """
        oldest_s = self._clock() - keep_days * DAY_S
        with self._transaction() as connection:
            young = connection.execute(
                "SELECT seq FROM events WHERE stored_unix_s >= ? ORDER BY seq LIMIT 1", (oldest_s,)
            ).fetchone()
            too_old = min(young[0] - 1 if young else self.last_seq, self.last_seq - SPARED_EVENTS)
            upto = max(too_old, self.last_seq - keep_events)
            count = connection.execute("DELETE FROM events WHERE seq <= ?", (upto,)).rowcount
        self.first_seq = max(self.first_seq, upto + 1)
        return count

    def close(self) -> None:
        """Marks the store as intact, so that the next start need not check every page."""
        with self._turn:
            with suppress(StoreError):
                self._look()
            if self._connection is not None:
                with suppress(sqlite3.Error):  # the next start then checks the pages
                    if not self._read_only:
                        self._connection.execute("UPDATE meta SET clean = 1")
                    self._connection.close()
                self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All changes are on disk when this ends, or none."""
        with self._reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # SQLite may have rolled back by itself
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Exclusive use of the connection, which is opened if needed. A file found damaged is set aside."""
        with self._turn:
            self._look()
            connection = self._connection or self._open()
            try:
                with classified_errors(self.path):
                    yield connection
                    self._index.note()
            except DamagedError as error:
                self._replace(connection, error)
                raise StoreError(f"{self.path} was damaged and is now {self.set_aside}: a new store begins") from error

    @property
    def trouble(self) -> str | None:
        """One sentence while the open file is not at its path, and for a minute after another was opened there."""
        try:
            if self._is_elsewhere:
                return f"{self.path} {_GONE}: the next record opens the one that is there, or a new one"
        except StoreError as error:
            return str(error)
        if time.monotonic() < self._shown_until_s:
            return f"{self.path} {_GONE}: the store there was opened anew; earlier records are in the old file"
        return None

    @property
    def _is_elsewhere(self) -> bool:
        """Whether the open file is no longer at its path. Raises StoreError."""
        return not (self._connection is None or self._read_only or database.file_id(self.path) == self._file)

    def _look(self) -> None:
        """Mends what was done to the files from outside. Raises StoreError."""
        with classified_errors(self.path):
            if self._index.mend():
                _log.error("%s-shm was shortened while it was in use: it is rebuilt", self.path)
        if self._is_elsewhere:
            self._leave()

    def _leave(self) -> None:
        """Leaves a file that is no longer at its path: what is written there would be gone at the next start."""
        assert self._connection is not None
        _log.error("%s %s: the store there is opened anew", self.path, _GONE)
        self._shown_until_s = time.monotonic() + SHOWN_S
        self._connection.close()
        self._connection = self.store_id = None
        database.remove_log(self.path, self._log_file)

    def _open(self, *, anew: bool = False) -> sqlite3.Connection:
        connection = database.connect(self.path, read_only=self._read_only)
        try:
            return self._take(database.examine(connection, self.path, read_only=self._read_only))
        except DamagedError as error:
            if anew:
                connection.close()
                raise StoreError(f"{self.path} is new and already damaged ({error}): replace the disk") from error
            return self._replace(connection, error)
        except BaseException:
            connection.close()
            raise

    def _take(self, opened: Opened) -> sqlite3.Connection:
        self._connection, self.store_id, self.first_seq, self.last_seq = opened
        self._file, self._log_file = database.file_id(self.path), database.file_id(database.log_of(self.path))
        self._index = IndexFile(self.path)
        self._index.note()
        return opened.connection

    def _replace(self, damaged: sqlite3.Connection, error: DamagedError) -> sqlite3.Connection:
        """Sets a damaged store aside and begins a new one."""
        self._connection = self.store_id = None
        try:
            if self._read_only:
                raise StoreError(f"{self.path} is damaged ({error}): restart the daemon; it sets the file aside")
            self.set_aside = database.set_aside(self.path)
        finally:  # after the renaming, because closing deletes the log
            damaged.close()
        _log.error("%s is damaged (%s): set aside as %s, a new store begins", self.path, error, self.set_aside.name)
        return self._open(anew=True)
