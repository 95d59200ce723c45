"""Recognises a converter so slow that each reading ends a gap, such as an HX711 set to 10 readings a second."""

from collections.abc import Sequence

from monitor.signals.grid import Hole

NEEDED = 5  # gaps in a row from reading to reading: fewer may be chance


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
