"""Finds the reversals of the movement: a zig-zag with hysteresis in metres.

Noise can cross zero velocity a hundred times in a slow turnaround, but it cannot travel the hysteresis h_rev. So a
reversal is confirmed once the stack is h_rev away from its extreme; it is dated back to the extreme.
"""

from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

State = tuple[int, float, float, int, int, bool, int]


class Reversal(NamedTuple):
    """An extreme of the movement. `full`: the stack had travelled the hysteresis before it, too."""

    confirmed: int  # moment at which it was known
    extreme: int  # moment of the extreme
    x_m: float
    at: Literal["upper", "lower"]
    full: bool

    def shifted(self, by_m: float) -> "Reversal":
        """The same reversal after the zero of the positions was moved up."""
        return self._replace(x_m=self.x_m - by_m)


class Zigzag:
    """Takes positions in blocks; memory is constant. After a silence of more than `long_gap` steps it starts again."""

    def __init__(self, long_gap: int) -> None:
        self._long_gap = long_gap
        self.direction = 0  # +1 rising, -1 falling, 0 not known yet
        self.high = self.low = float("nan")
        self.high_at = self.low_at = 0
        self._travelled = False  # the present leg has been confirmed by a reversal, not by the first movement
        self._known_at = 0  # the newest moment whose position was known

    def state(self) -> State:
        return (self.direction, self.high, self.low, self.high_at, self.low_at, self._travelled, self._known_at)

    def restore(self, state: State) -> None:
        (self.direction, self.high, self.low, self.high_at, self.low_at, self._travelled, self._known_at) = state

    def shift(self, by_m: float) -> None:
        """The zero of the positions was moved."""
        self.high, self.low = self.high + by_m, self.low + by_m

    def scan(self, x: NDArray[np.float64], first: int, hysteresis_m: float) -> list[Reversal]:
        """The reversals that positions `x` (m, of moments from `first` on, NaN where unknown) confirm."""
        known = (x == x).nonzero()[0]
        if not len(known):
            return []
        moments = known + first
        since = np.concatenate(((self._known_at,), moments))
        self._known_at = int(moments[-1])
        anew = (moments - since[:-1] > self._long_gap).nonzero()[0].tolist()
        found: list[Reversal] = []
        for low, high in pairwise([0, *anew, len(known)]):
            if low in anew:
                self.restore((0, float("nan"), float("nan"), 0, 0, False, self._known_at))
            if low < high:
                found += self._scan(x[known[low:high]], known[low:high], first, hysteresis_m)
        return found

    def _scan(
        self, values: NDArray[np.float64], known: NDArray[np.int64], first: int, hysteresis_m: float
    ) -> list[Reversal]:
        found: list[Reversal] = []
        i = 0
        while i < len(values):
            rest = values[i:]
            if not self.direction and np.isnan(self.high):
                self.high = self.low = float(rest[0])
                self.high_at = self.low_at = first + int(known[i])
            if self._goes_on(rest, hysteresis_m):
                self._extend(rest, known[i:] + first)
                break
            highs = np.maximum.accumulate(np.maximum(rest, self.high)) if self.direction >= 0 else None
            lows = np.minimum.accumulate(np.minimum(rest, self.low)) if self.direction <= 0 else None
            fell = _first(highs - rest >= hysteresis_m) if highs is not None else len(rest)
            rose = _first(rest - lows >= hysteresis_m) if lows is not None else len(rest)
            n = min(fell, rose, len(rest))
            self._extend(rest[: n + 1], known[i : i + n + 1] + first)
            if n == len(rest):
                break
            moment = first + int(known[i + n])
            if fell <= rose:
                found.append(Reversal(moment, self.high_at, self.high, "upper", self._travelled))
                self.direction, self.low, self.low_at = -1, float(rest[n]), moment
            else:
                found.append(Reversal(moment, self.low_at, self.low, "lower", self._travelled))
                self.direction, self.high, self.high_at = 1, float(rest[n]), moment
            self._travelled = True
            i += n + 1
        return found

    def _goes_on(self, x: NDArray[np.float64], hysteresis_m: float) -> bool:
        """Whether these positions lie too close together for a reversal; otherwise there may be one."""
        top, bottom = float(x.max()), float(x.min())
        falls = self.direction >= 0 and max(top, self.high) - bottom >= hysteresis_m
        return not (falls or (self.direction <= 0 and top - min(bottom, self.low) >= hysteresis_m))

    def _extend(self, x: NDArray[np.float64], moments: NDArray[np.int64]) -> None:
        if self.direction >= 0 and len(x) and (top := float(x.max())) > self.high:
            self.high, self.high_at = top, int(moments[int(x.argmax())])
        if self.direction <= 0 and len(x) and (bottom := float(x.min())) < self.low:
            self.low, self.low_at = bottom, int(moments[int(x.argmin())])


def _first(condition: NDArray[np.bool_]) -> int:
    """The index of the first true element, or the length if no element is true."""
    i = int(condition.argmax()) if len(condition) else 0
    return i if len(condition) and condition[i] else len(condition)
