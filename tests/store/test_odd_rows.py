"""Rows that this program would not write are skipped, counted and reported; those beside them are served."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.daemon.daemon import Daemon
from monitor.mqtt.client.address import Address
from monitor.mqtt.contract.commands import LifterCommand
from monitor.store.database import StoreError
from monitor.store.history import last_sets
from monitor.store.store import Store
from monitor.store.stored import MOST_RECORD_BYTES
from tests.daemon.stage import Machine, ask, with_daemon
from tests.record.sessions import jerk, set_end
from tests.soak import long, soak

FIRST_VERSION = Path(__file__).with_name("first_version.jsonl")
COLUMNS = {
    "events": ("seq", "stored_unix_s", "kind", "session", "record"),
    "sets": ("session", "number", "stored_unix_s", "lifter", "record"),
    "sessions": ("session", "started_unix_s", "ended_unix_s", "lifter", "recording", "summary"),
}
ODD = [
    ("events", "kind", "jerk/#"),
    ("events", "kind", b"\xff"),
    ("events", "session", "s\x1b[2J"),
    ("events", "record", '{"kind":"jerk"}'),
    ("events", "record", b"[1]"),
    ("events", "record", b'{"kind":"stall","session":"s1"}'),
    ("events", "record", b"[" * 5000),
    ("events", "record", b'"' + b"x" * MOST_RECORD_BYTES + b'"'),
    ("events", "stored_unix_s", 1e300),
    ("events", "stored_unix_s", "soon"),
    ("sets", "record", b'{"kind":"set_end"}'),
    ("sets", "record", "text"),
    ("sets", "number", "one"),
    ("sets", "stored_unix_s", -1e300),
    ("sets", "lifter", "a\nb"),
    ("sessions", "summary", "[]"),
    ("sessions", "summary", "{"),
    ("sessions", "summary", '{"learned":7}'),
    ("sessions", "summary", '{"learned":{"bottom_m":"a"}}'),
    ("sessions", "summary", '{"learned":{"bottom_m":1e308,"top_m":-1e308}}'),
    ("sessions", "started_unix_s", b"x"),
    ("sessions", "recording", b"x"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "events.db"
    with Store(path) as store:
        for number in (1, 2, 3):
            store.begin_session(f"s{number}", lifter="l-1")
            store.append([jerk(1, f"s{number}"), set_end(2, session=f"s{number}")])
            store.end_session(f"s{number}", {"v": 1, "learned": {"bottom_m": 0.1, "top_m": 0.5}})
    return path


def change(path: Path, table: str, column: str, value: Any) -> None:
    """Changes the second row; text in a BLOB stays text, and a blob in a TEXT stays a blob."""
    key = "seq = 3" if table == "events" else "session = 's2'"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if column == "kind" and value == b"\xff":
            connection.execute(f"UPDATE {table} SET kind = CAST(x'ff' AS TEXT) WHERE {key}")
        else:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {key}", (value,))


@pytest.mark.parametrize(("table", "column", "value"), ODD, ids=lambda value: repr(value)[:20])
def test_an_odd_row_is_skipped_and_the_others_are_served(
    path: Path, table: str, column: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    change(path, table, column, value)
    with Store(path) as store:
        events, sessions = store.after(0, 100), store.sessions()
        sets = [row for session in sessions for row in store.sets(session.session)]
        last_sets(store)
        is_readable = column == "summary" and "learned" in str(value)
        assert len(events) == 6 - (table == "events")
        assert len(sessions) == 3 - (table == "sessions" and not is_readable)
        assert len(sets) == (3 if is_readable or table == "events" else 2)
        assert store.odd_rows == (not is_readable)
        store.after(0, 100)
        assert caplog.text.count("is skipped") == store.odd_rows, "each row is reported once"
        assert "\x1b" not in caplog.text
        assert store.append([jerk(9)])[0].seq == 7


@pytest.mark.parametrize("value", [value for table, column, value in ODD if column == "summary"])
def test_a_lifter_is_taken_whatever_his_last_session_holds(path: Path, value: str, tmp_path: Path) -> None:
    change(path, "sessions", "summary", value)

    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        await daemon.command(ask(LifterCommand, lifter="l-1"))
        assert daemon._learned is not None, "from another session"
        assert daemon.info().storage.rows_skipped == daemon._store.odd_rows

    with_daemon(tmp_path, story)


def test_more_odd_rows_than_one_read_do_not_end_an_answer(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE events SET kind = '#' WHERE seq < 6")
    with Store(path) as store:
        assert [event.seq for event in store.after(0, 2)] == [6]


@pytest.mark.parametrize(
    "damage",
    [
        "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM sets; END",
        "ALTER TABLE sets RENAME TO old; CREATE VIEW sets AS SELECT * FROM old",
        "ALTER TABLE events ADD COLUMN more AS (zeroblob(1000000000))",
        "ALTER TABLE events RENAME COLUMN kind TO sort",
        "UPDATE sqlite_sequence SET seq = 9223372036854775807",
        "INSERT INTO events VALUES (9223372036854775806, 0, 'jerk', 's1', x'7b7d')",
        "UPDATE meta SET store_id = x'00'",
        "UPDATE meta SET store_id = 'a/#'",
        "DELETE FROM meta",
    ],
)
def test_a_store_that_could_never_be_continued_is_set_aside(path: Path, damage: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(damage)
    with Store(path) as store:
        assert store.set_aside is not None
        assert store.append([jerk(1)])[0].seq == 1


VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: st.dictionaries(st.sampled_from(["kind", "session", "learned", "reps"]), inner, max_size=3),
    ).map(lambda value: json.dumps(value).encode()),
)


@soak
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=long(1000, 30))
@given(table=st.sampled_from(sorted(COLUMNS)), values=st.lists(VALUES, min_size=6, max_size=6))
def test_any_row_leaves_the_store_readable(path: Path, table: str, values: list[Any]) -> None:
    columns = COLUMNS[table]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        marks = ", ".join("?" * len(columns))
        try:
            connection.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", values[: len(columns)])
        except (sqlite3.IntegrityError, UnicodeEncodeError):
            return
    with Store(path) as store:
        try:
            for session in store.sessions():
                store.sets(session.session)
            store.after(0, 100)
            last_sets(store)
            store.newest_lifter()
            store.remove_lifter("l-9")
            store.append([jerk(1)])
            store.prune(30, 1000)
        except StoreError:
            pass  # the disk: busy, for example


def test_records_of_the_first_version_are_read(path: Path) -> None:
    """Each kind as 0.1 stored it. A field that comes later needs a default."""
    lines = FIRST_VERSION.read_bytes().splitlines()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for line in lines:
            kind, session = json.loads(line)["kind"], json.loads(line)["session"]
            connection.execute("INSERT INTO events VALUES (NULL, 0, ?, ?, ?)", (kind, session, line))
    with Store(path) as store:
        assert [event.event.kind for event in store.after(6, 100)] == [json.loads(line)["kind"] for line in lines]
