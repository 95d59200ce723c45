"""A command ends with a sentence, whatever its files and its output are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.exit_codes import ExitCode
from monitor.profile.reading import load_profile
from monitor.profile.toml_document import ConfigError
from monitor.state.folders import AlreadyRuns, Lock, state_directory
from monitor.state.small_file import read_small

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "configs" / "leg_press.toml"


def run(words: str, tmp_path: Path, *, out: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a command in a shell; `out` is where its output goes."""
    environment = os.environ | {"STATE_DIRECTORY": str(tmp_path)}
    command = f"exec {sys.executable} -m monitor {words} {out}"
    return subprocess.run(
        ["bash", "-c", command], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "pipe"])
def test_a_profile_is_a_regular_file(path: str, tmp_path: Path) -> None:
    if path == "pipe":
        path = str(tmp_path / "pipe")
        os.mkfifo(path)
    with pytest.raises(ConfigError, match="not a regular file"):
        load_profile(Path(path))


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(11))
    assert read_small(path, 11) == bytes(11)
    with pytest.raises(OSError, match="larger than 10 bytes"):
        read_small(path, 10)
    with pytest.raises(IsADirectoryError):
        read_small(tmp_path)


def test_an_unknown_users_home_is_a_mistake_in_the_profile(tmp_path: Path) -> None:
    cues = '[display]\ncues = "~nobody-has-this-name/cues"\n'
    (tmp_path / "m.toml").write_text(PROFILE.read_text().replace("[display]\n", cues))
    with pytest.raises(ConfigError, match="that home folder is not known; give the whole path"):
        load_profile(tmp_path / "m.toml")


@pytest.mark.parametrize("home", ["", "not/absolute"])
def test_without_a_home_the_state_folder_must_be_named(
    home: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", home)
    assert main(["backup", "b.zip"]) == ExitCode.FAILED
    assert capsys.readouterr().err == (
        "rep-monitor backup: the home folder of this user is not known: set STATE_DIRECTORY to a writable folder\n"
    )


@pytest.mark.parametrize("words", [f"config check {PROFILE}", "replay tests/recordings/clean.mcap", "replay --help"])
def test_an_output_that_is_closed_or_full(words: str, tmp_path: Path) -> None:
    closed = run(words, tmp_path, out=">&-")
    assert (closed.returncode, closed.stderr) == (ExitCode.DONE, "")
    full = run(words, tmp_path, out=">/dev/full")
    assert full.returncode == ExitCode.FAILED
    assert full.stderr.count("\n") == 1
    assert "the output: no space left on device" in full.stderr


def test_a_full_standard_error_changes_no_status(tmp_path: Path) -> None:
    assert run("replay no-such-file", tmp_path, out="2>/dev/full").returncode == ExitCode.BAD_INPUT


def test_folders_are_private_at_every_level_whatever_the_umask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "a" / "b"))
    before = os.umask(0)
    try:
        folder = state_directory("m")
    finally:
        os.umask(before)
    assert [one.stat().st_mode & 0o777 for one in (folder, folder.parent, folder.parent.parent)] == [0o750] * 3


def test_the_lock_holds_although_its_file_is_removed(tmp_path: Path) -> None:
    with Lock(tmp_path):
        (tmp_path / "lock").unlink()
        with pytest.raises(AlreadyRuns), Lock(tmp_path):
            pass
    with Lock(tmp_path):
        pass
