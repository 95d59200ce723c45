"""The store numbers events, returns them, and keeps them over a restart."""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from monitor.events import encode
from monitor.store.database import StoreError, StoreVersionError
from monitor.store.store import DAY_S, Store
from monitor.store.stored import StoredEvent
from tests.record.sessions import jerk, set_end


class Clock:
    """A wall clock that the test sets."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "leg-press" / "events.db"


@pytest.fixture
def store(path: Path, clock: Clock) -> Iterator[Store]:
    with Store(path, clock=clock) as store:
        yield store


def seqs(stored: list[StoredEvent]) -> list[int]:
    return [event.seq for event in stored]


def test_events_are_numbered_and_returned_unchanged(store: Store, clock: Clock) -> None:
    assert (store.first_seq, store.last_seq) == (1, 0)
    stored = store.append([jerk(1), set_end(2)])
    assert seqs(stored) == [1, 2]
    assert stored[0].record == encode(jerk(1))
    assert stored[0].event == jerk(1)
    assert (stored[1].kind, stored[1].session, stored[1].stored_unix_s) == ("set_end", "s1", clock.now_s)
    assert {event.store_id for event in stored} == {store.store_id}
    assert seqs(store.append([jerk(3)])) == [3]
    assert store.append([]) == []
    assert store.after(0, 10)[:2] == stored
    assert seqs(store.after(1, 10)) == [2, 3]
    assert seqs(store.after(0, 2)) == [1, 2]
    assert store.after(3, 10) == []
    assert (store.first_seq, store.last_seq) == (1, 3)


def test_a_reopened_store_contains_all_events_and_continues_the_numbers(path: Path) -> None:
    with Store(path) as store:
        store.append([jerk(1), jerk(2)])
        store_id = store.store_id
    with Store(path) as store:
        assert (store.store_id, store.first_seq, store.last_seq, store.set_aside) == (store_id, 1, 2, None)
        assert seqs(store.append([jerk(3)])) == [3]


def test_another_store_has_another_id(tmp_path: Path) -> None:
    with Store(tmp_path / "a.db") as a, Store(tmp_path / "b.db") as b:
        assert a.store_id != b.store_id


def test_a_call_stores_all_its_events_or_none(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        kind, session = "jerk", "s1"

    with pytest.raises(TypeError):
        store.append([jerk(1), Broken()])  # type: ignore[list-item]
    assert store.after(0, 10) == []
    assert seqs(store.append([jerk(2)])) == [1]


def test_prune_removes_the_oldest_beyond_age_or_number(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.store.store.SPARED_EVENTS", 3)
    store.append([jerk(k) for k in range(10)])
    clock.now_s += 20 * DAY_S
    store.append([jerk(k) for k in range(10, 20)])
    assert store.prune(keep_days=30, keep_events=100) == 0
    clock.now_s += 15 * DAY_S
    assert store.prune(keep_days=30, keep_events=100) == 10
    assert (store.first_seq, store.last_seq) == (11, 20)
    assert store.prune(keep_days=30, keep_events=6) == 4
    assert seqs(store.after(0, 100)) == list(range(15, 21))
    clock.now_s += 100 * DAY_S
    assert store.prune(keep_days=30, keep_events=100) == 3  # the newest are never too old
    assert store.prune(keep_days=30, keep_events=0) == 3
    assert (store.first_seq, store.last_seq) == (21, 20)
    assert seqs(store.append([jerk(1)])) == [21]  # a number is never used twice


def test_a_wall_clock_that_jumps_causes_no_gap(store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.store.store.SPARED_EVENTS", 0)
    store.append([jerk(1)])
    clock.now_s -= 400 * DAY_S  # the computer started without knowing the date
    store.append([jerk(2)])
    clock.now_s += 400 * DAY_S
    store.append([jerk(3)])
    store.prune(keep_days=30, keep_events=100)
    assert seqs(store.after(0, 10)) == [1, 2, 3]


def test_the_last_number_is_known_after_everything_was_pruned(path: Path) -> None:
    with Store(path) as store:
        store.append([jerk(k) for k in range(5)])
        store.prune(keep_days=30, keep_events=0)
    with Store(path) as store:
        assert (store.first_seq, store.last_seq) == (6, 5)


def test_sets_and_sessions_have_their_summaries(store: Store, clock: Clock) -> None:
    store.begin_session("s1", lifter="l-17", recording="2026-11-23/081502-s1.mcap")
    store.append([jerk(1), set_end(2, set_number=1)])
    store.change_lifter("s1", "l-18")
    store.append([set_end(3, set_number=2)])
    clock.now_s += 600
    store.end_session("s1", {"sets": 2})
    clock.now_s += 600
    store.begin_session("s2")
    store.append([set_end(1, session="s2"), set_end(1, session="s2")])  # stored twice: the later record counts
    latest, earlier = store.sessions()
    assert (latest.session, latest.lifter, latest.ended_unix_s, latest.summary) == ("s2", None, None, None)
    assert (earlier.session, earlier.lifter, earlier.summary) == ("s1", "l-18", {"sets": 2})
    assert earlier.recording == "2026-11-23/081502-s1.mcap"
    assert earlier.ended_unix_s == earlier.started_unix_s + 600
    assert [(row.number, row.lifter) for row in store.sets("s1")] == [(1, "l-17"), (2, "l-18")]
    assert store.sets("s1")[0].summary == set_end(2)
    assert len(store.sets("s2")) == 1
    assert [row.session for row in store.sessions(lifter="l-17")] == ["s1"]
    assert store.sessions(lifter="nobody") == []
    assert len(store.sessions(limit=1)) == 1


def test_a_session_is_stored_even_if_its_beginning_was_refused(store: Store) -> None:
    store.change_lifter("s1", "l-17")
    store.append([set_end(1)])
    store.end_session("s1", {"sets": 1})
    (row,) = store.sessions()
    assert (row.session, row.lifter, row.summary) == ("s1", "l-17", {"sets": 1})
    assert row.ended_unix_s is not None
    assert store.sets("s1")[0].lifter == "l-17"


def test_summaries_stay_when_their_events_are_pruned(store: Store) -> None:
    store.begin_session("s1")
    store.append([set_end(2)])
    store.prune(keep_days=30, keep_events=0)
    assert store.sets("s1")[0].summary.reps == 8


def test_the_id_of_a_removed_lifter_is_in_no_file(path: Path) -> None:
    with Store(path) as store:
        for session in ("s1", "s2", "s3"):
            store.begin_session(session, lifter="lifter-of-no-name")
            store.append([set_end(1, session=session)])
        store.change_lifter("s3", "somebody")
        store.append([jerk(1)])
        assert any(b"lifter-of-no-name" in file.read_bytes() for file in path.parent.iterdir())
        assert store.remove_lifter("lifter-of-no-name") == {"sessions": 2, "sets": 3}
        store.checkpoint()
        for file in path.parent.iterdir():
            assert b"lifter-of-no-name" not in file.read_bytes(), file.name
        assert store.sessions(lifter="lifter-of-no-name") == []
        assert store.sets("s1")[0].summary.reps == 8
        assert store.remove_lifter("lifter-of-no-name") == {}


def test_the_newest_set_may_have_no_lifter(store: Store) -> None:
    assert store.newest_lifter() is None
    store.append([set_end(1)])
    assert store.newest_lifter() is None


def test_a_reader_blocks_the_checkpoint_and_the_error_names_the_reason(path: Path) -> None:
    with Store(path) as store:
        store.begin_session("s1", lifter="l-17")
        reader = sqlite3.connect(path)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM sessions").fetchall()
        assert store.remove_lifter("l-17") == {"sessions": 1}
        with pytest.raises(StoreError, match="close the reader and try again"):
            store.checkpoint()
        reader.close()
        store.checkpoint()
        assert not [file.name for file in path.parent.iterdir() if b"l-17" in file.read_bytes()]


def test_readers_see_what_the_writer_adds(store: Store, path: Path) -> None:
    store.append([jerk(1)])
    with Store(path, read_only=True) as reader:
        assert seqs(reader.after(0, 10)) == [1]
        store.append([set_end(2)])
        assert seqs(reader.after(0, 10)) == [1, 2]
        assert reader.store_id == store.store_id
        with pytest.raises(StoreError, match="readonly"):
            reader.append([jerk(3)])


def test_a_reader_creates_no_store(path: Path) -> None:
    reader = Store(path, read_only=True)
    with pytest.raises(StoreError, match="unable to open"):
        reader.after(0, 1)
    assert not path.exists()


def test_many_threads_may_use_the_store(store: Store) -> None:
    ready = threading.Barrier(4)

    def work(worker: int) -> list[int]:
        ready.wait()
        return [
            seq for k in range(25) for seq in seqs(store.append([jerk(k)])) if store.after(seq - 1, 1)[0].seq == seq
        ]

    with ThreadPoolExecutor(4) as pool:
        found = [seq for result in pool.map(work, range(4)) for seq in result]
    assert sorted(found) == list(range(1, 101))


def test_a_newer_store_is_refused_and_not_changed(path: Path) -> None:
    with Store(path) as store:
        store.append([jerk(1)])
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreVersionError, match="has version 2; this rep-monitor knows versions up to 1: use a newer"):
        Store(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["events.db"]


def test_the_record_of_an_event_is_json(store: Store) -> None:
    (stored,) = store.append([jerk(1)])
    assert msgspec.json.decode(stored.record)["kind"] == stored.kind == "jerk"
