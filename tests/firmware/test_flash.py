"""`make flash` checks its arguments before it touches a board."""

import subprocess
from pathlib import Path

import pytest

from firmware_bridge.emulator_build import FIRMWARE


@pytest.mark.parametrize(
    ("port", "message"),
    [("", "Say where the board is"), ("{}/none", "There is no serial port at {}/none"), ("{}", "no serial port at {}")],
)
def test_without_a_board_it_ends_at_once_and_names_the_list_of_boards(port: str, message: str, tmp_path: Path) -> None:
    words = ["make", "-C", str(FIRMWARE), "flash", f"BUILD={tmp_path / 'build'}", "PROGRAMMER=wiring"]
    done = subprocess.run([*words, f"PORT={port.format(tmp_path)}"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    (sentence,) = (line for line in done.stdout.splitlines() if not line.startswith("make"))
    assert message.format(tmp_path) in sentence
    assert "`rep-monitor ports`" in sentence
    assert not (tmp_path / "build").exists(), "nothing was built for a board that is not there"
