"""`rep-monitor report`: its page, its terminal output, `--last`, damaged recordings, bad input."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.exit_codes import ExitCode
from monitor.record.session_reader import read_session
from tests import needs
from tests.report.conftest import RECORDINGS
from tests.report.copies import CLEAN_RECORDING, copy
from tests.report.marks import events_of

FAULTS = RECORDINGS / "faults.mcap"
LEG_PRESS = needs.SHARED_DATA / "leg_press_biostrength"
OUTSIDE = re.compile(r"(?:src|href|url|import)\s*[=(]\s*[\"']?\s*(?:https?:)?//", re.IGNORECASE)
TABLE = "t_s,displacement_m,force_n\n" + "".join(f"{k / 50:.3f},0.1,20.0\n" for k in range(100))
PROFILE = '[machine]\nid = "m"\nkind = "motor"\nbottom_m = 0\ntop_m = 0.5\n[protocol]\nname = "4/4"\n'


def data_of(page: Path) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text())
    assert found
    return dict(json.loads(found[1]))


def test_the_page_is_one_file_that_loads_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "report.html"
    assert main(["report", str(FAULTS), "-o", str(page)]) == 0
    assert capsys.readouterr() == (f"{page}\n", "")
    text = page.read_text()
    assert not OUTSIDE.search(text)
    assert "default-src 'none'" in text
    assert str(FAULTS) not in text
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_the_same_session_gives_the_same_page(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        assert main(["report", str(CLEAN_RECORDING), "-o", str(tmp_path / name)]) == 0
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


@pytest.mark.parametrize("name", ["faults", "coarse", "static"])
def test_it_shows_the_events_of_the_replay(name: str, tmp_path: Path) -> None:
    """Compares id, kind and time of each event's last record with the committed ones."""
    page = tmp_path / "r.html"
    assert main(["report", str(RECORDINGS / f"{name}.mcap"), "-o", str(page)]) == 0
    last = events_of(name)
    marks = {mark["id"]: mark for mark in data_of(page)["marks"]}  # type: ignore[attr-defined]
    assert marks.keys() == last.keys()
    for number, mark in marks.items():
        record = last[number]
        found = (mark["kind"], mark["t_s"], mark["lasts_s"], mark.get("part_of"))
        assert found == (record["kind"], record["t_s"], record["duration_s"] or 0, record["part_of"])


def test_what_earlier_sessions_learned_is_used(tmp_path: Path) -> None:
    """A machine without a range in its profile, and a range learned before."""
    header = read_session(CLEAN_RECORDING).header
    assert header
    machine = {key: value for key, value in header.profile["machine"].items() if key not in ("bottom_m", "top_m")}
    found = []
    for learned in (None, {"bottom_m": 0.03, "top_m": 0.7}):  # with the second every repetition is partial
        there = tmp_path / str(learned is None) / "r.mcap"
        free = {"profile": {**header.profile, "machine": machine}, "learned": learned}
        page = tmp_path / f"{learned is None}.html"
        assert main(["report", str(copy(there, free)), "-o", str(page)]) == 0
        found.append([(mark["kind"], mark["name"], mark["t_s"]) for mark in data_of(page)["marks"]])  # type: ignore[attr-defined]
    assert found[0] != found[1]


def test_the_terminal_report_fits_one_screen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(FAULTS)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert len(out.splitlines()) <= 24
    assert "\x1b" not in out
    for words in (
        "9 (2 partial)",
        "Rough turns",
        "Force ceiling",
        "Skill     72%",
        "Strength  80.0 kg",
        "not the body",
    ):
        assert words in out


@needs.shared_data
def test_a_table_of_samples_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From a machine whose load is not known."""
    page = tmp_path / "right.html"
    assert main(["report", str(LEG_PRESS / "right.csv"), "-o", str(page)]) == 0
    data = data_of(page)
    assert len(data["reps"]) == 3  # type: ignore[arg-type]
    assert set(data["curves"]) == {"force", "position", "pace"}  # type: ignore[call-overload]
    assert str(LEG_PRESS) not in page.read_text()
    capsys.readouterr()
    assert main(["report", str(LEG_PRESS / "right.csv")]) == 0
    assert "Skill     not known" in capsys.readouterr().out


def test_a_table_without_a_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "press.csv"
    table.write_text(TABLE)
    (tmp_path / "other.toml").write_text(PROFILE)
    words = ["report", str(table), "--config", str(tmp_path / "other.toml")]
    assert main(words) == 0
    assert "No set was found." in capsys.readouterr().out
    assert main([*words, "-o", str(tmp_path / "r.html")]) == 0
    assert "No set was found" in (tmp_path / "r.html").read_text()


def test_a_damaged_recording_is_reported_with_its_losses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut = tmp_path / "someones-name.mcap"
    cut.write_bytes(FAULTS.read_bytes()[: FAULTS.stat().st_size // 2])
    page = tmp_path / "cut.html"
    assert main(["report", str(cut), "-o", str(page)]) == ExitCode.DONE_WITH_LOSS
    assert str(cut) in capsys.readouterr().err
    text = page.read_text()
    assert "This recording is damaged" in text
    assert re.search(r"<li>Byte \d+[^<]* lost[^<]*</li>|<li>Byte \d+[^<]*missing[^<]*</li>", text)
    assert "someones-name" not in text
    reps = [mark for mark in data_of(page)["marks"] if mark["kind"] == "rep"]  # type: ignore[attr-defined]
    assert 1 <= len(reps) < 9
    assert main(["report", str(cut)]) == ExitCode.DONE_WITH_LOSS
    assert "Strength  not known: no set was completed" in capsys.readouterr().out
    figures = re.search(r'<dl[^>]*id="figures".*?</dl>', text, re.DOTALL)
    assert figures is not None
    assert figures[0].count("no set was completed") == 3  # time under load, tension, strength


def test_records_that_were_not_kept_are_reported(tmp_path: Path) -> None:
    recording, page = copy(tmp_path / "r.mcap", {}, gaps=1), tmp_path / "r.html"
    assert main(["report", str(recording), "-o", str(page)]) == ExitCode.DONE_WITH_LOSS
    assert "<li>5 records are missing: the disk could not keep up</li>" in page.read_text()


def test_the_last_session_of_all_machines_or_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    profile = read_session(CLEAN_RECORDING).header.profile  # type: ignore[union-attr]
    for machine, when in (
        ("one", "2026-11-23/070000-a"),
        ("two", "2026-11-22/230000-b"),
        ("two", "2026-11-21/235900-c"),
    ):
        there = {**profile, "machine": {**profile["machine"], "id": machine}}
        copy(tmp_path / machine / "recordings" / f"{when}.mcap", {"profile": there, "session": when[-1]})
    assert main(["report", "--last"]) == 0
    assert capsys.readouterr().out.startswith("one  ")
    assert main(["report", "--last", "two", "-o", str(tmp_path / "r.html")]) == 0
    assert "<h1>two</h1>" in (tmp_path / "r.html").read_text()
    capsys.readouterr()
    config = tmp_path / "m.toml"
    config.write_text(PROFILE.replace('"m"', '"two"'))
    assert main(["report", "--last", "--config", str(config)]) == 0
    assert capsys.readouterr().out.startswith("two  4 s up")  # judged as it was then
    config.write_text(PROFILE.replace('"m"', '"two"') + f'[record]\ndirectory = "{tmp_path / "one"}"\n')
    assert main(["report", "--last", "--config", str(config)]) == 0
    assert capsys.readouterr().out.startswith("one  ")
    assert main(["report", "--last", "three"]) == ExitCode.BAD_INPUT
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "no recording of three" in err
    assert not (tmp_path / "three").exists()


@pytest.mark.parametrize("words", [["report"], ["report", "nothing.mcap"], ["report", "nothing.csv", "-o", "x.html"]])
def test_bad_input_is_one_sentence(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("rep-monitor report: ")


def test_a_shell_gets_the_exit_code(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "monitor", "report", "nothing.mcap"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stdout) == (ExitCode.BAD_INPUT, "")
    assert done.stderr.startswith("rep-monitor report: ")


def test_it_does_not_overwrite_its_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = copy(tmp_path / "r.mcap", {})
    before = recording.read_bytes()
    assert main(["report", str(recording), "-o", str(recording)]) == ExitCode.BAD_INPUT
    assert "another name" in capsys.readouterr().err
    assert recording.read_bytes() == before
