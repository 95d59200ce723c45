"""The reference firmware on an emulated board: built here, run by libsimavr, with its UART on a pty.

    if why := missing(): ...                                 # a sentence that names the packages
    firmware = build(folder)                                 # ELF and emulator, two seconds
    write_trajectory(folder / "set.csv", t_s, position_m, force_n)
    with emulated_board(firmware, Calibration(...), folder / "set.csv", link=folder / "tty") as board:
        ...                                                  # open board.port as any serial port, at 500000 baud
        board.inject("ready_stuck 1")                        # faults as firmware/fwsim/faults.c lists them
    board.report()                                           # what the emulator saw

The firmware counts the encoder from 0 at its boot, as on a machine that is switched on: give the calibration a
`position_zero_counts` that says where the trajectory begins, see `wired`. The program that runs the firmware links
libsimavr, which is under the GPL; it is built where it runs and is no part of this package's wheel.
"""

import json
import math
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.calibration import Calibration
from firmware_bridge.errors import BridgeError

FIRMWARE = Path(__file__).parent / "firmware"
STOP_TIMEOUT_S = 5.0
PACKAGES = {  # what must be there -> the Debian package that brings it
    "avr-gcc": "gcc-avr",
    "avr-objcopy": "binutils-avr",
    "/usr/lib/avr/include/avr/io.h": "avr-libc",
    "/usr/include/simavr/sim_avr.h": "libsimavr-dev",
    "/usr/include/libelf.h": "libelf-dev",
    "cc": "gcc",
    "make": "make",
    "pkg-config": "pkg-config",
}
Converter = Literal["hx711", "ads1220"]


class EmulatorError(BridgeError):
    """The firmware or its emulator could not be built or run; the message says what to install or what failed."""


@dataclass(frozen=True, slots=True)
class Firmware:
    """What `build` made."""

    elf: Path
    fwsim: Path
    mcu: str
    converter: Converter

    def command(self, calibration: Calibration, trajectory: Path | None, *options: str) -> list[str]:
        """The emulator's command line."""
        words = [str(self.fwsim), "--elf", str(self.elf), "--mcu", self.mcu, "--converter", self.converter]
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


@dataclass(frozen=True, slots=True)
class EmulatedBoard:
    """A board that runs."""

    port: Path
    process: "subprocess.Popen[str]"
    report_path: Path

    def inject(self, fault: str) -> None:
        """Let something go wrong now; `fault` as in fwsim's scripts, without a time."""
        assert self.process.stdin
        try:
            self.process.stdin.write(fault + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise EmulatorError(f"the emulated board has ended before it could be told: {fault}") from None

    def unplug(self) -> None:
        """Pull the cable: the port hangs up. A board does not come back from that, another one may take its link."""
        self.process.kill()
        self.process.wait()

    def report(self) -> dict[str, Any]:
        """What the emulator saw, after a clean end of the run."""
        return cast(dict[str, Any], json.loads(self.report_path.read_text()))


def missing() -> str | None:
    """Why there can be no emulated board here, or None."""
    if not (FIRMWARE / "fwsim").is_dir():
        return "the emulated board needs the source tree of rep-monitor: an installed package does not bring it"
    packages = [package for what, package in PACKAGES.items() if not _there(what)]
    return f"the emulated board needs: sudo apt-get install {' '.join(packages)}" if packages else None


def build(
    folder: Path, *, mcu: str = "atmega328p", converter: Converter = "hx711", rate_sps: int = 0, baud: int = 500_000
) -> Firmware:
    """Compile firmware and emulator into `folder`; what is there and still fresh is kept."""
    if why := missing():
        raise EmulatorError(why)
    rate_sps = rate_sps or (80 if converter == "hx711" else 1000)
    folder.mkdir(parents=True, exist_ok=True)
    options = [f"BUILD={folder}", f"MCU={mcu}", f"ADC={converter}", f"RATE={rate_sps}", f"BAUD={baud}"]
    done = subprocess.run(
        ["make", "-s", "-C", str(FIRMWARE), "firmware", "fwsim", *options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise EmulatorError(f"the firmware does not build in {FIRMWARE}:\n{done.stderr.strip()}")
    return Firmware(folder / f"rep-monitor-{mcu}-{converter}-{rate_sps}-{baud}.elf", folder / "fwsim", mcu, converter)


def write_trajectory(
    path: Path, t_s: NDArray[np.float64], position_m: NDArray[np.float64], force_n: NDArray[np.float64]
) -> None:
    """What the machine does, for the emulator to play: a simulator's truth, or a recording."""
    with path.open("w", encoding="ascii") as file:
        file.write("t_s,position_m,force_n\n")
        for row in zip(t_s.tolist(), position_m.tolist(), force_n.tolist(), strict=True):
            file.write("{:.6f},{:.9g},{:.9g}\n".format(*row))


def wired(calibration: Calibration, begins_m: float) -> Calibration:
    """The same wiring for a board that boots while the machine stands at `begins_m`, where its counter is 0."""
    return replace(calibration, position_zero_counts=float(-math.floor(begins_m / calibration.metres_per_count)))


@contextmanager
def emulated_board(
    firmware: Firmware,
    calibration: Calibration,
    trajectory: Path | None,
    *,
    link: Path,
    pace: float = 1.0,
    wait_open: bool = True,
    options: tuple[str, ...] = (),
) -> Iterator[EmulatedBoard]:
    """A board whose UART is at `link`; its time begins when the port is opened. `pace` 0: as fast as it is read.

    Its EEPROM stays beside the link, so that it is the same board when it comes back there.
    """
    report, eeprom = (link.with_name(link.name + end) for end in (".report.json", ".eeprom"))
    words = firmware.command(calibration, trajectory, "--link", str(link), "--pace", repr(pace), "--stdin")
    words += ["--report", str(report), "--eeprom", str(eeprom), *options]
    words += ["--block"] if pace == 0 else []
    words += ["--wait-open"] if wait_open else []
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            while not (line := process.stdout.readline()).startswith("PTY "):
                if not line:
                    raise EmulatorError(f"the emulator ended at once, with exit code {process.wait()}")
            yield EmulatedBoard(link, process, report)
        finally:
            process.stdin.close()  # its sign to end, also where we die without a word
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _there(what: str) -> bool:
    return Path(what).exists() if what.startswith("/") else shutil.which(what) is not None
