"""Old events are removed, a few at a time; sets and clients stay."""

import asyncio
import contextlib
import time

import pytest
from sqlalchemy import func, insert, select

from monitor.gym import retention
from monitor.gym.database.database import Database
from monitor.gym.database.tables import clients, events, sets
from monitor.gym.people.clients import add_client
from monitor.gym.retention import DAY_S, keep_recent_events, remove_old_events
from tests.gym.collected import add_set
from tests.mqtt.stage import play, until

BATCH = 5


def fill(database: Database, old: int, new: int, now_unix_s: float) -> None:
    """`old` events of two days ago at one machine and `new` of now at another, and a set of two days ago."""
    then_unix_s = now_unix_s - 2 * DAY_S
    rows: list[dict[str, object]] = [
        {
            "site": "rep", "machine": "row" if seq < old else "dip", "store_id": "s", "seq": seq, "kind": "jerk",
            "session": "s1", "t_s": 1.0, "found_s": 1.0, "record": {},
            "collected_unix_s": then_unix_s if seq < old else now_unix_s,
        }
        for seq in range(old + new)
    ]  # fmt: skip
    with database.writing() as connection:
        connection.execute(insert(events), rows)
        add_set(connection, add_client(connection, "Ada", "2026-11-01").client_id, "row", then_unix_s)


def left(database: Database) -> list[str]:
    """The machine of each event that is left."""
    with database.reading() as connection:
        return list(connection.execute(select(events.c.machine)).scalars())


@pytest.mark.parametrize("old", [0, 4, 2 * BATCH, 2 * BATCH + 2])
def test_only_old_events_are_removed_and_few_at_a_time(
    database: Database, monkeypatch: pytest.MonkeyPatch, old: int
) -> None:
    now_unix_s = time.time()
    fill(database, old, 3, now_unix_s)
    counts: list[int] = []
    writing = database.writing

    def counted() -> object:
        counts.append(len(left(database)))
        return writing()

    monkeypatch.setattr(database, "writing", counted)
    assert remove_old_events(database, now_unix_s - DAY_S, BATCH) == old
    assert left(database) == ["dip"] * 3
    assert counts == [old + 3 - BATCH * each for each in range(old // BATCH + 1)]
    with database.reading() as connection:
        assert [connection.execute(select(func.count()).select_from(table)).scalar() for table in (sets, clients)] == [
            1,
            1,
        ]


def test_it_goes_on_while_the_gym_runs(lone_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "EVERY_S", 0.01)
    fill(lone_database, 4, 3, time.time())

    async def story() -> None:
        keeping = asyncio.create_task(keep_recent_events(lone_database, 1))
        await until(lambda: left(lone_database) == ["dip"] * 3)
        with lone_database.writing() as connection:
            connection.execute(events.update().values(collected_unix_s=time.time() - 2 * DAY_S))
        await until(lambda: not left(lone_database))
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping

    play(story())
