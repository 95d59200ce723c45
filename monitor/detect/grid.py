"""Samples of any rate become steps of a fixed grid.

    samples   x---x--x----x---x          at the device's stamps, position and force each at a rate of its own
    steps     |  k  | k+1 | k+2 |        cell k is STEP_S wide, its middle is k * STEP_S on the session clock

A step's value is the mean of the straight lines between the samples over its cell, so jitter and rate do not matter and
fast samples average their noise away. A cell that touches a hole of more than `gap_s`, or a jump of the
encoder, has no value (NaN): nothing is interpolated over either.

A step is made as soon as both kinds have passed its cell; a kind that stays away is waited for `PATIENCE_S`, no
longer. `found_s` is the stamp of the sample that made the step, so that "when we knew" is a fact of the stream, not of
the host's timing: the same rows in batches of any size give the same steps, bit for bit.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.samples import Flag, Samples

STEP_S = 0.005
PATIENCE_S = 0.25
JUMP_SPEED_M_S = 2.0  # at slow rates a fast stack moves more than the jump threshold between two samples
UNUSABLE = Flag.TIMEOUT | Flag.SATURATED | Flag.DESYNC | Flag.LATE

Column = NDArray[np.float64]


class Hole(NamedTuple):
    """Where one of the two kinds cannot be believed: between these stamps nothing is known."""

    kind: str  # "position" or "force"
    cause: str  # a FaultCause
    from_s: float
    to_s: float


class Steps(NamedTuple):
    """Consecutive steps: arrays of shape (n,), the first is step number `first`."""

    first: int
    x_raw_m: Column
    force_n: Column
    found_s: Column
    holes: list[Hole]  # noticed with these samples
    flagged: list[tuple[float, int]]  # stamp and flags of readings that were refused


class _Stream:
    """One kind of reading: its samples not yet turned into cells."""

    def __init__(self, kind: str, gap_s: float, jump_m: float | None) -> None:
        self.kind = kind
        self.gap_s = gap_s
        self.jump_m = jump_m
        self.last_s = -np.inf
        self._t = np.empty(0)
        self._y = np.empty(0)
        self._integral = np.empty(0)  # of the straight lines, from the first sample, holes left out
        self._holes = np.empty(0, np.int64)  # how many holes lie before each sample

    def take(self, t: Column, y: Column) -> list[Hole]:
        """Append readings; the stamps of a kind never go back."""
        if not len(t):
            return []
        self.last_s = float(t[-1])
        if not len(self._t):
            self._t, self._y = t[:1].copy(), y[:1].copy()
            self._integral, self._holes = np.zeros(1), np.zeros(1, np.int64)
            t, y = t[1:], y[1:]
        times, values = np.concatenate((self._t[-1:], t)), np.concatenate((self._y[-1:], y))
        dt, dy = np.diff(times), np.diff(values)
        gap = dt > self.gap_s
        jump = np.zeros_like(gap) if self.jump_m is None else np.abs(dy) > np.maximum(self.jump_m, JUMP_SPEED_M_S * dt)
        hole = gap | jump
        area = np.where(hole, 0.0, 0.5 * (values[1:] + values[:-1]) * dt)
        integral = np.cumsum(np.concatenate((self._integral[-1:], area)))
        count = self._holes[-1] + np.cumsum(hole)
        self._t, self._y = np.concatenate((self._t, t)), np.concatenate((self._y, y))
        self._integral = np.concatenate((self._integral, integral[1:]))
        self._holes = np.concatenate((self._holes, count))
        return [
            Hole(self.kind, "gap" if gap[i] else "encoder_jump", float(times[i]), float(times[i + 1]))
            for i in np.flatnonzero(hole)
        ]

    def cells(self, edges: NDArray[np.floating]) -> Column:
        """Mean value between neighbouring edges, shape (n - 1,); NaN where it is not known throughout."""
        if len(self._t) < 2:
            return np.full(len(edges) - 1, np.nan)
        left = np.searchsorted(self._t, edges, side="right") - 1
        known = (left >= 0) & (edges <= self._t[-1])
        at = np.clip(left, 0, len(self._t) - 2)
        past = edges - self._t[at]
        slope = (self._y[at + 1] - self._y[at]) / (self._t[at + 1] - self._t[at])
        integral = self._integral[at] + past * (self._y[at] + 0.5 * slope * past)
        # The line that a cell begins in and the one that it ends in must not be holes, nor any between them.
        whole = self._holes[at[:-1]] == self._holes[np.minimum(at[1:] + 1, len(self._t) - 1)]
        mean = (integral[1:] - integral[:-1]) / STEP_S
        mean[~(whole & known[:-1] & known[1:])] = np.nan
        # What lies before the last edge is not needed again, but for the sample that its line begins with.
        keep = max(0, int(left[-1]))
        self._t, self._y = self._t[keep:], self._y[keep:]
        self._integral, self._holes = self._integral[keep:], self._holes[keep:]
        return mean


class Grid:
    """Batches of samples in, steps out; memory is bounded by `PATIENCE_S` of samples."""

    def __init__(self, gap_s: float, jump_m: float, *, has_position: bool = True) -> None:
        self.has_position = has_position
        self._position = _Stream("position", gap_s, jump_m)
        self._force = _Stream("force", gap_s, None)
        self._next: int | None = None
        self._newest = np.array([-np.inf, -np.inf])  # newest stamp of position, of force

    def update(self, samples: Samples) -> Steps:
        """The steps that these samples complete."""
        t = samples.t_s
        refused = (samples.flags & int(UNUSABLE)) != 0
        has_x = ~np.isnan(samples.position_m)
        has_f = ~np.isnan(samples.force_n) & ~refused
        if not self.has_position:
            has_x = np.zeros_like(has_x)
        newest_x = _running_max(t, has_x, self._newest[0])
        newest_f = _running_max(t, has_f, self._newest[1])
        has_x &= t > np.concatenate((self._newest[:1], newest_x[:-1]))
        has_f &= t > np.concatenate((self._newest[1:], newest_f[:-1]))
        holes = self._position.take(t[has_x], samples.position_m[has_x])
        holes += self._force.take(t[has_f], samples.force_n[has_f])
        flagged = [(float(t[i]), int(samples.flags[i])) for i in np.flatnonzero(samples.flags)]
        empty = np.empty(0)
        if not len(t):
            return Steps(self._next or 0, empty, empty, empty, holes, flagged)
        self._newest = np.array([newest_x[-1], newest_f[-1]])

        newest = np.maximum(newest_x, newest_f)
        ready = np.maximum(np.minimum(newest_x, newest_f), newest - PATIENCE_S) if self.has_position else newest_f
        if self._next is None:
            seen = np.isfinite(newest)
            if not seen.any():
                return Steps(0, empty, empty, empty, holes, flagged)
            self._next = int(np.ceil(float(newest[seen][0]) / STEP_S + 0.5))
        first = self._next
        end = _cells_before(float(ready[-1])) if np.isfinite(ready[-1]) else first
        if end <= first:
            return Steps(first, empty, empty, empty, holes, flagged)
        self._next = end
        edges = (np.arange(first, end + 1) - 0.5) * STEP_S
        row = np.searchsorted(ready, edges[1:], side="left")
        x, force = self._position.cells(edges), self._force.cells(edges)
        # What came after its step had been made by impatience stays unknown, however large the batch.
        x[newest_x[row] < edges[1:]] = np.nan
        force[newest_f[row] < edges[1:]] = np.nan
        return Steps(first, x, force, newest[row], holes, flagged)


def _cells_before(ready_s: float) -> int:
    """Number of the first cell that does not end by `ready_s`."""
    end = int(np.floor(ready_s / STEP_S + 0.5))
    while (end - 0.5) * STEP_S > ready_s:
        end -= 1
    while (end + 0.5) * STEP_S <= ready_s:
        end += 1
    return end


def _running_max(t: Column, mask: NDArray[np.bool_], start: float) -> Column:
    return np.maximum(np.maximum.accumulate(np.where(mask, t, -np.inf)), start) if len(t) else np.empty(0)
