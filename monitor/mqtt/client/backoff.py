"""How long to wait before the next connection: longer each time, and never the same for all who lost one broker."""

import random

JITTER = 0.2  # share


class Backoff:
    """`next_s` doubles from the first to the last; `reset` where a connection was worth something."""

    def __init__(self, first_s: float, last_s: float) -> None:
        self._first_s, self._last_s = first_s, last_s
        self._wait_s = first_s

    def next_s(self) -> float:
        wait_s, self._wait_s = self._wait_s, min(2 * self._wait_s, self._last_s)
        return wait_s * random.uniform(1 - JITTER, 1 + JITTER)

    def reset(self) -> None:
        self._wait_s = self._first_s
