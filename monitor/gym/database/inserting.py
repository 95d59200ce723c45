"""Inserts rows whose keys may exist already, with the words of each kind of database."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """A row whose key exists stays as it is, so the same rows may be given again."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def insert_or_change(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], kept: Collection[str] = ()
) -> None:
    """A row whose key exists gets the new values, except in the columns `kept`. All rows have the same columns."""
    if not rows:
        return
    statement = _insert(connection, table)
    keys = table.primary_key.columns
    values = {name: statement.excluded[name] for name in rows[0] if name not in keys and name not in kept}
    connection.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=values), rows)


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
