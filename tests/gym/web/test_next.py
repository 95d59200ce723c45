"""On to the next machine: what the machine gets, and what the trainer reads."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitor.display.admission import COOKIE
from monitor.gym.collector.collector import Collector
from monitor.gym.configuration import GymConfig
from monitor.gym.database.database import Database
from monitor.gym.web.app import make_app
from monitor.mqtt.contract.commands import Command, LifterCommand, LoadCommand, ProtocolCommand
from monitor.mqtt.contract.topics import TopicTree
from tests.gym.floor import Machine, collecting
from tests.gym.web.messages import info
from tests.gym.web.stage import BASE, OWN_TOKEN, WebStage
from tests.mqtt.stage import a_broker, play, until

SETTING = {"site": "rep", "machine": "row", "seat": "4", "protocol": "10/10", "next_load_n": 800.0}


def new_client(gym: WebStage, consent_on: str | None = "2026-11-01", **setting: Any) -> str:
    client_id = gym.trainer.send("POST", "/api/clients", {"name": "Ada", "consent_on": consent_on})["client_id"]
    gym.trainer.send("PUT", f"/api/clients/{client_id}/settings", SETTING | setting)
    return str(client_id)


def go(gym: WebStage, client_id: str) -> Any:
    return gym.trainer.send("POST", "/api/next", {"client_id": client_id, "site": "rep", "machine": "row"})


def sent(gym: WebStage) -> list[object]:
    """What the machine got, by kind of command."""
    found: dict[type[Command], object] = {}
    for command in gym.collector.sent:
        match command:
            case LifterCommand():
                found[LifterCommand] = command.lifter
            case LoadCommand():
                found[LoadCommand] = command.load_n
            case ProtocolCommand():
                found[ProtocolCommand] = command.name
    return [found.get(kind, "not sent") for kind in (LifterCommand, LoadCommand, ProtocolCommand)]


def test_lifter_load_and_tempo_go_there(gym: WebStage) -> None:
    gym.collector.add("row")
    ada = new_client(gym)
    assert gym.trainer.get("/api/floor")["machines"][0]["client_id"] is None
    assert go(gym, ada) == {
        "seat": "4",
        "load_n": 800.0,
        "protocol": "10/10",
        "answers": [{"command": name, "ok": True, "detail": None} for name in ("lifter", "load", "protocol")],
    }
    assert sent(gym) == [ada, 800.0, "10/10"]
    assert gym.trainer.get("/api/floor")["machines"][0]["client_name"] == "Ada"


@pytest.mark.parametrize(
    ("consent_on", "setting", "expected"),
    [
        (None, {}, [None, 800.0, "10/10"]),
        ("2026-11-01", {"protocol": None, "next_load_n": None}, ["the id", None, None]),
    ],
)
def test_what_nobody_chose_is_as_the_machine_has_it(
    gym: WebStage, consent_on: str | None, setting: Any, expected: Any
) -> None:
    gym.collector.add("row")
    ada = new_client(gym, consent_on, **setting)
    assert all(answer["ok"] for answer in go(gym, ada)["answers"])
    assert sent(gym) == [ada if value == "the id" else value for value in expected]


def test_a_static_machine_gets_no_load(gym: WebStage) -> None:
    gym.collector.add("row").take_info(info(None, "static"))
    ada = new_client(gym)
    assert [answer["command"] for answer in go(gym, ada)["answers"]] == ["lifter", "protocol"]
    assert sent(gym) == [ada, "not sent", "10/10"]


def test_a_refusal_is_reported_in_words(gym: WebStage) -> None:
    gym.collector.add("row")
    gym.collector.refuses = {"LoadCommand": "a set is in progress"}
    ada = new_client(gym)
    answers = {answer["command"]: (answer["ok"], answer["detail"]) for answer in go(gym, ada)["answers"]}
    assert answers == {"lifter": (True, None), "load": (False, "a set is in progress"), "protocol": (True, None)}


def test_nothing_is_sent_to_a_machine_that_is_offline_or_unknown(gym: WebStage) -> None:
    ada = new_client(gym)
    nowhere = {"client_id": ada, "site": "rep", "machine": "row"}
    assert gym.trainer.refused("POST", "/api/next", nowhere)[0] == 404
    gym.collector.add("row", online=False)
    assert {(answer["ok"], answer["detail"]) for answer in go(gym, ada)["answers"]} == {
        (False, "The machine is offline: start its computer, or look at its network.")
    }
    assert gym.trainer.refused("POST", "/api/next", nowhere | {"client_id": "c-0000000000"})[0] == 404
    assert gym.collector.sent == []


def test_a_real_machine_gets_the_commands_at_once(lone_database: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            a_broker("embedded", tmp_path) as address,
            collecting(Collector(address, ["rep"], lone_database)) as collector,
            Machine(address, tmp_path / "row", TopicTree("row")) as machine,
            httpx.AsyncClient(
                transport=httpx.ASGITransport(make_app(lone_database, collector, GymConfig(), OWN_TOKEN)),
                base_url=BASE,
                cookies=httpx.Cookies({COOKIE: OWN_TOKEN}),
            ) as screen,
        ):
            await until(lambda: any(now.online for now in collector.floor.values()))
            ada = (await screen.post("/api/clients", json={"name": "Ada", "consent_on": "2026-11-01"})).json()
            await screen.put(f"/api/clients/{ada['client_id']}/settings", json=SETTING)
            going = {"client_id": ada["client_id"], "site": "rep", "machine": "row"}
            answers = (await screen.post("/api/next", json=going)).json()["answers"]
            assert [(answer["command"], answer["ok"]) for answer in answers] == [
                ("lifter", True),
                ("load", True),
                ("protocol", True),
            ]
            assert {type(command) for command in machine.commands} == {LifterCommand, LoadCommand, ProtocolCommand}
            assert (await screen.get("/api/floor")).json()["machines"][0]["client_name"] == "Ada"

    play(story())


def test_commands_go_side_by_side(gym: WebStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that never answers costs the time of one command, not of three."""
    waiting, all_there = [], asyncio.Event()
    accept = gym.collector.command

    async def silent(site: str, machine: str, command: Command) -> Any:
        waiting.append(command)
        if len(waiting) == 3:
            all_there.set()
        await asyncio.wait_for(all_there.wait(), 60)
        return await accept(site, machine, command)

    monkeypatch.setattr(gym.collector, "command", silent)
    gym.collector.add("row")
    assert all(answer["ok"] for answer in go(gym, new_client(gym))["answers"])
