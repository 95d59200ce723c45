"""The gym's database, in SQLite and in PostgreSQL."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, insert, select, text, update

from monitor.gym.database.database import Database, open_database
from monitor.gym.database.errors import DatabaseAway, DatabaseError
from monitor.gym.database.owner import DatabaseOwned, Owner, owning
from monitor.gym.database.tables import client_machines, clients, metadata
from tests import needs
from tests.gym.postgresql import PostgreSQL

HOLDER = """
import sys
from monitor.gym.database.database import open_database
from monitor.gym.database.owner import owning
with owning(open_database(sys.argv[1]), ["rep", "berlin/rep"]):
    print("held", flush=True)
    sys.stdin.read()
"""


def add(connection: Connection, name: str) -> None:
    connection.execute(insert(clients).values(client_id=f"c-{name}", name=name, created_unix_s=1.5))


def default_differs(*given: Any) -> bool | None:
    """None: Alembic decides, which does not know the empty text of SQLite."""
    *_, inspected, _, rendered = given
    return False if (inspected, rendered) == ("('')", "") else None


def test_the_migrations_make_the_tables(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": default_differs})
        assert compare_metadata(context, metadata) == []


def test_a_transaction_is_all_or_nothing(database: Database, url: str) -> None:
    def fail() -> None:
        with database.writing() as connection:
            add(connection, "ada")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.writing() as connection:
        add(connection, "bob")
        connection.execute(insert(client_machines).values(client_id="c-bob", site="rep", machine="leg-press"))
    again = open_database(url)
    with again.reading() as connection:
        assert connection.execute(select(clients)).one() == ("c-bob", "bob", None, "", 1.5)
        assert connection.execute(select(client_machines)).one()[3:6] == ("", 60, 90)
        with again.writing() as writer:
            writer.execute(clients.delete())
        assert connection.execute(select(clients)).all(), "a reader sees one state"
    with again.reading() as connection:
        assert not connection.execute(select(client_machines)).all()
    again.close()


def test_a_newer_version_and_another_program_are_refused_unchanged(database: Database, url: str) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match=r"has version 9999.*use a newer rep-monitor"):
        open_database(url)
    with database.writing() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(DatabaseError, match=r"tables of another program \(client_machines, clients, events\)"):
        open_database(url)


def test_one_process_collects(database: Database, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.gym.database.owner.TAKEN_WITHIN_S", 0.0)
    with subprocess.Popen([sys.executable, "-c", HOLDER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DatabaseOwned, match="another collector writes"), owning(database, ["rep"]):
            pass
        with database.writing() as connection:  # others may write beside it
            add(connection, "ada")
        holder.kill()
    monkeypatch.setattr("monitor.gym.database.owner.TAKEN_WITHIN_S", 60.0)  # the server may see its end late
    with owning(database, ["rep"]) as owner, owner.writing() as connection:
        assert connection.execute(update(clients).values(name="Ada")).rowcount == 1


@needs.postgresql
def test_a_server_that_dies_is_away_until_it_is_back(postgresql: PostgreSQL) -> None:
    url = postgresql.new_database()
    database = open_database(url)

    def lose_the_server(owner: Owner) -> None:
        with owner.writing() as connection:
            add(connection, "ada")
            postgresql.kill()

    def read() -> None:
        with database.reading():
            pass

    with owning(database, ["rep"]) as owner:
        for away in (lambda: lose_the_server(owner), read, lambda: open_database(url)):
            with pytest.raises(DatabaseAway, match="cannot be used now"):
                away()
        postgresql.start()
        with owner.writing() as connection:
            assert not connection.execute(select(clients)).all()
            add(connection, "bob")
    with database.reading() as connection:
        assert connection.execute(select(clients.c.name)).scalars().all() == ["bob"]
    database.close()


def test_a_bad_address_says_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "no.db").write_text("this is no database at all, but it is long enough to be taken for one")
    for url, said in [
        ("nonsense", "is not the address of a database: give sqlite:///FILE"),
        ("mysql://gym@host/gym", "mysql is not supported"),
        ("sqlite://", "names no file"),
        (f"sqlite:///{tmp_path / 'no.db'}", "is damaged.*restore a backup"),
        ("sqlite:////proc/nothing/gym.db", "make its folder writable"),
    ]:
        with pytest.raises(DatabaseError, match=said):
            open_database(url)
    with pytest.raises(DatabaseAway, match=r"postgresql://gym:\*\*\*@127.0.0.1:1/gym cannot be used now"):
        open_database("postgresql://gym:secret@127.0.0.1:1/gym")


def test_a_file_that_loses_its_name_is_away_until_it_is_back(lone_database: Database, tmp_path: Path) -> None:
    file = tmp_path / "lone.db"
    file.rename(tmp_path / "moved.db")
    for other in (None, "another database"):
        if other is not None:
            file.write_text(other)
        for opened in (lone_database.reading, lone_database.writing):
            with pytest.raises(DatabaseAway, match=r"lone.db was moved, removed or replaced: put it back"), opened():
                pass
    (tmp_path / "moved.db").rename(file)
    with lone_database.writing() as connection:
        add(connection, "ada")


def test_lost_tables_are_named(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("DROP TABLE logins"))
    with pytest.raises(DatabaseError, match=r"has lost its tables.*restore a backup"), database.reading() as connection:
        connection.execute(text("SELECT * FROM logins"))
