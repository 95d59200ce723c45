"""Opens the gym's database: reading is a snapshot, writing is one transaction that is on disk when it ends.

    database = open_database("sqlite:////var/lib/rep-monitor/gym/gym.db")
    with database.reading() as connection:      # a SQLAlchemy Connection
        rows = connection.execute(select(clients)).all()
    with database.writing() as connection:      # commits at the end of the block, unless it raises
        connection.execute(insert(clients), [...])

Both calls wait for the disk or the network, so code on an event loop calls them in a thread. SQLite runs with WAL and
synchronous=FULL: in simulated power cuts NORMAL lost committed transactions and FULL lost none.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url

from monitor.gym.database.errors import DatabaseAway, DatabaseError, classified_errors
from monitor.gym.database.migrate import migrate
from monitor.state.folders import make_private
from monitor.state.whole_file import PRIVATE_FILE, owned_as_its_folder

BUSY_S = 10.0  # how long a write waits for another one, or a connection for the server
SILENT_S = 15  # after which a server that acknowledges nothing is gone


class Database:
    """An open database, made by `open_database`. May be used from any thread."""

    def __init__(self, engine: Engine, place: str) -> None:
        self.place = place  # for messages, without the password
        self.engine = engine
        self._opened = None if self.file is None else _identity(self.file)
        self._snapshot = {} if self.file is not None else {"isolation_level": "REPEATABLE READ"}
        self.writer = threading.Lock()  # keeps the writers of this process apart

    @property
    def file(self) -> Path | None:
        """The file of SQLite; None for a server."""
        return None if self.engine.dialect.name != "sqlite" else Path(str(self.engine.url.database))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A snapshot of what has been committed. Raises DatabaseAway."""
        self._check_place()
        with classified_errors(self.place), self.engine.connect() as connection:
            yield connection.execution_options(**self._snapshot)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction. It is rolled back when the block raises. Raises DatabaseAway."""
        self._check_place()
        with (
            self.writer,
            classified_errors(self.place),
            self.engine.connect() as connection,
            writing_on(connection),
        ):
            yield connection

    @contextmanager
    def outside_transaction(self) -> Iterator[Connection]:
        """For commands that a transaction does not allow, such as VACUUM. Raises DatabaseAway."""
        options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "outside": True}
        with classified_errors(self.place), self.engine.connect() as connection:
            yield connection.execution_options(**options)

    def close(self) -> None:
        self.engine.dispose()

    def _check_place(self) -> None:
        """What is written to a file that has lost its name is lost with the process."""
        if self.file is not None and _identity(self.file) != self._opened:
            sentence = f"{self.place} was moved, removed or replaced: put it back, or start the program again"
            raise DatabaseAway(sentence)


def _identity(file: Path) -> tuple[int, int] | None:
    """Device and inode of the file; None if there is no file of this name."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def writing_on(connection: Connection) -> Iterator[Connection]:
    """One transaction on an open connection."""
    with connection.execution_options(writes=True).begin():
        yield connection


def open_existing(url: str | URL) -> Database:
    """As `open_database`, for programs that have no use for a new database, such as one at a mistyped address."""
    return _open(url, makes_file=False)


def open_database(url: str | URL) -> Database:
    """Creates or migrates the tables. Raises DatabaseError; DatabaseAway if a server does not answer yet."""
    return _open(url, makes_file=True)


def _open(url: str | URL, makes_file: bool) -> Database:
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise DatabaseError(
            f"{url!r} is not the address of a database: give sqlite:///FILE or postgresql://..."
        ) from error
    match parsed.get_backend_name():
        case "sqlite":
            database = _open_file(parsed, makes_file)
        case "postgresql":
            database = _open_server(parsed)
        case other:
            raise DatabaseError(f"{other} is not supported: give sqlite:///FILE or postgresql://USER@HOST/NAME")
    try:
        with database.writing() as connection:
            migrate(connection, database.place)
    except BaseException:
        database.close()
        raise
    return database


def _open_file(url: URL, makes_file: bool) -> Database:
    if url.database in (None, "", ":memory:"):
        raise DatabaseError("the url names no file: give sqlite:///FILE")
    path = Path(url.database)
    if not (makes_file or path.exists()):
        raise DatabaseError(
            f"there is no database {path}: correct [store] url, or start `rep-monitor gym`, which makes it"
        )
    try:
        make_private(path.parent)
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE))
            owned_as_its_folder(path)
    except OSError as error:
        raise DatabaseError(f"{path} cannot be created ({error.strerror}): make its folder writable") from error
    engine = _engine(url.set(drivername="sqlite"), connect_args={"timeout": BUSY_S})
    event.listen(engine, "connect", _prepare_file)
    event.listen(engine, "begin", _begin)
    return Database(engine, str(path))


def _prepare_file(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # so that `_begin` decides, and a migration is one transaction, too
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("outside", False):
        return
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _open_server(url: URL) -> Database:
    try:
        engine = _engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,  # the server may have been started anew
            connect_args={
                "connect_timeout": int(BUSY_S),
                "tcp_user_timeout": SILENT_S * 1000,
                "options": f"-c tcp_keepalives_idle={SILENT_S} -c tcp_user_timeout={SILENT_S * 1000}",  # the server's
            },
        )
    except ModuleNotFoundError as error:
        raise DatabaseError("PostgreSQL needs psycopg: pip install 'rep-monitor[postgres]'") from error
    return Database(engine, url.set(drivername="postgresql").render_as_string(hide_password=True))


def _engine(url: URL, **options: Any) -> Engine:
    return create_engine(
        url,
        json_serializer=lambda value: msgspec.json.encode(value).decode(),  # a msgspec.Raw passes as it is
        json_deserializer=msgspec.json.decode,
        **options,
    )
