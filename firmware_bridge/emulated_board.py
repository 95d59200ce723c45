"""The reference firmware on an emulated board: libsimavr runs it, and its UART is a pty that opens like a serial port.

    write_trajectory(folder / "set.csv", t_s, position_m, force_n)
    with emulated_board(build(folder), calibration, folder / "set.csv", link=folder / "tty") as board:
        ...                                # open board.port like any serial port, at 500000 baud
        board.inject("ready_stuck 1")      # firmware/fwsim/faults.c lists the faults
    board.report()                         # what the emulator counted

The firmware counts the encoder from 0 at its boot, as on a machine that is switched on. `wired` gives the calibration
for the place where the motion begins.
"""

import json
import math
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any, TextIO, cast

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.emulator_build import EmulatorError, Firmware
from firmware_bridge.formats.calibration import Calibration

STOP_TIMEOUT_S = 5.0
ROWS_HZ = 1000
Motion = Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]]  # blocks of position_m and force_n, ROWS_HZ rows/s


@dataclass(frozen=True, slots=True)
class EmulatedBoard:
    """A running board."""

    port: Path
    process: "subprocess.Popen[str]"
    report_path: Path

    def inject(self, fault: str) -> None:
        """Inject a fault now; `fault` is a line of fwsim's scripts, without the time."""
        assert self.process.stdin
        try:
            os.write(self.process.stdin.fileno(), f"{fault}\n".encode())  # a buffer could not be closed afterwards
        except BrokenPipeError:
            raise EmulatorError(f"the emulated board ended before the fault was injected: {fault}") from None

    def unplug(self) -> None:
        """Pull the cable: the port hangs up and its link is gone, as with udev. This board does not come back; start a
        new one at the same link.
        """
        self.port.unlink()  # first: the kernel gives the pty's number to the next program that asks for one
        self.process.kill()
        self.process.wait()

    def report(self) -> dict[str, Any]:
        """What the emulator counted, after a clean end of the run."""
        return cast(dict[str, Any], json.loads(self.report_path.read_text()))


def write_trajectory(
    path: Path, t_s: NDArray[np.float64], position_m: NDArray[np.float64], force_n: NDArray[np.float64]
) -> None:
    """Write a motion for the emulator to play: a simulator's truth, or a recording."""
    with path.open("w", encoding="ascii") as file:
        file.write("t_s,position_m,force_n\n")
        _write_rows(file, t_s, position_m, force_n)


def wired(calibration: Calibration, begins_m: float) -> Calibration:
    """The calibration for a board that boots at `begins_m`, where its counter is 0."""
    return replace(calibration, position_zero_counts=float(-math.floor(begins_m / calibration.metres_per_count)))


def command(firmware: Firmware, calibration: Calibration, trajectory: Path | None, *options: str) -> list[str]:
    """The emulator's command line."""
    words = [str(firmware.fwsim), "--elf", str(firmware.elf), "--mcu", firmware.mcu, "--converter", firmware.converter]
    if trajectory is not None:
        words += ["--trajectory", str(trajectory)]
    for name, value in (
        ("--metres-per-count", calibration.metres_per_count),
        ("--position-zero-counts", calibration.position_zero_counts),
        ("--newtons-per-count", calibration.newtons_per_count),
        ("--force-zero-counts", calibration.force_zero_counts),
    ):
        words += [name, repr(value)]
    return [*words, *options]


@contextmanager
def emulated_board(
    firmware: Firmware,
    calibration: Calibration,
    trajectory: Path | Motion | None,
    *,
    link: Path,
    pace: float = 1.0,
    wait_open: bool = True,
    options: tuple[str, ...] = (),
) -> Iterator[EmulatedBoard]:
    """A board whose UART is at `link`; its time begins when the port is opened. `pace` 0: as fast as it is read.

    A motion that is computed while it is played may be endless; a thread takes it, a second or two ahead. The EEPROM
    is kept beside the link, so a board that comes back there is the same board.
    """
    report, eeprom = (link.with_name(link.name + end) for end in (".report.json", ".eeprom"))
    how = ["--link", str(link), "--pace", repr(pace), "--report", str(report), "--eeprom", str(eeprom), "--stdin"]
    how += [*(["--block"] if pace == 0 else []), *(["--wait-open"] if wait_open else []), *options]
    with ExitStack() as at_end:
        inherited: tuple[int, ...] = ()
        if trajectory is not None and not isinstance(trajectory, Path):
            reading, writing = os.pipe()
            player = _Player(trajectory, writing)
            at_end.callback(player.finish)
            inherited, trajectory = (reading,), Path(f"/dev/fd/{reading}")
        try:
            process = subprocess.Popen(
                command(firmware, calibration, trajectory, *how),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=inherited,
            )  # fmt: skip
        finally:
            for number in inherited:  # only the emulator reads: the player then notices its end
                os.close(number)
        with process:
            at_end.callback(process.wait)
            assert process.stdin
            assert process.stdout
            try:
                while not (line := process.stdout.readline()).startswith("PTY "):
                    if not line:
                        raise EmulatorError(f"the emulator ended at its start, with exit code {process.wait()}")
                yield EmulatedBoard(link, process, report)
            finally:
                process.stdin.close()  # the emulator ends at this, also if this process is killed
                try:
                    process.wait(STOP_TIMEOUT_S)
                except subprocess.TimeoutExpired:
                    link.unlink(missing_ok=True)
                    process.kill()


class _Player:
    """Writes a motion into the emulator's pipe while it has room; ends with the motion or with the emulator."""

    def __init__(self, motion: Motion, pipe: int) -> None:
        self._motion, self._pipe = motion, pipe
        self._error: BaseException | None = None
        self._thread = Thread(target=self._play, name="motion of the emulated board")
        self._thread.start()

    def finish(self) -> None:
        """Call it after the emulator's end. Raises what the motion raised."""
        self._thread.join()
        if self._error:
            raise self._error

    def _play(self) -> None:
        rows = 0
        try:
            with suppress(BrokenPipeError), os.fdopen(self._pipe, "w", encoding="ascii") as pipe:
                for position_m, force_n in self._motion:
                    _write_rows(pipe, (rows + np.arange(len(position_m))) / ROWS_HZ, position_m, force_n)
                    rows += len(position_m)
        except BaseException as error:  # finish raises it
            self._error = error


def _write_rows(
    file: TextIO, t_s: NDArray[np.float64], position_m: NDArray[np.float64], force_n: NDArray[np.float64]
) -> None:
    for row in zip(t_s.tolist(), position_m.tolist(), force_n.tolist(), strict=True):
        file.write("{:.6f},{:.9g},{:.9g}\n".format(*row))
