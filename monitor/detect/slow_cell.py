"""A converter so slow that each reading ends a gap, as an HX711 is whose RATE pin is strapped to 10 a second."""

from monitor.detect.scene import NEVER
from monitor.signals.grid import Hole

NEEDED = 5  # gaps in a row, from reading to reading


class SlowCell:
    """Note the holes of the force, ask at each moment that is `due`."""

    def __init__(self) -> None:
        self.rate_hz = 0.0
        self._holes: list[Hole] = []  # not looked at yet
        self._begin_s = self._end_s = 0.0
        self._gaps = 0

    @property
    def due(self) -> int:
        return self._holes[0].step if self._holes else NEVER

    def note(self, holes: list[Hole]) -> None:
        """What the stream has shown, in its order."""
        self._holes += [hole for hole in holes if hole.kind == "force"]

    def noticed(self, now: int) -> bool:
        """At this moment, once for readings that come so seldom."""
        noticed = False
        while self._holes and self._holes[0].step <= now:
            hole = self._holes.pop(0)
            if hole.from_s != self._end_s:
                self._begin_s, self._gaps = hole.from_s, 0
            self._end_s = hole.to_s
            self._gaps += 1
            if self._gaps == NEEDED:
                self.rate_hz, noticed = NEEDED / (hole.to_s - self._begin_s), True
        return noticed
