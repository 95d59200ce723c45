"""Reads a port in the background and keeps its chunks and states."""

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable
from pathlib import Path

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats import Format
from firmware_bridge.link_state import LinkState
from firmware_bridge.serial_port import read_chunks

PATIENCE_S = 120  # to wait for a state on a busy machine; it measures no time


class Reader:
    """A reader of a port in the background; it keeps all chunks and reported states."""

    def __init__(self, port: Path, format: Format = "frames") -> None:
        self.port, self.format = port, format
        self.chunks: list[Chunk] = []
        self.states: list[LinkState] = []

    async def __aenter__(self) -> "Reader":
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _read(self) -> None:
        source = read_chunks(str(self.port), 500_000, format=self.format, on_state=self.states.append)
        async with contextlib.aclosing(source):
            async for chunk in source:
                self.chunks.append(chunk)

    @property
    def state(self) -> LinkState:
        return self.states[-1]

    @property
    def path(self) -> list[str]:
        """The states in order, without repetitions."""
        names = [state.state for state in self.states]
        return [name for k, name in enumerate(names) if k == 0 or names[k - 1] != name]

    async def until(self, what: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not what():
                if self._task.done():
                    await self._task
                await asyncio.sleep(0.01)

    async def until_state(self, name: str) -> None:
        await self.until(lambda: self.states and self.state.state == name)


async def cpu_share(within_s: float) -> float:
    """How much of a core this process uses, without what earlier tests left to Python's collector."""
    gc.collect()
    cpu_s, wall_s = time.process_time(), time.monotonic()
    await asyncio.sleep(within_s)
    return (time.process_time() - cpu_s) / (time.monotonic() - wall_s)
