"""Backups that somebody has forged: refused before anything is written, or restored without what was hidden in them."""

import hashlib
import json
import resource
import sqlite3
import struct
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from monitor.__main__ import main
from monitor.custody.archive import MOST_SMALL_BYTES
from monitor.exit_codes import ExitCode
from monitor.store.database import DamagedError, _Budget, classified_errors, connect_frozen
from monitor.store.store import Store
from tests.profiles import PROFILE
from tests.record.sessions import jerk, set_end
from tests.soak import long, soak

MACHINE = "bad-input"
LIFTER = "l-7"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new computer; temporary files lie in `tmp`."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    for folder in ("etc", "tmp"):
        (tmp_path / folder).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path


def write(path: Path, files: dict[str, bytes], *, manifest: bytes | None = None, packed: int = 8) -> None:
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    table = {"format": 1, "made_utc": "2026", "rep_monitor": "0.1.0", "sha256": digests}
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", json.dumps(table).encode() if manifest is None else manifest)


def a_store(path: Path, *changes: str) -> bytes:
    with Store(path) as store:
        store.begin_session("s1", lifter=LIFTER)
        store.append([jerk(1), set_end(2)])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        for change in changes:
            connection.executescript(change)
    return path.read_bytes()


def restored(place: Path) -> int:
    status = main(["restore", str(place / "b.zip"), "--profiles", str(place / "etc"), "--replace"])
    assert not list((place / "tmp").iterdir()), "nothing is left over"
    return status


def nothing_was_written(place: Path) -> bool:
    return not (place / "state").exists() and not list((place / "etc").iterdir())


@pytest.mark.parametrize(
    "name",
    [
        "profiles/.bash_profile",
        "profiles/m.sh",
        "profiles/m.toml/x",
        "profiles/a\x1b[2J.toml",
        *(f"machines/{MACHINE}/{file}" for file in (
            "coach_token", "display_token", "forget-x.ask", "events.db-wal", "events.db-shm", "lock", "bookmark.json",
            "up.json", ".events.db.new", "EVENTS.DB", ".", "",
        )),
        *(f"machines/{machine}/events.db" for machine in ("a\nb", "a\x1b[2J", "A", "a" * 33, "", ".", "..", "a b")),
        "/etc/passwd",
        "machines//events.db",
    ],
    ids=repr,
)  # fmt: skip
def test_no_other_name_is_written(name: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place / "b.zip", {name: b"x", "profiles/m.toml": PROFILE.encode()})
    assert restored(place) == ExitCode.BAD_INPUT
    said = capsys.readouterr().err
    assert "which no backup may contain" in said
    assert said.rstrip("\n").isprintable(), "one line, without control characters"
    assert nothing_was_written(place)


BOMB = bytes(64 << 20)


@pytest.mark.parametrize(
    ("files", "manifest", "packed"),
    [
        ({f"machines/{MACHINE}/calibrations.jsonl": BOMB}, None, zipfile.ZIP_DEFLATED),
        ({"profiles/m.toml": BOMB}, None, zipfile.ZIP_DEFLATED),
        ({f"machines/{MACHINE}/learned.json": bytes(100)}, None, zipfile.ZIP_LZMA),
        ({f"machines/{MACHINE}/learned.json": bytes(100)}, None, zipfile.ZIP_BZIP2),
        ({}, BOMB, zipfile.ZIP_DEFLATED),
        ({}, b"[" * 900_000, zipfile.ZIP_DEFLATED),
    ],
    ids=["calibration", "profile", "lzma", "bzip2", "manifest", "nested manifest"],
)
def test_a_bomb_is_refused_before_it_is_unpacked(
    files: dict[str, bytes], manifest: bytes | None, packed: int, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(place / "b.zip", files, manifest=manifest, packed=packed)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert restored(place) == ExitCode.BAD_INPUT
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 4 * MOST_SMALL_BYTES >> 10
    assert capsys.readouterr().err.count("\n") == 1
    assert nothing_was_written(place)


def test_a_store_that_the_disk_cannot_hold_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place / "b.zip", {f"machines/{MACHINE}/events.db": a_store(place / "s.db")})
    monkeypatch = pytest.MonkeyPatch()
    with monkeypatch.context() as patch:
        patch.setattr("monitor.custody.backup.shutil.disk_usage", lambda _: shutil_usage(1000))
        assert restored(place) == ExitCode.BAD_INPUT
    assert "1000 free" in capsys.readouterr().err
    assert nothing_was_written(place)


def shutil_usage(free: int) -> object:
    return type("Usage", (), {"free": free})


ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE spare (who TEXT);"
        "CREATE TRIGGER keep BEFORE UPDATE OF lifter ON sets BEGIN INSERT INTO spare VALUES (old.lifter); END",
        f"CREATE TRIGGER e AFTER INSERT ON events BEGIN {ENDLESS}; END",
        f"CREATE TRIGGER e BEFORE UPDATE ON meta BEGIN {ENDLESS}; END",
        f"CREATE VIEW v AS {ENDLESS}",
        "CREATE TABLE spare (lifter TEXT); INSERT INTO spare VALUES ('l-7')",
        "CREATE INDEX i ON events (hex(record))",
        "CREATE TRIGGER t AFTER DELETE ON events BEGIN DELETE FROM sets; END",
    ],
)
def test_only_rows_of_a_store_are_restored(change: str, place: Path) -> None:
    write(place / "b.zip", {f"machines/{MACHINE}/events.db": a_store(place / "s.db", change)})
    assert restored(place) == ExitCode.DONE
    path = place / "state" / MACHINE / "events.db"
    with Store(path) as store:
        assert store.set_aside is None
        assert [event.seq for event in store.after(0, 10)] == [1, 2]
        assert store.append([jerk(3)])[0].seq == 3
    (place / "m.toml").write_text(PROFILE)
    assert main(["forget", LIFTER, "--config", str(place / "m.toml")]) == ExitCode.DONE
    kept = [file for file in (place / "state").rglob("*") if file.is_file() and LIFTER.encode() in file.read_bytes()]
    assert kept == []


@pytest.mark.parametrize(
    "change",
    [
        f"DROP TABLE events; CREATE VIEW events AS {ENDLESS}",
        "ALTER TABLE events ADD COLUMN more AS (zeroblob(1000000000))",
        "DROP TABLE sets",
        "PRAGMA application_id = 7",
        "PRAGMA user_version = 99",
        "UPDATE sqlite_sequence SET seq = 9223372036854775807",
    ],
)
def test_a_file_that_is_not_a_store_is_refused(change: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {f"machines/{MACHINE}/events.db": a_store(place / "s.db", change), "profiles/m.toml": PROFILE.encode()}
    write(place / "b.zip", files)
    assert restored(place) != ExitCode.DONE
    assert "Traceback" not in capsys.readouterr().err
    assert nothing_was_written(place)


def test_odd_rows_are_left_out_and_counted(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change = "INSERT INTO events VALUES (7, 0, 'a/#', 's1', x'7b7d'); INSERT INTO sets VALUES (x'00', 1, 1, NULL, 'x')"
    write(place / "b.zip", {f"machines/{MACHINE}/events.db": a_store(place / "s.db", change)})
    assert restored(place) == ExitCode.DONE
    assert "2 rows could not be read" in capsys.readouterr().out


def test_reading_a_copy_ends_whatever_its_pages_say(place: Path) -> None:
    """Pages of a forged file may lead to each other; here an endless query stands for them."""
    budget = _Budget(1000)
    assert any(budget.is_spent() for _ in range(1000)), "else the query below would never end"
    a_store(place / "s.db")
    with closing(connect_frozen(place / "s.db")) as copy, pytest.raises(DamagedError), classified_errors(place):
        copy.execute(ENDLESS).fetchone()


@pytest.mark.parametrize("data", [b"[machine]", b"\xff", b"machine = 7", b"[machine]\nid = 'a\x1b'"])
def test_a_file_that_is_not_a_profile_is_refused(data: bytes, place: Path) -> None:
    write(place / "b.zip", {"profiles/m.toml": data})
    assert restored(place) == ExitCode.BAD_INPUT
    assert nothing_was_written(place)


def test_a_device_is_not_a_backup(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("/dev/zero", "/dev/null", "/"):
        assert main(["restore", name]) == ExitCode.BAD_INPUT
        assert "not a backup" in capsys.readouterr().err


CENTRAL, END = b"PK\x01\x02", b"PK\x05\x06"  # the directory's entry of a file, the end of the directory


def changed(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def at_offset(data: bytes, offset: int) -> bytes:
    """The first file of the directory lies at an offset of 64 bits."""
    entry, end = data.index(CENTRAL), data.index(END)
    name_bytes, extra_bytes = struct.unpack_from("<HH", data, entry + 28)
    extra_at = entry + 46 + name_bytes + extra_bytes
    extra = struct.pack("<HHQ", 1, 8, offset)
    data = changed(data, end + 12, struct.pack("<L", end - entry + len(extra)))
    data = changed(data, entry + 30, struct.pack("<H", extra_bytes + len(extra)))
    data = changed(data, entry + 42, b"\xff" * 4)
    return data[:extra_at] + extra + data[extra_at:]


FORGERIES: dict[str, Callable[[bytes], bytes]] = {
    "no end": lambda data: data[: data.index(END)],
    "another name in the file's head": lambda data: changed(data, data.index(b"manifest"), b"M"),
    "packed data": lambda data: changed(data, data.index(b"manifest.json") + 13, b"\xff" * 4),
    "a size beyond the end": lambda data: changed(
        changed(data, data.index(CENTRAL) + 10, b"\0\0"),
        data.index(CENTRAL) + 20,
        struct.pack("<LL", 2 * len(data), 2 * len(data)),
    ),
    "a name that is not UTF-8": lambda data: changed(
        changed(data, data.index(CENTRAL) + 8, b"\x00\x08"), data.index(CENTRAL) + 46, b"\xff"
    ),
    "a later version": lambda data: changed(data, data.index(CENTRAL) + 6, b"\xff"),
    "strong encryption": lambda data: changed(data, data.index(CENTRAL) + 8, b"\x40"),
    "an offset beyond the end": lambda data: at_offset(data, len(data) + 1000),
    "an offset that no file has": lambda data: at_offset(data, 2**63 - 1),
    "an offset that is no number of a file": lambda data: at_offset(data, 2**64 - 1),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_archive_is_not_a_backup(
    forge: Callable[[bytes], bytes], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(place / "b.zip", {})
    (place / "b.zip").write_bytes(forge((place / "b.zip").read_bytes()))
    assert restored(place) == ExitCode.BAD_INPUT
    assert "is not a backup of rep-monitor, or it is damaged: use another backup" in capsys.readouterr().err
    assert nothing_was_written(place)


def mutated(data: bytes, changes: list[tuple[int, int]], cut: int) -> bytes:
    out = bytearray(data)
    for at, value in changes:
        out[at % len(out)] = value
    return bytes(out[: len(out) - cut % len(out)])


@soak
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=long(300, 20))
@given(
    changes=st.lists(st.tuples(st.integers(0, 2**31), st.integers(0, 255)), max_size=12),
    cut=st.just(0) | st.integers(0, 2**31),
    inside=st.booleans(),
)
@example(changes=[(47, 5)], cut=0, inside=True)  # an unknown schema format: SQLite's generic error
def test_any_damage_gives_a_sentence(
    changes: list[tuple[int, int]], cut: int, inside: bool, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the file, or of the store in it while the manifest fits."""
    store = a_store(place / "s.db") if not (place / "s.db").exists() else (place / "s.db").read_bytes()
    files = {f"machines/{MACHINE}/events.db": mutated(store, changes, cut) if inside else store}
    write(place / "b.zip", files | {f"machines/{MACHINE}/learned.json": b"{}"})
    if not inside:
        (place / "b.zip").write_bytes(mutated((place / "b.zip").read_bytes(), changes, cut))
    assert restored(place) in (ExitCode.DONE, ExitCode.BAD_INPUT, ExitCode.FAILED)
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert said.count("\n") <= 1
