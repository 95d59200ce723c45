"""Files that are written whole, also by several writers at once and after one that was killed."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.state import whole_file
from monitor.state.whole_file import copy_whole, write_new, write_whole


def test_two_writers_of_a_file_do_not_disturb_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "up.json"

    def parts(_: Path) -> Iterator[bytes]:
        yield b"the first "
        write_whole(path, b"the second")
        assert path.read_bytes() == b"the second"
        yield b"one"

    monkeypatch.setattr(whole_file, "parts_of", parts)
    copy_whole(path, path)
    assert path.read_bytes() == b"the first one"
    assert os.listdir(tmp_path) == ["up.json"]


def test_a_writer_whose_part_was_removed_before_it_was_locked_makes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock, path = fcntl.flock, tmp_path / "up.json"
    removed: list[Path] = []

    def remove_first(fd: int, how: int) -> None:
        if not removed:
            removed.extend(tmp_path.iterdir())
            removed[0].unlink()
        flock(fd, how)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    write_whole(path, b"{}")
    assert path.read_bytes() == b"{}"
    assert os.listdir(tmp_path) == ["up.json"]


def test_what_a_killed_writer_leaves_is_removed_by_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "up.json"
    write_whole(tmp_path / "up.json.2.new", b"not a part of it")
    code = """
import os, signal, sys
from pathlib import Path
from monitor.state import whole_file
whole_file.os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
whole_file.write_whole(Path(sys.argv[1]), b"half")
"""
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code, str(path)], check=False)
        assert len(os.listdir(tmp_path)) == 2, "each removes what the one before has left"
    write_new(path, b"{}")
    assert sorted(os.listdir(tmp_path)) == ["up.json", "up.json.2.new"]


def test_a_pipe_in_the_place_of_a_part_stops_no_writer(tmp_path: Path) -> None:
    """Root writes in a folder of the service, which may contain anything."""
    os.mkfifo(tmp_path / ".up.json.0.new")
    (tmp_path / ".up.json.1.new").mkdir()
    write_whole(tmp_path / "up.json", b"{}")
    assert (tmp_path / "up.json").read_bytes() == b"{}"
