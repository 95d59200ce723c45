"""Runs the reference firmware on an emulated board, with a simulated lifter.

if why := emulator_build.missing(): ...
with board_of(profile, seed=1) as board:
    ...    # read board.port like any serial port
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware_bridge.emulated_board import EmulatedBoard, emulated_board
from firmware_bridge.emulator_build import build
from monitor.demo.simulated import kit_of, machine_of, traces_of
from monitor.profile.profile import Profile


@contextmanager
def board_of(profile: Profile, seed: int) -> Iterator[EmulatedBoard]:
    """A live board, which is still starting when the port opens. Raises EmulatorError if it cannot be built.

    Its encoder counts from 0 at the rest of the stack, so the profile's `position_zero_counts` must agree with that.
    """
    wiring = kit_of(profile).calibration(machine_of(profile))
    motion = ((trace.position_m, trace.tension_n) for trace in traces_of(profile, seed))
    firmware = build(baud=profile.serial.baud)
    with (
        tempfile.TemporaryDirectory(prefix="rep-monitor-") as folder,
        emulated_board(firmware, wiring, motion, link=Path(folder) / "board") as board,
    ):
        yield board
