"""Brings the tables to the version of this program, by the migrations in `migrations/`."""

from collections.abc import Iterable
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from monitor.gym.database import migrations
from monitor.gym.database.errors import DatabaseError

LOCK = 0x5245504D  # "REPM": two programs that start at the same moment migrate one after the other


def migrate(connection: Connection, place: str) -> None:
    """Runs the missing migrations inside the connection's transaction. Raises DatabaseError."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    folders = list(migrations.__path__)
    scripts = ScriptDirectory(folders[0], version_locations=folders)

    def missing(heads: Any, _context: MigrationContext) -> Iterable[MigrationStep]:
        return scripts._upgrade_revs("heads", heads)  # what alembic's own command `upgrade` calls

    context = MigrationContext.configure(connection, opts={"fn": missing})
    _check_version(connection, context, scripts, place)
    with Operations.context(context):
        context.run_migrations()


def _check_version(connection: Connection, context: MigrationContext, scripts: ScriptDirectory, place: str) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if newer := set(context.get_current_heads()) - known:
        version = ", ".join(sorted(newer))
        known_ones = f"this rep-monitor knows versions up to {max(known)}"
        raise DatabaseError(f"{place} has version {version}; {known_ones}: use a newer rep-monitor")
    if not context.get_current_heads() and (tables := inspect(connection).get_table_names()):
        named = ", ".join(sorted(tables)[:3])
        raise DatabaseError(f"{place} contains tables of another program ({named}): give an empty database in its url")
