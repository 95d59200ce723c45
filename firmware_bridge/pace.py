"""Compares a device's stamps with their arrival times, to name a device whose clock runs otherwise. Pure.

    arrivals    0 .. 2 .. 4 .. 6 s          windows
    stamps      0 .. 2 .. 4 .. 6 s          mean step x stamps: about as long as the window

Each line has a stamp; of frames, the blocks of positions count. Lost ones and a wrong digit change the mean step
little, because the extreme steps are left out.
"""

from itertools import pairwise

from firmware_bridge.formats import Format

WINDOW_NS = 2_000_000_000
EXTREME = 2  # steps of a window, at both ends of their order
FEWEST = 10  # stamps in a window
MOST_STAMPS = 10_000
MOST = 5.0  # times too fast or too slow; lost lines or frames cause less
WINDOWS = 2  # in a row


class Pace:
    """`off` is the ratio of device time to arrival time while it is impossible, else None."""

    def __init__(self, tick_us: int) -> None:
        self.off: float | None = None
        self._tick_us = tick_us
        self._stamps: list[int] = []
        self._began_ns: int | None = None
        self._bad = 0

    def add(self, received_ns: int, stamps: list[int]) -> None:
        """These stamps came."""
        if self._began_ns is None:
            self._began_ns = received_ns  # what this read holds may have waited long
            return
        if len(self._stamps) < MOST_STAMPS:
            self._stamps += stamps
        if (passed_ns := received_ns - self._began_ns) >= WINDOW_NS:
            self._judge(passed_ns)
            self._began_ns, self._stamps = received_ns, []

    def _judge(self, passed_ns: int) -> None:
        if len(self._stamps) < FEWEST:
            return
        steps = sorted(after - before for before, after in pairwise(self._stamps))[EXTREME:-EXTREME]
        ratio = sum(steps) / len(steps) * self._tick_us * len(self._stamps) / (passed_ns / 1000)
        if 1 / MOST <= ratio <= MOST:
            self._bad, self.off = 0, None
            return
        self._bad += 1
        if self._bad >= WINDOWS:
            self.off = ratio


def likely_cause(format: Format, ratio: float) -> str:
    """A sentence with the remedy.

    >>> likely_cause("lines-millis", 1000.0)
    'its stamps run 1000 times too fast: it sends microseconds; is it lines-micros? Correct [serial] format'
    >>> likely_cause("lines-millis", 100.0)
    'its stamps run 100 times too fast: correct the clock in its program'
    >>> likely_cause("frames", 0.1)
    'its stamps run 10 times too slow: its firmware does not count microseconds; build it for its board (MCU=, F_CPU=)'
    """
    how = "do not advance"
    if ratio > 0:
        how = f"run {ratio:.0f} times too fast" if ratio > 1 else f"run {1 / ratio:.0f} times too slow"
    if format == "lines-millis" and 300 < ratio < 3000:
        remedy = "it sends microseconds; is it lines-micros? Correct [serial] format"
    elif format == "lines-micros" and 300 < 1 / max(ratio, 1e-9) < 3000:
        remedy = "it sends milliseconds; is it lines-millis? Correct [serial] format"
    elif format == "frames":
        remedy = "its firmware does not count microseconds; build it for its board (MCU=, F_CPU=)"
    else:
        remedy = "correct the clock in its program"
    return f"its stamps {how}: {remedy}"
