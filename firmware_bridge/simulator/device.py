"""A simulated device on a pseudo-terminal, for any program that opens a serial port; in real time or faster.

    async with asyncio.TaskGroup() as group, ...:
        with SimulatedDevice(Board(kit, seed), demo_traces(machine, ...)) as device:
            group.create_task(device.run())         # until cancelled, or the traces end
            ... open device.port ...

While nobody has the port open, its bytes are lost and not counted, as with a cable that is not plugged in. A reader
that stops reading fills first the line and then the board's transmit ring, which drops whole frames and counts them.
"""

import asyncio
import os
import select
import termios
import tty
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from firmware_bridge.simulator.board import Board
from firmware_bridge.simulator.trace import Trace

AS_FAST_AS_READ = 0.0  # a speed
LAG_S = 0.5  # when it is this late, the machine does not catch up
WAIT_S = 0.001  # between two looks for a reader


class SimulatedDevice:
    """A board, its machine, and the port to reach it."""

    def __init__(
        self,
        board: Board,
        traces: Iterator[Trace],
        *,
        link: Path | None = None,
        speed: float = 1.0,
        baud: int | None = None,
        resets_on_open: bool = False,
    ) -> None:
        """`link`: a symbolic link to the port is made there. `baud`: readers at another speed get garbage, if the
        kernel knows this speed. `speed` 0: as fast as it is read. `resets_on_open`: opening the port restarts the
        board, as DTR does on many boards.
        """
        self.board, self._traces, self._link, self._speed = board, traces, link, speed
        self._speed_code = None if baud is None else getattr(termios, f"B{baud}", None)
        self._resets_on_open = resets_on_open
        self._garbler = np.random.default_rng(0)
        self._master = -1
        self._was_open = False
        self.port = ""

    def __enter__(self) -> Self:
        self._master, slave = os.openpty()
        try:
            tty.setraw(slave)
            os.set_blocking(self._master, False)
            name = os.ttyname(slave)
            self.port = str(self._link or name)
            if self._link:
                _link(self._link, name)
        except BaseException:
            os.close(self._master)
            raise
        finally:
            os.close(slave)  # from here on, a port without reader is seen as hung up
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLIN)
        self._name = name
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Pull the cable: the device vanishes for its readers."""
        if self._master < 0:
            return
        if self._link and self._link.is_symlink() and os.readlink(self._link) == self._name:
            self._link.unlink()  # first: the kernel gives the pty's number to the next program that asks for one
        os.close(self._master)
        self._master = -1

    async def run(self) -> None:
        """Run until the traces end."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        for trace in self._traces:
            self.board.advance(trace)
            self._exchange()
            if self._speed == AS_FAST_AS_READ:
                while self.board.waiting and self._was_open:
                    await asyncio.sleep(WAIT_S)
                    self._exchange()
                while not self._was_open:
                    await asyncio.sleep(10 * WAIT_S)
                    self._exchange()
                await asyncio.sleep(0)
                continue
            due_s += len(trace) * 0.001 / self._speed
            if due_s < loop.time() - LAG_S:
                due_s = loop.time()
            await asyncio.sleep(max(due_s - loop.time(), 0.0))

    def _exchange(self) -> None:
        """Take what the host sent, and send what the line takes."""
        events = dict(self._poll.poll(0)).get(self._master, 0)
        is_open = not events & select.POLLHUP
        if is_open and not self._was_open and self._resets_on_open:
            self.board.reset()
        self._was_open = is_open
        if not is_open:
            self.board.taken(len(self.board.waiting))
            return
        garbled = self._garbled()
        if events & select.POLLIN and (data := self._read()):
            self.board.receive(self._garble(data) if garbled else data)
        if waiting := self.board.waiting:
            self.board.taken(self._write(self._garble(waiting) if garbled else waiting))

    def _read(self) -> bytes:
        try:
            return os.read(self._master, 4096)
        except OSError:  # the last reader left between poll and read
            self._was_open = False
            return b""

    def _write(self, data: bytes) -> int:
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0

    def _garbled(self) -> bool:
        return self._speed_code is not None and termios.tcgetattr(self._master)[5] != self._speed_code

    def _garble(self, data: bytes) -> bytes:
        """What a receiver at another speed reads: as many bytes, all of them random."""
        return self._garbler.integers(0, 256, len(data), np.uint8).tobytes()


def _link(link: Path, name: str) -> None:
    """Make a symbolic link to the port. An old link is replaced, any other file is not."""
    if link.is_symlink():
        link.unlink()
    elif link.exists():
        raise FileExistsError(f"{link} exists and is not a symbolic link: give another --link")
    link.symlink_to(name)
