"""A table of another tool gives the same results as one with our own headers, in every command that reads tables."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from monitor.__main__ import main
from monitor.exit_codes import ExitCode

RECORDING = Path(__file__).parents[1] / "recordings" / "clean.mcap"
PROFILE = """[machine]
id = "m"
kind = "stack"
bottom_m = 0.03
top_m = 0.43
[protocol]
name = "4/4"
"""
OPTIONS = ["--columns", "t=Zeit,x=Weg,f=Last", "--units", "ms,mm,kg"]


def a_set() -> list[tuple[int, float, float]]:
    """Three repetitions with 60 kg and 6 % friction, as ms, mm, kg; 100 rows a second."""
    t_ms = np.arange(0, 36_000, 10)
    phase = np.clip((t_ms - 2000) / 8000, 0, 3)
    x_mm = np.round(430 * (0.5 - 0.5 * np.cos(2 * np.pi * phase)), 1)
    moving = np.where((phase > 0) & (phase < 3), np.sign(np.sin(2 * np.pi * phase)), 0)
    noise_kg = np.random.default_rng(1).normal(0, 0.05, len(t_ms)).round(2)
    load_kg = np.where(x_mm > 0, 60 * (1 + 0.06 * moving), 0.0) + noise_kg
    return list(zip(t_ms.tolist(), x_mm.tolist(), load_kg.tolist(), strict=True))


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    """The same set with our headers, and in the form of another tool."""
    (tmp_path / "machine.toml").write_text(PROFILE)
    ours, theirs = tmp_path / "a" / "set.csv", tmp_path / "b" / "set.csv"
    for path in (ours, theirs):
        path.parent.mkdir()
        path.with_name("machine.toml").write_text(PROFILE)
    rows = a_set()
    ours.write_text(
        "t_s,displacement_m,force_n\n"
        + "".join(f"{t / 1000!r},{x / 1000!r},{load * 9.80665!r}\n" for t, x, load in rows)
    )
    lines = "".join(f"{t};{x!r};{load!r};ok\r\n" for t, x, load in rows).replace(".", ",")
    theirs.write_bytes(("sep=;\r\nZeit;Weg;Last;Notiz\r\n" + lines).encode("utf-16"))
    return ours, theirs


def test_replay_finds_the_same_events(tables: tuple[Path, Path], tmp_path: Path) -> None:
    events = [tmp_path / f"{k}.jsonl" for k in range(2)]
    for path, words, out in zip(tables, ([], OPTIONS), events, strict=True):
        assert main(["replay", str(path), *words, "--events", str(out)]) == 0
    assert events[0].read_text().count('"kind":"rep"') >= 3
    assert events[0].read_bytes() == events[1].read_bytes()


def test_the_report_gives_the_same(tables: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for path, words in zip(tables, ([], OPTIONS), strict=True):
        assert main(["report", str(path), *words]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert re.search(r"^ *1 +60\.\d ", said[0], re.MULTILINE)


def test_rows_that_a_computer_stamped_give_the_same_events(
    tables: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An adapter passes them on every 40 ms: by these times the encoder freezes and the stack is dropped."""
    path, reported = tables[0], []
    late = [(math.ceil(t / 40) * 40, x, load) for t, x, load in a_set()]
    for k, rows in enumerate((a_set(), late)):
        out = tmp_path / f"{k}.jsonl"
        path.write_text(
            "t_s,displacement_m,force_n\n" + "".join(f"{t / 1e3},{x / 1e3},{f * 9.8}\n" for t, x, f in rows)
        )
        assert main(["replay", str(path), "--units", "s,m,N", "--events", str(out)]) == 0
        said = capsys.readouterr().err
        assert ("t_s jitters by 11.2 ms, and the positions do not: the rows were stamped on arrival" in said) == (
            k == 1
        )
        reported.append([(event["kind"], event["t_s"]) for event in map(json.loads, out.read_text().splitlines())])
    assert [kind for kind, _ in reported[0]] == [kind for kind, _ in reported[1]]
    assert [t_s for _, t_s in reported[0]] == pytest.approx([t_s for _, t_s in reported[1]], abs=0.01)


def test_a_table_of_counts_without_time_is_read_by_what_one_count_is(tables: tuple[Path, Path], tmp_path: Path) -> None:
    events = [tmp_path / f"{k}.jsonl" for k in range(2)]
    assert main(["replay", str(tables[0]), "--events", str(events[0])]) == 0
    rows = "".join(f"{-10 * x:.0f},{-load!r}\n" for _, x, load in a_set())
    tables[0].write_text("counts,cell\n" + rows)
    options = ["--columns", "t=,x=counts,f=cell", "--units=-0.1mm,-kg,10ms"]
    assert main(["replay", str(tables[0]), *options, "--events", str(events[1])]) == 0
    reported = [
        [(event["kind"], event["t_s"]) for event in map(json.loads, path.read_text().splitlines())] for path in events
    ]
    assert reported[0] == reported[1]


def test_a_recording_has_no_columns(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("replay", "report"):
        assert main([command, str(RECORDING), "--units", "ms"]) == ExitCode.BAD_INPUT
        assert "is a recording, not a table: leave out --columns and --units" in capsys.readouterr().err


def test_an_option_that_cannot_be_read_is_refused(
    tables: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("replay", "report"):
        assert main([command, str(tables[1]), "--units", "furlong"]) == ExitCode.BAD_INPUT
        assert "--units has 'furlong', which is not a unit of a table" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("extra", "words", "remark"),
    [
        ("", [], "is 60 N (6.1 kg): if these are kilograms or pounds, add --units ms,mm,kg or --units ms,mm,lb; if"),
        ("", ["--units", "ms,mm,N"], None),  # the unit is given
        ("", ["--units", "ms,mm,kg"], None),
        ("plates_kg = [20, 40, 60]\n", [], "fits none of [machine] plates_kg (20, 40, 60): is the table in kilograms"),
        ("plates_kg = [20, 40, 60]\n", ["--units", "ms,mm,kg"], None),
        ("plates_kg = [20, 40, 70]\n", ["--units", "ms,mm,kg"], "(20, 40, 70): correct the profile"),
        ("plates_kg = [27.2]\n", [], "is the table in pounds (--units ms,mm,lb)? If not, correct the profile"),
        ("plates_kg = [6.1]\n", [], None),
        ("working_load_n = 588.4\n", [], "is not [machine] working_load_n (588 N (60.0 kg)): is the table in kilo"),
    ],
)
def test_a_load_that_cannot_be_is_named(
    tables: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    extra: str,
    words: list[str],
    remark: str | None,
) -> None:
    config = tables[1].with_name("machine.toml")
    config.write_text(PROFILE.replace("[protocol]", extra + "[protocol]"))
    named = [*OPTIONS[:2], *(words or ["--units", "ms,mm"])]
    for command in ("replay", "report"):
        assert main([command, str(tables[1]), *named]) == 0
        said = capsys.readouterr().err
        assert (said == "") if remark is None else (remark in said), said


@pytest.mark.parametrize(
    ("times", "plus_m", "remark"),
    [
        (0.1, 0, "go from 0.000 to 0.043 m, much less than 0.000 to 0.430 m in the profile: give their unit"),
        (0.01, 0, None),
        (0.5, 0, None),
        (1, 0, None),
        (
            -1,
            0,
            "go from -0.430 to 0.000 m, below the rest of the profile (0.000 m): if positions fall while the stack",
        ),
        (
            -1,
            0.45,
            "without force the stack is at 0.450 m, far above the rest of the profile (0.000 m): if positions fa",
        ),
        (1, 1.2, "without force the stack is at 1.200 m, far above the rest"),
        (4, 0, "go from 0.000 to 1.719 m, much further than 0.000 to 0.430 m in the profile: give their unit"),
    ],
)
def test_positions_that_cannot_be_this_machine_s_are_named(
    tables: tuple[Path, Path], capsys: pytest.CaptureFixture[str], times: int, plus_m: float, remark: str | None
) -> None:
    path = tables[0]
    path.with_name("machine.toml").write_text(PROFILE.replace("bottom_m", "rest_m = 0.0\nbottom_m"))
    rows = "".join(f"{t / 1000},{times * x / 1000 + plus_m},{load * 9.80665}\n" for t, x, load in a_set())
    path.write_text("t_s,displacement_m,force_n\n" + rows)
    for command in ("replay", "report"):
        assert main([command, str(path)]) == 0
        said = capsys.readouterr().err
        assert (said == "") if remark is None else (remark in said), said


@pytest.mark.parametrize(
    ("rest", "times", "plus_m", "remark"),
    [
        ("rest_m = 0.0", 1, 0, None),
        (
            "rest_m = 0.0",
            -1,
            0,
            "go from -0.430 to 0.000 m, below the rest of the profile (0.000 m): if positions fall",
        ),
        ("rest_m = 0.0", -1, 1.3, "without force the stack is at 1.300 m, far above the rest of the profile (0.000 m)"),
        ("rest_m = 0.0", 1, 0.1, None),  # on a hook
        ("rest_m = 0.0", -0.3, 0, "go from -0.129 to 0.000 m, below the rest of the profile (0.000 m): if positions"),
        ("", 1, 0, None),
        ("", 1, 0.25, "at 0.250 m, and the profile does not say where it rests: add rest_m = 0.250 to [machine]"),
        ("", -1, 0, "go from -0.430 to 0.000 m, below the rest of the profile (0.000 m): if positions fall"),
    ],
)
def test_positions_are_named_though_the_range_is_learned(
    tables: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    rest: str,
    times: int,
    plus_m: float,
    remark: str | None,
) -> None:
    path = tables[0]
    path.with_name("machine.toml").write_text(
        PROFILE.replace("bottom_m = 0.03\n", rest + "\n").replace("top_m = 0.43\n", "")
    )
    rows = "".join(f"{t / 1000},{times * x / 1000 + plus_m},{load * 9.80665}\n" for t, x, load in a_set())
    path.write_text("t_s,displacement_m,force_n\n" + rows)
    assert main(["replay", str(path)]) == 0
    said = capsys.readouterr().err
    assert (said == "") if remark is None else (remark in said), said


@pytest.mark.parametrize(
    ("zero_n", "after_n", "remark"),
    [
        (0.0, 0.0, None),
        (20.0, 20.0, "before the first lift the cell reads 20 N, with the stack on its rest: if nothing pulls there"),
        (-20.0, -20.0, "before the first lift the cell reads -20 N, with the stack on its rest"),
        (20.0, 0.0, None),  # a hand that has let go since
        (3.0, 3.0, None),
    ],
)
def test_a_cell_that_reads_a_force_on_the_rest_is_named(
    tables: tuple[Path, Path], capsys: pytest.CaptureFixture[str], zero_n: float, after_n: float, remark: str | None
) -> None:
    path = tables[0]
    rows = "".join(
        f"{t / 1000},{x / 1000},{load * 9.80665 + (zero_n if t < 9000 else after_n):.2f}\n" for t, x, load in a_set()
    )
    path.write_text("t_s,displacement_m,force_n\n" + rows)
    path.with_name("machine.toml").write_text(PROFILE.replace("bottom_m", "rest_m = 0.0\nbottom_m"))
    assert main(["replay", str(path)]) == 0
    said = capsys.readouterr().err
    assert (said == "") if remark is None else (remark in said), said


def test_a_rest_is_named_though_the_cell_is_slow(tables: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Most rows then have no force, and few of the others are those of a pause."""
    path = tables[0]
    path.with_name("machine.toml").write_text(PROFILE.replace("bottom_m", "rest_m = 0.0\nbottom_m"))
    rows = [(t, x, f"{load * 9.80665:.2f}" if t % 300 == 0 else "") for t, x, load in a_set() if 1000 < t < 26_000]
    path.write_text("t_s,displacement_m,force_n\n" + "".join(f"{t / 1000},{x / 1000 + 1.2},{n}\n" for t, x, n in rows))
    assert main(["replay", str(path)]) == 0
    assert "without force the stack is at 1.200 m" in capsys.readouterr().err


def test_slack_for_a_moment_at_the_top_says_nothing_about_the_rest(
    tables: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody recorded how the stack lay on its rest."""
    rows = [(t, x, 0.0 if 5900 < t < 6200 else max(load, 50.0)) for t, x, load in a_set() if 2000 < t < 26_000]
    assert sum(load == 0 for *_, load in rows) > 20
    table = "".join(f"{t / 1000},{x / 1000},{load * 9.80665}\n" for t, x, load in rows)
    tables[0].write_text("t_s,displacement_m,force_n\n" + table)
    assert main(["replay", str(tables[0])]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("zero_n", "units", "remark"),
    [(0, "--units=-N", "add --units N if the cell is negative"), (-250, "--units=N", None), (-90, "--units=N", None)],
)
def test_a_zero_below_0_is_no_cell_wired_the_other_way(
    tables: tuple[Path, Path], capsys: pytest.CaptureFixture[str], zero_n: float, units: str, remark: str | None
) -> None:
    rows = "".join(f"{t / 1000},{x / 1000},{load * 9.80665 + zero_n}\n" for t, x, load in a_set())
    tables[0].write_text("t_s,displacement_m,force_n\n" + rows)
    assert main(["replay", str(tables[0]), units]) == 0
    said = capsys.readouterr().err
    assert ("cannot push" not in said) if remark is None else (remark in said), said


@pytest.mark.parametrize("plates", ["", "plates_kg = [20, 40, 60]\n"])
@pytest.mark.parametrize(
    ("per_kg", "remark"),
    [
        (0.00980665, "never exceeds 1 N (0.1 kg): if these are kilonewtons, add --units kN; if they are newtons"),
        (0.5, "never exceeds 32 N (3.3 kg): if these are kilograms or pounds, add --units kg or --units lb"),
        (0.00001, None),  # no unit explains it
        (
            -9.80665,
            "and a cable cannot push: add --units=-N if the cell is negative when the cable pulls\n",
        ),
        (
            -1.0,
            "if the cell is negative when the cable pulls, or --units=-kg or --units=-lb if these are kilo",
        ),
    ],
)
def test_a_force_too_small_for_a_set_is_named(
    tables: tuple[Path, Path], capsys: pytest.CaptureFixture[str], plates: str, per_kg: float, remark: str | None
) -> None:
    path = tables[0]
    path.with_name("machine.toml").write_text(PROFILE.replace("[protocol]", plates + "[protocol]"))
    rows = "".join(f"{t / 1000},{x / 1000},{load * per_kg}\n" for t, x, load in a_set())
    path.write_text("t_s,displacement_m,force_n\n" + rows)
    assert main(["replay", str(path)]) == 0
    said = capsys.readouterr().err
    assert (said == "") if remark is None else (remark in said), said


def test_a_recording_whose_load_fits_no_plate_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "machine.toml"
    config.write_text(PROFILE.replace("[protocol]", "plates_kg = [20, 60]\n[protocol]"))
    assert main(["replay", str(RECORDING), "--config", str(config)]) == 0
    assert "fits none of [machine] plates_kg (20, 60): correct the profile" in capsys.readouterr().err


def test_a_missing_force_is_not_a_small_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.csv"
    path.with_name("machine.toml").write_text(PROFILE)
    path.write_text("t_s,displacement_m\n" + "".join(f"{k / 100},0.1\n" for k in range(500)))
    assert main(["replay", str(path), "--columns", "f="]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("hours", [8, 24, 240])
def test_hours_between_two_sets_are_a_break(tables: tuple[Path, Path], tmp_path: Path, hours: int) -> None:
    head, *rows = tables[0].read_text().splitlines()
    later = [f"{float(t) + 36 + hours * 3600:.3f},{rest}" for t, _, rest in (row.partition(",") for row in rows)]
    path, events, page = tables[0].with_name("two.csv"), tmp_path / "e.jsonl", tmp_path / "page.html"
    path.write_text("\n".join([head, *rows, *later]) + "\n")
    assert main(["replay", str(path), "--events", str(events)]) == 0
    records = {record["id"]: record for record in map(json.loads, events.read_text().splitlines())}.values()
    reps_s = [record["t_s"] for record in records if record["kind"] == "rep"]
    gaps = [record for record in records if record["kind"] == "sensor_fault" and record["cause"] == "gap"]
    assert len(reps_s) == 6
    assert [t_s - 36 - hours * 3600 for t_s in reps_s[3:]] == pytest.approx(reps_s[:3], abs=0.2)
    assert {record["detail"] for record in gaps} == {"position", "force"}
    assert [record["duration_s"] for record in gaps] == pytest.approx([hours * 3600] * 2, abs=0.2)
    assert main(["report", str(path), "-o", str(page)]) == 0
    assert page.stat().st_size < 3_000_000
