"""A SQLite file without more room is a state of the collector; nothing is lost, and it goes on when there is room."""

from pathlib import Path
from typing import Any

from sqlalchemy import event

from monitor.gym.collector.collector import Collector
from monitor.gym.database.database import Database
from monitor.mqtt.contract.topics import TopicTree
from tests.gym.floor import collecting, complete, machines, numbers, places
from tests.mqtt.stage import a_broker, play, until

AS_IT_IS, ENDLESS = 1, 2**30  # pages: SQLite never takes some away


def test_a_full_disk_is_a_state_and_nothing_is_lost(lone_database: Database, tmp_path: Path) -> None:
    most_pages = [ENDLESS]

    def limit(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={most_pages[0]}")

    event.listen(lone_database.engine, "checkout", limit)

    async def story() -> None:
        async with (
            a_broker("embedded", tmp_path) as address,
            collecting(Collector(address, ["rep"], lone_database)) as gym,
            machines(address, tmp_path, [TopicTree("row")]) as floor,
        ):
            floor[0].jerks(20)
            await complete(lone_database, floor)
            most_pages[0] = AS_IT_IS
            floor[0].jerks(300)
            await until(lambda: any("full" in sentence for sentence in gym.trouble))
            assert len(next(iter(numbers(lone_database).values()))) == places(lone_database)[0][0] < 320
            most_pages[0] = ENDLESS
            await complete(lone_database, floor)
            await until(lambda: gym.trouble == [])

    play(story())
