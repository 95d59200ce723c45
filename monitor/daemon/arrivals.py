"""Foresees when a sample of the stream arrives: as long after its time as in the least late of the last reads."""

from collections import deque

READS = 8  # a third of a second: in this time the clocks of a board and of this computer part by about a millisecond


class Arrivals:
    """The arrivals of one stream. Call `note` for each read."""

    def __init__(self) -> None:
        self._behind_ns: deque[int] = deque(maxlen=READS)  # the host's clock at a read, less the newest sample's time

    def note(self, newest_s: float, received_ns: int) -> None:
        self._behind_ns.append(received_ns - round(newest_s * 1e9))

    def at_ns(self, sample_s: float) -> int:
        """When the sample of this time arrives, on the host's monotonic clock. Raises ValueError before any read."""
        return min(self._behind_ns) + round(sample_s * 1e9)
