"""Collects the samples of several reads and passes them on together: eight steps cost the spine little more than one.

    reads               |   |           |   |     none while no read can complete a tick
    passed on               |             |       when the grid can make the steps up to the next tick

Ticks are the times of feedback, so feedback is as recent as with a call for every read. An event may wait up to TICK_S
until it is reported, and up to REST_TICKS while no change is expected and no sample shows one. The spine's output does
not depend on how samples are grouped.

A device sends its samples in bursts, for example five positions at once: the fewest that ever came in one read. So it
is known when the burst comes that completes a tick.
"""

import math
import sys

import numpy as np

from firmware_bridge.samples import Samples, joined
from monitor.detect.feedback import FEEDBACK_STEPS
from monitor.signals.grid import PATIENCE_S, STEP_S, cells_before

TICK_S = FEEDBACK_STEPS * STEP_S
REST_TICKS = 25  # a second
CALM_TICKS = 2  # how often samples are looked at until then
ROUNDING = 0.01  # of a burst
LONGEST_BURST_S = TICK_S / 2  # of several samples: what takes longer may be several bursts in one read
STIRRED = (0.001, 7.5)  # m, N: a third and a half of what feedback calls a change, so that none is seen late


class Gather:
    """Takes every batch. It holds the samples of REST_TICKS at most."""

    def __init__(self) -> None:
        self._held: list[Samples] = []
        self._newest_s = [-np.inf, -np.inf]  # of position, of force
        self._newest = [math.nan, math.nan]  # in m, in N
        self._fewest = [sys.maxsize, sys.maxsize]  # samples in a read
        self._burst_s = [math.inf, math.inf]
        self._tick = self._passed_tick = -1  # the newest that is complete, and that was passed on
        self._calm: tuple[float, float] | None = None  # m, N around which no change is expected
        self._stirred = False

    def expect(self, *, changes: bool) -> None:
        """With no changes, samples wait until one differs from the newest so far, or is flagged or missing."""
        self._calm = None if changes else (self._newest[0], self._newest[1])

    def add(self, samples: Samples) -> Samples | None:
        """The samples to pass on now; None if the tick is not complete."""
        if not len(samples):
            return None
        self._held.append(samples)
        self._stirred = self._stirred or bool(samples.flags.any())
        t_s = samples.t_s.tolist()  # lists are faster than arrays for so few rows
        for kind, values in enumerate((samples.position_m.tolist(), samples.force_n.tolist())):
            known = [(at_s, value) for at_s, value in zip(t_s, values, strict=True) if value == value]
            if known:
                before_s = self._newest_s[kind]
                self._newest_s[kind], self._newest[kind] = max(known)
                self._fewest[kind] = min(self._fewest[kind], len(known))
                self._burst_s[kind] = self._fewest[kind] * (self._newest_s[kind] - before_s) / len(known)
                self._stirred = self._stirred or self._differs(kind, [value for _, value in known])
        behind_s = max(self._newest_s) - PATIENCE_S
        ready_s = max(min(self._newest_s), behind_s)
        tick = (cells_before(ready_s) - 1) // FEEDBACK_STEPS if math.isfinite(ready_s) else -1
        if tick == self._tick:
            return None
        self._tick = tick
        missing = -math.inf < min(self._newest_s) < behind_s
        calm = self._calm is not None and not (self._stirred or missing)
        if calm and self._passed_tick <= tick < self._passed_tick + REST_TICKS:
            return None
        return self.take()

    @property
    def newest_s(self) -> float:
        """The time of the newest sample; infinitely long ago before the first."""
        return max(self._newest_s)

    @property
    def due_s(self) -> float:
        """The time of the sample that will complete the next tick, or several at rest; it may be in the past."""
        ticks = self._tick + (1 if self._calm is None else CALM_TICKS)
        tick_s = (ticks * FEEDBACK_STEPS + 0.5) * STEP_S  # rounded as in `cells_before`
        if self.newest_s - PATIENCE_S > min(self._newest_s):  # one kind is missing; else both have to pass the tick
            return tick_s + PATIENCE_S
        return max(self._passed_s(kind, tick_s) for kind in (0, 1))

    def _passed_s(self, kind: int, tick_s: float) -> float:
        """The time of the sample with which a kind passes the tick; at least the tick's, while bursts are not known."""
        newest_s, burst_s = self._newest_s[kind], self._burst_s[kind]
        is_one = self._fewest[kind] == 1 or burst_s < LONGEST_BURST_S
        if newest_s >= tick_s or not (is_one and 0 < burst_s < math.inf):
            return tick_s
        return newest_s + burst_s * max(1, math.ceil((tick_s - newest_s) / burst_s - ROUNDING))

    def take(self) -> Samples:
        """All samples that are held, for a stream that has paused or ended."""
        held, self._held = self._held, []
        self._passed_tick, self._stirred = self._tick, False
        return joined(held)

    def _differs(self, kind: int, values: list[float]) -> bool:
        if self._calm is None:
            return False
        low, high = self._calm[kind] - STIRRED[kind], self._calm[kind] + STIRRED[kind]
        return not (low <= min(values) and max(values) <= high)
