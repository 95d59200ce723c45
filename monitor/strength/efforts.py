"""Finds static efforts in a stream of samples: the force rises, the machine stands still, the force falls.

force   ____/~~~~~~~\\____        at least 2 s; its height is the highest mean over one second
place   ------------------        within 5 mm, else it was a movement
"""

from collections import deque
from typing import NamedTuple

import numpy as np

from firmware_bridge.samples import Samples
from monitor.profile.strength import Effort

BIN_S = 0.02
BEST_S = 1.0  # the force is the highest mean over this time
LEAST_S = 2.0  # a shorter push is not an effort
LONGEST_S = 60.0  # more is not kept
STILL_M = 0.005  # a cable and a frame yield by this much
RELEASED = 0.5  # of the highest force: with less the effort is over


class Moved(NamedTuple):
    """An effort that does not count: the machine moved by `by_m`."""

    by_m: float


class EffortFinder:
    """`add` samples in any pieces; returns the efforts that they complete. Heights count from `rest_m`."""

    def __init__(self, begins_n: float, rest_m: float) -> None:
        self._begins_n, self._rest_m = begins_n, rest_m
        self._bin: int | None = None
        self._forces: list[float] = []
        self._places: list[float] = []
        self._place_m = float("nan")
        self._effort: deque[tuple[float, float]] = deque(maxlen=round(LONGEST_S / BIN_S))
        self.force_n = self.position_m = float("nan")  # the newest

    def add(self, samples: Samples) -> list[Effort | Moved]:
        found: list[Effort | Moved] = []
        for t_s, place_m, force_n in zip(
            samples.t_s.tolist(), samples.position_m.tolist(), samples.force_n.tolist(), strict=True
        ):
            number = int(t_s / BIN_S)
            if self._bin is not None and number != self._bin:
                found += self._close()
            self._bin = number
            if place_m == place_m:
                self._places.append(place_m - self._rest_m)
            if force_n == force_n:
                self._forces.append(force_n)
        return found

    def _close(self) -> list[Effort | Moved]:
        """A bin is complete."""
        if self._places:
            self._place_m = sum(self._places) / len(self._places)
        force_n = sum(self._forces) / len(self._forces) if self._forces else self.force_n
        self._places, self._forces = [], []
        self.force_n, self.position_m = force_n, self._place_m
        highest_n = max((force for force, _ in self._effort), default=0.0)
        if force_n > max(self._begins_n, RELEASED * highest_n):
            self._effort.append((force_n, self._place_m))
            return []
        effort = list(self._effort)
        self._effort.clear()
        return [] if len(effort) * BIN_S < LEAST_S else [_judged(effort)]


def _judged(effort: list[tuple[float, float]]) -> Effort | Moved:
    forces_n, places_m = np.array(effort).T
    window = round(BEST_S / BIN_S)
    means_n = np.convolve(forces_n, np.full(window, 1 / window), mode="valid")
    best = int(means_n.argmax())
    strong = places_m[forces_n > RELEASED * forces_n.max()]
    moved_m = float(np.nanmax(strong) - np.nanmin(strong))
    if not moved_m <= 2 * STILL_M:
        return Moved(moved_m)
    return Effort(
        position_m=round(float(np.nanmean(places_m[best : best + window])), 4),
        force_n=round(float(means_n[best]), 1),
    )
