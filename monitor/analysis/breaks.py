"""Shortens long silences for the spine, and puts what it reports back on the session clock.

    session clock   ..x|..........................................|x..     no sample for hours or days
    spine's clock   ..x|..........|x..                                     no sample for BREAK_S

The spine makes a step for every 5 ms, samples or not. After BREAK_S without any it has closed and forgotten all that a
silence ends, so more of the same would cost time and memory and change nothing. A session without a longer silence
passes untouched.
"""

from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from firmware_bridge.samples import Samples
from monitor.detect.spine import OnPositions
from monitor.events import Update

BREAK_S = 30.0  # no detector looks back, or waits, for so long
AFTER_S = 5.0  # the two kinds of samples interleave by less: of this part of a silence all stamps belong to its end

Column = NDArray[np.float64]


class Break(NamedTuple):
    """A silence that was shortened."""

    from_s: float  # later stamps are shifted; session clock
    shift_s: float  # by all breaks up to this one


class Breaks:
    """One session's. Whether a silence is shortened follows from the order of the samples, not from their batches."""

    def __init__(self) -> None:
        self._breaks: list[Break] = []
        self._newest_s: float | None = None

    def shortened(self, samples: Samples) -> Samples:
        """As the spine sees them: shape and order stay."""
        newest_s = float(samples.t_s.max())
        if self._newest_s is None:
            self._newest_s = float(samples.t_s[0])
        if newest_s - self._newest_s > BREAK_S:
            self._note(samples.t_s, self._newest_s)
        self._newest_s = max(self._newest_s, newest_s)
        return Samples(self._inner(samples.t_s), *samples[1:]) if self._breaks else samples

    def restored(self, update: Update) -> Update:
        """As it stands on the session clock."""
        if not self._breaks:
            return update
        at_s = self._outer(np.array([now.t_s for now in update.feedback]))
        feedback = [
            msgspec.structs.replace(now, t_s=round(t_s, 6))
            for now, t_s in zip(update.feedback, at_s.tolist(), strict=True)
        ]
        return Update([self._event(event) for event in update.events], feedback)

    def restoring(self, on_positions: OnPositions) -> OnPositions:
        """A listener on the session clock."""
        return lambda at_s, x_m: on_positions(self._outer(at_s) if self._breaks else at_s, x_m)

    def _note(self, t_s: Column, before_s: float) -> None:
        """The silences among these stamps."""
        newest_s = np.maximum.accumulate(np.concatenate(([before_s], t_s)))
        for at in np.flatnonzero(np.diff(newest_s) > BREAK_S).tolist():
            silence_s = float(newest_s[at + 1] - newest_s[at])
            shift_s = self._breaks[-1].shift_s if self._breaks else 0.0
            whole_s = float(np.floor(silence_s - BREAK_S))  # whole seconds keep the fractions of the stamps
            self._breaks.append(Break(float(newest_s[at]) + BREAK_S - AFTER_S, shift_s + whole_s))

    def _inner(self, t_s: Column) -> Column:
        """From the session clock to the spine's; it never goes back where the session clock does not."""
        from_s = np.array([one.from_s for one in self._breaks])
        shifts_s = np.array([0.0, *(one.shift_s for one in self._breaks)])
        passed = np.searchsorted(from_s, t_s)
        earliest_s = np.concatenate(([-np.inf], from_s - shifts_s[:-1]))
        inner: Column = np.maximum(t_s - shifts_s[passed], earliest_s[passed])
        return inner

    def _outer(self, t_s: Column) -> Column:
        """And back."""
        shifts_s = np.array([0.0, *(one.shift_s for one in self._breaks)])
        from_s = np.array([one.from_s for one in self._breaks]) - shifts_s[:-1]
        outer: Column = t_s + shifts_s[np.searchsorted(from_s, t_s)]
        return outer

    def _event(self, event: Any) -> Any:
        """One of AnyEvent; it may have begun before a break and ended after it."""
        at_s = {key: getattr(event, key) for key in ("t_s", "found_s", "closed_s")}
        changes = {key: self._moment(t_s) for key, t_s in at_s.items() if t_s is not msgspec.UNSET}
        if event.duration_s is not None:
            changes["duration_s"] = round(self._moment(event.t_s + event.duration_s) - changes["t_s"], 6)
        return msgspec.structs.replace(event, **changes)

    def _moment(self, t_s: float) -> float:
        return round(float(self._outer(np.array([t_s]))[0]), 6)
