"""Friction and zero of a machine reach the next session, its recording, and the next start of the daemon."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from monitor.daemon.daemon import Daemon
from monitor.daemon.machine_memory import NAME, MachineMemory
from monitor.events import encode
from monitor.learning.machine import LearnedMachine
from monitor.mqtt.client.address import Address
from monitor.mqtt.contract.commands import StopCommand
from monitor.playback.playback import analysis_of, open_playback, updates
from monitor.profile.reading import profile_from_builtins
from monitor.profile.resistance import Resistance
from monitor.record.session_reader import read_session
from monitor.store.database import StoreError
from tests.daemon.stage import TABLES, Machine, a_set, ask, with_daemon
from tests.mqtt.stage import until

MACHINE = {key: value for key, value in TABLES["machine"].items() if key not in ("working_load_n", "friction")}
UNKNOWN = profile_from_builtins(TABLES | {"machine": MACHINE}, "a test")


def at_once(work: Callable[[], object]) -> None:
    work()


def test_friction_is_kept_on_disk_and_the_zero_is_not(tmp_path: Path) -> None:
    memory = MachineMemory(tmp_path, at_once)
    assert memory.newest is None
    memory.learn(LearnedMachine(friction=0.06, zero_n=7.0))
    assert memory.newest == LearnedMachine(friction=0.06, zero_n=7.0)
    assert MachineMemory(tmp_path, at_once).newest == LearnedMachine(friction=0.06, zero_n=0.0)


def test_a_curve_is_kept_with_the_friction(tmp_path: Path) -> None:
    curve = Resistance(0.03, 0.43, (0.9, 1.1, 0.95), 1.0)
    memory = MachineMemory(tmp_path, at_once)
    memory.learn(LearnedMachine(friction=0.06))
    memory.learn(LearnedMachine(friction=0.06, resistance=curve))
    memory.learn(LearnedMachine(zero_n=3.0))
    assert memory.newest == LearnedMachine(friction=0.06, resistance=curve, zero_n=3.0)
    assert MachineMemory(tmp_path, at_once).newest == LearnedMachine(friction=0.06, resistance=curve)


def test_a_session_without_a_learned_friction_keeps_the_known_one(tmp_path: Path) -> None:
    memory = MachineMemory(tmp_path, at_once)
    memory.learn(LearnedMachine(friction=0.06))
    memory.learn(LearnedMachine(zero_n=3.0))
    assert memory.newest == LearnedMachine(friction=0.06, zero_n=3.0)
    memory.forget_zero()
    assert memory.newest == LearnedMachine(friction=0.06)


@pytest.mark.parametrize(
    "text", ["", "{", '{"friction": 7}', '{"friction": "x"}', "[1]", '{"resistance": {"shares": []}}', "\x00" * 9000]
)
def test_a_broken_file_is_reported_and_ignored(text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / NAME).write_text(text)
    assert MachineMemory(tmp_path, at_once).newest is None
    assert NAME in caplog.text


def test_a_folder_in_the_place_of_the_file_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / NAME).mkdir()
    memory = MachineMemory(tmp_path, at_once)
    assert memory.newest is None
    assert NAME in caplog.text
    with pytest.raises(StoreError, match=rf"{NAME} cannot be written"):  # the keeper counts it
        memory.learn(LearnedMachine(friction=0.06))


def have_ended(daemon: Daemon, sessions: int) -> bool:
    ends = [row.ended_unix_s for row in daemon._store.sessions()]
    return len(ends) == sessions and all(ends)


def test_the_next_session_knows_the_machine_and_replays_alike(tmp_path: Path) -> None:
    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        for number in (1, 2):
            machine.move(a_set())
            await until(lambda: daemon.session is not None and machine.is_done)
            await daemon.command(ask(StopCommand))
            await until(partial(have_ended, daemon, number))

    with_daemon(tmp_path, story, UNKNOWN)
    first, second = sorted((tmp_path / "recordings").rglob("*.mcap"), key=lambda path: path.stat().st_mtime_ns)
    headers = [read_session(path).header for path in (first, second)]
    assert headers[0] is not None
    assert headers[1] is not None
    assert headers[1].machine_learned is not None
    assert (headers[0].machine_learned or {}).get("friction") is None
    assert headers[1].machine_learned["friction"] == pytest.approx(0.08, abs=0.02)

    async def replayed() -> list[bytes]:
        playback = open_playback(second, None)
        analysis = analysis_of(playback, feedback=False)
        return [encode(event) async for update in updates(playback, analysis, "max") for event in update.events]

    from monitor.store.store import Store

    with Store(tmp_path / "events.db", read_only=True) as store:
        kept = [event.record for event in store.after(0, 10_000) if event.session == headers[1].session]
    assert asyncio.run(replayed()) == kept
