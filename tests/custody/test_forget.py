"""`forget` removes a person's id from everything that is stored, with a running daemon and without."""

import asyncio
import contextlib
import errno
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mcap.reader import make_reader

from monitor.__main__ import main
from monitor.custody.forgetting import ForgetResult, forget
from monitor.daemon.daemon import Daemon
from monitor.exit_codes import ExitCode
from monitor.mqtt.client.address import Address
from monitor.mqtt.contract.commands import ForgetCommand, LifterCommand, LoadCommand
from monitor.state.endpoints import Endpoints, announced
from monitor.state.folders import Lock
from monitor.state.whole_file import write_whole
from monitor.store.database import StoreError
from monitor.store.store import Store
from tests import needs
from tests.daemon.stage import Machine, a_set, ask, publisher_of, with_daemon
from tests.mqtt.brokers import mosquitto
from tests.mqtt.stage import listening, until
from tests.profiles import PROFILE
from tests.record.sessions import jerk, set_end

ADA, BEN = "ada-of-the-gym-7f3a", "ben-of-the-gym-9c1d"


def holds(folder: Path, lifter: str) -> list[str]:
    """The names of the files that contain the id."""
    found = []
    for path in sorted(folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):  # a running daemon has renamed or removed it since
            if path.is_file() and lifter.encode() in path.read_bytes():
                found.append(path.name)
    return found


def trained(folder: Path, *lifters: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with Store(folder / "events.db") as store:
        for number, lifter in enumerate(lifters):
            store.begin_session(f"s{number}", lifter=lifter)
            store.append([jerk(1, session=f"s{number}"), set_end(2, session=f"s{number}")])
            store.end_session(f"s{number}", {"reps": 3})


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def busy_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is there before it is known to be on the disk, as on a disk that is busy."""

    def write_late(path: Path, data: bytes) -> None:
        write_whole(path, data)
        time.sleep(0.5)

    monkeypatch.setattr("monitor.custody.forgetting.write_whole", write_late)


def test_the_id_is_removed_from_every_machine_and_other_ids_stay(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(state / "leg-press", ADA, BEN, ADA)
    trained(state / "chest-press", BEN, ADA)
    assert set(holds(state, ADA)) == {"events.db"}
    assert main(["forget", ADA]) == ExitCode.DONE
    assert capsys.readouterr().out == (
        "chest-press: removed from 1 session and 1 set\nleg-press: removed from 2 sessions and 2 sets\n"
    )
    assert holds(state, ADA) == []
    assert holds(state, BEN) == ["events.db", "events.db"]
    with Store(state / "leg-press" / "events.db") as store:
        assert [row.lifter for row in store.sessions()] == [None, BEN, None]
        assert len(store.after(0, 100)) == 6, "the events stay; they contain no lifter"
    assert main(["forget", ADA]) == ExitCode.DONE
    assert "no data has this id" in capsys.readouterr().out


def test_with_a_profile_only_its_machine_is_changed(state: Path, tmp_path: Path) -> None:
    trained(state / "bad-input", ADA)
    trained(state / "other", ADA)
    (tmp_path / "m.toml").write_text(PROFILE)
    assert main(["forget", ADA, "--config", str(tmp_path / "m.toml")]) == ExitCode.DONE
    assert holds(state / "bad-input", ADA) == []
    assert holds(state / "other", ADA) != []


def test_a_folder_without_machines_is_reported(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forget", ADA]) == ExitCode.FAILED
    assert "STATE_DIRECTORY" in capsys.readouterr().err
    assert main(["forget", "../x"]) == ExitCode.BAD_INPUT
    assert "LIFTER" in capsys.readouterr().err


def test_the_id_is_removed_from_stores_that_were_set_aside(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A store that SQLite can read is changed, one that it cannot is deleted, one without the id is not touched."""
    folder = state / "leg-press"
    for number, lifters in {1: (ADA, BEN), 2: (ADA, BEN), 3: (BEN,)}.items():
        trained(folder, *lifters)
        (folder / "events.db").rename(folder / f"events.db.corrupt-{number}")
    broken = folder / "events.db.corrupt-2"
    data = bytearray(broken.read_bytes())
    data[:100] = bytes(100)
    broken.write_bytes(data)
    (folder / "events.db.corrupt-2-wal").write_bytes(b"a log with " + ADA.encode())
    untouched = (folder / "events.db.corrupt-3").read_bytes()
    trained(folder, ADA)
    assert main(["forget", ADA]) == ExitCode.DONE
    assert "deleted events.db.corrupt-2, which was damaged and contained the id" in capsys.readouterr().out
    assert holds(folder, ADA) == []
    assert not list(folder.glob("events.db.corrupt-2*"))
    with sqlite3.connect(folder / "events.db.corrupt-1") as changed:
        assert changed.execute("SELECT lifter FROM sessions ORDER BY session").fetchall() == [(None,), (BEN,)]
    changed.close()
    assert (folder / "events.db.corrupt-3").read_bytes() == untouched


def test_the_id_is_removed_from_any_table_with_a_lifter(tmp_path: Path) -> None:
    """Also from tables of later versions. A row that cannot be without a lifter is deleted."""
    trained(tmp_path, ADA)
    with Store(tmp_path / "events.db") as store, sqlite3.connect(tmp_path / "events.db") as more:
        more.execute("CREATE TABLE learned (lifter TEXT PRIMARY KEY NOT NULL, range_m REAL)")
        more.execute("CREATE TABLE notes (lifter TEXT, text TEXT)")
        for lifter in (ADA, BEN):
            more.execute("INSERT INTO learned VALUES (?, 0.4)", (lifter,))
            more.execute("INSERT INTO notes VALUES (?, 'x')", (lifter,))
        more.commit()
        done = ForgetResult()
        forget(store, ADA, done)
        assert done.rows == {"sessions": 1, "sets": 1, "learned": 1, "notes": 1}
        assert more.execute("SELECT lifter FROM learned").fetchall() == [(BEN,)]
        assert more.execute("SELECT lifter FROM notes").fetchall() == [(None,), (BEN,)]
    more.close()
    assert holds(tmp_path, ADA) == []


def test_a_second_attempt_continues_the_first(tmp_path: Path) -> None:
    """Otherwise it would report that no data has the id, and leave the last set at the broker."""
    trained(tmp_path, ADA)
    done = ForgetResult()
    with Store(tmp_path / "events.db") as store:
        reader = sqlite3.connect(tmp_path / "events.db")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM sessions").fetchall()
        with pytest.raises(StoreError, match="try again"):
            forget(store, ADA, done)
        reader.close()
        forget(store, ADA, done)
    assert (done.rows, done.last_set) == ({"sessions": 1, "sets": 1}, True)
    assert holds(tmp_path, ADA) == []


def test_a_full_disk_does_not_end_the_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither when it saves its bookmark, nor when it writes the answer to a request or cannot read one."""
    trained(tmp_path, ADA)
    (tmp_path / "forget-2.ask").mkdir()
    (tmp_path / "forget-1.ask").write_text(f'{{"lifter":"{ADA}"}}')
    full = [True]

    def sync(_: int) -> None:
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("monitor.state.whole_file.os.fsync", sync)
    monkeypatch.setattr("monitor.custody.forgetting.LOOK_EVERY_S", 0.05)

    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        with announced(tmp_path, Endpoints(broker_host="127.0.0.1", broker_port=1, page_url=None)):
            await until(lambda: publisher_of(daemon).connected and daemon._forget_requests.failures > 1)
        assert publisher_of(daemon).delivery.store_failures > 0
        full.clear()
        await until(lambda: (tmp_path / "forget-1.done").exists())
        assert '"rows":{"sessions":1,"sets":1}' in (tmp_path / "forget-1.done").read_text()

    with_daemon(tmp_path, story)


def test_a_reader_of_the_store_delays_a_request_and_no_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(tmp_path, ADA)
    monkeypatch.setattr("monitor.custody.forgetting.LOOK_EVERY_S", 0.05)
    reader = sqlite3.connect(tmp_path / "events.db")
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM sessions").fetchall()
    (tmp_path / "forget-1.ask").write_text(f'{{"lifter":"{ADA}"}}')

    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        async with listening(address, "event/+") as listener:
            await until(lambda: publisher_of(daemon).connected and daemon._forget_requests.failures > 0)
            machine.move(a_set())
            await listener.next("event/set_end")
        assert not (tmp_path / "forget-1.done").exists()
        reader.close()
        await until(lambda: (tmp_path / "forget-1.done").exists())
        assert '"rows":{"sessions":1,"sets":1}' in (tmp_path / "forget-1.done").read_text()

    with_daemon(tmp_path, story)
    assert holds(tmp_path, ADA) == []


def in_another_process(state: Path, *words: str) -> "asyncio.Future[tuple[int, str]]":
    def work() -> tuple[int, str]:
        environment = os.environ | {"STATE_DIRECTORY": str(state)}
        done = subprocess.run(
            [sys.executable, "-m", "monitor", *words], env=environment, capture_output=True, text=True, timeout=200
        )
        return done.returncode, done.stdout + done.stderr

    return asyncio.ensure_future(asyncio.to_thread(work))


@pytest.mark.usefixtures("busy_disk")
def test_a_running_daemon_removes_the_id_in_the_middle_of_their_session(tmp_path: Path) -> None:
    """From the store, from its memory, and from the broker, whose summary of the last set is cleared."""
    folder = tmp_path / "leg-press"
    folder.mkdir()

    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        with Lock(folder):
            async with listening(address, "set") as coach:
                await until(lambda: publisher_of(daemon).connected)
                await daemon.command(ask(LifterCommand, lifter=ADA))
                machine.move(a_set())
                await coach.next("set")
                await until(lambda: bool(holds(folder, ADA)))
                status, said = await in_another_process(tmp_path, "forget", ADA)
                assert (status, said) == (0, "leg-press: removed from 1 session and 1 set\n")
                assert holds(folder, ADA) == []
                while (await anext(coach.client.messages)).payload:  # a publisher that reconnects repeats the last set
                    pass
                async with listening(address, "set", "ack/+") as late:
                    await late.client.publish("rep/leg-press/ack/marker", b"{}", 1)
                    await late.next("ack/marker")
                    assert len(late.heard) == 1
                await daemon.command(ask(LoadCommand, load_n=None))  # the same person continues, in a new session
                machine.move(a_set())
                await coach.next("set")
                status, said = await in_another_process(tmp_path, "forget", ADA)
                assert said == "leg-press: no data has this id\n", "the daemon does not remember it either"

    with_daemon(folder, story)
    assert holds(tmp_path, ADA) == [], "no recording and no request contains it"
    recordings = list(folder.rglob("*.mcap"))
    assert recordings
    for path in recordings:  # its chunks are compressed
        with path.open("rb") as file:
            reader = make_reader(file)
            kept = [message.data for _, _, message in reader.iter_messages()]
            kept += [str(entry.metadata).encode() for entry in reader.iter_metadata()]
        assert len(kept) > 100
        assert not [data for data in kept if ADA.encode() in data]


@pytest.mark.usefixtures("busy_disk")
def test_a_collectors_command_removes_the_id_and_says_what_was_done(tmp_path: Path) -> None:
    trained(tmp_path, ADA, BEN)

    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        assert await daemon.command(ask(ForgetCommand, lifter=ADA)) == "removed from 1 session and 1 set"
        assert holds(tmp_path, ADA) == []
        assert await daemon.command(ask(ForgetCommand, lifter=ADA)) == "no data has this id"

    with_daemon(tmp_path, story)
    assert holds(tmp_path, ADA) == []
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith("forget-")]


def test_an_open_request_is_carried_out_by_the_next_daemon(tmp_path: Path) -> None:
    trained(tmp_path, ADA, BEN)
    (tmp_path / "forget-1.ask").write_text(f'{{"lifter":"{ADA}"}}')
    (tmp_path / "forget-2.ask").write_text("not a request of ours")

    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        await until(lambda: (tmp_path / "forget-1.done").exists())
        await until(lambda: not list(tmp_path.glob("*.ask")))

    with_daemon(tmp_path, story)
    assert holds(tmp_path, ADA) == []
    assert holds(tmp_path, BEN) != []


@needs.mosquitto
def test_without_a_daemon_the_brokers_retained_set_is_cleared_too(state: Path, tmp_path: Path) -> None:
    trained(state / "bad-input", BEN, ADA)

    async def kept(address: Address) -> int:
        async with asyncio.timeout(120), listening(address, "../bad-input/set") as late:
            await late.client.subscribe("rep/bad-input/#", 1)
            await late.client.publish("rep/bad-input/marker", b"", 1)
            count = 0
            async for message in late.client.messages:
                if message.topic.value.endswith("marker"):
                    return count
                count += 1
        raise AssertionError

    async def keep(address: Address) -> None:
        async with listening(address) as somebody:
            await somebody.client.publish("rep/bad-input/set", b"{}", 1, retain=True)

    with mosquitto(tmp_path) as broker:
        address = Address(host="127.0.0.1", port=broker.port)
        (tmp_path / "m.toml").write_text(f'{PROFILE}[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\n')
        asyncio.run(keep(address))
        assert asyncio.run(kept(address)) == 1
        assert main(["forget", ADA, "--config", str(tmp_path / "m.toml")]) == ExitCode.DONE
        assert asyncio.run(kept(address)) == 0
