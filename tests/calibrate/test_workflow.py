"""The command from its answers to the changed profile, on a real pseudo-terminal."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from firmware_bridge.simulator import Trace
from monitor.__main__ import main
from monitor.calibrate import history
from monitor.exit_codes import ExitCode
from monitor.profile.reading import load_profile
from tests.calibrate.bench import PROFILE, Rig, rig, write_profile
from tests.calibrate.device import device
from tests.ctrl_c import hears_ctrl_c

PATIENT = """
import sys
from monitor.calibrate import listening_port
from monitor.__main__ import main
listening_port.PATIENCE_S = 100.0  # the board is in the process of the tests, which may stand still
sys.exit(main())
"""
STILL_S = 170.0  # for a signal; less than a step may take


@pytest.fixture
def one() -> Rig:
    return rig(1)


@pytest.fixture
def files(tmp_path: Path, one: Rig, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    answers = tmp_path / "answers.toml"
    weights = ", ".join(f'"{kg:g} kg"' for kg in one.helper.weights_kg)
    answers.write_text(f"weights = [{weights}]\nblock_mm = 250\nwrite = true\n")
    return write_profile(tmp_path), answers


def test_ctrl_c_keeps_finished_steps_and_the_next_call_resumes_and_changes_the_profile(
    one: Rig, files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    profile, answers = files
    helper = one.helper
    first, *others = helper.weights_kg
    command = [sys.executable, "-u", "-c", PATIENT, "calibrate", str(profile), "--answers", str(answers), "--port"]
    begin = Trace.joined([helper.still(16.0), helper.block(), helper.hold(first)])
    with device(one, begin, helper.still(STILL_S)) as port:
        process = subprocess.Popen([*command, port], stdout=subprocess.PIPE, text=True, preexec_fn=hears_ctrl_c)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(f"Weight {others[0]:g} kg"):
                process.send_signal(signal.SIGINT)
                break
        with process.stdout:
            process.stdout.read()
        assert process.wait(60) == ExitCode.INTERRUPTED
    assert profile.read_text() == PROFILE
    directory = Path(os.environ["STATE_DIRECTORY"]) / "rig"
    left = history.load_progress(directory)
    assert left is not None
    assert (left.height is not None, len(left.holds)) == (True, 1)

    acts = [helper.still(16.0), *map(helper.hold, others), helper.repetitions(), helper.knock(), helper.still(16.0)]
    with device(one, Trace.joined(acts)) as port:
        assert main(["calibrate", str(profile), "--answers", str(answers), "--port", port]) == ExitCode.DONE
    output = capsys.readouterr().out
    assert "Travel" not in output
    assert "-#friction = 0.06   # learned" in output
    assert "machine.toml is calibrated" in output
    text = profile.read_text()
    assert "# A machine in a gym." in text
    assert "   # learned" in text
    found, wiring = load_profile(profile).calibration, one.kit.calibration(one.machine)
    assert found is not None
    assert found.newtons_per_count == pytest.approx(wiring.newtons_per_count, rel=0.005)
    assert found.metres_per_count == pytest.approx(wiring.metres_per_count, rel=0.001)

    newest = history.newest(directory)
    assert newest is not None
    assert newest.before["calibration"]["newtons_per_count"] == 1.0
    assert newest.after["calibration"]["newtons_per_count"] == found.newtons_per_count
    assert newest.state.firmware == "1.0.0"
    assert newest.state.span is not None
    assert len(newest.state.span.residuals) == 3
    assert history.load_progress(directory) is None


def test_a_missing_port_is_reported(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    profile, answers = files
    monkeypatch.setattr("monitor.calibrate.listening_port.PATIENCE_S", 0.5)
    words = ["calibrate", str(profile), "--answers", str(answers), "--port", "/dev/shm/no-such-port"]
    assert main(words) == ExitCode.FAILED
    assert "does not exist: plug the device in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('weights = ["20 kg"]\nblock_mm = 250\n', "answers.toml:1: weights must be"),
        ('weights = ["20 kg", "a stone"]\nblock_mm = 250\n', '"a stone" is not a weight; write 20 kg or 45 lb'),
        ('weights = ["20 kg", "25 kg"]\nblock_mm = 250\n', "are too close together"),
        ('weights = ["20 kg", "60 kg"]\n', "block_mm or drum_mm with counts_per_turn must be given"),
        ('weights = ["20 kg", "60 kg"]\nblock_mm = 250\nwight = 3\n', 'Did you mean "weights"?'),
    ],
)
def test_unusable_answers_are_refused(
    files: tuple[Path, Path], text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    profile, answers = files
    answers.write_text(text)
    words = ["calibrate", str(profile), "--answers", str(answers), "--port", "/dev/shm/no-such-port"]
    assert main(words) == ExitCode.BAD_INPUT
    assert said in capsys.readouterr().err


def test_a_damaged_file_of_calibrations_is_skipped(tmp_path: Path) -> None:
    assert history.newest(tmp_path) is None
    (tmp_path / "calibrations.jsonl").write_text('{"finished_utc": "20\n')
    (tmp_path / "calibration.partial.json").write_text("{")
    assert history.read_all(tmp_path) == ([], 1)
    assert history.load_progress(tmp_path) is None
    assert (tmp_path / "calibration.partial.damaged").exists()
