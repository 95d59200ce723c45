"""Inserts the rows that a table does not have yet, with the words of each kind of database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """A row whose key exists stays as it is, so the same rows may be given again."""
    if not rows:
        return
    kind = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(kind(table).on_conflict_do_nothing(), rows)
