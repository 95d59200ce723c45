"""Learns from repetitions that agree that the load differs between up and down: a motor adds to the negative.

The cable carries up = W_up (1 + mu) and down = W_down (1 - mu). Without a known friction only a way down that carries
more than the way up certainly shows a step: friction alone makes it carry less. A motor adds from the first repetition
of a set on. Where one of them had a single load, a helper came.
"""

from collections.abc import Iterable
from typing import NamedTuple

from monitor.learning.load import MOST_RESIDUAL, cruise
from monitor.profile.limits import Limits
from monitor.signals.signal_window import SignalWindow

AGREE = 0.04  # the steps of repetitions closer than this are one


class LoadStepFit(NamedTuple):
    """The loads, N."""

    up_n: float
    down_n: float


class StepLearner:
    """Call `update` after each full repetition; it returns the loads once `reps` in a row show a step above `size`."""

    def __init__(self, size: float, reps: int) -> None:
        self._size, self._reps = size, reps
        self.forget()

    def forget(self) -> None:
        """Forget the step: the motor may be switched off between sets."""
        self._seen: list[LoadStepFit] = []
        self._even = False  # a repetition of this set had the same load in both directions

    def update(
        self, signals: SignalWindow, limits: Limits, doubted: Iterable[tuple[int, int]], start: int, end: int
    ) -> LoadStepFit | None:
        """Learn from moments `start` up to `end`."""
        sums = cruise(signals, limits, doubted, start, end)
        line = None if sums is None else sums.line()
        if line is None or line[0] <= 0 or line[2] > MOST_RESIDUAL * line[0]:
            self._seen = []
            return None
        level, slope, _ = line
        friction = limits.friction or 0.0
        fit = LoadStepFit((level + slope) / (1 + friction), (level - slope) / (1 - friction))
        step = fit.down_n / fit.up_n
        known = limits.friction is not None
        steps = abs(step - 1) > self._size if known else step > 1 + self._size
        self._even = self._even or (abs(step - 1) < self._size / 2 if known else step < 1)
        steps = steps and fit.up_n > limits.detect.assist.lifted * fit.down_n  # else somebody else lifted it
        agrees = all(abs(step - before.down_n / before.up_n) <= AGREE for before in self._seen)
        self._seen = ([*self._seen, fit] if agrees else [fit]) if steps else []
        if len(self._seen) < self._reps or self._even:
            return None
        n = len(self._seen)
        return LoadStepFit(sum(one.up_n for one in self._seen) / n, sum(one.down_n for one in self._seen) / n)
