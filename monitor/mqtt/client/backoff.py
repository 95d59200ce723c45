"""Waiting times between connections: each is longer than the one before, and random, so that clients spread out."""

import random

JITTER = 0.2  # share


class Backoff:
    """`next_s` doubles from the first to the last waiting time. Call `reset` after a good connection."""

    def __init__(self, first_s: float, last_s: float) -> None:
        self._first_s, self._last_s = first_s, last_s
        self._wait_s = first_s

    def next_s(self) -> float:
        wait_s, self._wait_s = self._wait_s, min(2 * self._wait_s, self._last_s)
        return wait_s * random.uniform(1 - JITTER, 1 + JITTER)

    def reset(self) -> None:
        self._wait_s = self._first_s
