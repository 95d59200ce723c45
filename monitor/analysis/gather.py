"""Collects the samples of several reads and passes them on together: eight steps cost the spine little more than one.

    reads             |   | |         |   | |     none while no read can complete a tick
    passed on               |             |       when the grid can make the steps up to the next tick

Ticks are the times of feedback, so feedback is as recent as with a call for every read. An event may wait up to TICK_S
until it is reported. The spine's output does not depend on how samples are grouped.
"""

import math

import numpy as np

from firmware_bridge.samples import Samples, joined
from monitor.detect.spine import FEEDBACK_STEPS
from monitor.signals.grid import PATIENCE_S, STEP_S, cells_before

TICK_S = FEEDBACK_STEPS * STEP_S


class Gather:
    """Takes every batch. It holds the samples of one tick at most."""

    def __init__(self) -> None:
        self._held: list[Samples] = []
        self._newest_s = [-np.inf, -np.inf]  # of position, of force
        self._tick = -1

    def add(self, samples: Samples) -> Samples | None:
        """The samples to pass on now; None if the tick is not complete."""
        if not len(samples):
            return None
        self._held.append(samples)
        t_s = samples.t_s.tolist()  # lists are faster than arrays for so few rows
        for kind, values in enumerate((samples.position_m.tolist(), samples.force_n.tolist())):
            known_s = (at_s for at_s, value in zip(t_s, values, strict=True) if value == value)
            self._newest_s[kind] = max(known_s, default=self._newest_s[kind])
        ready_s = max(min(self._newest_s), max(self._newest_s) - PATIENCE_S)
        tick = (cells_before(ready_s) - 1) // FEEDBACK_STEPS if math.isfinite(ready_s) else -1
        if tick == self._tick:
            return None
        self._tick = tick
        return self.take()

    @property
    def rest_s(self) -> float:
        """The part of the stream in which no sample can complete a tick; it may be negative."""
        newest_s = max(self._newest_s)
        ready_s = newest_s - PATIENCE_S  # if one kind is missing; else both have to pass the tick
        tick_s = (self._tick + 1) * TICK_S + STEP_S / 2
        return tick_s - (ready_s if ready_s > min(self._newest_s) else newest_s) if math.isfinite(newest_s) else 0.0

    def take(self) -> Samples:
        """All samples that are held, for a stream that has paused or ended."""
        held, self._held = self._held, []
        return joined(held)
