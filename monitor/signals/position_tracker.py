"""Tracks the stack's position through jumps, restarts and freezes of its encoder.

    raw steps  ////   jump   ////        the count jumped, or began again at 0
    tracked    ////..........////        unknown from the last good step until `SETTLE` steps after the jump

An encoder counts on from where it was, so movement that it missed stays missing until the stack stands on its rest
again. Until then the position is an estimate: the last good one, moved on at the mean of the speeds before and after.
A `PositionDoubt` says how far the estimate may be off. A detector makes no claim that the doubt could overturn.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.signals.grid import STEP_S, Hole, HoleCause, Steps
from monitor.signals.stillness import PLATEAU, REACH, SPEED_STEPS, Judge, Verdict

Column = NDArray[np.float64]
SETTLE = 8  # steps over which the speed after a hole is measured
LOSES_PLACE = ("encoder_jump", "restart")
LONG_S = 3.0  # after a longer hole, the speeds before and after do not show the movement within it
LOST_M = 1.0  # a doubt larger than the range of any machine
UNSEEN_S = 1.0  # how long a freeze whose beginning was not seen may have lasted
JUMP_DOUBT_M = 0.004  # a stack at 0.4 m/s moves this far in the 10 ms around a jump
WAY_DOUBT = 0.1  # share of the estimated movement
TURN_DOUBT = 0.25  # of the change of speed over the hole: half of the error if all of it came at one end
HISTORY = REACH + PLATEAU


class Retraction(NamedTuple):
    """At step `step` it became known that the positions passed on from step `since` were wrong."""

    step: int
    since: int


class PositionDoubt(NamedTuple):
    """From step `step` on the position may be off by `by_m`."""

    step: int
    by_m: float


class TrackedSteps(NamedTuple):
    """Steps with tracked positions. `odd`: the encoder stands still; whether the stack does is not known yet."""

    steps: Steps
    odd: NDArray[np.bool_]
    retractions: list[Retraction]
    doubts: list[PositionDoubt]


@dataclass(slots=True)
class _Loss:
    """The position is lost: the encoder is frozen, or there was a hole. Times are step numbers."""

    since: int
    x_m: float  # where it was before
    speed_m_s: float
    frozen: bool = False
    known_from: int | None = None  # the encoder counts again
    unseen: bool = False  # its beginning was not seen

    def estimate(self, speed_m_s: float) -> tuple[float, float]:
        """The position at `known_from` if the stack goes on at this speed, and its doubt, both in m."""
        assert self.known_from is not None
        if self.unseen:
            return self.x_m, min(LOST_M, max(abs(speed_m_s), abs(self.speed_m_s)) * UNSEEN_S)
        gone_s = (self.known_from - self.since + 1) * STEP_S
        if gone_s > LONG_S:
            return self.x_m, LOST_M
        way_m = 0.5 * (self.speed_m_s + speed_m_s) * gone_s
        turned_m = TURN_DOUBT * abs(self.speed_m_s - speed_m_s) * gone_s
        return self.x_m + way_m, JUMP_DOUBT_M + WAY_DOUBT * abs(way_m) + turned_m


@dataclass(slots=True)
class _Trial:
    """Counts that no stack can make at step `edge`; they are judged once step `at` is known."""

    edge: int
    kind: Literal["stop", "start", "kink"]
    at: int


class PositionTracker:
    """Takes steps and returns them with tracked positions; memory is bounded.

    `count_m`: the step of the encoder; `inertia`: the moving mass, as a share of load/g.
    """

    def __init__(self, count_m: float, inertia: float) -> None:
        self._judge = Judge(count_m, inertia)
        self._offset_m = 0.0
        self._raw = np.full(HISTORY, np.nan)
        self._tracked = np.full(HISTORY, np.nan)
        self._force = np.full(HISTORY, np.nan)
        self._still = np.zeros(HISTORY, bool)
        self._base = 0  # the step number of row 0
        self._last = (0, float("nan"), 0.0)  # step, position and speed at the last step whose position was known
        self._holes: list[Hole] = []
        self._loss: _Loss | None = None
        self._trial: _Trial | None = None

    def weigh(self, inertia: float) -> None:
        """From the next step on, this mass moves."""
        if inertia != self._judge.inertia:
            self._judge = Judge(self._judge.count_m, inertia)

    def update(self, steps: Steps) -> TrackedSteps:
        """The steps that follow those of the last call."""
        n = len(steps.found_s)
        self._holes += [hole for hole in steps.holes if hole.kind == "position" and hole.cause in LOSES_PLACE]
        self._raw = np.concatenate((self._raw[-HISTORY:], steps.x_raw_m))
        self._tracked = np.concatenate((self._tracked[-HISTORY:], steps.x_raw_m - self._offset_m))
        force = steps.force_n
        if steps.repeated.any():  # a cell that repeats itself does not prove that nothing happened
            force = np.where(steps.repeated & (force != 0), np.nan, force)
        self._force = np.concatenate((self._force[-HISTORY:], force))
        self._still = np.concatenate((self._still[-HISTORY:], steps.still))
        self._base = steps.first - HISTORY
        tracked = TrackedSteps(steps, np.zeros(n, bool), [], [])
        end = steps.first + n
        kinks = self._kinks()
        if n and (self._loss or self._trial or self._holes or kinks or self._still.any()):
            edges = sorted([*self._edges(), *kinks], key=lambda trial: trial.at)
            step = steps.first
            while step < end:
                if self._loss is not None:
                    step = self._follow(step, end, tracked)
                elif self._trial is not None:
                    step = self._try(step, tracked)
                else:
                    step = self._next(step, end, edges)
        known = np.flatnonzero(~np.isnan(self._tracked[HISTORY:]))
        if len(known):
            self._last = self._seen(steps.first + int(known[-1]) + 1)
        return tracked._replace(steps=tracked.steps._replace(x_raw_m=self._tracked[HISTORY:]))

    def _row(self, step: int) -> int:
        return step - self._base

    def _edges(self) -> list[_Trial]:
        """Where a standstill begins or ends at full speed."""
        still, raw = self._still, self._raw
        edge = (still[1:] != still[:-1]).nonzero()[0] + 1
        if not len(edge):
            return []
        ends = np.concatenate(((0,), edge, (len(still),)))
        before, after = edge - ends[:-2], ends[2:] - edge
        stops = still[edge]
        at = edge + np.where(stops, PLATEAU - 1, SPEED_STEPS)
        ripe = np.where(stops, after >= PLATEAU, before >= PLATEAU) & (at >= HISTORY) & (at < len(still))
        edge, stops, at = edge[ripe], stops[ripe], at[ripe]
        way_m = np.abs(np.where(stops, raw[edge - 1] - raw[edge - 1 - PLATEAU], raw[at] - raw[edge]))
        least_m = np.where(stops, self._judge.least_stop_m, self._judge.least_start_m)
        quick = way_m >= least_m  # false where the way is not known
        return [
            _Trial(self._base + e, "stop" if s else "start", self._base + a)
            for e, s, a in zip(edge[quick].tolist(), stops[quick].tolist(), at[quick].tolist(), strict=True)
        ]

    def _kinks(self) -> list[_Trial]:
        """Where the speed changes abruptly from one value to another."""
        first = HISTORY - 2 * SPEED_STEPS
        new = self._raw[first:]
        way_m = np.abs(new[2 * SPEED_STEPS :] - 2 * new[SPEED_STEPS:-SPEED_STEPS] + new[: -2 * SPEED_STEPS])
        blows = way_m >= self._judge.kink_way_m
        if not blows.any():
            return []
        still = self._still[first:]
        at = (blows & ~still[2 * SPEED_STEPS :] & ~still[: -2 * SPEED_STEPS]).nonzero()[0] + self._base + HISTORY
        found = [_Trial(step - SPEED_STEPS, "kink", step) for step in at.tolist()]
        return [
            trial
            for trial in found
            if not np.isnan(self._raw[self._row(trial.edge) - SPEED_STEPS : self._row(trial.at)]).any()
        ]

    def _next(self, step: int, end: int, edges: list[_Trial]) -> int:
        """Skip to the next step that needs work, and return it."""
        trial = next((trial for trial in edges if trial.at >= step), None)
        until = end if trial is None else trial.at
        if self._holes:
            first = max(step, int(np.ceil(self._holes[0].to_s / STEP_S + 0.5)))
            known = np.flatnonzero(~np.isnan(self._raw[self._row(first) : max(self._row(first), self._row(until))]))
            if len(known):
                return self._lose(first + int(known[0]))
        if trial is not None:
            self._trial = trial
        return until

    def _lose(self, known_from: int) -> int:
        """Note a hole: this step is the first known one after it."""
        self._holes.pop(0)
        rows = self._tracked[HISTORY : self._row(known_from)]
        known = np.flatnonzero(~np.isnan(rows))
        last, x_m, speed_m_s = self._seen(self._base + HISTORY + int(known[-1]) + 1) if len(known) else self._last
        if x_m == x_m:
            self._loss = _Loss(last + 1, x_m, speed_m_s, known_from=known_from)
        return known_from

    def _seen(self, before: int) -> tuple[int, float, float]:
        """Number, position and speed of the last step before this one."""
        row = self._row(before) - 1
        x_m, earlier_m = float(self._tracked[row]), float(self._tracked[row - SETTLE])
        speed_m_s = (x_m - earlier_m) / (SETTLE * STEP_S)
        return before - 1, x_m, speed_m_s if speed_m_s == speed_m_s else 0.0

    def _try(self, step: int, tracked: TrackedSteps) -> int:
        """One step of a trial."""
        trial = self._trial
        assert trial is not None
        row, edge = self._row(step), self._row(trial.edge)
        first = row - HISTORY  # the verdict must not depend on how much history is kept
        lost = np.isnan(self._raw[edge - 1 - SPEED_STEPS : row + 1]).any() or bool(np.isnan(self._tracked[edge - 1]))
        lost = lost or (trial.kind == "stop" and not self._still[row])
        judge = {"stop": self._judge.stop, "start": self._judge.start, "kink": self._judge.kink}[trial.kind]
        verdict = (
            Verdict.REAL if lost else judge(self._raw[first : row + 1], self._force[first : row + 1], edge - first)
        )
        if verdict is Verdict.ODD:
            tracked.odd[row - HISTORY] = True
            return step + 1
        self._trial = None
        if verdict is Verdict.FROZEN:
            since, x_m, speed_m_s = self._seen(trial.edge)
            if trial.kind == "stop":
                self._loss = _Loss(since + 1, x_m, speed_m_s, frozen=True)
            else:
                self._loss = _Loss(since + 1, x_m, speed_m_s, known_from=trial.edge, unseen=True)
            cause: HoleCause = "encoder_slip" if trial.kind == "kink" else "frozen"
            tracked.steps.holes.append(Hole("position", cause, trial.edge * STEP_S, step * STEP_S, step))
            tracked.retractions.append(Retraction(step, since - (SPEED_STEPS if trial.kind == "kink" else 0)))
            return step
        return step + 1

    def _follow(self, step: int, end: int, tracked: TrackedSteps) -> int:
        """The position is lost: check whether it can be estimated again."""
        loss = self._loss
        assert loss is not None
        if loss.known_from is None:
            rows = slice(self._row(step), self._row(end))
            back = ~np.isnan(self._raw[rows]) & ~(self._still[rows] & loss.frozen)
            gone = int(back.argmax()) if back.any() else end - step
            self._tracked[rows.start : rows.start + gone] = np.nan
            if not back.any():
                return end
            step += gone
            loss.known_from = step
        row, begin = self._row(step), self._row(loss.known_from)
        self._tracked[row] = np.nan
        if np.isnan(self._raw[row]):
            loss.known_from, loss.frozen = None, False
        elif row >= begin + SETTLE:
            raw = self._raw
            speed_m_s = float(raw[begin + SETTLE] - raw[begin + 1]) / ((SETTLE - 1) * STEP_S)
            x_m, doubt_m = loss.estimate(speed_m_s)
            self._offset_m = float(raw[begin]) - x_m
            self._tracked[row + 1 :] = raw[row + 1 :] - self._offset_m
            self._holes = [hole for hole in self._holes if hole.to_s > step * STEP_S]
            tracked.doubts.append(PositionDoubt(step, doubt_m))
            self._loss = None
        return step + 1
