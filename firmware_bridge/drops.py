"""Counts how often a port has gone away within a minute. Once is a pulled cable; again and again is a fault."""

from collections import deque

MINUTE_NS = 60_000_000_000
TOO_MANY = 6  # within a minute: nobody unplugs a cable that often


class Drops:
    """`unstable` stays set until a whole minute has passed without a drop."""

    def __init__(self) -> None:
        self.unstable = False
        self._at_ns: deque[int] = deque(maxlen=1000)

    def add(self, now_ns: int) -> None:
        self._at_ns.append(now_ns)

    def within_a_minute(self, now_ns: int) -> int:
        while self._at_ns and self._at_ns[0] <= now_ns - MINUTE_NS:
            self._at_ns.popleft()
        count = len(self._at_ns)
        self.unstable = count >= TOO_MANY or (self.unstable and count > 0)
        return count
