"""The state folder of a machine, and the lock of its one daemon."""

import fcntl
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.calibrate.answers import Answers
from monitor.calibrate.history import StoredCalibration, add
from monitor.calibrate.step_results import Progress
from monitor.state.folders import AlreadyRuns, Lock, StateError, recording_path, state_directory, store_path
from monitor.state.running import daemon_of
from monitor.state.whole_file import write_whole


def test_the_folder_comes_from_systemd_else_from_xdg_else_from_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert state_directory("m") == tmp_path / ".local/state/rep-monitor/m"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_directory("m") == tmp_path / "xdg/rep-monitor/m"
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    assert state_directory("m") == tmp_path / "one/m"
    assert (tmp_path / "one/m").stat().st_mode & 0o777 & ~0o750 == 0


def test_paths_within_the_folder(tmp_path: Path) -> None:
    created = datetime(2026, 11, 23, 8, 15, 2, tzinfo=UTC)
    assert recording_path(tmp_path, created, "k3x") == tmp_path / "recordings/2026-11-23/081502-k3x.mcap"
    assert store_path(tmp_path) == tmp_path / "events.db"


def test_a_folder_that_cannot_be_created_is_reported_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "file"))
    with pytest.raises(StateError, match=r"file/m cannot be created \(Not a directory\): set STATE_DIRECTORY"):
        state_directory("m")


def test_a_second_daemon_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    directory = tmp_path / "leg-press"
    directory.mkdir()
    code = """
import sys
from pathlib import Path
from monitor.state.folders import Lock
with Lock(Path(sys.argv[1])):
    print(flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", code, str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(
            StateError, match=rf"another rep-monitor \(pid {other.pid}\) is running for machine 'leg-press'"
        ):
            Lock(directory).__enter__()
        other.kill()
        other.wait()
    with Lock(directory):  # the kernel has released the lock of the killed process
        pass
    with Lock(directory):
        pass


def test_a_program_that_looks_for_a_daemon_prevents_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`doctor` locks the file for a moment."""
    (tmp_path / "lock").touch()
    with (tmp_path / "lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        with pytest.raises(AlreadyRuns, match="pid unknown"), Lock(tmp_path):
            pass
        monkeypatch.setattr("monitor.state.folders.time.sleep", lambda _: fcntl.flock(looking, fcntl.LOCK_UN))
        with Lock(tmp_path):
            pass


def test_a_program_that_finds_the_lock_finds_the_pid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the moment when the file is locked, too."""
    (tmp_path / "lock").write_text("4711471\n")  # of an earlier daemon
    flock, found = fcntl.flock, []

    def look(fd: int, how: int) -> None:
        flock(fd, how)
        if how & fcntl.LOCK_EX:
            found.append(daemon_of(tmp_path)[0])

    monkeypatch.setattr("monitor.state.folders.fcntl.flock", look)
    with Lock(tmp_path):
        pass
    assert found == [None, os.getpid()]
    assert daemon_of(tmp_path)[0] is None


def test_a_lock_that_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be opened"):
        Lock(tmp_path / "absent").__enter__()


def test_symbolic_links_in_the_folder_are_not_followed(tmp_path: Path) -> None:
    """Root runs `forget`, `restore` and `calibrate` in a folder that belongs to the service."""
    precious = tmp_path / "precious"
    precious.write_text("of root")
    folder = tmp_path / "leg-press"
    folder.mkdir()
    for name in ("lock", "up.json", ".up.json.0.new", "calibrations.jsonl"):
        (folder / name).symlink_to(precious)
    with pytest.raises(StateError, match="lock cannot be opened"):
        Lock(folder).__enter__()
    write_whole(folder / "up.json", b"{}")
    assert not (folder / "up.json").is_symlink()
    state = Progress(started_utc="", answers=Answers(weights=("20 kg", "60 kg")))
    kept = StoredCalibration(finished_utc="", version="", state=state, after={}, before={}, written=False)
    with pytest.raises(OSError, match=r"calibrations\.jsonl"):
        add(folder, kept)
    assert precious.read_text() == "of root"
