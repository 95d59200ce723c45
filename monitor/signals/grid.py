"""Samples of any rate become steps of a fixed grid.

    samples   x---x--x----x---x          at the device's stamps, position and force each at a rate of its own
    steps     |  k  | k+1 | k+2 |        cell k is STEP_S wide, its middle is k * STEP_S on the session clock

A step's value is the mean, over its cell, of the straight lines between the samples. So jitter and rate do not matter,
and the noise of fast samples averages out. A cell that touches a gap of more than `gap_s`, or a jump of the encoder,
has no value (NaN): nothing is interpolated over either.

A step is complete as soon as both kinds have passed its cell; a kind that stays away is waited for at most
`PATIENCE_S`. `found_s` is the stamp of the sample that completed the step, so when something was known is a fact of the
stream, not of the host's timing: the same rows in batches of any size give the same steps, bit for bit.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.samples import Flag, Samples
from monitor.signals.roughness import Roughness
from monitor.signals.spikes import Sifted, SpikeSieve

STEP_S = 0.005
PATIENCE_S = 0.25  # bounds memory and delay where one kind stays away
JUMP_M_S2 = 30.0  # 3 g: a fast stack may move further than `jump_m` between slow samples, but steadily
SPIKE_N = 25.0  # a suspect reading this far from the one before it has a slipped bit
BOUNCE = 0.5  # of its speed a stack keeps after it has landed
BASE_S, TAIL = 0.02, 32  # the speed before a jump is measured over BASE_S, within TAIL readings
ROUGH = 128  # a flag of the monitor's own, beside those of the device: see roughness.py
MOST_PUSH_N = 100.0  # a cable cannot push; a drifted zero looks like a small push
MANY_PUSHES, PUSHES_KEPT = 16, 64  # readings in one hole: spikes are fewer
UNUSABLE = Flag.TIMEOUT | Flag.SATURATED | Flag.DESYNC | Flag.LATE

Column = NDArray[np.float64]
Mask = NDArray[np.bool_]
Marked = tuple[int, float, int]  # row, stamp and flags of a reading


HoleCause = Literal["gap", "restart", "encoder_jump", "encoder_slip", "frozen"]


class Hole(NamedTuple):
    """Between these stamps the position, or the force, is not known."""

    kind: str  # "position" or "force"
    cause: HoleCause
    from_s: float
    to_s: float
    step: int = 0  # the first step that was completed with it known
    pushes: bool = False  # of force: the cell read below zero, as no cable can pull


class Steps(NamedTuple):
    """Consecutive steps: arrays of shape (n,), the first is step number `first`."""

    first: int
    x_raw_m: Column
    force_n: Column
    still: Mask  # the position did not change by one count throughout the cell
    repeated: Mask  # nor the force by one bit
    found_s: Column
    holes: list[Hole]
    flagged: list[tuple[int, float, int]]  # first step completed with it known, stamp, flags of a reading

    def part(self, low: int, high: int) -> "Steps":
        """Rows `low` to `high`."""
        if high - low == len(self.found_s):
            return self
        rows = slice(low, high)
        return self._replace(
            first=self.first + low,
            x_raw_m=self.x_raw_m[rows],
            force_n=self.force_n[rows],
            still=self.still[rows],
            repeated=self.repeated[rows],
            found_s=self.found_s[rows],
        )

    def split(self, at: int) -> "tuple[Steps, Steps]":
        """Rows before and from `at` on, each with what is known by then."""
        step = self.first + at
        early, late = self.part(0, at), self.part(at, len(self.found_s))
        return (
            early._replace(
                holes=[hole for hole in self.holes if hole.step < step],
                flagged=[mark for mark in self.flagged if mark[0] < step],
            ),
            late._replace(
                holes=[hole for hole in self.holes if hole.step >= step],
                flagged=[mark for mark in self.flagged if mark[0] >= step],
            ),
        )


T, Y, HOLES, CHANGES, INTEGRAL = range(5)


class _Readings:
    """One kind of reading: the samples that are not yet part of a cell.

    Columns of `_kept`: stamp; value; how many holes lie before the sample; how often the reading has changed up to it;
    integral of the straight lines from the first sample, holes left out. One table, because the cost of a live call,
    a few samples long, is its number of operations.
    """

    def __init__(self, kind: str, gap_s: float, jump_m: float | None) -> None:
        self.kind = kind
        self.gap_s = gap_s
        self.jump_m = jump_m
        self._kept = np.empty((5, 0))
        self._tail = np.empty((2, 0))  # stamps and values of the last readings

    @property
    def newest(self) -> float:
        """The last reading; NaN before the first."""
        return float(self._kept[Y, -1]) if self._kept.shape[1] else float("nan")

    def take(self, t: Column, y: Column, anew: Mask | None = None) -> list[tuple[int, Hole]]:
        """Append readings; the stamps of a kind never go back. Returns holes, with the reading that each ends at.

        `anew`: which readings count from a new zero.
        """
        if not len(t):
            return []
        first = not self._kept.shape[1]
        if first:
            self._kept = np.array([[t[0]], [y[0]], [0.0], [0.0], [0.0]])
            self._tail = self._kept[: Y + 1]
            t, y = t[1:], y[1:]
            anew = None if anew is None else anew[1:]
        before = self._kept.shape[1]
        kept = np.empty((5, before + len(t)))
        kept[:, :before] = self._kept
        self._kept, rows = kept, kept[:, before - 1 :]
        rows[T, 1:], rows[Y, 1:] = t, y
        values, readings = rows[Y], rows[: Y + 1, 1:]
        dt, dy = readings - rows[: Y + 1, :-1]
        gap = hole = dt > self.gap_s
        if self.jump_m is not None:
            if (np.abs(dy) > self.jump_m).any():
                hole = hole | self._jumps(readings, self.jump_m)
            self._tail = np.concatenate((self._tail, readings[:, -TAIL:]), axis=1)[:, -TAIL:]
        if anew is not None:
            hole = hole | anew
        integral = rows[INTEGRAL]
        integral[1:] = 0.5 * (values[1:] + values[:-1]) * dt
        rows[HOLES, 1:] = rows[HOLES, 0]
        rows[CHANGES, 1:] = (dy != 0).cumsum() + rows[CHANGES, 0]  # numpy adds up integers several times faster
        holes: list[int] = hole.nonzero()[0].tolist()
        if holes:
            integral[1:][hole] = 0.0
            rows[HOLES, 1:] += hole.cumsum()
        integral.cumsum(out=integral)
        return [
            (i + first, Hole(self.kind, cause, float(rows[T, i]), float(rows[T, i + 1])))
            for i in holes
            for cause in ("restart" if anew is not None and anew[i] else "gap" if gap[i] else "encoder_jump",)
        ]

    def _jumps(self, readings: Column, jump_m: float) -> Mask:
        """The steps to these readings that no mass can make, given its speed in the `BASE_S` before."""
        before = self._tail.shape[1]
        t, y = np.concatenate((self._tail, readings), axis=1)
        jumps: Mask = np.abs(y[1:] - y[:-1]) > jump_m
        for i in jumps.nonzero()[0].tolist():  # from reading i to i + 1; there are rarely any
            base = min(i - 1, max(0, i - TAIL + 2) + int((t[max(0, i - TAIL + 2) : i] < t[i] - BASE_S).sum()))
            speed = (y[i] - y[base]) / (t[i] - t[base]) if base >= 0 else 0.0
            dt = t[i + 1] - t[i]
            tail = slice(max(0, i - TAIL + 2), i + 1)
            fell = float(np.max(-np.diff(y[tail]) / np.diff(t[tail]), initial=0.0))
            way, explained = y[i + 1] - y[i], (speed * dt, 0.0, BOUNCE * fell * dt)  # it may land, however hard
            astray = max(way - max(explained), min(explained) - way)
            jumps[i] = astray > max(jump_m, JUMP_M_S2 * (0.5 * BASE_S + 0.5 * dt) * dt)
        return jumps[max(0, before - 1) :]

    def cells(self, edges: NDArray[np.floating]) -> tuple[Column, Mask]:
        """Means between neighbouring edges, shape (n - 1,), NaN where not known throughout; were they constant?"""
        kept = self._kept
        n = kept.shape[1]
        if n < 2:
            return np.full(len(edges) - 1, np.nan), np.zeros(len(edges) - 1, bool)
        left = kept[T].searchsorted(edges, side="right") - 1
        known = (left >= 0) & (edges <= kept[T, -1])
        at = np.minimum(np.maximum(left, 0), n - 2)
        before, after = kept.take(at, axis=1), kept[:INTEGRAL].take(at + 1, axis=1)  # the samples around each edge
        past, (dt, dy) = edges - before[T], after[: Y + 1] - before[: Y + 1]
        slope = dy / dt
        integral = before[INTEGRAL] + past * (before[Y] + 0.5 * slope * past)
        # The line that a cell begins in and the one that it ends in must not be holes, nor any between them.
        whole = (before[HOLES, :-1] == after[HOLES, 1:]) & known[:-1] & known[1:]
        constant: Mask = (before[CHANGES, :-1] == after[CHANGES, 1:]) & whole
        mean = np.where(whole, (integral[1:] - integral[:-1]) / STEP_S, np.nan)
        # What lies before the last edge is not needed again, except the sample that its line begins with.
        self._kept = kept[:, max(0, int(left[-1])) :]
        return mean, constant


class Grid:
    """Batches of samples in, steps out; memory is bounded by `PATIENCE_S` of samples."""

    def __init__(
        self, gap_s: float, jump_m: float, least_leap_n: float, *, averages: bool = False, has_position: bool = True
    ) -> None:
        self.has_position = has_position
        self._position = _Readings("position", gap_s, jump_m)
        self._force = _Readings("force", gap_s, None)
        self._sieve = SpikeSieve(least_leap_n)
        self._roughness = Roughness(averages)
        self._next: int | None = None
        self._newest = (-np.inf, -np.inf)  # newest stamp of position, of force
        self._newest_real = -np.inf  # of force, among readings that are known not to be spikes
        self._pushes_s = np.empty(0)  # stamps of the last readings below zero

    def update(self, samples: Samples) -> Steps:
        """The steps that these samples complete."""
        t = samples.t_s
        if not len(t):
            return self._steps(np.empty(0, np.int64), [], [])
        has_f, restarts, flagged = self._screened(samples)
        has_x = samples.position_m == samples.position_m if self.has_position else np.zeros(len(t), bool)
        has_x, newest_x = _news(t, has_x, self._newest[0])
        has_f, newest_f = _news(t, has_f, self._newest[1])
        self._newest = (float(newest_x[-1]), float(newest_f[-1]))
        of_x, of_force = has_x.nonzero()[0], has_f.nonzero()[0]
        sifted = self._sieve.update(t[has_f], samples.force_n[has_f])
        if not sifted.prompt:
            newest_f = self._real(len(t), of_force, sifted)
        self._newest_real = float(newest_f[-1])
        rough = self._roughness.update(sifted.t_s, sifted.force_n)
        if rough or sifted.spikes:
            spikes = ((int(of_force[row]), at_s, int(Flag.SUSPECT)) for row, at_s in sifted.spikes)
            uneven = ((int(of_force[sifted.row[i]]), at_s, ROUGH) for i, at_s in rough)
            flagged = sorted([*flagged, *spikes, *uneven])
        of_position = self._position.take(
            t[has_x], samples.position_m[has_x], None if restarts is None else restarts[has_x]
        )
        holes = [(int(of_x[i]), hole) for i, hole in of_position]
        for i, hole in self._force.take(sifted.t_s, sifted.force_n):
            holes.append((int(of_force[sifted.row[i]]), hole._replace(pushes=self._pushed(hole))))
        return self._complete(newest_x, newest_f, holes, flagged)

    def _screened(self, samples: Samples) -> tuple[Mask, Mask | None, list[Marked]]:
        """Which rows have a usable force, which count from a new zero (None: none), and the readings with a flag."""
        marks, has_f = samples.flags, samples.force_n == samples.force_n
        pushes = samples.force_n < -MOST_PUSH_N
        if pushes.any():
            self._pushes_s = np.concatenate((self._pushes_s[-PUSHES_KEPT:], samples.t_s[pushes]))
            marks = np.where(pushes, marks | np.uint8(Flag.SUSPECT), marks)
        if not marks.any():
            return has_f, None, []
        refused = ((marks & int(UNUSABLE)) != 0) | pushes
        if (samples.flags & int(Flag.SUSPECT)).any():
            refused |= self._spikes(samples)
        marks = np.where(refused, marks, marks & ~np.uint8(Flag.SUSPECT))
        flagged = [(i, float(samples.t_s[i]), int(marks[i])) for i in marks.nonzero()[0].tolist()]
        return has_f & ~refused, (marks & int(Flag.RESTART)) != 0, flagged

    def _complete(
        self, newest_x: Column, newest_f: Column, holes: list[tuple[int, Hole]], flagged: list[Marked]
    ) -> Steps:
        """The steps that these rows complete; `newest_x`, `newest_f`: the newest stamps up to each row."""
        newest = np.maximum(newest_x, newest_f)
        ready = np.maximum(np.minimum(newest_x, newest_f), newest - PATIENCE_S) if self.has_position else newest_f
        if self._next is None:
            seen = np.isfinite(newest)
            if not seen.any():
                return self._steps(np.empty(0, np.int64), [], [])
            self._next = int(np.ceil(float(newest[seen][0]) / STEP_S + 0.5))
        first = self._next
        end = max(first, cells_before(float(ready[-1])) if np.isfinite(ready[-1]) else first)
        if end == first:
            return self._steps(np.empty(0, np.int64), holes, flagged)
        edges = (np.arange(first, end + 1) - 0.5) * STEP_S
        row = ready.searchsorted(edges[1:], side="left")
        x, still = self._position.cells(edges)
        force, repeated = self._force.cells(edges)
        # A sample that comes after its step was completed without it stays unused, however large the batch.
        x[newest_x[row] < edges[1:]] = np.nan
        force[newest_f[row] < edges[1:]] = np.nan
        steps = self._steps(row, holes, flagged)._replace(
            x_raw_m=x, force_n=force, still=still & ~np.isnan(x), repeated=repeated, found_s=newest[row]
        )
        self._next = end
        return steps

    def _pushed(self, hole: Hole) -> bool:
        """Whether the force is unknown there because the cell read below zero."""
        within = (self._pushes_s > hole.from_s) & (self._pushes_s < hole.to_s)
        return int(within.sum()) >= MANY_PUSHES

    def _real(self, n: int, of_force: NDArray[np.int64], sifted: Sifted) -> Column:
        """The newest stamp of force up to each of n rows, where a reading that leaps counts once it is known."""
        newest = np.full(n, self._newest_real)
        newest[of_force[sifted.row]] = sifted.t_s  # of several that are known at a row, the last
        return np.maximum.accumulate(newest)

    def _spikes(self, samples: Samples) -> Mask:
        """The suspect readings that differ clearly from the last one that is not suspect."""
        suspect = (samples.flags & int(Flag.SUSPECT)) != 0
        sound = ~np.isnan(samples.force_n) & ~suspect & ((samples.flags & int(UNUSABLE)) == 0)
        newest = np.maximum.accumulate(np.where(sound, np.arange(len(sound)), -1))
        before = np.where(newest >= 0, samples.force_n[np.maximum(newest, 0)], self._force.newest)
        spikes: Mask = suspect & ~(np.abs(samples.force_n - before) <= SPIKE_N)
        return spikes

    def _steps(self, row: NDArray[np.int64], holes: list[tuple[int, Hole]], flagged: list[Marked]) -> Steps:
        """The steps from which on rows are known: the first that each row, or a later one, completes."""
        first, empty = self._next or 0, np.empty(0)

        def step(at: int) -> int:
            return first + int(np.searchsorted(row, at, side="left"))

        return Steps(
            first,
            empty,
            empty,
            np.empty(0, bool),
            np.empty(0, bool),
            empty,
            [hole._replace(step=step(at)) for at, hole in holes],
            [(step(at), stamp_s, flags) for at, stamp_s, flags in flagged],
        )


def cells_before(ready_s: float) -> int:
    """Number of the first cell that has not ended by `ready_s`."""
    end = int(np.floor(ready_s / STEP_S + 0.5))
    while (end - 0.5) * STEP_S > ready_s:
        end -= 1
    while (end + 0.5) * STEP_S <= ready_s:
        end += 1
    return end


def _news(t: Column, mask: Mask, newest_s: float) -> tuple[Mask, Column]:
    """Which masked stamps are newer than all before them, and the newest masked stamp up to each row."""
    if t[0] > newest_s and (t[1:] > t[:-1]).all():
        return (mask, t) if mask.all() else (mask, np.concatenate(((newest_s,), t[mask]))[mask.cumsum()])
    so_far = np.empty(len(t) + 1)
    so_far[0] = newest_s
    so_far[1:] = np.where(mask, t, -np.inf)
    np.maximum.accumulate(so_far, out=so_far)
    return mask & (t > so_far[:-1]), so_far[1:]
