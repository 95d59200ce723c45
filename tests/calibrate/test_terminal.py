"""A person at a real terminal: answers questions before the first step and at the end, and can repeat a step."""

import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from firmware_bridge.simulator import Kit, Trace
from monitor.exit_codes import ExitCode
from monitor.profile.reading import load_profile
from tests.calibrate.bench import PROFILE, Rig, rig, write_profile
from tests.calibrate.device import device


class Person:
    """Reads the screen and types."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self._process, self._terminal = process, terminal
        self.seen = ""

    def waits_for(self, text: str) -> None:
        """Reads until the text appears."""
        while text not in self.seen:
            assert select.select([self._terminal], [], [], 60)[0], self.seen[-2000:]
            try:
                self.seen += os.read(self._terminal, 4096).decode(errors="replace")
            except OSError:
                raise AssertionError(f"{text!r} never came: {self.seen[-2000:]}") from None
        self.seen = self.seen.split(text, 1)[1]

    def types(self, text: str) -> None:
        os.write(self._terminal, f"{text}\n".encode())

    def status(self) -> int:
        while True:
            try:
                if not os.read(self._terminal, 4096):
                    break
            except OSError:  # the other end is closed
                break
        return self._process.wait(60)


@contextmanager
def calibrating(profile: Path, port: str) -> Iterator[Person]:
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-m", "monitor", "calibrate", str(profile), "--port", port]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "160"}
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    try:
        yield Person(process, terminal)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    return rig(1)


def test_a_person_is_guided_through_a_calibration(one: Rig, tmp_path: Path) -> None:
    profile = write_profile(tmp_path)
    helper = replace(one.helper, weights_kg=(one.helper.weights_kg[0], one.helper.weights_kg[-1]), knocks=False)
    with device(one, helper.trace()) as port, calibrating(profile, port) as person:
        person.waits_for("known weights")
        person.types("20 stones")
        person.waits_for("is not a weight")
        person.waits_for("known weights")
        person.types(" ".join(f"{kg:g}kg" for kg in helper.weights_kg))
        person.waits_for("Height of the block")
        person.types("250 furlongs")
        person.waits_for("is not a length")
        person.waits_for("Height of the block")
        person.types("back")
        person.waits_for("known weights")
        person.types(" ".join(f"{kg:g} kg" for kg in helper.weights_kg))
        person.waits_for("Height of the block")
        person.types("25 cm")
        person.waits_for("knock on the stack")
        person.types("perhaps")
        person.waits_for("Answer yes or no")
        person.types("n")
        for title in ("Link", "Rest", "Travel", "Weight", "Weight", "Movement", "Rest again"):
            person.waits_for(title)
        person.waits_for("newtons_per_count")
        person.waits_for("Write this into")
        person.types("")
        person.waits_for("Answer yes or no")
        person.types("yes")
        person.waits_for("is calibrated")
        assert person.status() == ExitCode.DONE
    found = load_profile(profile).calibration
    assert found is not None
    assert found.newtons_per_count == pytest.approx(one.kit.calibration(one.machine).newtons_per_count, rel=0.005)


def test_a_refused_step_can_be_repeated_or_ended(one: Rig, tmp_path: Path) -> None:
    profile = write_profile(tmp_path)
    broken = Rig(one.machine, Kit(wiring=one.kit.wiring, noise_n=0.5, force_rate_hz=10.0), one.helper, one.seed)
    with device(broken, Trace.joined([one.helper.still(60.0)])) as port, calibrating(profile, port) as person:
        person.waits_for("known weights")
        person.types("20kg 60kg")
        person.waits_for("Height of the block")
        person.types("")
        person.waits_for("Circumference")
        person.types("157.1")
        person.waits_for("Counts of one turn")
        person.types("2400")
        person.waits_for("knock on the stack")
        person.types("n")
        person.waits_for("10.0 readings a second")
        person.waits_for("Enter: try again")
        person.types("")
        person.waits_for("Link")
        person.waits_for("10.0 readings a second")
        person.types("q")
        assert person.status() == ExitCode.FAILED
    assert profile.read_text() == PROFILE


def test_ctrl_d_ends_it_as_ctrl_c_does(one: Rig, tmp_path: Path) -> None:
    with calibrating(write_profile(tmp_path), str(tmp_path / "no-port")) as person:
        person.waits_for("known weights")
        person.types("20kg 60kg")
        person.waits_for("Height of the block")
        person.types("\x04")
        person.types("\x04")
        assert person.status() == ExitCode.INTERRUPTED
        assert "Traceback" not in person.seen
