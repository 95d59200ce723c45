"""Waits for a recorder, and makes wire records."""

import threading
from collections.abc import Callable

from firmware_bridge.chunk import Chunk
from monitor.record.records import Record, wire_record


def wires(count: int, start: int = 0) -> list[Record]:
    return [wire_record(Chunk(k, b"%06d" % k)) for k in range(start, start + count)]


def until(true: Callable[[], bool]) -> None:
    """Waits for another thread to get there; the test's own timeout is the limit."""
    pause = threading.Event()
    while not true():
        pause.wait(0.002)
