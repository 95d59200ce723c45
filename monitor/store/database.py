"""Opens the SQLite file of a store: committed data is on disk, and a damaged file is recognised.

WAL with synchronous=FULL: in simulated power cuts NORMAL lost every committed event and FULL lost none. One connection
writes and checkpoints; all others are read-only.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from monitor.state.folders import make_private
from monitor.store.stored import MOST_SEQ

SCHEMA_VERSION = 1
PAGE_BYTES = 2048  # of a new store: an event writes two pages, and half the default size saves a third of the writing
CACHE_KIB = 512  # of pages in memory: events are written once and rarely read
STEPS_AT_ONCE = 10_000  # of SQLite's machine, between two looks at a budget
STEPS_A_BYTE = 10  # of a file; a row takes about 20, and has at least 20 bytes
BUSY_S = 1.0  # how long to wait for a reader
_STORE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_APPLICATION_ID = 0x5245504D  # "REPM"
_SCHEMA = """
CREATE TABLE meta (store_id TEXT NOT NULL, clean INTEGER NOT NULL);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice, even after the newest was removed
    stored_unix_s REAL NOT NULL,
    kind TEXT NOT NULL,
    session TEXT NOT NULL,
    record BLOB NOT NULL                    -- the JSON of EVENTS.md 3
);
CREATE TABLE sessions (
    session TEXT PRIMARY KEY,
    started_unix_s REAL NOT NULL,
    ended_unix_s REAL,
    lifter TEXT,
    recording TEXT,
    summary TEXT                            -- JSON, null until the session ends
) WITHOUT ROWID;
CREATE TABLE sets (
    session TEXT NOT NULL,
    number INTEGER NOT NULL,
    stored_unix_s REAL NOT NULL,
    lifter TEXT,
    record BLOB NOT NULL,                   -- the set_end of EVENTS.md 4
    PRIMARY KEY (session, number)
) WITHOUT ROWID;
CREATE INDEX sets_by_lifter ON sets (lifter) WHERE lifter IS NOT NULL;
"""
_TABLES = {
    "meta": {"store_id", "clean"},
    "events": {"seq", "stored_unix_s", "kind", "session", "record"},
    "sessions": {"session", "started_unix_s", "ended_unix_s", "lifter", "recording", "summary"},
    "sets": {"session", "number", "stored_unix_s", "lifter", "record"},
}
_UNSOUND = {
    sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CONSTRAINT,  # it has no table of ours
    sqlite3.SQLITE_INTERRUPT,  # by _Budget
}  # fmt: skip
_REFUSED = {
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_TOOBIG,
}  # fmt: skip
_CLOSED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}  # to this user


class StoreError(Exception):
    """The disk refused: this call stored nothing, and the same call may succeed later."""


class StoreVersionError(Exception):
    """A newer rep-monitor made this store. Nothing was changed; only a newer rep-monitor can open it."""


class DamagedError(Exception):
    """The file is not an intact database of rep-monitor."""


class Opened(NamedTuple):
    """An intact store. It contains no event if `first_seq` is above `last_seq`."""

    connection: sqlite3.Connection
    store_id: str
    first_seq: int
    last_seq: int


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Opens the file without checking it. Only a writer creates a missing file. Raises StoreError, DamagedError."""
    with classified_errors(path):
        if read_only:
            uri = f"{path.absolute().as_uri()}?mode=ro"
            return _careful(
                sqlite3.connect(uri, timeout=BUSY_S, uri=True, isolation_level=None, check_same_thread=False)
            )
        make_private(path.parent)
        return _careful(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False))


def connect_frozen(path: Path) -> sqlite3.Connection:
    """Opens a copy that nobody changes, without any file beside it. Raises StoreError, DamagedError."""
    with classified_errors(path):
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None)
        connection.set_progress_handler(_Budget(path.stat().st_size).is_spent, STEPS_AT_ONCE)
        return _careful(connection)


class _Budget:
    """Ends a reader that has taken more steps than the file has content for: pages of a forged file may repeat."""

    def __init__(self, file_bytes: int) -> None:
        self._left = 1_000_000 + STEPS_A_BYTE * file_bytes

    def is_spent(self) -> bool:
        self._left -= STEPS_AT_ONCE
        return self._left < 0


def check_copy(copy: sqlite3.Connection, path: Path) -> int:
    """The last seq of a copy whose rows can be taken. Triggers and views are not run. Raises DamagedError."""
    with classified_errors(path, forged=True):
        if _check_version(copy, path, check=check_columns) == 0:
            raise DamagedError("it is empty")
        return newest_seq(copy)


def _careful(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Text that is no UTF-8 is read with replacements, and no function of the schema may have an effect."""
    connection.text_factory = lambda data: data.decode(errors="replace")
    connection.execute("PRAGMA trusted_schema=OFF")
    return connection


def examine(connection: sqlite3.Connection, path: Path, *, read_only: bool) -> Opened:
    """Creates the tables of a new store; checks every page of one that was not closed properly. Raises DamagedError."""
    with classified_errors(path, forged=True):
        if not read_only:
            connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", f"cache_size=-{CACHE_KIB}"):
                connection.execute(f"PRAGMA {pragma}")
        version = _check_version(connection, path)
        if not read_only:
            if version == 0:
                _create(connection)
            else:
                _check_pages(connection)
            connection.execute("UPDATE meta SET clean = 0")
        row = connection.execute("SELECT store_id FROM meta").fetchone()
        if row is None or not isinstance(row[0], str) or not _STORE_ID.fullmatch(row[0]):
            raise DamagedError("its id is missing")
        (first,) = connection.execute("SELECT min(seq) FROM events WHERE seq > 0").fetchone()
        last_seq = newest_seq(connection)
        return Opened(connection, row[0], last_seq + 1 if first is None else first, last_seq)


def newest_seq(connection: sqlite3.Connection) -> int:
    """The last number that was given to an event; 0 before the first. Raises DamagedError."""
    (newest,) = connection.execute("SELECT max(seq) FROM events").fetchone()
    given = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    last_seq = max(newest or 0, given[0] if given and isinstance(given[0], int) else 0)
    if not 0 <= last_seq < MOST_SEQ:
        raise DamagedError(f"an event has the number {last_seq}")
    return last_seq


def check_passive(connection: sqlite3.Connection) -> None:
    """Nothing in the schema runs when a row is written. Raises DamagedError."""
    odd = connection.execute("SELECT type FROM sqlite_schema WHERE type NOT IN ('table', 'index') LIMIT 1").fetchone()
    if odd is not None:
        raise DamagedError(f"it contains a {odd[0]!r:.20}, which no store has")


def check_schema(connection: sqlite3.Connection) -> None:
    """Plain tables with our columns, and nothing that runs by itself. Raises DamagedError."""
    check_passive(connection)
    check_columns(connection)


def check_columns(connection: sqlite3.Connection) -> None:
    """Our tables are plain ones with our columns. Raises DamagedError."""
    plain = {name for _, name, kind, *_ in connection.execute("PRAGMA table_list") if kind == "table"}
    for table, columns in _TABLES.items():
        found = {name: hidden for _, name, *_, hidden in connection.execute(f"PRAGMA table_xinfo({table})")}
        if table not in plain or not found.keys() >= columns:
            raise DamagedError(f"its table {table} is missing or has other columns")
        if any(found.values()):
            raise DamagedError(f"its table {table} contains computed columns")


FileId = tuple[int, int]


def log_of(path: Path) -> Path:
    """The write-ahead log of a store."""
    return path.with_name(path.name + "-wal")


def remove_log(path: Path, own: FileId | None) -> None:
    """Removes the log of a store that is no longer at its path; SQLite would take it for that of the file there."""
    with classified_errors(path):
        if own is not None and file_id(log_of(path)) == own:
            log_of(path).unlink()
            path.with_name(path.name + "-shm").unlink(missing_ok=True)


def file_id(path: Path) -> FileId | None:
    """Device and inode of the file; None if there is none. Raises StoreError if its folder cannot be read."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be used ({error.strerror}): make its folder readable") from error
    return found.st_dev, found.st_ino


def set_aside(path: Path) -> Path:
    """Renames a damaged store and its logs. Nothing is deleted or replaced. Returns the new path."""
    number = 1
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    with classified_errors(path):
        for suffix in ("", "-wal", "-shm"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
    return aside


@contextmanager
def classified_errors(path: Path, *, forged: bool = False) -> Iterator[None]:
    """Turns errors of SQLite and the system into StoreError or DamagedError; a programming error passes unchanged.

    `forged`: the file may contain anything, so a generic error of SQLite is damage, too ("unsupported file format").
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise DamagedError("it contains text that is not UTF-8") from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the extended code
        if code in _UNSOUND or (forged and code == sqlite3.SQLITE_ERROR):
            raise DamagedError(str(error)) from error
        if code in _REFUSED:
            yours = "make it a file that this user may read and write, in a folder that this user may write"
            remedy = yours if code in _CLOSED else "free disk space, or repair the disk"
            raise StoreError(f"{path} cannot be used ({error}): {remedy}") from error
        raise
    except OSError as error:
        raise StoreError(f"{path} cannot be used ({error.strerror}): make its folder writable") from error


def _check_pages(connection: sqlite3.Connection) -> None:
    """Checks all pages, unless the store was closed properly."""
    if connection.execute("SELECT 1 FROM meta WHERE clean").fetchone() is None:
        (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise DamagedError(verdict)


def _check_version(
    connection: sqlite3.Connection, path: Path, check: Callable[[sqlite3.Connection], None] = check_schema
) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if application_id != (_APPLICATION_ID if tables else 0):
        raise DamagedError("it is a database of another program")
    if version > SCHEMA_VERSION:
        raise StoreVersionError(
            f"{path} has version {version}; this rep-monitor knows versions up to {SCHEMA_VERSION}:"
            " use a newer rep-monitor"
        )
    if tables:
        check(connection)
    return int(version)


def _create(connection: sqlite3.Connection) -> None:
    connection.executescript(
        f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA application_id = {_APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};"
        f"INSERT INTO meta VALUES ('{uuid4().hex}', 1); COMMIT;"
    )
