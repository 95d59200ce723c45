"""A disk that hangs for ever: a stop ends all the same, and the log says how to mend what was being recorded."""

import asyncio
import contextlib
import os
import re
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.exit_codes import ExitCode
from monitor.gym.configuration import load_gym
from monitor.gym.web.own_programs import ask_code
from monitor.record.session_reader import read_session
from tests import needs
from tests.daemon.ear import listening
from tests.daemon.whole import a_profile
from tests.faults.shim import Shim
from tests.faults.stage import Program, a_daemon, a_lifter, until
from tests.mqtt.brokers import free_port
from tests.soak import soak

pytestmark = [soak, needs.compiler]
FOREVER_S = 3600.0


@asynccontextmanager
async def hung(folder: Path, **environment: str) -> AsyncIterator[tuple[Program, Shim]]:
    """A daemon in the middle of a session, whose disk hangs."""
    profile = a_profile(folder, None)
    with Shim(folder) as shim:
        daemon = a_daemon(folder, profile, folder / "tty", shim.environment | environment, "tests.faults.chatty")
        with a_lifter(folder, profile, 1.0), daemon:
            await until(lambda: shim.recorded_bytes > 20_000)
            shim.stall_syncs(FOREVER_S)
            yield daemon, shim


def assert_mended(daemon: Program, shim: Shim) -> None:
    """The log names the recording and the command that mends what the disk has of it."""
    (words,) = (found for line in daemon.lines if (found := re.search(r"`rep-monitor (recover .*)`", line)))
    assert f"{words[1].split()[1]} may lack its end" in words.string
    path = Path(words[1].split()[1])
    os.truncate(path, shim.recorded_bytes)
    assert main(words[1].split()) in (ExitCode.DONE, ExitCode.DONE_WITH_LOSS)
    copy = read_session(path.with_suffix(".recovered.mcap"))
    assert sum(record.topic == "/wire" for record in copy) > 20
    assert not copy.damage


def test_a_stop_ends_at_its_limit(tmp_path: Path) -> None:
    async def story() -> None:
        async with hung(tmp_path, STOP_WITHIN_S="2") as (daemon, shim):
            os.kill(daemon.pid, signal.SIGTERM)
            assert await asyncio.to_thread(daemon.wait) == ExitCode.FAILED
            assert "ERROR the stop has taken 2 s: ending without what is not on the disk yet" in daemon.lines
            assert_mended(daemon, shim)

    asyncio.run(story())


def test_another_ctrl_c_ends_it_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with hung(tmp_path) as (daemon, shim):
            os.kill(daemon.pid, signal.SIGINT)
            await until(lambda: [line for line in daemon.lines if "Ctrl-C again ends it" in line])
            os.kill(daemon.pid, signal.SIGINT)
            assert await asyncio.to_thread(daemon.wait) == ExitCode.INTERRUPTED
            assert "ERROR Ctrl-C again: ending without what is not on the disk yet" in daemon.lines
            assert_mended(daemon, shim)

    asyncio.run(story())


def test_another_ctrl_c_ends_a_daemon_that_waits_for_its_store(tmp_path: Path) -> None:
    async def story() -> None:
        with Shim(tmp_path) as shim:
            shim.stall_syncs(FOREVER_S)
            with a_daemon(tmp_path, a_profile(tmp_path, None), tmp_path / "tty", shim.environment) as daemon:
                await until(lambda: list((tmp_path / "state").rglob("events.db*")))
                os.kill(daemon.pid, signal.SIGINT)
                await until(lambda: [line for line in daemon.lines if "Ctrl-C again ends it" in line])
                os.kill(daemon.pid, signal.SIGINT)
                assert await asyncio.to_thread(daemon.wait) == ExitCode.INTERRUPTED
                assert "ERROR Ctrl-C again: ending without what is not on the disk yet" in daemon.lines

    asyncio.run(story())


def test_the_service_manager_hears_that_it_stops_and_is_alive(tmp_path: Path) -> None:
    async def story() -> None:
        manager = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        with listening(manager["NOTIFY_SOCKET"]) as ear:
            async with hung(tmp_path, **manager, STOP_WITHIN_S="4") as (daemon, _):
                assert ear.count("STOPPING") == 0
                os.kill(daemon.pid, signal.SIGTERM)
                await until(lambda: ear.count("STOPPING"))
                alive = ear.count("WATCHDOG")
                await until(lambda: ear.count("WATCHDOG") > alive + 10)  # 1 s
                assert await asyncio.to_thread(daemon.wait) == ExitCode.FAILED
            assert ear.count("STOPPING") == 1

    asyncio.run(story())


def pair(port: int, code: str) -> None:
    """Asks for a login, which the gym stores; the answer does not come while the disk hangs."""
    connection = HTTPConnection("127.0.0.1", port)
    with contextlib.suppress(OSError, HTTPException):
        connection.request("POST", "/api/pair", f'{{"code": "{code}"}}', {"Content-Type": "application/json"})
        connection.getresponse()
    connection.close()


def test_another_ctrl_c_ends_a_gym_whose_database_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    (tmp_path / "gym.toml").write_text(f"[mqtt]\nport = {free_port()}\n[display]\nport = {free_port()}\n")
    config = load_gym(tmp_path / "gym.toml")

    async def story() -> None:
        with Shim(tmp_path) as shim:
            words = ("gym", "--config", tmp_path / "gym.toml")
            with Program(tmp_path / "gym.log", *words, environment=shim.environment) as gym:
                await until(lambda: gym.is_up)
                code = (await asyncio.to_thread(ask_code, config, "trainer")).code
                (written,) = (tmp_path / "state").rglob("gym.db-wal")
                before = written.stat().st_size
                shim.stall_syncs(FOREVER_S)
                pairing = threading.Thread(target=pair, args=(config.display.port, code))
                pairing.start()
                await until(lambda: written.stat().st_size > before)
                os.kill(gym.pid, signal.SIGINT)
                await until(lambda: [line for line in gym.lines if "Ctrl-C again ends it" in line])
                os.kill(gym.pid, signal.SIGINT)
                assert await asyncio.to_thread(gym.wait) == ExitCode.INTERRUPTED
                assert "ERROR Ctrl-C again: ending without what is not on the disk yet" in gym.lines
                await asyncio.to_thread(pairing.join)

    asyncio.run(story())
