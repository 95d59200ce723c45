"""A profile that this user may not change is named before half an hour at the machine, not after it."""

from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.exit_codes import ExitCode
from tests.profiles import PROFILE


@pytest.mark.parametrize("write", [True, False])
def test_it_is_refused_before_the_first_step(
    write: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setattr("monitor.record.output.check_place", refuse)
    profile, answers = tmp_path / "m.toml", tmp_path / "answers.toml"
    profile.write_text(PROFILE)
    answers.write_text(f'weights = ["20 kg", "60 kg"]\nblock_mm = 250\nwrite = {str(write).lower()}\n')
    words = ["calibrate", str(profile), "--answers", str(answers), "--port", "/dev/shm/no-such-port"]
    assert main(words) == (ExitCode.BAD_INPUT if write else ExitCode.FAILED)
    said = capsys.readouterr().err
    assert ("m.toml cannot be changed (Permission denied): begin with sudo" in said) is write
    assert ("no-such-port does not exist" in said) is not write
