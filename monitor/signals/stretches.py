"""Arithmetic of stretches of moments: union, difference, length, and masks of rows.

A stretch (a, b) holds the moments from `a` up to but not including `b`.
"""

from collections import deque
from collections.abc import Iterable
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Stretch = tuple[int, int]
Stretches = Iterable[Stretch]
MOST = 10_000  # stretches that one follower keeps; a faulty sensor may make any number


def runs_of(mask: NDArray[np.bool_], start: int) -> list[Stretch]:
    """Return the stretches in which the mask is true; its first row is moment `start`."""
    padded = np.zeros(len(mask) + 2, bool)
    padded[1:-1] = mask
    edges = ((padded[1:] != padded[:-1]).nonzero()[0] + start).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def outside(stretches: Stretches, start: int, rows_n: int) -> NDArray[np.bool_]:
    """Which of so many rows are in none of the stretches; the first row is moment `start`."""
    mask = np.ones(rows_n, bool)
    for since, until in stretches:
        mask[max(0, since - start) : max(0, until - start)] = False
    return mask


def union(stretches: Stretches, join: int = 0) -> list[Stretch]:
    """The same moments as disjoint stretches in order; those at most `join` moments apart become one."""
    joined: list[Stretch] = []
    for start, end in sorted(stretch for stretch in stretches if stretch[0] < stretch[1]):
        if joined and start - joined[-1][1] <= join:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def without(stretches: Stretches, others: Stretches) -> list[Stretch]:
    """The moments of `stretches` that are in none of `others`."""
    holes = union(others)
    left, i = [], 0
    for start, end in union(stretches):
        while i < len(holes) and holes[i][1] <= start:
            i += 1
        for hole_start, hole_end in holes[i:]:
            if hole_start >= end:
                break
            if start < hole_start:
                left.append((start, hole_start))
            start = max(start, hole_end)
        if start < end:
            left.append((start, end))
    return left


def length(stretches: Stretches) -> int:
    """How many moments disjoint stretches hold."""
    return sum(end - start for start, end in stretches)


class Follower:
    """The stretches in which a condition holds; the newest `MOST` of them."""

    def __init__(self) -> None:
        self._past: deque[Stretch] = deque(maxlen=MOST)
        self._since: int | None = None

    def update(self, on: bool, now: int) -> None:
        """Call it at every change."""
        if on and self._since is None:
            self._since = now
        elif not on and self._since is not None:
            self._past.append((self._since, now))
            self._since = None

    def until(self, end: int) -> list[Stretch]:
        """The stretches in order; one that is open reaches up to `end`."""
        lasting = [] if self._since is None else [(self._since, end)]
        return [*self._past, *lasting]

    def forget(self, before: int) -> None:
        """Drop the stretches that ended before a moment."""
        while self._past and self._past[0][1] <= before:
            self._past.popleft()

    def rewrite(self, since: int, stretches: Stretches, end: int) -> None:
        """Replace the stretches from moment `since` on by these; a stretch that ends at `end` is still open."""
        before = [(a, min(b, since)) for a, b in self.until(end) if a < since]
        written = union(chain(before, stretches))
        self._since = written.pop()[0] if written and written[-1][1] >= end else None
        self._past = deque(written, maxlen=MOST)
