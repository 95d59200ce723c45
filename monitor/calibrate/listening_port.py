"""Reads a live port for a limited time, and raises LinkError if no usable data arrives."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from firmware_bridge.chunk import Chunk
from firmware_bridge.errors import LinkError
from firmware_bridge.link_state import LinkState
from firmware_bridge.serial_port import read_chunks
from monitor.profile.profile import Profile

PATIENCE_S = 6.0  # a board needs two seconds to start, a repeated request four
LOOK_EVERY_S = 0.1


class ListeningPort:
    """A port and the state of its link."""

    def __init__(self, profile: Profile, port: str) -> None:
        self._profile, self._port = profile, port
        self.state: LinkState | None = None

    def chunks(self) -> AsyncGenerator[Chunk, None]:
        serial = self._profile.serial
        return read_chunks(
            self._port, serial.baud, format=serial.format, rate_hz=serial.rate_hz, block=serial.block,
            on_state=self._note,
        )  # fmt: skip

    async def run(self, work: Callable[[AsyncGenerator[Chunk, None]], Awaitable[None]]) -> None:
        """Does `work` on the port's chunks. Raises LinkError if nothing usable has come for `PATIENCE_S` seconds."""
        source = self.chunks()
        working = asyncio.ensure_future(work(source))
        watching = asyncio.create_task(self._until_silent())
        try:
            await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                assert self.state is not None
                raise LinkError(self.state.detail)
        finally:
            for task in (working, watching):
                task.cancel()
            await asyncio.wait((working, watching))
            await source.aclose()
        await working

    def _note(self, state: LinkState) -> None:
        self.state = state

    async def _until_silent(self) -> None:
        """Returns when nothing usable has come for `PATIENCE_S`, without the time in which this program stood still."""
        silent_s = 0.0
        while silent_s < PATIENCE_S:
            await asyncio.sleep(LOOK_EVERY_S)
            silent_s += LOOK_EVERY_S
            if self.state is None or self.state.state == "streaming":
                silent_s = 0.0
            elif self.state.state in ("busy", "incompatible"):  # waiting does not help
                return
