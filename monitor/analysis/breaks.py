"""Shortens long silences for the spine, and converts its reports back to the session clock.

    session clock   ..x|..........................................|x..     no sample for hours or days
    spine's clock   ..x|..........|x..                                     no sample for BREAK_S

The spine makes a step for every 5 ms, even without samples. After BREAK_S without any it has closed everything that a
silence ends; a longer silence would cost time and memory and change nothing. A session without one passes unchanged.
"""

from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from firmware_bridge.samples import Samples
from monitor.detect.spine import OnPositions
from monitor.events import Update

BREAK_S = 30.0  # no detector looks back or waits for this long
AFTER_S = 5.0  # position and force interleave by less: stamps in this last part of a silence belong to its end

Column = NDArray[np.float64]


class Break(NamedTuple):
    """A silence that was shortened."""

    from_s: float  # session clock; later stamps are shifted
    shift_s: float  # the sum of all breaks up to this one


class Breaks:
    """The breaks of one session. They depend on the order of the samples, not on their batches."""

    def __init__(self) -> None:
        self._breaks: list[Break] = []
        self._newest_s: float | None = None

    def shortened(self, samples: Samples) -> Samples:
        """The samples on the spine's clock; shape and order stay."""
        newest_s = float(samples.t_s.max())
        if self._newest_s is None:
            self._newest_s = float(samples.t_s[0])
        if newest_s - self._newest_s > BREAK_S:
            self._note(samples.t_s, self._newest_s)
        self._newest_s = max(self._newest_s, newest_s)
        return Samples(self._inner(samples.t_s), *samples[1:]) if self._breaks else samples

    def restored(self, update: Update) -> Update:
        """The update on the session clock."""
        if not self._breaks:
            return update
        at_s = self._outer(np.array([now.t_s for now in update.feedback]))
        feedback = [
            msgspec.structs.replace(now, t_s=round(t_s, 6))
            for now, t_s in zip(update.feedback, at_s.tolist(), strict=True)
        ]
        return Update([self._event(event) for event in update.events], feedback)

    def restoring(self, on_positions: OnPositions) -> OnPositions:
        """A listener that is called with times on the session clock."""
        return lambda at_s, x_m: on_positions(self._outer(at_s) if self._breaks else at_s, x_m)

    def _note(self, t_s: Column, before_s: float) -> None:
        """Adds the silences in these stamps."""
        newest_s = np.maximum.accumulate(np.concatenate(([before_s], t_s)))
        for at in np.flatnonzero(np.diff(newest_s) > BREAK_S).tolist():
            silence_s = float(newest_s[at + 1] - newest_s[at])
            shift_s = self._breaks[-1].shift_s if self._breaks else 0.0
            whole_s = float(np.floor(silence_s - BREAK_S))  # whole seconds keep the fractions of the stamps
            self._breaks.append(Break(float(newest_s[at]) + BREAK_S - AFTER_S, shift_s + whole_s))

    def _inner(self, t_s: Column) -> Column:
        """From the session clock to the spine's clock. The result never decreases unless `t_s` does."""
        from_s = np.array([one.from_s for one in self._breaks])
        shifts_s = np.array([0.0, *(one.shift_s for one in self._breaks)])
        passed = np.searchsorted(from_s, t_s)
        earliest_s = np.concatenate(([-np.inf], from_s - shifts_s[:-1]))
        inner: Column = np.maximum(t_s - shifts_s[passed], earliest_s[passed])
        return inner

    def _outer(self, t_s: Column) -> Column:
        """From the spine's clock to the session clock."""
        shifts_s = np.array([0.0, *(one.shift_s for one in self._breaks)])
        from_s = np.array([one.from_s for one in self._breaks]) - shifts_s[:-1]
        outer: Column = t_s + shifts_s[np.searchsorted(from_s, t_s)]
        return outer

    def _event(self, event: Any) -> Any:
        """Converts one of AnyEvent, which may begin before a break and end after it."""
        at_s = {key: getattr(event, key) for key in ("t_s", "found_s", "closed_s")}
        changes = {key: self._moment(t_s) for key, t_s in at_s.items() if t_s is not msgspec.UNSET}
        if event.duration_s is not None:
            changes["duration_s"] = round(self._moment(event.t_s + event.duration_s) - changes["t_s"], 6)
        return msgspec.structs.replace(event, **changes)

    def _moment(self, t_s: float) -> float:
        return round(float(self._outer(np.array([t_s]))[0]), 6)
