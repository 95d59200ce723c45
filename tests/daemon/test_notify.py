"""The messages to the service manager, received at a socket of the test: ready, alive, stopping."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.daemon import notify
from monitor.daemon.notify import ServiceManager
from tests.daemon.ear import PATIENCE_S, Ear, listening
from tests.daemon.whole import a_profile
from tests.mqtt.brokers import free_port
from tests.mqtt.stage import play, until


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    with listening(str(tmp_path / "notify")) as made:
        yield made


def at(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": str(tmp_path / "notify"), **more}


def test_ready_alive_and_stopping_are_sent_in_order(ear: Ear, tmp_path: Path) -> None:
    async def story() -> None:
        manager = ServiceManager(at(tmp_path, WATCHDOG_USEC="100000", WATCHDOG_PID=str(os.getpid())))
        async with manager.watching(lambda: 0.0, lambda: "all is well"):
            await until(lambda: ear.count("WATCHDOG") >= 3)
            manager.stopping()
        await until(lambda: ear.count("STOPPING") == 1)

    play(story())
    assert ear.heard[0] == {"READY": "1", "STATUS": "all is well"}
    assert {"WATCHDOG": "1", "STATUS": "all is well"} in ear.heard
    assert ear.heard[-1]["STOPPING"] == "1"


def test_a_hanging_reader_is_not_reported_as_alive(ear: Ear, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    silent_s = 0.0

    async def story() -> None:
        nonlocal silent_s
        manager = ServiceManager(at(tmp_path, WATCHDOG_USEC="40000"))
        async with manager.watching(lambda: silent_s, lambda: ""):
            await until(lambda: ear.count("WATCHDOG") >= 2)
            silent_s = notify.READER_PAUSE_S + 1
            await asyncio.sleep(0.05)
            before = ear.count("WATCHDOG")
            await asyncio.sleep(0.3)
            assert ear.count("WATCHDOG") == before
            silent_s = 0.0
            await until(lambda: ear.count("WATCHDOG") > before)

    play(story())
    assert caplog.text.count("the reader hangs for 6 s") == 1


def test_an_abstract_socket_can_be_used() -> None:
    name = f"@rep-monitor-test-{os.getpid()}"
    with listening(name) as ear:
        ServiceManager({"NOTIFY_SOCKET": name}).send(READY=1)
        assert ear.count("READY") == 1


@pytest.mark.parametrize(
    ("environment", "watchdog_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "20000000"}, 20.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdogs_period_is_read_from_the_environment(
    environment: dict[str, str], watchdog_s: float | None
) -> None:
    assert ServiceManager(environment).watchdog_s == watchdog_s


def test_a_manager_that_does_not_listen_is_counted_and_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manager = ServiceManager(at(tmp_path))
    for _ in range(3):
        manager.send(WATCHDOG=1)
    assert manager.unsent == 3
    assert caplog.text.count("the service manager does not listen at") == 1
    ServiceManager({}).send(READY=1)  # without a manager nothing is sent


def test_a_hanging_daemon_sends_nothing(ear: Ear, tmp_path: Path) -> None:
    """The whole daemon without a device: alive, silent after SIGSTOP, alive after SIGCONT, stopping at SIGTERM."""
    environment = os.environ | at(tmp_path, WATCHDOG_USEC="400000", STATE_DIRECTORY=str(tmp_path / "state"))
    profile = a_profile(tmp_path, free_port())
    command = [sys.executable, "-m", "monitor", "run", "--config", str(profile), "--port", str(tmp_path / "no-port")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            ear.wait_for("WATCHDOG", 2)
            assert "READY" in ear.heard[0]
            ear.wait_for("does not exist: plug the device in", 2)  # alive without a device
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            before = ear.count("WATCHDOG")
            time.sleep(1.0)
            assert ear.count("WATCHDOG") == before
            process.send_signal(signal.SIGCONT)
            ear.wait_for("WATCHDOG", before + 2)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
    assert ear.count("STOPPING") == 1


def test_a_blocked_event_loop_sends_nothing(ear: Ear, tmp_path: Path) -> None:
    async def story() -> None:
        manager = ServiceManager(at(tmp_path, WATCHDOG_USEC="80000"))
        async with manager.watching(lambda: 0.0, lambda: ""):
            await until(lambda: ear.count("WATCHDOG") >= 2)
            before = ear.count("WATCHDOG")
            time.sleep(0.3)  # noqa: ASYNC251 - this is the fault
            assert ear.count("WATCHDOG") == before

    play(story())
