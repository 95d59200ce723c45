"""A backup of either kind of database is restored into either kind."""

from pathlib import Path

import pytest
from sqlalchemy import insert, select

from monitor.gym.database.copying import back_up, restore
from monitor.gym.database.database import Database, open_database
from monitor.gym.database.errors import DatabaseError
from monitor.gym.database.tables import client_machines, clients, events, machines, metadata


def test_a_backup_that_fails_removes_itself_and_nothing_else(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    others = {folder / name for name in ("gym.db", "gym-2025", "gym2")}
    for other in others:
        other.write_text("an older backup")

    def full(source: Database, target: Database) -> int:
        with target.writing() as writer:
            writer.execute(insert(clients).values(client_id="c-ada", name="Ada", created_unix_s=1.25))
        raise DatabaseError("the disk is full")

    monkeypatch.setattr("monitor.gym.database.copying.copy_rows", full)
    with pytest.raises(DatabaseError, match="the disk is full"):
        back_up(database, folder / "gym")
    assert set(folder.iterdir()) == others


def rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    tables = metadata.sorted_tables
    with database.reading() as connection:
        return {table.name: sorted(map(tuple, connection.execute(select(table))), key=str) for table in tables}


def test_a_backup_has_every_row_and_is_restored(database: Database, url: str, tmp_path: Path) -> None:
    of_row = {"site": "rep", "machine": "row"}
    event = {**of_row, "store_id": "s", "kind": "jerk", "session": "s1", "t_s": 0.1, "found_s": 0.2}
    with database.writing() as connection:
        connection.execute(insert(clients).values(client_id="c-ada", name="Adä", created_unix_s=1.25))
        connection.execute(insert(client_machines).values(client_id="c-ada", **of_row))
        connection.execute(insert(machines).values(**of_row, first_seen_unix_s=1, last_seen_unix_s=2, status={"v": 1}))
        connection.execute(
            insert(events), [{**event, "seq": n, "record": {"n": n}, "collected_unix_s": 1.0} for n in range(2500)]
        )
    file = tmp_path / "backup?x=#1.db"
    assert back_up(database, file) == 2503
    assert file.exists()
    with pytest.raises(DatabaseError, match="is not empty: give a new database"):
        restore(database, file)
    with pytest.raises(DatabaseError, match="exists: give the name of a new file"):
        back_up(database, file)
    before = rows(database)
    with database.writing() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    assert restore(database, file) == 2503
    assert rows(database) == before
    other = open_database(f"sqlite:///{tmp_path / 'other.db'}")
    restore(other, file)
    assert rows(other) == before
    other.close()
