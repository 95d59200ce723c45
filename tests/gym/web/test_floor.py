"""The floor: what every screen sees of the machines and of who lifts, and the order of the machines."""

import msgspec
import pytest

from monitor.gym.collector.machine import CollectedMachine, Place
from monitor.mqtt.contract.commands import ForgetCommand, LifterCommand, LoadCommand, StopCommand
from monitor.mqtt.contract.messages import StateMessage
from monitor.mqtt.contract.topics import TopicTree
from tests.gym.collected import add_machine
from tests.gym.web.messages import info, state
from tests.gym.web.stage import WebStage

ADA = "c-0123456789"


def lifts(lifter: str | None) -> LifterCommand:
    return LifterCommand(id="x", stamp_s=0.0, lifter=lifter)


def test_the_machines_stand_as_the_trainer_has_placed_them(gym: WebStage) -> None:
    with gym.database.writing() as connection:
        for machine in ("calf", "leg-press"):
            add_machine(connection, machine)
    for machine in ("calf", "leg-press"):
        gym.collector.add(machine)
    gym.collector.add("new", online=False)
    assert [each["machine"] for each in gym.trainer.get("/api/floor")["machines"]] == ["calf", "leg-press", "new"]
    for machine, position in (("calf", 7), ("leg-press", 3)):
        place = {"site": "rep", "machine": machine, "label": f"The {machine}", "position": position}
        assert gym.trainer.send("PATCH", "/api/machines", place) == place
    shown = gym.trainer.get("/api/floor")["machines"]
    assert [(each["label"], each["position"], each["online"]) for each in shown] == [
        ("new", 0, False),
        ("The leg-press", 3, True),
        ("The calf", 7, True),
    ]
    unknown = {"site": "rep", "machine": "none", "label": None, "position": 1}
    assert gym.trainer.refused("PATCH", "/api/machines", unknown)[0] == 404
    for bad in ({"position": -1}, {"position": 1e300}, {"label": "a\nb"}, {"site": "a/#"}, {"machine": "a/b"}):
        assert gym.trainer.refused("PATCH", "/api/machines", unknown | bad)[0] == 422, bad


def test_a_display_sees_only_names_with_consent(gym: WebStage) -> None:
    ids = {}
    for name, consent_on in (("Ada", "2026-11-01"), ("Ben", None)):
        ids[name] = gym.trainer.send("POST", "/api/clients", {"name": name, "consent_on": consent_on})["client_id"]
    for machine, lifter in (("a", ids["Ada"]), ("b", ids["Ben"]), ("c", "c-unknown000"), ("d", None)):
        gym.collector.add(machine).accepted(lifts(lifter), 0.0)

    def seen(role: str) -> list[tuple[str | None, str | None]]:
        shown = gym.paired(role).get("/api/floor")["machines"]
        return [(each["client_id"], each["client_name"]) for each in shown]

    assert seen("trainer") == [(ids["Ada"], "Ada"), (ids["Ben"], "Ben"), ("c-unknown000", None), (None, None)]
    assert seen("display") == [(ids["Ada"], "Ada"), (None, None), (None, None), (None, None)]
    gym.trainer.send("PATCH", f"/api/clients/{ids['Ada']}", {"consent_on": None})
    assert seen("display")[0] == (None, None)


def test_trouble_is_shown_where_it_belongs(gym: WebStage) -> None:
    gym.collector.sentences = ["the broker has not answered yet"]
    gym.collector.add("a").refused = "unknown command"
    floor = gym.trainer.get("/api/floor")
    assert floor["trouble"] == ["the broker has not answered yet"]
    assert floor["machines"][0]["trouble"].startswith("rep/a does not say who lifted")


def test_the_state_is_decoded_once_however_many_screens_ask(gym: WebStage, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, decoded = gym.collector.add("a"), []
    decode = msgspec.json.decode

    def counting(data: bytes, type: object) -> object:
        if type is StateMessage:
            decoded.append(data)
        return decode(data, type=type)

    monkeypatch.setattr("monitor.gym.collector.machine.msgspec.json.decode", counting)
    for rep in range(5):
        machine.take_state(state(rep))
    screens = [gym.paired("display") for _ in range(3)]
    shown = [screen.get("/api/floor")["machines"][0] for screen in screens for _ in range(3)]
    assert {machine.now().state_unix_s for _ in range(3)} == {machine.seen_unix_s}
    assert decoded == [state(4)]
    assert {each["state"]["rep"] for each in shown} == {4}
    assert shown[0]["state_age_s"] >= 0
    machine.take_state(b"nonsense")
    assert machine.now().state is None
    assert machine.now().state_unix_s is None


class TestWhoLifts:
    """Only what is sure is said: a machine forgets who lifts when its session ends, or when it restarts."""

    @pytest.fixture
    def machine(self) -> CollectedMachine:
        machine = CollectedMachine(TopicTree("a"), Place(), 0.0)
        machine.take_status(b'{"v":1,"state":"online","conn":1}')
        machine.accepted(lifts(ADA), 100.0)
        return machine

    def heard(self, machine: CollectedMachine, at_unix_s: float, session: str | None) -> str | None:
        machine.seen_unix_s = at_unix_s
        machine.take_info(info(session))
        return machine.now().lifter

    def test_until_the_session_ends(self, machine: CollectedMachine) -> None:
        assert self.heard(machine, 101.0, "s0") == ADA  # which ends with the load that comes next
        assert self.heard(machine, 102.0, None) == ADA
        assert self.heard(machine, 200.0, None) == ADA
        assert self.heard(machine, 300.0, "s1") == ADA
        assert self.heard(machine, 400.0, None) is None

    def test_until_the_daemon_restarts(self, machine: CollectedMachine) -> None:
        machine.take_status(b'{"v":1,"state":"online","conn":1}')
        assert machine.now().lifter == ADA
        machine.take_status(b'{"v":1,"state":"online","conn":2}')
        assert machine.now().lifter is None

    def test_until_another_command(self, machine: CollectedMachine) -> None:
        machine.accepted(LoadCommand(id="x", stamp_s=0.0, load_n=500.0), 101.0)
        machine.accepted(ForgetCommand(id="x", stamp_s=0.0, lifter="c-other00000"), 101.0)
        assert machine.now().lifter == ADA
        machine.accepted(ForgetCommand(id="x", stamp_s=0.0, lifter=ADA), 101.0)
        assert machine.now().lifter is None
        machine.accepted(lifts(ADA), 102.0)
        machine.accepted(StopCommand(id="x", stamp_s=0.0), 103.0)
        assert machine.now().lifter is None
