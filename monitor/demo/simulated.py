"""Simulates the machine that a profile describes. Values that the profile leaves out get defaults here."""

from collections.abc import Iterator
from pathlib import Path

import firmware_bridge.simulator as simulator
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from firmware_bridge.simulator.board import Board
from firmware_bridge.simulator.demo import demo_traces, endless_motor, endless_static
from firmware_bridge.simulator.device import SimulatedDevice
from firmware_bridge.simulator.effort import MotorEffort, StaticEffort
from monitor.profile.profile import Profile

MASS_KG = 80.0
FRICTION = 0.08
BELOW_M = 0.03  # from the rest of the stack up to the range
RANGE_M = 0.5
STATIC_PEAK_N = 1200.0
ROWS = 5  # milliseconds that are simulated together in real time; at speed 4, four times as many
AT_ONCE = 8  # times as many at most: the board's transmit ring holds what is sent in them


def machine_of(profile: Profile) -> simulator.Machine:
    """The load is the profile's, else the plate of the profile that is nearest to MASS_KG."""
    machine = profile.machine
    bottom_m = machine.bottom_m if machine.bottom_m is not None else (machine.rest_m or 0.0) + BELOW_M
    load_n = machine.working_load_n or (machine.peak_n or STATIC_PEAK_N if machine.kind == "static" else None)
    if load_n is None:
        plates_kg = machine.plates_kg or (MASS_KG,)
        load_n = min(plates_kg, key=lambda kg: abs(kg - MASS_KG)) * STANDARD_GRAVITY_M_S2
    return simulator.Machine(
        kind=machine.kind,
        mass_kg=load_n / STANDARD_GRAVITY_M_S2,
        friction=FRICTION if machine.friction is None else machine.friction,
        rest_m=bottom_m - BELOW_M if machine.rest_m is None else machine.rest_m,
        bottom_m=bottom_m,
        top_m=machine.top_m if machine.top_m is not None else bottom_m + RANGE_M,
    )


def kit_of(profile: Profile) -> simulator.Kit:
    """Sensors that count as the profile's calibration says."""
    table = profile.calibration
    if table is None:
        return simulator.Kit()
    wiring = Calibration(
        metres_per_count=table.metres_per_count or simulator.Kit().encoder_m,  # a static machine has no encoder
        position_zero_counts=table.position_zero_counts,
        newtons_per_count=table.newtons_per_count,
        force_zero_counts=table.force_zero_counts,
    )
    return simulator.Kit(wiring=wiring)


def traces_of(profile: Profile, seed: int, rows: int = ROWS) -> Iterator[simulator.Trace]:
    """Endless sets at the profile's tempo."""
    machine, protocol = machine_of(profile), profile.protocol
    if machine.kind == "static":
        return endless_static(machine, StaticEffort(stages=protocol.stages, stages_s=protocol.stages_s), seed, rows)
    if machine.kind == "motor":
        effort = MotorEffort(positive_s=protocol.positive_s, negative_s=protocol.negative_s)
        return endless_motor(machine, effort, seed, rows)
    negative_first = protocol.starts_with == "negative"
    return demo_traces(machine, protocol.positive_s, protocol.negative_s, seed, rows, negative_first=negative_first)


def device_of(profile: Profile, seed: int, *, link: Path | None = None, speed: float = 1.0) -> SimulatedDevice:
    """A live device: enter it to get its port, then run it. With speed 0 it waits for its reader and drops nothing."""
    tx_bytes = {} if speed else {"tx_bytes": None}
    board = Board(kit_of(profile), seed, **tx_bytes)
    rows = round(ROWS * min(max(speed or AT_ONCE, 1.0), AT_ONCE))
    return SimulatedDevice(board, traces_of(profile, seed, rows), link=link, speed=speed, baud=profile.serial.baud)
