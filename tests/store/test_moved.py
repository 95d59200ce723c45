"""A store whose files are replaced, moved, removed or shortened under the daemon goes on at its path, and says so."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.store.store import SHOWN_S, Store
from tests.record.sessions import jerk


def removed(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    """By another store, as a person does who copies one there."""
    with Store(path.with_name("other.db")) as other:
        other.append([jerk(1)])
    path.with_name("other.db").replace(path)


def moved(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


def without_log(path: Path) -> None:
    for part in path.parent.glob("events.db*"):
        part.unlink()


@pytest.mark.parametrize(("change", "kept"), [(removed, 0), (replaced, 1), (moved, 0), (without_log, 0)])
def test_what_is_stored_afterwards_is_there_after_a_restart(
    change: Callable[[Path], None],
    kept: int,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "m" / "events.db"
    with Store(path) as store:
        store.append([jerk(1), jerk(2)])
        before = store.store_id
        assert store.trouble is None
        change(path)
        assert "the next record opens the one that is there" in str(store.trouble)
        assert [event.seq for event in store.append([jerk(3)])] == [kept + 1]
        assert store.store_id != before, "consumers see that it is another one"
        assert "was replaced, moved or removed" in caplog.text
        assert "was opened anew; earlier records are in the old file" in str(store.trouble)
        monkeypatch.setattr("monitor.store.store.time.monotonic", lambda: time.monotonic_ns() / 1e9 + SHOWN_S)
        assert store.trouble is None
        assert store.append([jerk(4)])[0].seq == kept + 2
    with Store(path) as store:
        assert store.set_aside is None
        assert [event.seq for event in store.after(0, 10)] == list(range(1, kept + 3))
    if change is moved:
        with Store(tmp_path / "elsewhere" / "events.db") as old:
            assert [event.event.id for event in old.after(0, 10)] == [1, 2]
    shutil.rmtree(tmp_path / "elsewhere", ignore_errors=True)


def test_a_file_that_stays_is_not_opened_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Store(tmp_path / "events.db") as store:
        for number in range(5):
            store.append([jerk(number)])
        assert store.last_seq == 5
    assert caplog.text == ""


SHORTENING = """
import os, sys
from pathlib import Path
from monitor.store.store import Store
from tests.record.sessions import jerk

path, bytes_left = Path(sys.argv[1]), int(sys.argv[2])
with Store(path) as store:
    store.append([jerk(1)])
    os.truncate(f"{path}-shm", bytes_left)
    store.append([jerk(2)])
    os.truncate(f"{path}-shm", bytes_left)
    print([event.event.id for event in store.after(0, 10)])
    os.truncate(f"{path}-shm", bytes_left)
"""


@pytest.mark.parametrize("bytes_left", [0, 200, 20_000])
def test_an_index_that_is_shortened_ends_nothing_and_loses_nothing(bytes_left: int, tmp_path: Path) -> None:
    """In its own process: SQLite maps the file into memory, and an access beyond its end is SIGBUS."""
    path = tmp_path / "events.db"
    command = [sys.executable, "-c", SHORTENING, str(path), str(bytes_left)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode != -signal.SIGBUS
    assert (done.returncode, done.stdout) == (0, "[1, 2]\n")
    assert done.stderr.count("-shm was shortened while it was in use") == 3
    with Store(path) as store:
        assert store.set_aside is None
        assert [event.event.id for event in store.after(0, 10)] == [1, 2]
