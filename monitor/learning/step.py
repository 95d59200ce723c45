"""Learns from repetitions that agree that the load differs between up and down: a motor adds to the negative.

The cable carries up = W_up (1 + mu) and down = W_down (1 - mu). Without a known friction only a way down that carries
more than the way up certainly shows a step: friction alone makes it carry less. A motor adds from the first repetition
of a set on. Where one of them had a single load, a helper came. The pin may be moved between them: the motor adds the
same share of any load.
"""

from typing import NamedTuple

from monitor.learning.load import MOST_RESIDUAL, SAME, cruise
from monitor.profile.limits import Limits
from monitor.signals.signal_window import SignalWindow
from monitor.signals.stretches import Stretches

AGREE = 0.04  # the steps of repetitions closer than this are one
KEPT = 8  # repetitions: more than may be pulled unevenly between those that agree


class LoadStepFit(NamedTuple):
    """The loads, N."""

    up_n: float
    down_n: float

    @property
    def share(self) -> float:
        return self.down_n / self.up_n


class StepLearner:
    """Call `update` after each repetition; it returns the loads once `reps` agree on a step above `size`."""

    def __init__(self, size: float, reps: int) -> None:
        self._size, self._reps = size, reps
        self.forget()

    def forget(self) -> None:
        """Forget the step: the motor may be switched off between sets."""
        self._seen: list[LoadStepFit] = []
        self._even = False  # a repetition of this set had the same load in both directions

    def update(
        self, signals: SignalWindow, limits: Limits, doubted: Stretches, start: int, end: int
    ) -> LoadStepFit | None:
        """Learn from moments `start` up to `end`."""
        if self._even:
            return None
        sums = cruise(signals, limits, doubted, start, end)
        line = None if sums is None else sums.line()
        if line is None or line.load_n <= 0 or line.residual_n > MOST_RESIDUAL * line.load_n:
            return None  # pulled too unevenly to show anything
        friction = limits.friction or 0.0
        up_n, down_n = line.load_n + line.friction_n, line.load_n - line.friction_n
        fit = LoadStepFit(up_n / (1 + friction), down_n / (1 - friction))
        step = fit.share
        known = limits.friction is not None
        steps = abs(step - 1) > self._size if known else step > 1 + self._size
        self._even = abs(step - 1) < self._size / 2 if known else step < 1
        steps = steps and fit.up_n > limits.detect.assist.lifted * fit.down_n  # else somebody else lifted it
        self._seen = [*self._seen[-KEPT:], fit] if steps else []
        alike = [one for one in self._seen if abs(one.share - step) <= AGREE]
        if len(alike) < self._reps:
            return None
        share = sum(one.share for one in alike) / len(alike)
        loads_n = [one.up_n for one in alike if abs(one.up_n / fit.up_n - 1) <= SAME]  # of the pin as it is now
        up_n = sum(loads_n) / len(loads_n)
        return LoadStepFit(up_n, up_n * share)
