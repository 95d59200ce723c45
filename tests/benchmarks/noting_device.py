"""A simulated device in a separate process, which logs the time of its bytes."""

import asyncio
import time
from multiprocessing.connection import Connection as Pipe
from typing import Any

import firmware_bridge.simulator as simulator
from firmware_bridge.chunk import Chunk
from firmware_bridge.simulator.board import Board
from firmware_bridge.simulator.device import SimulatedDevice
from monitor.demo.simulated import kit_of, machine_of
from monitor.profile.profile import Profile


class NotingDevice(SimulatedDevice):
    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.written: list[Chunk] = []

    def _write(self, data: bytes) -> int:
        count = super()._write(data)
        self.written.append(Chunk(time.monotonic_ns(), data[:count]))
        return count


async def move(pipe: Pipe, profile: Profile, moving: bool) -> None:
    """Sends its port, then runs until its log is requested: a long set, or a machine at rest."""
    at_rest = simulator.Script(positive_s=4, negative_s=4, moves=(simulator.Rest(600),), lifter=simulator.Lifter())
    script = simulator.clean_set(4, 4, reps=30) if moving else at_rest
    traces = simulator.live(machine_of(profile), script, seed=1, rows=5)
    with NotingDevice(Board(kit_of(profile), 1), traces, baud=profile.serial.baud) as here:
        pipe.send(here.port)
        running = asyncio.create_task(here.run())
        await asyncio.to_thread(pipe.recv)
        running.cancel()
        pipe.send(here.written)
