"""`rep-monitor strength` writes a lifter's strength curve, and the report draws it beside the machine's resistance."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.simulator import StrengthEfforts
from monitor.__main__ import main
from monitor.demo.simulated import machine_of
from monitor.exit_codes import ExitCode
from monitor.profile.reading import load_profile
from monitor.record.output import check_place
from monitor.report.resistance_section import EDGE, WIDTH
from tests.movements import BOTTOM_M, TOP_M, Down, Leg, Movement, Still

PROFILE = f"""
[machine]
id = "press"
kind = "stack"
rest_m = 0.25
bottom_m = {BOTTOM_M}
top_m = {TOP_M}

[protocol]
positive_s = 2.0
negative_s = 2.0
"""
REP = (Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), Still(0.4))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "press.toml").write_text(PROFILE)
    return tmp_path / "press.toml"


def written(path: Path, columns: np.ndarray) -> Path:
    np.savetxt(path, columns, fmt="%.5f", delimiter=",", header="t_s,displacement_m,force_n", comments="")
    return path


def efforts(path: Path, forces_n: tuple[float, ...], places_m: tuple[float, ...]) -> Path:
    """Six seconds for each: nothing, a push of three seconds, nothing."""
    t_s = np.arange(0.0, 6.0 * len(forces_n), 0.01)
    number, within_s = (t_s // 6.0).astype(int), t_s % 6.0
    pushing = np.interp(within_s, [1.0, 1.5, 4.5, 5.0], [0.0, 1.0, 1.0, 0.0])
    noise_n = np.random.default_rng(1).normal(0.0, 1.0, len(t_s))
    force_n = np.array(forces_n)[number] * pushing + noise_n
    return written(path, np.column_stack((t_s, np.array(places_m)[number] + 0.25, force_n)))


def session(path: Path) -> Path:
    movement = Movement((Leg(0.0, 0.5), Still(0.4), *REP, *REP, *REP, Down(6.0)))
    rows = movement.samples()
    t_s = np.arange(0.0, float(rows.t_s.max()), 0.01)
    has_x, has_f = ~np.isnan(rows.position_m), ~np.isnan(rows.force_n)
    place_m = np.interp(t_s, rows.t_s[has_x], rows.position_m[has_x])
    force_n = np.interp(t_s, rows.t_s[has_f], rows.force_n[has_f])
    return written(path, np.column_stack((t_s, place_m, force_n)))


def test_a_recorded_test_becomes_a_curve_that_the_report_draws(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = efforts(tmp_path / "test.csv", (1200.0, 800.0, 600.0), (0.05, 0.30, 0.56))  # the last one above the range
    out, page = tmp_path / "strength.json", tmp_path / "page.html"
    assert main(["strength", str(config), "--recorded", str(table), "-o", str(out)]) == ExitCode.DONE
    assert "1200 N (122.4 kg) at 5.0 cm above the rest" in capsys.readouterr().out
    test = json.loads(out.read_text())
    assert [one["force_n"] for one in test["efforts"]] == pytest.approx([1200.0, 800.0, 600.0], abs=3.0)
    assert [one["position_m"] for one in test["efforts"]] == pytest.approx([0.05, 0.30, 0.56], abs=0.002)

    lifted = session(tmp_path / "session.csv")
    words = ["report", str(lifted), "--config", str(config), "--strength", str(out), "-o", str(page)]
    assert main(words) in (ExitCode.DONE, ExitCode.DONE_WITH_LOSS)
    text = page.read_text()
    assert "Resistance and strength" in text
    tested_at = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"[^>]*class="strength"', text)]
    assert tested_at == sorted(tested_at)
    assert all(EDGE <= x <= WIDTH for x in tested_at)
    assert "the machine is too light" in text
    assert "the machine is too heavy" in text
    assert text.index("too light") < text.index("too heavy")  # strong at the bottom, weak at the top


def test_a_live_test_asks_for_place_after_place(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setattr("monitor.calibrate.listening_port.PATIENCE_S", 60.0)  # the simulator may rest
    config.write_text(PROFILE + "\n[calibration]\nmetres_per_count = 0.0001\nnewtons_per_count = 0.001\n")
    link, out = tmp_path / "port", tmp_path / "strength.json"
    words = ["simulate", "--config", str(config), "--script", "strength", "--link", str(link), "--speed", "max"]
    simulator = subprocess.Popen([sys.executable, "-m", "monitor", *words], stdout=subprocess.PIPE, text=True)
    try:
        assert simulator.stdout is not None
        assert "(simulated)" in simulator.stdout.readline()
        assert f"rep-monitor strength {config} --port {link}" in simulator.stdout.readline()
        assert main(["strength", str(config), "--port", str(link), "-o", str(out)]) == ExitCode.DONE
    finally:
        simulator.send_signal(signal.SIGINT)
        simulator.communicate(timeout=60)
    said = capsys.readouterr().out
    asked = [said.index(f"Place {number} of 3") for number in (1, 2, 3)]
    assert asked == sorted(asked)
    machine, simulated = machine_of(load_profile(config)), StrengthEfforts()
    efforts_n = [one["force_n"] for one in json.loads(out.read_text())["efforts"]]
    places_m = [one["position_m"] for one in json.loads(out.read_text())["efforts"]]
    assert efforts_n == pytest.approx([peak * machine.working_load_n for peak in simulated.peaks], rel=0.02)
    lowest_m = machine.bottom_m - machine.rest_m
    assert places_m == pytest.approx([lowest_m + at * machine.range_m for at in simulated.places], abs=0.005)


def test_too_few_places_are_refused(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = efforts(tmp_path / "test.csv", (1200.0, 800.0), (0.05, 0.30))
    words = ["strength", str(config), "--recorded", str(table), "-o", str(tmp_path / "s.json")]
    assert main(words) == ExitCode.BAD_INPUT
    assert "places with an effort: 2; 3 are needed" in capsys.readouterr().err
    assert not (tmp_path / "s.json").exists()


@pytest.mark.parametrize("out", ["no-folder/s.json", "."])
def test_a_result_that_cannot_be_written_is_refused_before_anybody_pushes(
    out: str, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["strength", str(config), "--port", "/dev/shm/no-such-port", "-o", out]) == ExitCode.BAD_INPUT
    said = capsys.readouterr()
    assert said.out == ""
    assert ("is a directory" if out == "." else "there is no folder") in said.err


def test_the_check_of_a_place_leaves_nothing(tmp_path: Path) -> None:
    check_place(tmp_path / "s.json")
    check_place(Path("/dev/null"))
    assert list(tmp_path.iterdir()) == []


def test_a_machine_without_a_port_or_a_way_is_refused(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "s.json")
    assert main(["strength", str(config), "-o", out]) == ExitCode.BAD_INPUT
    assert "[serial] port is missing" in capsys.readouterr().err
    config.write_text('[machine]\nid = "m"\nkind = "static"\n')
    assert main(["strength", str(config), "-o", out]) == ExitCode.BAD_INPUT
    assert "has no displacement" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"machine": "m", "efforts": []}',
        '{"machine": "m", "efforts": [' + ", ".join(['{"position_m": 0.1, "force_n": 5}'] * 3) + "]}",
    ],
)
def test_a_file_that_is_no_strength_test_is_named(
    text: str, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "s.json"
    broken.write_text(text)
    assert main(["report", "any.csv", "--config", str(config), "--strength", str(broken)]) == ExitCode.BAD_INPUT
    assert str(broken) in capsys.readouterr().err
