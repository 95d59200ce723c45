"""A client is forgotten here at once, and on every machine, also on those that come back later."""

import asyncio
import contextlib
import time
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import insert, select

from monitor.__main__ import main
from monitor.events import encode
from monitor.gym.collector.collector import Collector
from monitor.gym.collector.machine import Place
from monitor.gym.collector.places import Collected, store
from monitor.gym.collector.rows import set_row
from monitor.gym.configuration import load_gym
from monitor.gym.database.database import Database
from monitor.gym.database.tables import clients, events, forget_requests
from monitor.gym.forgetting import answers, forget_client, pass_on_requests
from monitor.gym.gym import GymPlaces, run_gym
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import SetEnvelope
from monitor.mqtt.contract.topics import TopicTree
from tests.gym.floor import Machine as FloorMachine
from tests.gym.floor import collecting, complete, lifters, machines, stored
from tests.mqtt.brokers import free_port
from tests.mqtt.stage import a_broker, play, until
from tests.record.sessions import set_end

ADA = "c-ada0000000"
SET = encode(set_end(7))
TREES = [TopicTree("leg-press"), TopicTree("row")]


def test_every_machine_is_asked_and_its_answer_kept(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.gym.forgetting.LOOK_EVERY_S", 0.1)

    async def story() -> None:
        with database.writing() as connection:
            connection.execute(insert(clients).values(client_id=ADA, name="Ada", created_unix_s=1.0))
        async with a_broker("embedded", tmp_path) as address, collecting(Collector(address, ["rep"], database)) as gym:
            async with machines(address, tmp_path, TREES) as floor:
                for machine in floor:
                    machine.a_set(ADA)
                    machine.a_set("c-bob")
                await until(lambda: len(lifters(database)) == 4)
            await until(lambda: not any(now.online for now in gym.floor.values()))
            request_id = await asyncio.to_thread(forget_client, database, ADA)
            assert [who for *_, who in lifters(database)] == [None, "c-bob", None, "c-bob"]
            passing = asyncio.create_task(pass_on_requests(database, gym))

            def said() -> list[tuple[str, bool | None, str | None]]:
                with database.reading() as connection:
                    return [(answer.machine, answer.ok, answer.detail) for answer in answers(connection, request_id)]

            assert said() == [("leg-press", None, None), ("row", None, None)]
            async with FloorMachine(address, tmp_path / "leg-press", TREES[0]) as back:
                back.sets = 2
                back.a_set(ADA)  # by somebody who does not know yet
                await until(lambda: said()[0][1] is True)
                assert "'sets': 2" in str(said()[0][2])
                assert said()[1] == ("row", None, None)
                with database.reading() as connection:
                    assert connection.execute(select(forget_requests.c.client_id)).scalar() == ADA
            async with FloorMachine(address, tmp_path / "row", TREES[1]):
                await until(lambda: all(ok for _, ok, _ in said()))
            passing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await passing
            with database.reading() as connection:
                assert connection.execute(select(forget_requests.c.client_id)).scalar() == ""
                assert connection.execute(select(clients)).first() is None
            assert not [who for *_, who in lifters(database) if who == ADA]
            if database.file is not None:
                for part in database.file.parent.glob("gym.db*"):
                    assert ADA.encode() not in part.read_bytes(), part

    play(story())


def test_a_set_that_comes_while_the_request_is_open_is_stored_without_the_id(database: Database) -> None:
    def store_sets(*numbers: int) -> None:
        rows = []
        for number in numbers:
            envelope = SetEnvelope(seq=number, store_id="s", historical=True, lifter=ADA, ended_unix_s=9.0)
            rows.append(set_row(TREES[0], payload.answered(TREES[0], "sets", "gym", SET, envelope).payload, 10.0))
        with database.writing() as connection:
            store(connection, Collected([], rows, {TREES[0]: Place("s", numbers[-1], numbers[-1])}, [], 10.0))

    store_sets(1)
    forget_client(database, ADA)
    store_sets(1, 2)
    assert lifters(database) == [("leg-press", 1, None), ("leg-press", 2, None)]


def test_the_running_gym_passes_the_command_on_and_removes_old_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setattr("monitor.gym.forgetting.LOOK_EVERY_S", 0.1)
    monkeypatch.setattr("monitor.gym.retention.EVERY_S", 0.1)
    file = tmp_path / "gym.toml"
    file.write_text(
        f"[mqtt]\nport = {free_port()}\n[store]\nurl = 'sqlite:///gym.db'\nkeep_days = 1\n[display]\nenabled = false\n"
    )
    up: list[GymPlaces] = []

    async def story() -> None:
        running = asyncio.create_task(run_gym(load_gym(file), up.append))
        await until(lambda: bool(up))
        database = up[0].database
        async with machines(msgspec.structs.replace(up[0].broker, username="daemon"), tmp_path, TREES) as floor:
            for machine in floor:
                machine.a_set(ADA)
            await complete(database, floor)
            await until(lambda: len(lifters(database)) == 2)
            assert await asyncio.to_thread(main, ["gym", "--config", str(file), "forget", ADA]) == 0
            said = capsys.readouterr().out.splitlines()
            assert said[0].startswith(f"{ADA} is removed from {tmp_path / 'gym.db'}; backups")
            assert [line.split(": ", 1)[0] for line in said[1:]] == ["  rep/leg-press", "  rep/row"]
            assert all("'sets': 1" in line for line in said[1:]), said
            assert [machine.store.sessions(lifter=ADA) for machine in floor] == [[], []]
            with database.writing() as connection:
                connection.execute(events.update().values(collected_unix_s=time.time() - 2 * 86_400))
            await until(lambda: stored(database) == 0)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    play(story())
