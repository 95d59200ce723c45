"""`export --sets`: the files are read back by other programs' readers."""

import csv
import datetime
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fitdecode
import pytest
from openpyxl import load_workbook
from sqlalchemy import insert

from monitor.__main__ import main
from monitor.gym.database.database import Database
from monitor.gym.database.tables import sets
from monitor.gym.export import export as exporting
from monitor.gym.export import fit_file, selection, xlsx_file
from monitor.gym.export.export import export_sets
from monitor.gym.export.selection import ExportedSet, ExportRefused, Selection
from tests.gym.collected import NOON_UNIX_S, set_row
from tests.gym.export.conftest import DAY_S

Export = Callable[..., int]
BAD = 2


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("berlin")
def test_csv_has_every_set_and_names_only_with_consent(export: Export, tmp_path: Path) -> None:
    out = tmp_path / "sets.csv"
    assert export("--to", "csv", "--out", out) == 0
    rows = table(out)
    assert [(row["client_name"], bool(row["client_id"])) for row in rows] == [
        ("Ada", True), ("Ada", True), ("", True), ("", True), ("", False), ("Ada", True),
    ]  # fmt: skip
    assert rows[0] == {
        "site": "rep", "machine": "leg-press", "label": "Leg press", "client_id": rows[0]["client_id"],
        "client_name": "Ada", "started_utc": "2025-11-28T11:58:35+00:00", "ended_utc": "2025-11-28T12:00:00+00:00",
        "ended_local": "2025-11-28T13:00:00+01:00", "load_kg": "80.6", "under_load_s": "92.4",
        "under_tension_s": "64.0", "skill_percent": "80.0", "strength_kg": "81.58", "failure": "yes",
        "failure_marked_by_hand": "no", "reps": "4", "partial_reps": "0", "clean_reps": "3", "note": "",
    }  # fmt: skip
    marked = [(row["failure"], row["failure_marked_by_hand"]) for row in rows]
    assert marked == [("yes", "no"), ("no", "no"), ("no", "no"), ("yes", "yes"), ("no", "yes"), ("no", "no")]
    assert (rows[1]["label"], rows[1]["note"]) == ("'=Row, seated", "'=1+1"), "no formula"
    assert (rows[1]["load_kg"], rows[1]["skill_percent"], rows[4]["started_utc"]) == ("", "", "")
    assert rows[4]["label"] == "chest", "a machine without a row"
    assert out.stat().st_mode & 0o007 == 0, "it contains names"


@pytest.mark.usefixtures("berlin")
def test_a_spreadsheet_has_real_dates_and_numbers(export: Export, tmp_path: Path) -> None:
    out = tmp_path / "sets.xlsx"
    assert export("--to", "xlsx", "--weights", "lb", "--out", out) == 0
    head, *rows = load_workbook(out)["Sets"].iter_rows(values_only=True)
    first, second = (dict(zip(head, row, strict=True)) for row in rows[:2])
    assert len(rows) == 6
    assert first["ended_utc"] == datetime.datetime(2025, 11, 28, 12)  # noqa: DTZ001
    assert first["ended_local"] == datetime.datetime(2025, 11, 28, 13)  # noqa: DTZ001
    assert (first["load_lb"], first["reps"], first["failure"]) == (177.69, 4, True)
    assert (second["note"], second["load_lb"]) == ("=1+1", None)
    cells = load_workbook(out)["Sets"]
    assert cells.cell(3, 19).data_type == "s", "text, no formula"


def decoded(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """The messages of a FIT file, by a reader that is not ours; raises when its CRC or its structure is wrong."""
    options = {"check_crc": fitdecode.CrcCheck.RAISE, "error_handling": fitdecode.ErrorHandling.RAISE}
    with fitdecode.FitReader(str(path), **options) as reader:
        return [
            (frame.name, {field.name: field.value for field in frame.fields if field.value is not None})
            for frame in reader
            if frame.frame_type == fitdecode.FIT_FRAME_DATA
        ]


@pytest.mark.usefixtures("berlin")
def test_another_reader_understands_the_fit_file(export: Export, tmp_path: Path) -> None:
    out = tmp_path / "ada.fit"
    assert export("--to", "fit", "--client", "ada", "--out", out) == 0
    messages = decoded(out)
    visit = ["event", "record", "set", "set", "set", "record", "event", "lap", "session"]
    assert [name for name, _ in messages] == [
        "file_id", "exercise_title", "exercise_title", *visit, *visit[:3], *visit[5:], "activity",
    ]  # fmt: skip
    first, pause, second, third = (fields for name, fields in messages if name == "set")
    began = datetime.datetime(2025, 11, 28, 11, 58, 35, tzinfo=datetime.UTC)
    assert (first["set_type"], first["start_time"], first["duration"]) == ("active", began, 92.4)
    assert (first["repetitions"], first["weight"]) == (4, 80.625), "the nearest sixteenth of 80.6 kg"
    assert (pause["set_type"], pause["duration"]) == ("rest", 215.0)
    assert "weight" not in second, "its load is not known"
    assert (third["repetitions"], third["message_index"]) == (5, 3)
    titles = {fields["exercise_name"]: fields["wkt_step_name"] for name, fields in messages if name == "exercise_title"}
    assert [titles[one["category_subtype"]] for one in (first, second, third)] == [
        "Leg press", "=Row, seated", "Leg press",
    ]  # fmt: skip
    sessions = [fields for name, fields in messages if name == "session"]
    assert [one["total_elapsed_time"] for one in sessions] == [385.0, 85.0]
    assert {(one["sport"], one["sub_sport"]) for one in sessions} == {("training", "strength_training")}
    activity = messages[-1][1]
    assert (activity["num_sessions"], activity["total_timer_time"]) == (2, 470.0)
    assert activity["local_timestamp"] - activity["timestamp"] == datetime.timedelta(hours=1)
    assert b"Ada" not in out.read_bytes()


@pytest.mark.usefixtures("berlin")
def test_fitnotes_columns_are_those_of_the_app(export: Export, tmp_path: Path) -> None:
    out = tmp_path / "ada.csv"
    assert export("--to", "fitnotes", "--client", "Ada", "--out", out) == 0
    assert out.read_text().splitlines() == [
        "Date,Exercise,Category,Weight,Weight Unit,Reps,Distance,Distance Unit,Time,Comment",
        "2025-11-28,Leg press,Machines,80.60,kgs,4,,,0:01:32,to failure; skill 80%",
        "2025-11-28,\"'=Row, seated\",Machines,,,4,,,0:01:20,'=1+1",
        "2025-11-29,Leg press,Machines,81.58,kgs,5,,,0:01:20,skill 80%",
    ]


@pytest.mark.usefixtures("berlin")
def test_a_period_a_client_and_a_machine_are_chosen(export: Export, tmp_path: Path) -> None:
    """Days are those of this computer: 23:30 UTC is the next day in Berlin."""
    for number, (words, count) in enumerate(
        {
            ("--until", "2025-11-28"): 5,
            ("--from", "2025-11-29"): 1,
            ("--from", "2025-11-28", "--until", "2025-11-29"): 6,
            ("--client", "Ada", "--machine", "row"): 1,
            ("--machine", "=Row, seated"): 3,
            ("--machine", "rep/leg-press", "--until", "2025-11-28"): 1,
        }.items()
    ):
        out = tmp_path / f"{number}.csv"
        assert export("--to", "csv", "--out", out, *words) == 0
        assert len(table(out)) == count, words


def test_either_kind_of_database_gives_the_same_sets(database: Database) -> None:
    """More rows than are read at once."""
    with database.writing() as connection:
        rows = [set_row(None, "row", NOON_UNIX_S + n, n, marked_failure=n == 7 or None) for n in range(1200)]
        connection.execute(insert(sets), rows)
    with database.reading() as connection:
        found = list(Selection(machine=("rep", "row"), until_day=datetime.date(2025, 11, 30)).sets(connection))
    assert [one.ended_unix_s for one in found] == [row["ended_unix_s"] for row in rows]
    assert [at for at, one in enumerate(found) if (one.failure, one.marked) == (True, True)] == [7]


def test_late_in_the_evening_is_the_next_day_in_berlin(
    berlin: None, gym: Database, export: Export, tmp_path: Path
) -> None:
    with gym.writing() as connection:
        connection.execute(insert(sets).values(set_row(None, "chest", NOON_UNIX_S + 3 * DAY_S + 11.5 * 3600, 99)))
    assert export("--to", "csv", "--out", tmp_path / "late.csv", "--from", "2025-12-02") == 0
    assert len(table(tmp_path / "late.csv")) == 1


def test_what_cannot_be_exported_is_refused_with_the_remedy(
    export: Export, gym: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    for words, said in {
        ("--to", "fit"): "about one client: say who with --client",
        ("--to", "fitnotes"): "about one client: say who with --client",
        ("--to", "csv", "--client", "Ben"): "Ben has given no consent: record the day of the consent first",
        ("--to", "csv", "--client", "Zoe"): "no client has the id or the name 'Zoe'",
        ("--to", "csv", "--machine", "rower"): "no machine is called 'rower': give rep/leg-press or rep/row",
        ("--to", "csv", "--from", "29.11.2026"): "'29.11.2026' is not a date: write it as 2026-11-29",
        ("--to", "csv", "--until", "9999-12-31"): "is not a date",
        ("--to", "csv", "--from", "0001-01-01"): "is not a date",
        (
            "--to",
            "csv",
            "--client",
            "ada",
            "--from",
            "2027-01-01",
        ): "no set of Ada from 2027-01-01: choose another period",
        ("--to", "jsonl"): "sets cannot be written as jsonl: give --to csv, xlsx, fit, fitnotes",
        ("--to", "csv", "press.mcap"): "leave out press.mcap, or --sets",
    }.items():
        assert export(*words, "--out", out) == BAD, words
        assert said in capsys.readouterr().err, words
        assert not list(tmp_path.glob("out*")), "no half file"
    assert export("--to", "csv") == BAD
    assert "say with --out which file to write" in capsys.readouterr().err
    out.write_text("kept")
    assert export("--to", "csv", "--out", out) == BAD
    assert "already exists: remove it or give another --out" in capsys.readouterr().err
    assert out.read_text() == "kept"


def test_a_recording_and_sets_are_not_mixed_up(capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in {
        ("--to", "csv"): "name a recording (.mcap), or ask for the sets of a gym with --sets",
        ("press.mcap", "--to", "xlsx"): "a recording cannot be written as xlsx: give --to csv or jsonl, or --sets",
        (
            "press.mcap",
            "--to",
            "csv",
            "--client",
            "Ada",
            "--from",
            "2025-11-01",
        ): "--from, --client can only choose sets",
    }.items():
        assert main(["export", *words]) == BAD
        assert said in capsys.readouterr().err


def test_a_write_that_fails_leaves_no_half_file(
    export: Export, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for format in ("csv", "xlsx", "fit", "fitnotes"):
        nowhere = tmp_path / "no-folder" / "out"
        assert export("--to", format, "--client", "Ada", "--out", nowhere) == BAD
        assert "there is no folder" in capsys.readouterr().err
    monkeypatch.setattr(xlsx_file, "MOST_ROWS", 2)
    monkeypatch.setattr(fit_file, "MOST_SETS", 2)
    for format, most in (("xlsx", "a spreadsheet has at most 2 rows"), ("fit", "a FIT file has at most 2 sets")):
        assert export("--to", format, "--client", "Ada", "--out", tmp_path / "out") == BAD
        assert most in capsys.readouterr().err
        assert not list(tmp_path.glob("*out*"))


def test_a_missing_package_is_named(gym: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "find_spec", lambda name: None)
    with gym.reading() as connection:
        for format, extra in (("xlsx", "gym"), ("fit", "fit")):
            with pytest.raises(ExportRefused, match=rf"pip install 'rep-monitor\[{extra}\]'"):
                export_sets(connection, Selection(), format, tmp_path / "out")


def test_sets_that_cannot_be_true_are_counted(
    export: Export, gym: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with gym.writing() as connection:
        for number, odd in enumerate(({"ended_unix_s": 3600.0}, {"ended_unix_s": 1e300}, {"load_n": -1.0}), 90):
            row = set_row(None, "row", NOON_UNIX_S, number) | odd | {"started_unix_s": None}
            connection.execute(insert(sets).values(row))
    assert export("--to", "csv", "--out", tmp_path / "sets.csv") == 0
    assert len(table(tmp_path / "sets.csv")) == 6
    assert "left out with values that cannot be true: 3" in capsys.readouterr().err


def test_values_beyond_what_fit_can_contain() -> None:
    one = ExportedSet(
        site="rep", machine="row", label="Row " * 40, client_id="c-ada", client_name="Ada", started_unix_s=None,
        ended_unix_s=NOON_UNIX_S, load_n=1e9, under_load_s=1e9, under_tension_s=None, skill=None, strength_n=None,
        failure=False, marked=False, reps=10**9, partial_reps=0, clean_reps=None, note=None,
    )  # fmt: skip
    assert fit_file.encoded([one])


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_a_large_export_needs_no_more_memory(
    format: str, lone_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "ROWS_AT_ONCE", 20)
    peaks = []
    for rows in (range(100), range(100, 500)):
        with lone_database.writing() as connection:
            connection.execute(insert(sets), [set_row(None, "row", NOON_UNIX_S + n, n) for n in rows])
        with lone_database.reading() as connection:
            tracemalloc.start()
            assert export_sets(connection, Selection(), format, tmp_path / f"{rows.stop}") == rows.stop
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
