"""Backup and restore: consistent while the daemon writes, and nothing is overwritten by mistake."""

import hashlib
import json
import os
import sqlite3
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.__main__ import main
from monitor.custody.backup import profiles_of, restore
from monitor.exit_codes import ExitCode
from monitor.mqtt.client.bookmark import Bookmark
from monitor.state.folders import Lock
from monitor.store.store import Store
from tests.profiles import PROFILE
from tests.record.sessions import jerk, set_end
from tests.record.waiting import until

MACHINE = "bad-input"
LINE = '{"when":"2026-11-23","residual":0.2}\n'


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a profile, a history and a calibration, and beside them files that no backup may contain."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    (tmp_path / "m.toml").write_text(PROFILE)
    folder = tmp_path / "state" / MACHINE
    folder.mkdir(parents=True)
    with Store(folder / "events.db") as store:
        store.begin_session("s1", lifter="l-7")
        store.append([jerk(1), set_end(2)])
    (folder / "calibrations.jsonl").write_text(LINE)
    (folder / "coach_token").write_text("s3cret-token")
    (folder / "recordings").mkdir()
    bookmark = Bookmark(folder / "bookmark.json")
    bookmark.next_connection()
    bookmark.save()
    return tmp_path


def test_a_backup_restores_a_machine_on_another_computer(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store(kept / "state" / MACHINE / "events.db", read_only=True) as store:
        before, events = store.store_id, store.after(0, 10)
    assert main(["backup", str(kept / "b.zip"), "--config", str(kept / "m.toml")]) == ExitCode.DONE
    assert (kept / "b.zip").stat().st_mode & 0o777 == 0o600
    assert b"s3cret-token" not in (kept / "b.zip").read_bytes()
    with zipfile.ZipFile(kept / "b.zip") as archive:
        names = {"manifest.json", "profiles/m.toml", f"machines/{MACHINE}/events.db"}
        assert set(archive.namelist()) == names | {f"machines/{MACHINE}/calibrations.jsonl"}
    monkeypatch.setenv("STATE_DIRECTORY", str(kept / "new"))
    (kept / "etc").mkdir()
    assert main(["restore", str(kept / "b.zip"), "--profiles", str(kept / "etc")]) == ExitCode.DONE
    assert "2 events" in capsys.readouterr().out
    folder = kept / "new" / MACHINE
    assert (kept / "etc" / "m.toml").read_text() == PROFILE
    assert (folder / "calibrations.jsonl").read_text() == LINE
    assert {path.name for path in folder.iterdir()} == {"events.db", "calibrations.jsonl", "bookmark.json", "lock"}
    with Store(folder / "events.db") as store:
        assert store.store_id != before, "consumers of the old store start over"
        assert [event.record for event in store.after(0, 10)] == [event.record for event in events]
        assert store.sessions(lifter="l-7")
        assert store.append([jerk(3)])[0].seq == 3
        assert store.store_id is not None
        assert Bookmark(folder / "bookmark.json").start(store.store_id, 0) == 2, "nothing is published twice"


def test_a_backup_says_which_profiles_it_takes(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (kept / "elsewhere").mkdir()
    monkeypatch.setattr("monitor.commands.backup.PROFILES", kept / "elsewhere")
    assert main(["backup", str(kept / "b.zip")]) == ExitCode.DONE
    assert f"{MACHINE}: no profile in {kept / 'elsewhere'} describes it" in capsys.readouterr().err
    assert main(["backup", str(kept / "b.zip"), "--config", str(kept / "m.toml")]) == ExitCode.DONE
    said = capsys.readouterr()
    assert f"{kept / 'm.toml'} (as profiles/m.toml)" in said.out
    assert not said.err


def test_a_backup_while_the_daemon_writes_is_consistent(kept: Path) -> None:
    """A set's end and its row are stored in one transaction: a copy has both or none."""
    folder = kept / "state" / MACHINE
    stop = threading.Event()
    written = [2]

    def write() -> None:
        with Lock(folder), Store(folder / "events.db") as store:
            while not stop.is_set():
                number = written[0] + 1
                store.begin_session(f"s{number}")
                store.append([set_end(number, session=f"s{number}")])
                written[0] = number

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for number in range(8):
            assert main(["backup", str(kept / f"{number}.zip"), "--config", str(kept / "m.toml")]) == ExitCode.DONE
            before = written[0]
            until(lambda: written[0] > before or not writing.is_alive())  # noqa: B023
    finally:
        stop.set()
        writing.join()
    grown = []
    for number in range(8):
        with zipfile.ZipFile(kept / f"{number}.zip") as archive:
            (kept / "copy.db").write_bytes(archive.read(f"machines/{MACHINE}/events.db"))
        with Store(kept / "copy.db", read_only=True) as store:
            ends = [event.session for event in store.after(0, 100_000) if event.kind == "set_end"]
            assert sorted(ends) == sorted(row.session for row in store.sessions() if store.sets(row.session))
            grown.append(len(ends))
    assert grown == sorted(grown)
    assert grown[-1] > grown[0]


def test_an_existing_store_or_a_running_daemon_is_not_replaced(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["backup", str(kept / "b.zip"), "--config", str(kept / "m.toml")])
    folder = kept / "state" / MACHINE
    with Store(folder / "events.db") as store:
        store.append([jerk(3)])
    before = (folder / "events.db").read_bytes()
    words = ["restore", str(kept / "b.zip"), "--profiles", str(kept)]
    assert main(words) == ExitCode.BAD_INPUT
    assert "--replace" in capsys.readouterr().err
    with Lock(folder):
        assert main([*words, "--replace"]) == ExitCode.FAILED
        assert "stop it first" in capsys.readouterr().err
    assert (folder / "events.db").read_bytes() == before
    (kept / "m.toml").write_text("# mine, changed since\n")
    assert main([*words, "--replace"]) == ExitCode.DONE
    assert "kept" in capsys.readouterr().out
    assert (kept / "m.toml").read_text() == "# mine, changed since\n"
    assert (kept / "m.toml.restored").read_text() == PROFILE
    with Store(folder / "events.db") as store:
        assert store.last_seq == 2


def manifest(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, bytes]], None]:
    def damage(files: dict[str, bytes]) -> None:
        table = json.loads(files["manifest.json"])
        change(table)
        files["manifest.json"] = json.dumps(table).encode()

    return damage


def forged(name: str, data: bytes = b"x") -> Callable[[dict[str, bytes]], None]:
    def damage(files: dict[str, bytes]) -> None:
        files[name] = data
        manifest(lambda table: table["sha256"].update({name: hashlib.sha256(data).hexdigest()}))(files)

    return damage


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda files: files.pop("manifest.json"), "not a backup"),
        (lambda files: files.update({"manifest.json": b"[]"}), "not a backup"),
        (lambda files: files.update({"profiles/m.toml": b"[machine]"}), "damaged at profiles/m.toml"),
        (lambda files: files.pop(f"machines/{MACHINE}/events.db"), "damaged at machines/"),
        (manifest(lambda table: table.update(format=2)), "a newer one"),
        (forged("../evil"), "no backup may contain"),
        (forged("machines/../../evil"), "no backup may contain"),
        (forged("profiles/../evil"), "no backup may contain"),
        (forged("elsewhere/x"), "no backup may contain"),
        (forged(f"machines/{MACHINE}/x/y"), "no backup may contain"),
    ],
)
def test_a_forged_or_damaged_backup_changes_nothing(
    damage: Callable[[dict[str, bytes]], None],
    sentence: str,
    kept: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["backup", str(kept / "b.zip"), "--config", str(kept / "m.toml")])
    with zipfile.ZipFile(kept / "b.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    damage(files)
    with zipfile.ZipFile(kept / "b.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    monkeypatch.setenv("STATE_DIRECTORY", str(kept / "new"))
    (kept / "etc").mkdir()
    capsys.readouterr()
    assert main(["restore", str(kept / "b.zip"), "--profiles", str(kept / "etc")]) == ExitCode.BAD_INPUT
    assert sentence in capsys.readouterr().err
    assert not (kept / "new").exists()
    assert not list((kept / "etc").iterdir())
    assert not (kept / "evil").exists()


def test_a_file_that_is_not_a_zip_is_refused(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (kept / "b.zip").write_bytes(b"PK\3\4 and no more")
    assert main(["restore", str(kept / "b.zip")]) == ExitCode.BAD_INPUT
    assert main(["restore", str(kept / "none.zip")]) == ExitCode.BAD_INPUT
    assert "no such file" in capsys.readouterr().err


def test_an_older_backup_stays_until_the_new_one_is_complete(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main(["backup", str(kept / "b.zip"), "--config", str(kept / "m.toml")])
    before = (kept / "b.zip").read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device", str(kept / "b.zip"))

    monkeypatch.setattr("monitor.custody.backup.os.fsync", full)
    assert main(["backup", str(kept / "b.zip"), "--config", str(kept / "m.toml")]) == ExitCode.FAILED
    assert (kept / "b.zip").read_bytes() == before
    assert [path.name for path in kept.iterdir() if "backup" in path.name or "new" in path.name] == []


@pytest.mark.parametrize("what", ["copy", "zip"])
def test_a_full_disk_is_named(
    what: str, kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (kept / "full").mkdir()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if what == "zip":
        monkeypatch.setattr("monitor.custody.backup.os.fsync", full)
    else:
        monkeypatch.setattr("monitor.store.copying.sqlite3.connect", small)
    assert main(["backup", str(kept / "full" / "b.zip"), "--config", str(kept / "m.toml")]) == ExitCode.FAILED
    said = capsys.readouterr().err
    assert ("full/b.zip: no space left on device" if what == "zip" else "does not fit on the disk of") in said
    assert list((kept / "full").iterdir()) == []


def small(*arguments: Any, **options: Any) -> sqlite3.Connection:
    """A database that has no room for a store."""
    connection = sqlite3.Connection(*arguments, **options)
    connection.execute("PRAGMA max_page_count = 1")
    return connection


def test_without_a_profile_all_machines_are_backed_up(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", str(kept / "b.zip")]) == ExitCode.DONE
    assert f"machines/{MACHINE}/events.db\n" in capsys.readouterr().out
    assert restore(kept / "b.zip", kept, replace=True) == [f"store {kept / 'state' / MACHINE / 'events.db'}, 2 events"]


def test_files_that_root_restores_belong_to_the_service(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the daemon could not open its own lock. Run by another user, the owner stays this user."""
    main(["backup", str(kept / "b.zip"), "--config", str(kept / "m.toml")])
    (kept / "new").mkdir()
    owner = 65534 if os.geteuid() == 0 else os.geteuid()
    os.chown(kept / "new", owner, -1)
    monkeypatch.setenv("STATE_DIRECTORY", str(kept / "new"))
    assert main(["restore", str(kept / "b.zip"), "--profiles", str(kept)]) == ExitCode.DONE
    assert main(["forget", "l-7", "--config", str(kept / "m.toml")]) == ExitCode.DONE
    assert {path.name: path.stat().st_uid for path in (kept / "new").rglob("*") if path.stat().st_uid != owner} == {}


def test_the_configuration_of_a_gym_beside_the_profiles_is_no_profile(tmp_path: Path) -> None:
    for name in ("leg_press.toml", "gym.toml"):
        (tmp_path / name).write_bytes((Path(__file__).parents[2] / "configs" / name).read_bytes())
    assert profiles_of(["leg-press"], tmp_path) == [tmp_path / "leg_press.toml"]
