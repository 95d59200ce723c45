"""The commands `export` and `recover`: their files, messages and exit statuses."""

import csv
import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from monitor.__main__ import main
from monitor.events import AnyEvent
from monitor.record import export
from monitor.record.export import instants
from monitor.record.records import Gap, Record, event_record, wire_record
from monitor.record.replay import batches
from monitor.record.session_file import SessionWriter
from monitor.record.session_reader import read_session
from monitor.record.table.table import read_table
from tests.record.sessions import HEADER, feedback, jerk, parts_of, set_end, some_records, wire_chunks, without_header

RECORDINGS = Path(__file__).parents[1] / "recordings"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def press(here: Path) -> Path:
    """Four seconds of a press, with a jerk in two records and a set's end."""
    path = here / "press.mcap"
    closed = msgspec.structs.replace(jerk(1), duration_s=0.1, closed_s=0.2)
    with SessionWriter(path, HEADER) as writer:
        for chunk in wire_chunks(4):
            writer.add(wire_record(chunk))
        for event in (jerk(1), closed, set_end(2)):
            writer.add(event_record(event, 0))
    return path


def damaged(path: Path, part: int) -> Path:
    parts = parts_of(some_records())
    at = sum(map(len, parts[:part])) + 70
    data = bytearray(b"".join(parts))
    data[at] ^= 1
    path.write_bytes(data)
    return path


def test_csv_has_a_row_for_each_time_and_can_be_replayed(
    press: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(press), "--to", "csv"]) == 0
    samples = read_table(here / "press.samples.csv").samples
    assert np.isfinite(samples.position_m).sum() == 4 * 500
    assert np.isfinite(samples.force_n).sum() == 4 * 80
    assert len(samples) == 4 * 500 + 4 * 80 - 4 * 20  # of the 80 a second, 20 fall on an instant of the others
    at = np.flatnonzero(np.isfinite(samples.position_m))
    expected_m = 0.15 - 0.15 * np.cos(samples.t_s[at] * np.pi / 2)
    np.testing.assert_allclose(samples.position_m[at], expected_m, atol=6e-5)
    np.testing.assert_allclose(np.diff(samples.t_s[at]), 0.002, atol=1e-9)
    assert (np.abs(samples.force_n[np.isfinite(samples.force_n)] - 600) < 0.1).all()
    rows = list(csv.DictReader((here / "press.events.csv").read_text().splitlines()))
    assert [(row["id"], row["kind"], row["duration_s"]) for row in rows] == [
        ("1", "jerk", "0.1"),
        ("2", "set_end", "0.0"),
    ]
    assert json.loads(rows[0]["details"]) == {"cause": "start", "peak_g": 0.2}
    assert capsys.readouterr().out == f"press.samples.csv: {len(samples)} rows\npress.events.csv: 2 events\n"


def test_what_a_killed_export_left_is_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    left = tmp_path / "static.samples.jsonl.part"
    left.write_text("half")
    assert main(["export", str(RECORDINGS / "static.mcap"), "--to", "jsonl"]) == 0
    names = {"static.samples.jsonl", "static.events.jsonl", left.name}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert left.read_text() == "half"


def test_a_recording_without_events_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(RECORDINGS / "static.mcap"), "--to", "jsonl"]) == 0
    assert "static.events.jsonl: 0 events; the recording contains none: `rep-monitor replay" in capsys.readouterr().out


def test_jsonl_has_every_sample_and_every_record(press: Path, here: Path) -> None:
    assert main(["export", str(press), "--to", "jsonl", "--out", str(here / "out")]) == 0
    rows = [json.loads(line) for line in (here / "out.samples.jsonl").read_text().splitlines()]
    assert rows[0] == {"t_s": 0.0, "displacement_m": 0.0, "force_n": 600.0, "flags": 0}
    assert rows[1] == {"t_s": 0.002, "displacement_m": 0.0, "force_n": None, "flags": 0}
    times_s = [row["t_s"] for row in rows]
    assert times_s == sorted(set(times_s))
    lines = (here / "out.events.jsonl").read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=AnyEvent).id for line in lines] == [1, 1, 2]
    assert lines[0] == event_record(jerk(1), 0).data


def test_samples_are_in_order_of_time_for_any_size_of_batch(press: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = read_session(press)
    whole = list(instants(session, HEADER))
    monkeypatch.setattr(export, "batches", lambda session: batches(session, 90))
    parts = list(instants(session, HEADER))
    assert len(parts) > 50
    for column, other in zip(zip(*whole, strict=True), zip(*parts, strict=True), strict=True):
        np.testing.assert_array_equal(np.concatenate(column), np.concatenate(other))


def test_export_overwrites_no_file(press: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "press.events.csv").write_text("mine")
    assert main(["export", str(press), "--to", "csv"]) == 2
    assert "press.events.csv: already exists: remove it or give another --out" in capsys.readouterr().err
    assert sorted(path.name for path in here.iterdir()) == ["press.events.csv", "press.mcap"]
    assert (here / "press.events.csv").read_text() == "mine"


def test_export_of_a_damaged_recording_reports_the_losses(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = damaged(here / "s.mcap", 3)
    assert main(["export", str(path), "--to", "jsonl"]) == 3
    printed = capsys.readouterr()
    assert "a chunk is damaged; 6 records are lost, from 2.0 s to 3.5 s" in printed.err
    assert "s.events.jsonl: 4 events" in printed.out


@pytest.mark.parametrize("command", ["export", "recover"])
def test_another_kind_of_file_is_reported(here: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    (here / "t.csv").write_text("t_s,displacement_m,force_n\n0,0,0\n")
    words = ["--to", "csv"] if command == "export" else []
    assert main([command, "t.csv", *words]) == 2
    assert capsys.readouterr().err == f"rep-monitor {command}: t.csv is not a session recording of rep-monitor\n"
    assert main([command, "absent.mcap", *words]) == 2
    assert "absent.mcap: no such file" in capsys.readouterr().err


def test_recover_makes_a_clean_copy_with_a_gap_where_records_are_missing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = damaged(here / "s.mcap", 3)
    original = path.read_bytes()
    assert main(["recover", "s.mcap"]) == 3
    printed = capsys.readouterr()
    assert printed.out == f"s.recovered.mcap: {len(some_records()) - 6} records\n"
    assert "6 records are lost, from 2.0 s to 3.5 s" in printed.err
    assert path.read_bytes() == original
    copy = read_session(here / "s.recovered.mcap")
    assert copy.header is not None
    assert copy.header.provenance == {"source": "test", "recovered_from": "s.mcap"}
    assert msgspec.structs.replace(copy.header, provenance=HEADER.provenance) == HEADER
    found = without_header(list(copy))
    mark = next(record for record in found if record.topic == "/gap")
    assert msgspec.json.decode(mark.data, type=Gap) == Gap(cause="damaged", records=6)
    assert found.index(mark) == 12
    found.remove(mark)
    assert found == some_records()[:12] + some_records()[18:]
    assert copy.damage == []


def test_recover_of_a_cut_recording_keeps_the_beginning(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = parts_of(some_records())
    (here / "s.mcap").write_bytes(b"".join(parts[:5]) + parts[5][:40])
    assert main(["recover", "s.mcap", "--out", "copy.mcap"]) == 3
    assert "the file is cut off; its records are lost" in capsys.readouterr().err
    found = without_header(list(read_session(here / "copy.mcap")))
    assert found[:-1] == some_records()[:24]
    assert found[-1].topic == "/gap"


def test_recover_of_a_damaged_index_loses_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = b"".join(parts_of(some_records()))
    (here / "s.mcap").write_bytes(whole[:-20])
    assert main(["recover", "s.mcap"]) == 0
    assert "the index at the end is damaged; no record is lost" in capsys.readouterr().err
    copy = read_session(here / "s.recovered.mcap")
    assert without_header(list(copy)) == some_records()
    assert copy.damage == []


def test_recover_of_an_intact_recording_writes_nothing(
    press: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recover", "press.mcap"]) == 0
    assert capsys.readouterr().out == "press.mcap is intact: there is nothing to recover\n"
    assert [path.name for path in here.iterdir()] == ["press.mcap"]


def test_recover_without_a_header_names_the_option_for_a_replay(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = parts_of(some_records())
    head = bytearray(parts[0])
    head[100:-100] = bytes(len(head) - 200)
    (here / "s.mcap").write_bytes(b"".join([bytes(head), *parts[1:]]))
    assert main(["recover", "s.mcap"]) == 3
    assert "s.mcap has lost its header: replay the copy with --config" in capsys.readouterr().err
    copy = read_session(here / "s.recovered.mcap")
    assert [record for record in copy if record.topic not in ("/header", "/gap")] == [
        record for record in some_records() if record.topic != "/gap"
    ]
    assert main(["export", "s.mcap", "--to", "csv"]) == 2
    assert "has lost its header" in capsys.readouterr().err


def test_recover_of_a_file_without_records_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "s.mcap").write_bytes(b"\x89MCAP0")
    assert main(["recover", "s.mcap"]) == 2
    assert "s.mcap contains no intact record: there is nothing to recover" in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["s.mcap"]


def test_feedback_can_be_read_from_a_recording(here: Path) -> None:
    with SessionWriter(here / "s.mcap", HEADER) as writer:
        writer.add(Record("/feedback", 0, msgspec.json.encode(feedback(1.0))))
    assert list(read_session(here / "s.mcap").feedback()) == [feedback(1.0)]
