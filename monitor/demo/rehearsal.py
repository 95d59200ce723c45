"""Simulates a machine beside which a person does what a guided command asks for, each time the board is to stream.

Nothing is synchronised beyond that: each step of a calibration or a strength test waits for what the sensors show.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from firmware_bridge.simulator import Helper, StrengthEfforts, Trace, simulate_strength
from firmware_bridge.simulator.board import Board
from firmware_bridge.simulator.device import SimulatedDevice
from monitor.demo.simulated import kit_of, machine_of
from monitor.profile.profile import Profile

WEIGHTS_KG = (20.0, 40.0, 80.0)
BLOCK_MM = 250.0
ANSWERS = f"weights {', '.join(f'{kg:g} kg' for kg in WEIGHTS_KG)}; block {BLOCK_MM:g} mm; a knock: yes"
ROWS = 20


def rehearsal_device(profile: Profile, seed: int, *, link: Path | None = None, speed: float = 1.0) -> SimulatedDevice:
    """As `device_of`, with a person who calibrates a machine with a stack and gives the answers ANSWERS."""
    helper = Helper(machine=machine_of(profile), weights_kg=WEIGHTS_KG, block_m=BLOCK_MM / 1000, seed=seed)
    board = Board(kit_of(profile), seed, tx_bytes=None)
    traces = _performed(helper.trace(), lambda: board.streaming)
    return SimulatedDevice(board, traces, link=link, speed=speed, baud=profile.serial.baud)


def strength_device(profile: Profile, seed: int, *, link: Path | None = None, speed: float = 1.0) -> SimulatedDevice:
    """As `device_of`, with a person who pushes once at each of three places at which the machine is locked."""
    board = Board(kit_of(profile), seed, tx_bytes=None)
    test = simulate_strength(machine_of(profile), StrengthEfforts(), seed)
    traces = _performed(test, lambda: board.streaming)
    return SimulatedDevice(board, traces, link=link, speed=speed, baud=profile.serial.baud)


def _performed(work: Trace, streaming: Callable[[], bool]) -> Iterator[Trace]:
    """Stands still until the board streams, plays the work once, and stands still until it streams again."""
    still = work.part(0, ROWS)
    while True:
        while not streaming():
            yield still
        for first in range(0, len(work), ROWS):
            if not streaming():
                break
            yield work.part(first, first + ROWS)
        while streaming():
            yield still
