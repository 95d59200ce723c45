"""The collector takes each event once and in order, from many machines, through everybody's absence."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, text

from monitor.gym.collector.collector import Collector
from monitor.gym.collector.machine import MachineNow
from monitor.gym.database.database import Database
from monitor.gym.database.owner import DatabaseOwned
from monitor.gym.database.tables import events, sets
from monitor.gym.database.tables import machines as machines_table
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.answers import BATCH, StoreAnswers
from monitor.mqtt.contract.commands import LifterCommand
from monitor.mqtt.contract.topics import TopicTree
from monitor.store.store import Store
from tests import needs
from tests.gym.floor import Machine, collecting, complete, lifters, machines, numbers, places, stored, whole
from tests.mqtt.brokers import mosquitto
from tests.mqtt.stage import a_broker, listening, play, until
from tests.soak import Figure, long, soak, soak_only

SITES = ["rep", "berlin/rep"]
TREES = [TopicTree("leg-press"), TopicTree("row"), TopicTree("leg-press", "berlin/rep")]
MISSED = BATCH + 2  # the answer is more than one read of the store


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        pytest.param("embedded", "sqlite"),
        pytest.param("mosquitto", "postgresql", marks=[needs.mosquitto, needs.postgresql]),
        pytest.param("mosquitto", "sqlite", marks=[needs.mosquitto, soak, soak_only]),
        pytest.param("embedded", "postgresql", marks=[needs.postgresql, soak, soak_only]),
    ],
    indirect=["url"],
)
def test_events_sets_and_lifters_of_two_sites_are_collected(kind: str, database: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_broker(kind, tmp_path) as address, machines(address, tmp_path, TREES) as floor:
            for machine in floor:
                machine.jerks(MISSED)
                machine.a_set("c-ada")
            async with collecting(Collector(address, SITES, database)) as collector:
                await complete(database, floor)
                floor[0].a_set(None)
                floor[2].jerks(3)
                await complete(database, floor)
                await until(lambda: len(lifters(database)) == 4)
                await until(lambda: all(sets_seq > MISSED for _, sets_seq in places(database)))  # the mark after them
                ack = await collector.command("rep", "row", LifterCommand(id="x", stamp_s=0, lifter="c-bob"))
                assert ack.ok
                assert [command.lifter for command in floor[1].commands] == ["c-bob"]  # type: ignore[attr-defined]
                assert set(collector.floor) == {(tree.root, tree.machine) for tree in TREES}
                await until(lambda: all(well(now) for now in collector.floor.values()))
                await until(lambda: collector.trouble == [])
            assert lifters(database) == [
                ("leg-press", MISSED + 1, "c-ada"),
                ("leg-press", MISSED + 1, "c-ada"),
                ("leg-press", MISSED + 2, None),
                ("row", MISSED + 1, "c-ada"),
            ]
            first = {"site": "rep", "machine": "leg-press", "seq": MISSED + 1}
            with database.reading() as connection:
                record = connection.execute(select(events.c.record).filter_by(**first)).scalar()
                ended_unix_s = connection.execute(select(sets.c.ended_unix_s).filter_by(**first)).scalar()
            assert record == msgspec.json.decode(floor[0].store.after(MISSED, 1)[0].record), "without the envelope"
            assert ended_unix_s == floor[0].store.after(MISSED, 1)[0].stored_unix_s
            assert sorted(seq for seq, _ in places(database)) == [MISSED + 1, MISSED + 2, MISSED + 4]

    play(story())


def well(now: MachineNow) -> bool:
    return now.online and not now.missing and now.trouble is None


def test_a_collector_that_comes_again_continues(lone_database: Database, tmp_path: Path) -> None:
    async def come(address: Address, floor: list[Machine], count: int) -> None:
        floor[0].jerks(count)
        async with collecting(Collector(address, SITES, lone_database)) as collector:
            await complete(lone_database, floor)
            await until(lambda: collector.stored >= count)  # the collector counts what is stored afterwards
            assert collector.stored == count, "nothing is taken twice"

    async def story() -> None:
        async with a_broker("embedded", tmp_path) as address, machines(address, tmp_path, TREES[:1]) as floor:
            for count in (30, 10, 1):
                await come(address, floor, count)

    play(story())


def test_a_collector_outlives_damage(lone_database: Database, tmp_path: Path) -> None:
    def rename(table: str, name: str) -> None:
        with lone_database.writing() as connection:
            connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))

    async def story() -> None:
        async with (
            a_broker("embedded", tmp_path) as address,
            machines(address, tmp_path, TREES[:1]) as floor,
            collecting(Collector(address, SITES, lone_database)) as collector,
        ):
            rename("machines", "lost")
            floor[0].jerks(3)
            await until(lambda: any("has lost its tables" in sentence for sentence in collector.trouble))
            rename("lost", "machines")
            await complete(lone_database, floor)
            await until(lambda: not collector.trouble)

    play(story())


def test_a_new_store_starts_over(database: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_broker("embedded", tmp_path) as address, collecting(Collector(address, SITES, database)):
            before: dict[tuple[str, str, str], list[int]] = {}
            for number in (1, 2):
                async with machines(address, tmp_path / str(number), TREES[:1]) as floor:
                    floor[0].jerks(number)
                    floor[0].a_set(f"c-{number}")
                    await until(partial(has, database, before | whole(floor), sets=number))
                    before |= whole(floor)
            assert sorted(who or "" for *_, who in lifters(database)) == ["c-1", "c-2"]

    def has(database: Database, expected: dict[tuple[str, str, str], list[int]], sets: int) -> bool:
        return numbers(database) == expected and len(lifters(database)) == sets

    play(story())


def test_two_collectors_are_refused(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.gym.database.owner.TAKEN_WITHIN_S", 0.3)

    async def story() -> None:
        async with (
            a_broker("embedded", tmp_path) as address,
            collecting(Collector(address, SITES, database)) as collector,
        ):
            await until(lambda: not collector.trouble)
            with pytest.raises(DatabaseOwned, match="stop it first"):
                await Collector(address, SITES, database, name="other").run()

    play(story())


def test_clocks_that_disagree_and_other_versions_are_clear_states(
    lone_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = time.time

    class Ahead:
        """The machine's clock: an hour ahead."""

        @staticmethod
        def time() -> float:
            return there() + 3600

    monkeypatch.setattr("monitor.mqtt.client.requests.time", Ahead)

    async def story() -> None:
        async with a_broker("embedded", tmp_path) as address, machines(address, tmp_path, TREES[:1]) as floor:
            floor[0].jerks(20)
            async with (
                listening(address) as stranger,
                collecting(Collector(address, SITES, lone_database)) as collector,
            ):
                await until(lambda: any("+3600 s" in sentence for sentence in collector.trouble))
                for topic in ("rep/new/status", "rep/new/event/jerk"):
                    await stranger.client.publish(topic, b'{"v":2,"seq":"seven"}', 1)
                await stranger.client.publish("rep/leg-press/event/jerk", b"\xff not JSON", 1)
                await complete(lone_database, floor)
                ack = await collector.command("rep", "leg-press", LifterCommand(id="x", stamp_s=0, lifter="c-bob"))
                assert ack.ok
                await until(lambda: ("rep", "new") in collector.floor)
                said = {machine: now.trouble or "" for (_, machine), now in collector.floor.items()}
                assert "its clock is +3600 s from ours" in said["leg-press"]
                assert "speaks version 2 of the contract" in said["new"]
                assert numbers(lone_database) == whole(floor)
                monkeypatch.setattr("monitor.mqtt.client.requests.time", time)  # somebody corrects the clock
                ack = await collector.command("rep", "leg-press", LifterCommand(id="y", stamp_s=0, lifter="c-bob"))
                assert ack.ok
                assert collector.floor["rep", "leg-press"].trouble is None

    play(story())


def test_records_of_the_store_that_nobody_has_any_more_are_counted(lone_database: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_broker("embedded", tmp_path) as address, machines(address, tmp_path, TREES[:1]) as floor:
            floor[0].jerks(10)
            store: Store = floor[0].store
            with store._transaction() as connection:
                connection.execute("DELETE FROM events WHERE seq <= 4")
            store.first_seq = 5
            async with collecting(Collector(address, SITES, lone_database)):
                await until(lambda: list(numbers(lone_database).values()) == [[5, 6, 7, 8, 9, 10]])
            with lone_database.reading() as connection:
                assert connection.execute(select(machines_table.c.lost)).scalar() == 4

    play(story())


def test_nothing_that_a_stranger_sends_ends_the_collector(database: Database, tmp_path: Path) -> None:
    head = b'{"v":1,"seq":1,"store_id":"s","historical":false,"session":"s","t_s":0,"found_s":0,"kind":'
    bodies = [b"", b"{}", b"[" * 5000, b'{"v":1,"seq":99999999999999999999,"store_id":"s"}', b"\x00" * 99]
    bodies += [
        head + b'"jerk\\u0000"}',
        head + b'"jerk","more":"\xff"}',
        head + b'"jerk","more":"' + b"x" * 70_000 + b'"}',
    ]
    topics = [
        ("event", "jerk"),
        ("status",),
        ("info",),
        ("state",),
        ("sets", "gym"),
        ("resume", "gym"),
        ("ack", "gym-1"),
    ]
    tree = TopicTree("leg-press")

    async def story() -> None:
        async with (
            a_broker("embedded", tmp_path) as address,
            listening(address) as stranger,
            collecting(Collector(address, SITES, database)) as collector,
        ):
            await until(lambda: not collector.trouble)
            for data in bodies:
                for levels in topics:
                    await stranger.client.publish(tree.topic(*levels), data, 1)
            await stranger.client.publish(f"rep/{'x' * 60}/status", b"{}", 1)
            await until(lambda: ("rep", "leg-press") in collector.floor)
            await until(lambda: "could not be read" in (collector.floor["rep", "leg-press"].trouble or ""))
            async with machines(address, tmp_path, [TopicTree("row")]) as floor:
                floor[0].jerks(5)
                await complete(database, floor)
            assert set(collector.floor) == {("rep", "leg-press"), ("rep", "row")}

    play(story())


@needs.mosquitto
@soak
@pytest.mark.parametrize(
    "url", ["sqlite", pytest.param("postgresql", marks=[needs.postgresql, soak_only])], indirect=True
)
def test_after_an_hour_without_collector_fifty_machines_are_asked_a_few_at_a_time(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    """An hour of 30 events a minute and machine where `make soak` runs, else a minute of eight machines."""
    monkeypatch.setattr("monitor.gym.collector.backlog.SILENT_S", 60.0)  # on a loaded machine an answer pauses longer
    count, hour = long((50, 1800), (8, 30))
    trees = [TopicTree(f"machine-{number}") for number in range(count)]
    beginning = StoreAnswers.start
    answering: list[int] = []  # machines, whenever another one begins

    def watch(floor: Sequence[Machine]) -> None:
        def begin(answers: StoreAnswers, *given: Any) -> None:
            beginning(answers, *given)
            answering.append(sum(bool(machine.publisher._requests._answers.running) for machine in floor))

        monkeypatch.setattr(StoreAnswers, "start", begin)

    async def story() -> None:
        with mosquitto(tmp_path) as broker:
            address = Address(host="127.0.0.1", port=broker.port)
            async with machines(address, tmp_path, trees) as floor:
                for machine in floor:
                    machine.jerks(hour)
                await until(lambda: all(machine.publisher.connected for machine in floor))
                watch(floor)
                async with collecting(Collector(address, SITES, database, at_once=3)):
                    while await asyncio.to_thread(stored, database) < count * hour:
                        floor[0].jerks(1)
                        await asyncio.sleep(0.05)
                    await complete(database, floor)
                with database.reading() as connection:
                    assert not any(connection.execute(select(machines_table.c.lost)).scalars())
                assert max(answering) <= 4, "three, and perhaps one whose last message is on its way"
            figure("machines answering at the same time", str(max(answering)))

    play(story(), 900)
