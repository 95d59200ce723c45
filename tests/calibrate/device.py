"""A simulated board on a pseudo-terminal, for a calibration."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from firmware_bridge.simulator import Trace
from firmware_bridge.simulator.board import Board
from firmware_bridge.simulator.device import AS_FAST_AS_READ, SimulatedDevice
from tests.calibrate.bench import Rig

ROWS = 500


@contextmanager
def device(one: Rig, trace: Trace, then: Trace | None = None) -> Iterator[str]:
    """The machine on a port, run by a thread. Once it is asked to stream it sends `trace` as fast as it is read.

    After that it sends `then` in real time, at most as fast as it is read, and then nothing.
    """
    board = Board(one.kit, one.seed, tx_bytes=None)

    def pieces() -> Iterator[Trace]:
        while not board.streaming:
            yield trace.part(0, ROWS)
        for first in range(0, len(trace), ROWS):
            yield trace.part(first, first + ROWS)
        if then is not None:
            for first in range(0, len(then), ROWS):
                time.sleep(ROWS * 0.001)
                yield then.part(first, first + ROWS)

    loop = asyncio.new_event_loop()
    with SimulatedDevice(board, pieces(), speed=AS_FAST_AS_READ) as simulated:
        living = loop.create_task(simulated.run())
        living.add_done_callback(lambda _: loop.stop())
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield simulated.port
        finally:
            loop.call_soon_threadsafe(living.cancel)
            thread.join()
            loop.close()
