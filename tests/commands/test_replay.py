"""`rep-monitor replay`: its output, its files, its errors and its exit statuses."""

import asyncio
import csv
import json
import os
import pty
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.__main__ import main
from monitor.commands import replay as command
from monitor.events import AnyEvent
from monitor.exit_codes import ExitCode
from monitor.playback.playback import analysis_of, open_playback, session_name, updates
from monitor.record.records import Gap, gap_record, wire_record
from monitor.record.replay import Speed
from monitor.record.session_file import SessionWriter
from monitor.record.session_reader import read_session
from tests import needs

RECORDINGS = Path(__file__).parents[1] / "recordings"
CLEAN, FAULTS, STATIC = (RECORDINGS / f"{name}.mcap" for name in ("clean", "faults", "static"))
LEG_PRESS = needs.SHARED_DATA / "leg_press_biostrength"
PROFILE = '[machine]\nid = "m"\nkind = "motor"\nbottom_m = 0\ntop_m = 0.5\n[protocol]\nname = "4/4"\n'
TABLE = "t_s,displacement_m,force_n\n" + "".join(f"{k / 50:.3f},0.1,20.0\n" for k in range(100))


def table(folder: Path, text: str = TABLE, profile: str | None = PROFILE) -> Path:
    path = folder / "press.csv"
    path.write_text(text)
    if profile:
        (folder / "machine.toml").write_text(profile)
    return path


def recording(path: Path, *, header: dict[str, object] | None = None, gaps: int = 0) -> Path:
    """A copy of `clean` with another header or with missing records."""
    session = read_session(CLEAN)
    assert session.header
    with SessionWriter(path, msgspec.structs.replace(session.header, **(header or {}))) as writer:
        for number, chunk in enumerate(session.chunks()):
            writer.add(wire_record(chunk))
            if number < gaps:
                writer.add(gap_record(Gap(cause="queue_full", records=5), chunk.received_ns))
    return path


def ids(path: Path) -> list[tuple[int, str]]:
    return [(record["id"], record["kind"]) for record in map(json.loads, path.read_text().splitlines())]


def test_a_set_is_printed_as_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(FAULTS)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for words in (
        "faults  stack, 2 s up, 4 s down; session faults", "Set 1", "REP", "partial", "Heave",
        "at the start", "after a stall", "Stack slammed", "Cable slack", "ended in failure", "Leaked",
        "Load            784 N (80.0 kg), given", "Skill", "Strength        784 N (80.0 kg)",
    ):  # fmt: skip
        assert words in out
    assert out.count("not the body") == 1  # the limits of the sensors are printed once
    assert max(map(len, out.splitlines())) <= 120


def test_static_has_stages_and_no_repetitions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(STATIC)]) == 0
    out = capsys.readouterr().out
    assert "STAGE" in out
    assert "RANGE mm" not in out
    assert "1177  120.0" in out


def test_at_a_limited_speed_events_are_printed_as_they_come(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a simulated clock that only `sleep` advances."""
    path = recording(tmp_path / "r.mcap")
    now_s = 100.0

    async def sleep(delay_s: float) -> None:
        nonlocal now_s
        now_s += delay_s

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(asyncio.BaseEventLoop, "time", lambda loop: now_s)
    assert main(["replay", str(path), "--speed", "10", "--events", str(tmp_path / "slow.jsonl")]) == 0
    assert 5 < now_s - 100.0 < 6, "the recording lasts 54 s"
    out = capsys.readouterr().out
    first = next(line for line in out.splitlines() if "Set begins" in line)
    assert out.index(first) < out.index("Set 1")
    assert (tmp_path / "slow.jsonl").read_bytes() == CLEAN.with_suffix(".events.jsonl").read_bytes()


def test_a_profile_replaces_the_recorded_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "other.toml"
    config.write_text(
        '[machine]\nid = "other"\nkind = "stack"\nrest_m = 0\nbottom_m = 0.03\ntop_m = 0.48\n'
        '[protocol]\nname = "10/10"\n'
    )
    assert main(["replay", str(CLEAN), "--config", str(config)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("other  stack, 10 s up, 10 s down; session clean")
    assert ", learned" in out


def test_a_profile_with_a_calibration_replaces_a_wrong_one(tmp_path: Path) -> None:
    header = read_session(CLEAN).header
    assert header
    wrong = recording(tmp_path / "wrong.mcap", header={"calibration": header.calibration | {"metres_per_count": 5e-5}})
    config = tmp_path / "right.toml"
    config.write_text(_toml(header.profile))
    for words, same in ((["--config", str(config)], True), ([], False)):
        out = tmp_path / "out.jsonl"
        assert main(["replay", str(wrong), "--events", str(out), *words]) == 0
        assert (out.read_bytes() == CLEAN.with_suffix(".events.jsonl").read_bytes()) is same


def _toml(profile: dict[str, Any]) -> str:
    """The recorded profile as TOML."""
    text = ""
    for name in ("machine", "protocol", "calibration"):
        keys = {key: value for key, value in profile[name].items() if value is not None and key != "name"}
        text += f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
    return text


def test_a_truncated_recording_gives_its_intact_part_and_reports_the_loss(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = CLEAN.read_bytes()
    path = tmp_path / "clean.mcap"
    path.write_bytes(data[: len(data) // 2])
    out = tmp_path / "out.jsonl"
    assert main(["replay", str(path), "--events", str(out)]) == ExitCode.DONE_WITH_LOSS
    whole = CLEAN.with_suffix(".events.jsonl").read_bytes().splitlines()
    some = [line for line in out.read_bytes().splitlines() if b'"cut":true' not in line]
    assert len(some) > 3
    assert some == whole[: len(some)]
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert f"{path}, byte " in err
    assert "lost" in err


def test_after_damage_it_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(CLEAN.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path = tmp_path / "flipped.mcap"
    path.write_bytes(data)
    assert main(["replay", str(path), "--events", str(tmp_path / "out.jsonl")]) == ExitCode.DONE_WITH_LOSS
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "records are lost, from" in err
    assert "Repetitions     5" in out
    assert "Samples are missing" in out


def test_lost_records_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recording(tmp_path / "gap.mcap", gaps=1)
    assert main(["replay", str(path)]) == ExitCode.DONE_WITH_LOSS
    assert capsys.readouterr().err == (
        f"rep-monitor replay: {path}: 5 records are missing: the disk could not keep up\n"
    )


def test_a_recording_without_its_header_needs_a_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = CLEAN.read_bytes()
    path, config = tmp_path / "headless.mcap", tmp_path / "m.toml"
    header = read_session(CLEAN).header
    assert header
    first_second = 6000  # the metadata with one copy of it, and the chunk that begins with the other
    path.write_bytes(data[:8] + bytes(first_second - 8) + data[first_second:])
    assert main(["replay", str(path)]) == ExitCode.BAD_INPUT
    assert capsys.readouterr().err.endswith("has lost its header: give the machine's profile with --config\n")
    config.write_text(PROFILE)
    assert main(["replay", str(path), "--config", str(config)]) == ExitCode.BAD_INPUT
    assert "its bytes need a profile with a [calibration] table" in capsys.readouterr().err
    config.write_text(_toml(header.profile))
    assert main(["replay", str(path), "--config", str(config)]) == ExitCode.DONE_WITH_LOSS
    assert "session headless" in capsys.readouterr().out


def test_a_table_takes_the_profile_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(table(tmp_path))]) == 0
    assert capsys.readouterr().out.startswith("m  motor, 4 s up, 4 s down; session press; 2.0 s of samples\n")


def test_a_table_begins_at_0_s_whatever_its_first_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = TABLE.replace("\n0.", "\n170.").replace("\n1.", "\n171.")
    assert main(["replay", str(table(tmp_path, text))]) == 0
    assert "2.0 s of samples; 0 s here is 170 s in the table" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "profile", "words", "sentence"),
    [
        (TABLE, None, [], "is a table without machine.toml beside it: give the machine's profile with --config"),
        (TABLE, '[machine]\nid = "m"\n', [], "machine.toml:1: [machine] kind is missing"),
        (TABLE.replace("t_s", "time"), PROFILE, [], "press.csv, line 1 has the columns 'time', "),
        ("", PROFILE, [], "press.csv is empty"),
        (TABLE.replace("0.040,", "nonsense,"), PROFILE, [], "press.csv, line 4: t_s is 'nonsense', which is no time"),
        (TABLE.replace("0.040,", "0.020,"), PROFILE, [], "press.csv, line 4: t_s is '0.020', but time stands still"),
        (TABLE.replace("0.1,20.0\n", "nan,20.0\n", 1), PROFILE, [], "press.csv, line 2: displacement_m is 'nan'"),
        (TABLE, PROFILE, ["--config", "none.toml"], "none.toml: no such file"),
        (TABLE, PROFILE, ["--events", "press.csv"], "press.csv is the input file"),
        (TABLE, PROFILE, ["--events", "no/where.jsonl"], "no/where.jsonl: there is no folder "),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
    profile: str | None,
    words: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = table(tmp_path, text, profile)
    assert main(["replay", path.name, *words]) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("rep-monitor replay: ")
    assert sentence in err
    assert path.read_text() == text
    assert not list(tmp_path.glob("*.part"))


def test_a_file_that_is_not_a_recording_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.mcap"
    assert main(["replay", str(path)]) == ExitCode.BAD_INPUT
    assert capsys.readouterr().err == f"rep-monitor replay: {path}: no such file or directory\n"
    path.write_bytes(b"GIF89a and more of it")
    assert main(["replay", str(path)]) == ExitCode.BAD_INPUT
    assert "is not a session recording" in capsys.readouterr().err


def test_events_replace_an_older_file_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("old")
    assert main(["replay", str(tmp_path / "none.csv"), "--events", str(out)]) == ExitCode.BAD_INPUT
    assert out.read_text() == "old"
    assert main(["replay", str(CLEAN), "--events", str(out)]) == 0
    assert out.read_bytes() == CLEAN.with_suffix(".events.jsonl").read_bytes()


def test_events_go_into_a_pipe() -> None:
    words = [sys.executable, "-m", "monitor", "replay", str(CLEAN), "--events", "/dev/stderr"]
    done = subprocess.run(words, capture_output=True, check=True)
    assert done.stderr == CLEAN.with_suffix(".events.jsonl").read_bytes()
    assert b"Set 1" in done.stdout


def test_what_takes_longer_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only on a terminal, such as `screen`."""
    screen, terminal = pty.openpty()
    monkeypatch.setattr(command, "PATIENCE_S", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    shown = bytearray()

    def look() -> None:
        """A terminal that nobody reads from takes no more after a while."""
        with suppress(OSError):  # the command has closed its end
            while data := os.read(screen, 65536):
                shown.extend(data)

    looking = threading.Thread(target=look)
    looking.start()
    with open(terminal, "w") as stderr, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        assert main(["replay", str(CLEAN)]) == 0
    looking.join()
    os.close(screen)
    assert b"clean.mcap" in shown
    assert b"%" in shown


def test_a_session_is_named_after_its_file() -> None:
    assert session_name(Path("a/right.csv")) == "right"
    assert session_name(Path("Bein-Presse 3 (rechts).csv")) == "Bein-Presse-3-rechts"
    assert session_name(Path("...csv")) == "table"


@needs.shared_data
def test_the_leg_press_has_three_presses(tmp_path: Path) -> None:
    """A real machine; the labels were read from a plot, +-0.1 s, a soft end +-0.3 s."""
    out = tmp_path / "out.jsonl"
    assert main(["replay", str(LEG_PRESS / "right.csv"), "--events", str(out)]) == 0
    reps = [record for record in map(json.loads, out.read_text().splitlines()) if record["kind"] == "rep"]
    with (LEG_PRESS / "labels.csv").open() as file:
        labels = [row for row in csv.DictReader(file) if row["rep"]]
    assert [rep["rep"] for rep in reps] == [int(row["rep"]) for row in labels] == [1, 2, 3]
    for rep, row in zip(reps, labels, strict=True):
        assert rep["session"] == "right"
        assert not rep["partial"]
        top_s = rep["t_s"] + rep["positive_s"]
        assert rep["t_s"] == pytest.approx(float(row["positive_start_s"]), abs=0.25)
        assert top_s == pytest.approx(float(row["positive_end_s"]), abs=0.25)
        assert top_s + rep["upper_dwell_s"] == pytest.approx(float(row["negative_start_s"]), abs=0.25)
        assert rep["t_s"] + rep["duration_s"] == pytest.approx(float(row["negative_end_s"]), abs=0.45)


@needs.shared_data
def test_a_real_table_gives_the_same_events_at_every_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(delay_s: float) -> None:
        return None

    async def events(speed: Speed) -> list[AnyEvent]:
        playback = open_playback(LEG_PRESS / "right.csv", None)
        analysis = analysis_of(playback, feedback=True)
        return [e async for update in updates(playback, analysis, speed) for e in update.events]

    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert asyncio.run(events("max")) == asyncio.run(events(10)) == asyncio.run(events(1))


@needs.shared_data
def test_an_isometric_pull_is_one_effort(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(needs.SHARED_DATA / "isometric_pull" / "example1.csv")]) == 0
    out = capsys.readouterr().out
    assert "Set 1" in out
    assert "Set 2" not in out
