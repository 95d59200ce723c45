"""The readings since a step began, in raw counts: position and force, each with its own time stamps."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.samples import Flag, Samples, joined

Floats = NDArray[np.float64]
_UNUSABLE = Flag.SUSPECT


class Signal(NamedTuple):
    """Readings of one sensor; times on the session clock."""

    t_s: Floats
    counts: Floats

    def __len__(self) -> int:
        return len(self.t_s)

    def since(self, t_s: float) -> "Signal":
        first = int(np.searchsorted(self.t_s, t_s))
        return Signal(self.t_s[first:], self.counts[first:])

    def means(self, every_s: float) -> Floats:
        """The mean of each full interval of `every_s` seconds, counted back from the newest reading."""
        if not len(self):
            return np.empty(0)
        number = ((self.t_s[-1] - self.t_s) // every_s).astype(np.int64)[::-1]
        sums = np.bincount(number, self.counts[::-1])
        sizes = np.bincount(number)
        full = int((self.t_s[-1] - self.t_s[0]) / every_s + 0.05)  # the first reading may just have left the window
        return (sums[:full] / np.maximum(sizes[:full], 1))[::-1]


class Readings:
    """Collects samples with `add`; `last(seconds)` returns the newest."""

    def __init__(self) -> None:
        self._parts: list[Samples] = []
        self._begin_s: float | None = None
        self.newest_s = 0.0

    def add(self, samples: Samples) -> None:
        if not len(samples):
            return
        if self._begin_s is None:
            self._begin_s = float(samples.t_s.min())
        self._parts.append(samples)
        self.newest_s = max(self.newest_s, float(samples.t_s.max()))

    @property
    def seconds(self) -> float:
        return self.newest_s - self._begin_s if self._begin_s is not None else 0.0

    def last(self, seconds: float) -> "Window":
        """The newest `seconds`; all readings with infinity."""
        return Window(self._rows(self.newest_s - seconds))

    def _rows(self, since_s: float) -> Samples:
        rows = joined(self._parts)
        self._parts = [rows]
        if since_s <= (self._begin_s or 0.0):
            return rows
        kept = rows.t_s >= since_s
        return Samples(rows.t_s[kept], rows.position_m[kept], rows.force_n[kept], rows.flags[kept])


def part_of(rows: Samples, first: int, end: int) -> Samples:
    """The rows from `first` up to but not including `end`."""
    part = slice(first, end)
    return Samples(rows.t_s[part], rows.position_m[part], rows.force_n[part], rows.flags[part])


class Window:
    """A stretch of the readings."""

    def __init__(self, rows: Samples) -> None:
        self.rows = rows
        there = ~np.isnan(rows.position_m)
        self.position = Signal(rows.t_s[there], rows.position_m[there])
        conversions = (~np.isnan(rows.force_n) | (rows.flags & (Flag.TIMEOUT | Flag.DESYNC) != 0)) & ~there
        conversions |= ~np.isnan(rows.force_n)
        self.force_flags = rows.flags[conversions]
        good = ~np.isnan(rows.force_n) & (rows.flags & _UNUSABLE == 0)
        self.force = Signal(rows.t_s[good], rows.force_n[good])

    def share(self, flag: int) -> float:
        """The share of conversions with this flag."""
        return float(np.mean(self.force_flags & flag != 0)) if len(self.force_flags) else 0.0

    def any(self, flag: int) -> bool:
        return bool((self.rows.flags & flag != 0).any())
