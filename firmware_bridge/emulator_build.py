"""Builds what runs the firmware without a board: its ELF for the chip, and the emulator for this computer.

    if why := missing(): ...        # a sentence that names the packages
    firmware = build()              # two seconds; nothing if it is up to date

The emulator links libsimavr, which is under the GPL. So it is built where it runs, and is not in this package's wheel.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from firmware_bridge.errors import BridgeError

FIRMWARE = Path(__file__).parent / "firmware"
PACKAGES = {  # a file or program -> the Debian package that has it
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
    """The files that `build` made."""

    elf: Path
    fwsim: Path
    mcu: str
    converter: Converter


def missing() -> str | None:
    """Why the emulated board cannot be built here, or None."""
    if not (FIRMWARE / "fwsim").is_dir():
        return "the emulated board needs the source tree of rep-monitor: an installed package does not have it"
    packages = [package for what, package in PACKAGES.items() if not _there(what)]
    return f"the emulated board needs: sudo apt-get install {' '.join(packages)}" if packages else None


def build(
    folder: Path = FIRMWARE / "build",
    *,
    mcu: str = "atmega328p",
    converter: Converter = "hx711",
    rate_sps: int = 0,
    baud: int = 500_000,
) -> Firmware:
    """Compile firmware and emulator into `folder`, if they are not up to date. Raises EmulatorError."""
    folder = folder.resolve()
    if why := missing():
        raise EmulatorError(why)
    rate_sps = rate_sps or (80 if converter == "hx711" else 1000)
    options = [f"BUILD={folder}", f"MCU={mcu}", f"ADC={converter}", f"RATE={rate_sps}", f"BAUD={baud}"]
    words = ["make", "-s", "-C", str(FIRMWARE), "firmware", "fwsim", *options]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EmulatorError(f"the firmware does not build in {FIRMWARE}:\n{done.stderr.strip()}")
    return Firmware(folder / f"rep-monitor-{mcu}-{converter}-{rate_sps}-{baud}.elf", folder / "fwsim", mcu, converter)


def _there(what: str) -> bool:
    return Path(what).exists() if what.startswith("/") else shutil.which(what) is not None
