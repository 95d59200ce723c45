"""A calibration without a machine: the simulator plays the person, and the procedure runs to its end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.demo.rehearsal import BLOCK_MM, WEIGHTS_KG
from monitor.demo.simulated import kit_of, machine_of
from monitor.exit_codes import ExitCode
from monitor.profile.reading import load_profile
from tests.calibrate.bench import write_profile
from tests.ctrl_c import hears_ctrl_c

UNCALIBRATED = """
[machine]
id = "bench"
kind = "stack"

[protocol]
name = "4/4"
"""


def test_a_calibration_can_be_rehearsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setattr("monitor.calibrate.listening_port.PATIENCE_S", 60.0)  # the simulator may rest
    profile = write_profile(tmp_path, UNCALIBRATED)
    hidden = load_profile(profile)
    answers = tmp_path / "answers.toml"
    weights = [f"{kg:g} kg" for kg in WEIGHTS_KG]
    answers.write_text(f"weights = {weights}\nblock_mm = {BLOCK_MM}\nwrite = true\n")
    link = tmp_path / "port"
    words = ["simulate", "--config", str(profile), "--script", "calibration", "--link", str(link), "--speed", "max"]
    command = [sys.executable, "-m", "monitor", *words]
    simulator = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=hears_ctrl_c)
    try:
        assert simulator.stdout is not None
        assert "(simulated)" in simulator.stdout.readline()
        assert "20 kg, 40 kg, 80 kg; block 250 mm" in simulator.stdout.readline()
        assert main(["calibrate", str(profile), "--answers", str(answers), "--port", str(link)]) == ExitCode.DONE
    finally:
        simulator.send_signal(signal.SIGINT)
        simulator.communicate(timeout=60)
    assert "is calibrated" in capsys.readouterr().out
    found, wiring = load_profile(profile).calibration, kit_of(hidden).calibration(machine_of(hidden))
    assert found is not None
    assert found.metres_per_count == pytest.approx(wiring.metres_per_count, rel=0.002)
    assert found.newtons_per_count == pytest.approx(wiring.newtons_per_count, rel=0.005)
    assert (Path(os.environ["STATE_DIRECTORY"]) / "bench" / "calibrations.jsonl").exists()


def test_only_a_stack_can_be_rehearsed(capsys: pytest.CaptureFixture[str]) -> None:
    profile = Path(__file__).parents[2] / "configs" / "static.toml"
    assert main(["simulate", "--config", str(profile), "--script", "calibration"]) == ExitCode.BAD_INPUT
    assert 'a calibration is simulated for a "stack"' in capsys.readouterr().err
