"""A simulated machine that stands still until a client lifts on it.

with Station(profile, seed=1) as station:
    group.create_task(station.run())
    ...                                 open station.port
    await station.perform(effort)       returns when the client has stood up
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from firmware_bridge.simulator import Rest, Script, Trace, live
from firmware_bridge.simulator.board import Board
from firmware_bridge.simulator.device import SimulatedDevice
from monitor.demo.simulated import kit_of, machine_of
from monitor.demo.walk import PlannedSet, script_of
from monitor.profile.profile import Profile

ROWS = 20  # milliseconds that are simulated together: four machines then cost little more than one


class Station:
    """A simulated machine, its board, and the port to reach it."""

    def __init__(self, profile: Profile, seed: int, *, link: Path | None = None, speed: float = 1.0) -> None:
        self._protocol = profile.protocol
        self._machine = machine_of(profile)
        self._due: deque[tuple[PlannedSet, asyncio.Event]] = deque()
        board = Board(kit_of(profile), seed)
        self._device = SimulatedDevice(board, self._traces(), link=link, speed=speed, baud=profile.serial.baud)

    @property
    def port(self) -> str:
        return self._device.port

    def __enter__(self) -> Self:
        self._device.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._device.close()

    async def run(self) -> None:
        """Moves the machine until cancelled."""
        await self._device.run()

    async def perform(self, effort: PlannedSet) -> None:
        """The client sits down, lifts, and stands up; after others who are already waiting."""
        ended = asyncio.Event()
        self._due.append((effort, ended))
        await ended.wait()

    def _traces(self) -> Iterator[Trace]:
        protocol = self._protocol
        nobody = Script(positive_s=protocol.positive_s, negative_s=protocol.negative_s, moves=(Rest(1.0),))
        still = next(live(self._machine, nobody, 0, ROWS))
        while True:
            if not self._due:
                yield still
                continue
            effort, ended = self._due.popleft()
            machine = replace(self._machine, mass_kg=effort.load_kg)
            script = script_of(effort, machine, protocol.positive_s, protocol.negative_s)
            yield from live(machine, script, effort.seed, ROWS)
            ended.set()
