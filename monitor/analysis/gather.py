"""Samples of several reads, handed on together: a call of the spine costs little more for eight steps than for one.

    reads             |   | |         |   | |     none while nothing can come that would be handed on
    handed on               |             |       when the grid can make the steps up to the next tick

Ticks fall where feedback falls, so feedback is as young as with a call for every read; an event may be known up to
TICK_S before it is told. The spine's output does not depend on how samples are grouped.
"""

import math

import numpy as np

from firmware_bridge.samples import Samples, joined
from monitor.detect.spine import FEEDBACK_STEPS
from monitor.signals.grid import PATIENCE_S, STEP_S, cells_before

TICK_S = FEEDBACK_STEPS * STEP_S


class Gather:
    """Feed it every batch; memory is bounded by a tick of samples."""

    def __init__(self) -> None:
        self._held: list[Samples] = []
        self._newest_s = [-np.inf, -np.inf]  # of position, of force
        self._tick = -1

    def add(self, samples: Samples) -> Samples | None:
        """What is to be handed on now, if anything."""
        if not len(samples):
            return None
        self._held.append(samples)
        t_s = samples.t_s.tolist()  # of so few rows lists are the quicker way
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
        """For so long, by the stream, nothing can come that would be handed on; it may be less than nothing."""
        newest_s = max(self._newest_s)
        ready_s = newest_s - PATIENCE_S  # where a kind stays away; else both have to pass the tick
        tick_s = (self._tick + 1) * TICK_S + STEP_S / 2
        return tick_s - (ready_s if ready_s > min(self._newest_s) else newest_s) if math.isfinite(newest_s) else 0.0

    def take(self) -> Samples:
        """All that is held: the stream has paused or ended."""
        held, self._held = self._held, []
        return joined(held)
