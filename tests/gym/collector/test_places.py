"""What is stored of a machine beside its events."""

from typing import Any

from sqlalchemy import select

from monitor.gym.collector.machine import CollectedMachine, Place
from monitor.gym.collector.places import Collected, read_places, store
from monitor.gym.database.database import Database
from monitor.gym.database.tables import machines
from monitor.mqtt.contract.topics import TopicTree

ROW = TopicTree("row")


def test_place_and_description_of_a_machine_change_without_each_other(database: Database) -> None:
    def stored(now_unix_s: float, places: dict[TopicTree, Place], *described: CollectedMachine) -> tuple[Any, ...]:
        with database.writing() as connection:
            store(connection, Collected([], [], places, described, now_unix_s))
            columns = machines.c
            query = select(columns.first_seen_unix_s, columns.last_seen_unix_s, columns.seq, columns.status)
            return tuple(connection.execute(query).one())

    machine = CollectedMachine(ROW, Place(), 0.0)
    assert stored(5.0, {}, machine) == (5.0, 5.0, 0, None)
    assert machine.take_status(b'{"v":1,"state":"online","conn":1,"store_id":"s","last_seq":9}'), "it can be read"
    assert stored(6.0, {ROW: Place("s", 7, 3, 1)})[:3] == (5.0, 6.0, 7)
    first, last, seq, status = stored(7.0, {}, machine)
    assert (first, last, seq, status["last_seq"]) == (5.0, 7.0, 7, 9)
    with database.reading() as connection:
        assert read_places(connection, ["rep"]) == {ROW: Place("s", 7, 3, 1)}
