"""Samples of several reads, handed on together: a call of the spine costs as much for one step as for four.

    reads       |  |   |  |   |  |  |         every 5 to 10 ms
    handed on      |       |       |          when the grid can make the steps up to the next tick

Ticks fall where feedback falls, so feedback is as young as with a call for every read; an event may be known up to
TICK_S before it is told. The spine's output does not depend on how samples are grouped.
"""

import numpy as np

from firmware_bridge.samples import Samples, joined
from monitor.detect.grid import PATIENCE_S, STEP_S
from monitor.detect.pipeline import FEEDBACK_STEPS

TICK_S = FEEDBACK_STEPS * STEP_S / 2


class Gather:
    """Feed it every batch; memory is bounded by a tick of samples."""

    def __init__(self) -> None:
        self._held: list[Samples] = []
        self._newest_s = [-np.inf, -np.inf]  # of position, of force
        self._tick = -1.0

    def add(self, samples: Samples) -> Samples | None:
        """What is to be handed on now, if anything."""
        if not len(samples):
            return None
        self._held.append(samples)
        for kind, values in enumerate((samples.position_m, samples.force_n)):
            known = values == values
            if known.any():
                self._newest_s[kind] = max(self._newest_s[kind], float(samples.t_s[known].max()))
        ready_s = max(min(self._newest_s), max(self._newest_s) - PATIENCE_S)
        tick = (ready_s - STEP_S / 2) // TICK_S if np.isfinite(ready_s) else -1.0
        if tick == self._tick:
            return None
        self._tick = tick
        return self.take()

    def take(self) -> Samples:
        """All that is held: the stream has paused or ended."""
        held, self._held = self._held, []
        return joined(held)
