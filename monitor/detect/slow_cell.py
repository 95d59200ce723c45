"""Recognises a slow converter, such as an HX711 set to 10 readings a second.

Each of its readings ends a gap, or comes again and again until there is a new one.
"""

from collections import deque
from collections.abc import Sequence

from monitor.signals.grid import Hole

NEEDED = 5  # gaps in a row from reading to reading, or repeated readings: fewer may be chance
KEPT = 15  # repeated readings


class SlowCell:
    """Feed it the holes of the force in the order of the stream."""

    def __init__(self) -> None:
        self.rate_hz = 0.0
        self._begin_s = self._end_s = 0.0
        self._gaps = 0

    def noticed(self, holes: Sequence[Hole]) -> bool:
        """True once, when enough readings have come this rarely; `rate_hz` is then known."""
        noticed = False
        for hole in holes:
            if hole.from_s != self._end_s:
                self._begin_s, self._gaps = hole.from_s, 0
            self._end_s = hole.to_s
            self._gaps += 1
            if self._gaps == NEEDED:
                self.rate_hz, noticed = NEEDED / (hole.to_s - self._begin_s), True
        return noticed


class Repeats:
    """For how many steps readings come again; feed it only what was read while the stack moved."""

    def __init__(self) -> None:
        self._lasted: deque[int] = deque(maxlen=KEPT)

    def usual_after(self, lasted: int) -> int:
        """For how long a reading usually stays, now that the newest stayed for so long; 0 until that is known."""
        self._lasted.append(lasted)
        return sorted(self._lasted)[len(self._lasted) // 2] if len(self._lasted) >= NEEDED else 0
