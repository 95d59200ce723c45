"""Stored events survive kills and full disks; a damaged file is set aside, never deleted, and a new store begins."""

import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.store import database
from monitor.store.database import PAGE_BYTES, StoreError
from monitor.store.store import Store
from tests.record.sessions import jerk
from tests.soak import Figure, long, soak

ROOT = Path(__file__).parents[2]
KILLS = long(60, 5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


def filled(path: Path, count: int = 200) -> str:
    with Store(path) as store:
        for start in range(0, count, 20):
            store.append([jerk(k) for k in range(start, start + 20)])
        assert store.store_id is not None
        return store.store_id


def writer(path: Path, *words: str) -> subprocess.Popen[str]:
    """Another process that appends for ever and prints the last seq that the store confirmed."""
    code = """
import sys
from pathlib import Path
from monitor.store.store import Store
from tests.record.sessions import jerk
store = Store(Path(sys.argv[1]))
print(store.store_id, store.last_seq, flush=True)
while True:
    print(store.append([jerk(k) for k in range(3)])[-1].seq, flush=True)
"""
    command = [sys.executable, "-c", code, str(path), *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@soak
def test_killed_at_any_moment_no_confirmed_event_is_lost(path: Path, figure: Figure) -> None:
    dice = random.Random(7)
    store_id, confirmed = "", 0
    for _ in range(KILLS):
        with writer(path) as process:
            assert process.stdout is not None
            head = process.stdout.readline().split()
            assert head[0] == (store_id or head[0])
            assert int(head[1]) >= confirmed
            store_id = head[0]
            for _ in range(dice.randrange(1, 40)):
                confirmed = int(process.stdout.readline())
            process.kill()
            confirmed = max([confirmed, *(int(line) for line in process.stdout.read().split("\n")[:-1])])
    with Store(path) as store:
        assert store.set_aside is None
        assert store.last_seq >= confirmed
        assert [event.seq for event in store.after(0, 1_000_000)] == list(range(1, store.last_seq + 1))
        figure(f"{KILLS} kills of the store's writer", f"0 of {confirmed} confirmed events lost, none duplicated")


def damage_header(data: bytearray) -> None:
    data[:16] = b"SQLite format 2\0"


def damage_a_page(data: bytearray) -> None:
    for at in range(2 * PAGE_BYTES, len(data), PAGE_BYTES):
        data[at : at + 200] = b"\xa5" * 200


def damage_by_cutting(data: bytearray) -> None:
    del data[len(data) // 2 :]


def damage_by_zeros(data: bytearray) -> None:
    data[:] = bytes(len(data))


def damage_to_text(data: bytearray) -> None:
    data[:] = b"this was a database once\n" * 100


def damage_the_schema_format(data: bytearray) -> None:
    data[47] = 5  # SQLite knows 1 to 4, and gives a generic error


@pytest.mark.parametrize(
    "damage",
    [
        damage_header,
        damage_the_schema_format,
        damage_a_page,
        damage_by_cutting,
        damage_by_zeros,
        damage_to_text,
    ],
)
def test_a_damaged_store_is_set_aside_and_a_new_one_begins(
    path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[bytearray], None]
) -> None:
    old_id = filled(path)
    with writer(path) as process:  # does not close the store
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        process.stdout.read()
    for leftover in ("events.db-wal", "events.db-shm"):
        path.with_name(leftover).unlink(missing_ok=True)
    data = bytearray(path.read_bytes())
    damage(data)
    path.write_bytes(data)
    with Store(path) as store:
        assert store.store_id not in (None, old_id)
        assert store.set_aside == path.with_name("events.db.corrupt-1")
        assert (store.first_seq, store.last_seq) == (1, 0)
        assert [event.seq for event in store.append([jerk(1)])] == [1]
    assert path.with_name("events.db.corrupt-1").read_bytes() == data
    assert "set aside as events.db.corrupt-1, a new store begins" in caplog.text


def test_stores_set_aside_earlier_are_not_replaced(path: Path) -> None:
    for number in (1, 2, 3):
        path.write_bytes(b"not a database, number %d, but long enough to be statements at" % number * 100)
        with Store(path) as store:
            assert store.set_aside == path.with_name(f"events.db.corrupt-{number}")
    for number in (1, 2, 3):
        assert b"number %d" % number in path.with_name(f"events.db.corrupt-{number}").read_bytes()


def test_the_log_is_set_aside_with_its_store(path: Path) -> None:
    filled(path)
    path.with_name("events.db-wal").write_bytes(b"log")
    path.write_bytes(b"not a database" * 1000)
    with Store(path):
        pass
    assert path.with_name("events.db.corrupt-1-wal").read_bytes() == b"log"


def test_the_database_of_another_program_is_set_aside_too(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    with Store(path) as store:
        assert store.set_aside is not None
        assert store.append([jerk(1)])


def test_damage_found_while_running_is_reported_and_the_next_call_succeeds(path: Path) -> None:
    old_id = filled(path, 2000)
    store = Store(path)
    with path.open("r+b") as file:
        for page in range(1, path.stat().st_size // PAGE_BYTES):
            file.seek(page * PAGE_BYTES)
            file.write(b"\xa5" * 300)

    def use_it() -> None:
        for k in range(100):
            store.append([jerk(k)])
            store.after(0, 10_000)

    with pytest.raises(StoreError, match=r"was damaged and is now .*events.db.corrupt-1: a new store begins"):
        use_it()
    assert store.store_id not in (None, old_id)
    assert [event.seq for event in store.append([jerk(1)])] == [1]
    store.close()


def test_a_reader_reports_damage_and_changes_nothing(path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)
    reader = Store(path, read_only=True)
    with pytest.raises(StoreError, match=r"is damaged .*: restart the daemon; it sets the file aside"):
        reader.after(0, 1)
    assert [file.name for file in path.parent.iterdir()] == ["events.db"]


def test_a_store_that_this_user_may_not_open_is_no_full_disk(path: Path) -> None:
    path.mkdir()
    with Store(path) as store:
        with pytest.raises(
            StoreError, match=r"events.db cannot be used \(.*\): make it a file that this user may read"
        ):
            store.open()
        path.rmdir()
        store.open()
        assert store.store_id is not None


def test_a_full_disk_is_reported_each_time_and_storing_continues_when_there_is_room(path: Path) -> None:
    """In a separate process, because the limit applies to all files of a process."""
    code = """
import resource, sys
from pathlib import Path
from monitor.store import database
from monitor.store.database import StoreError
from monitor.store.store import Store
from tests.record.sessions import jerk

store = Store(Path(sys.argv[1]))
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
confirmed = [event.seq for event in store.append([jerk(1)])]
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
refused = 0
for k in range(400):
    try:
        confirmed += [event.seq for event in store.append([jerk(k)])]
    except StoreError as error:
        refused += 1
        assert "free disk space" in str(error), error
assert refused > 100, refused
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
confirmed += [event.seq for event in store.append([jerk(1)])]
assert confirmed == [event.seq for event in store.after(0, 1000)], "confirmed events and the disk differ"
print(len(confirmed), flush=True)
import os; os.kill(os.getpid(), 9)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == -9, done.stderr
    with Store(path) as store:
        assert store.set_aside is None
        assert [event.seq for event in store.after(0, 1000)] == list(range(1, int(done.stdout) + 1))


def test_a_disk_that_refuses_from_the_start_is_reported_until_it_is_back(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    store = Store(tmp_path / "state" / "events.db")
    assert store.store_id is None
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot be used"):
            store.append([jerk(1)])
    os.remove(tmp_path / "state")
    assert [event.seq for event in store.append([jerk(1)])] == [1]
    assert store.store_id
    store.close()


def test_only_a_store_that_was_not_closed_is_checked_page_by_page(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[str] = []
    real = database.connect

    def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
        connection = real(path, read_only=read_only)
        connection.set_trace_callback(statements.append)
        return connection

    monkeypatch.setattr(database, "connect", connect)
    with Store(path):
        pass
    unclean = Store(path)
    assert not [statement for statement in statements if "integrity" in statement]
    assert unclean._connection is not None
    unclean._connection.close()
    with Store(path):
        pass
    assert [statement for statement in statements if "integrity" in statement] == ["PRAGMA integrity_check(1)"]
