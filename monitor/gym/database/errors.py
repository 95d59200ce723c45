"""What can be wrong with the database, told apart by what the caller can do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

UNDEFINED_TABLE = "42P01"  # of PostgreSQL


class DatabaseError(Exception):
    """The database cannot be used; the message names the place and the remedy. Trying again does not help."""


class DatabaseAway(DatabaseError):
    """The database does not answer now. The transaction stored nothing; the same call may succeed later."""


@contextmanager
def classified_errors(place: str) -> Iterator[None]:
    """Turns errors of the database into DatabaseError or DatabaseAway; a programming error passes unchanged."""
    try:
        yield
    except exc.TimeoutError as error:
        raise DatabaseAway(f"{place} does not answer: {error}") from error
    except exc.DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        if _has_lost_tables(error):
            raise DatabaseError(f"{place} has lost its tables ({reason}): restore a backup") from error
        if _is_away(error):
            remedy = "start it" if "://" in place else "free its disk, or make the file and its folder writable"
            raise DatabaseAway(f"{place} cannot be used now ({reason}): {remedy}") from error
        if type(error) is exc.DatabaseError:  # SQLite: the file is damaged, or no database
            raise DatabaseError(f"{place} is damaged ({reason}): restore a backup") from error
        raise


def _has_lost_tables(error: exc.DBAPIError) -> bool:
    return str(error.orig).startswith("no such table") or getattr(error.orig, "sqlstate", None) == UNDEFINED_TABLE


def _is_away(error: exc.DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None and code & 0xFF == sqlite3.SQLITE_ERROR:  # for example a column that does not exist
        return False
    return isinstance(error, exc.OperationalError | exc.InterfaceError)
