"""Makes sure that one process collects into a database: two would take each event twice, or out of order.

SQLite: a lock on a file beside the database, which the kernel releases however the process ends. PostgreSQL: an
advisory lock for each site, held by the very connection that writes; so when the connection ends, nothing is written
until the lock is held again. Other processes may read and write beside the owner (export, backup, forget).
"""

import fcntl
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from monitor.gym.database.database import Database, writing_on
from monitor.gym.database.errors import DatabaseAway, DatabaseError, classified_errors
from monitor.gym.database.migrate import LOCK
from monitor.state.whole_file import PRIVATE_FILE, owned_as_its_folder

TAKEN_WITHIN_S = 3.0  # the server may still hold the lock of a collector that was killed a moment ago


class DatabaseOwned(DatabaseError):
    """Another process collects into this database."""


class Owner:
    """The right to collect into the database, made by `owning`."""

    def __init__(self, database: Database, sites: Sequence[str]) -> None:
        self._database = database
        self._sites = sites
        self._connection: Connection | None = None  # to PostgreSQL

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """As Database.writing, and only while the right is held. Raises DatabaseAway."""
        if self._database.file is not None:
            with self._database.writing() as connection:
                yield connection
            return
        try:
            with (
                self._database.writer,
                classified_errors(self._database.place),
                writing_on(self._connection or self.take()) as connection,
            ):
                yield connection
        except DatabaseOwned as error:
            self.close()
            raise DatabaseAway(str(error)) from error
        except DatabaseAway:
            self.close()
            raise

    def take(self) -> Connection:
        """A connection to PostgreSQL that holds the locks. Raises DatabaseOwned, DatabaseAway."""
        with classified_errors(self._database.place):
            self._connection = self._database.engine.connect()
            until_s = time.monotonic() + TAKEN_WITHIN_S
            for site in self._sites:
                while not _took(self._connection, site):
                    if time.monotonic() > until_s:
                        raise DatabaseOwned(_taken(self._database.place, site))
                    time.sleep(0.1)
            self._connection.commit()
            return self._connection

    def close(self) -> None:
        """Gives the right up."""
        if self._connection is not None:
            self._connection.invalidate()  # the lock ends with the session
            self._connection.close()
            self._connection = None


@contextmanager
def owning(database: Database, sites: Sequence[str]) -> Iterator[Owner]:
    """Holds the right to collect these sites. Raises DatabaseOwned, DatabaseError."""
    owner = Owner(database, sites)
    with ExitStack() as stack:
        if database.file is not None:
            stack.enter_context(_locked_file(database.file))
        else:
            stack.callback(owner.close)
            owner.take()
        yield owner


def _took(connection: Connection, site: str) -> bool:
    lock = {"program": LOCK, "site": zlib.crc32(site.encode()) - 2**31}  # two signed numbers of 32 bits
    return bool(connection.execute(text("SELECT pg_try_advisory_lock(:program, :site)"), lock).scalar())


@contextmanager
def _locked_file(database: Path) -> Iterator[None]:
    path = database.resolve().with_name(database.name + ".owner")
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
    except OSError as error:
        raise DatabaseError(f"{path} cannot be opened ({error.strerror}): make its folder writable") from error
    try:
        owned_as_its_folder(path)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DatabaseOwned(_taken(str(database), "")) from error
        yield
    finally:
        os.close(fd)


def _taken(place: str, site: str) -> str:
    return f"another collector writes {site or 'everything'} to {place}: stop it first, or give another database"
