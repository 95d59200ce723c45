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
SPIKE_N = 25.0  # a suspect reading that is so far from the one before it is a slipped bit
UNUSABLE = Flag.TIMEOUT | Flag.SATURATED | Flag.DESYNC | Flag.LATE

Column = NDArray[np.float64]


class Hole(NamedTuple):
    """Where one of the two kinds cannot be believed: between these stamps nothing is known."""

    kind: str  # "position" or "force"
    cause: str  # a FaultCause
    from_s: float
    to_s: float
    step: int = 0  # the first step that was made in the knowledge of it


class Steps(NamedTuple):
    """Consecutive steps: arrays of shape (n,), the first is step number `first`."""

    first: int
    x_raw_m: Column
    force_n: Column
    repeated: NDArray[np.bool_]  # the force did not change by one bit throughout the cell
    found_s: Column
    holes: list[Hole]
    flagged: list[tuple[int, float, int]]  # first step made in the knowledge of it, stamp, flags of a marked reading


class _Stream:
    """One kind of reading: its samples not yet turned into cells."""

    def __init__(self, kind: str, gap_s: float, jump_m: float | None) -> None:
        self.kind = kind
        self.gap_s = gap_s
        self.jump_m = jump_m
        self._t = np.empty(0)
        self._y = np.empty(0)
        self._integral = np.empty(0)  # of the straight lines, from the first sample, holes left out
        self._holes = np.empty(0, np.int64)  # how many holes lie before each sample
        self._changes = np.empty(0, np.int64)  # how often the reading has changed up to each sample

    @property
    def newest(self) -> float:
        """The last reading that was taken; NaN before the first."""
        return float(self._y[-1]) if len(self._y) else float("nan")

    def take(self, t: Column, y: Column) -> list[tuple[int, Hole]]:
        """Append readings; the stamps of a kind never go back. Returns holes, with the reading that each ends at."""
        if not len(t):
            return []
        first = not len(self._t)
        if first:
            self._t, self._y = t[:1].copy(), y[:1].copy()
            self._integral, self._holes, self._changes = np.zeros(1), np.zeros(1, np.int64), np.zeros(1, np.int64)
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
        self._changes = np.concatenate((self._changes, self._changes[-1] + np.cumsum(dy != 0)))
        return [
            (int(i) + first, Hole(self.kind, "gap" if gap[i] else "encoder_jump", float(times[i]), float(times[i + 1])))
            for i in np.flatnonzero(hole)
        ]

    def cells(self, edges: NDArray[np.floating]) -> tuple[Column, NDArray[np.bool_]]:
        """Means between neighbouring edges, shape (n - 1,), NaN where not known throughout; were they constant?"""
        if len(self._t) < 2:
            return np.full(len(edges) - 1, np.nan), np.zeros(len(edges) - 1, bool)
        left = np.searchsorted(self._t, edges, side="right") - 1
        known = (left >= 0) & (edges <= self._t[-1])
        at = np.clip(left, 0, len(self._t) - 2)
        past = edges - self._t[at]
        slope = (self._y[at + 1] - self._y[at]) / (self._t[at + 1] - self._t[at])
        integral = self._integral[at] + past * (self._y[at] + 0.5 * slope * past)
        # The line that a cell begins in and the one that it ends in must not be holes, nor any between them.
        begin, end = at[:-1], np.minimum(at[1:] + 1, len(self._t) - 1)
        whole = self._holes[begin] == self._holes[end]
        constant = (self._changes[begin] == self._changes[end]) & whole & known[:-1] & known[1:]
        mean = (integral[1:] - integral[:-1]) / STEP_S
        mean[~(whole & known[:-1] & known[1:])] = np.nan
        # What lies before the last edge is not needed again, but for the sample that its line begins with.
        keep = max(0, int(left[-1]))
        self._t, self._y = self._t[keep:], self._y[keep:]
        self._integral, self._holes, self._changes = self._integral[keep:], self._holes[keep:], self._changes[keep:]
        return mean, constant


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
        if (samples.flags & int(Flag.SUSPECT)).any():
            refused |= self._spikes(samples)
        has_x = ~np.isnan(samples.position_m)
        has_f = ~np.isnan(samples.force_n) & ~refused
        if not self.has_position:
            has_x = np.zeros_like(has_x)
        newest_x = _running_max(t, has_x, self._newest[0])
        newest_f = _running_max(t, has_f, self._newest[1])
        has_x &= t > np.concatenate((self._newest[:1], newest_x[:-1]))
        has_f &= t > np.concatenate((self._newest[1:], newest_f[:-1]))
        of_x, of_f = (
            self._position.take(t[has_x], samples.position_m[has_x]),
            self._force.take(t[has_f], samples.force_n[has_f]),
        )
        if not len(t):
            return self._steps(np.empty(0, np.int64), [], [])
        rows_x, rows_f = np.flatnonzero(has_x), np.flatnonzero(has_f)
        holes = [(int(rows_x[i]), hole) for i, hole in of_x] + [(int(rows_f[i]), hole) for i, hole in of_f]
        marked = np.where(refused, samples.flags, samples.flags & ~np.uint8(Flag.SUSPECT))
        flagged = [(int(i), float(t[i]), int(marked[i])) for i in np.flatnonzero(marked)]
        self._newest = np.array([newest_x[-1], newest_f[-1]])

        newest = np.maximum(newest_x, newest_f)
        ready = np.maximum(np.minimum(newest_x, newest_f), newest - PATIENCE_S) if self.has_position else newest_f
        if self._next is None:
            seen = np.isfinite(newest)
            if not seen.any():
                return self._steps(np.empty(0, np.int64), [], [])
            self._next = int(np.ceil(float(newest[seen][0]) / STEP_S + 0.5))
        first = self._next
        end = max(first, _cells_before(float(ready[-1])) if np.isfinite(ready[-1]) else first)
        if end == first:
            return self._steps(np.empty(0, np.int64), holes, flagged)
        edges = (np.arange(first, end + 1) - 0.5) * STEP_S
        row = np.searchsorted(ready, edges[1:], side="left")
        x, _ = self._position.cells(edges)
        force, repeated = self._force.cells(edges)
        # What came after its step had been made by impatience stays unknown, however large the batch.
        x[newest_x[row] < edges[1:]] = np.nan
        force[newest_f[row] < edges[1:]] = np.nan
        steps = self._steps(row, holes, flagged)._replace(
            x_raw_m=x, force_n=force, repeated=repeated, found_s=newest[row]
        )
        self._next = end
        return steps

    def _spikes(self, samples: Samples) -> NDArray[np.bool_]:
        """Suspect readings that stand apart from the last that is not."""
        suspect = (samples.flags & int(Flag.SUSPECT)) != 0
        sound = ~np.isnan(samples.force_n) & ~suspect & ((samples.flags & int(UNUSABLE)) == 0)
        newest = np.maximum.accumulate(np.where(sound, np.arange(len(sound)), -1))
        before = np.where(newest >= 0, samples.force_n[np.maximum(newest, 0)], self._force.newest)
        spikes: NDArray[np.bool_] = suspect & ~(np.abs(samples.force_n - before) <= SPIKE_N)
        return spikes

    def _steps(
        self, row: NDArray[np.int64], holes: list[tuple[int, Hole]], flagged: list[tuple[int, float, int]]
    ) -> Steps:
        """What was noticed at a row is known to the first step that this row, or a later one, has made."""
        first, empty = self._next or 0, np.empty(0)

        def step(at: int) -> int:
            return first + int(np.searchsorted(row, at, side="left"))

        return Steps(
            first,
            empty,
            empty,
            np.empty(0, bool),
            empty,
            [hole._replace(step=step(at)) for at, hole in holes],
            [(step(at), stamp_s, flags) for at, stamp_s, flags in flagged],
        )


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
