"""A disk that hangs for ever: a stop ends all the same, and the log says how to mend what was being recorded."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from monitor.__main__ import main
from monitor.exit_codes import ExitCode
from monitor.record.session_file import read_session
from tests import needs
from tests.daemon.ear import listening
from tests.daemon.whole import a_profile
from tests.faults.shim import Shim
from tests.faults.stage import Program, a_daemon, a_lifter, until
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
            assert "ERROR the stop has taken 2 s: the daemon ends now" in daemon.lines
            assert_mended(daemon, shim)

    asyncio.run(story())


def test_another_ctrl_c_ends_it_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with hung(tmp_path) as (daemon, shim):
            os.kill(daemon.pid, signal.SIGINT)
            await until(lambda: [line for line in daemon.lines if "Ctrl-C again ends it" in line])
            os.kill(daemon.pid, signal.SIGINT)
            assert await asyncio.to_thread(daemon.wait) == ExitCode.INTERRUPTED
            assert "ERROR Ctrl-C again: the daemon ends now" in daemon.lines
            assert_mended(daemon, shim)

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
