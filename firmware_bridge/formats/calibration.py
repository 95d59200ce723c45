"""Turns raw counts into metres and newtons, for one machine."""

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

MOST_METRES_PER_COUNT, MOST_NEWTONS_PER_COUNT = 1.0, 1000.0  # of any sensor, either way round
MOST_ZERO_COUNTS = 10**10  # a line's number has ten digits
Counts = TypeVar("Counts", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Scale and zero of the two sensors. A negative scale is for a sensor that is mounted the other way round.

    Raises ValueError for a number that no sensor has: calculations with it would overflow.
    """

    metres_per_count: float
    position_zero_counts: float = 0.0
    newtons_per_count: float
    force_zero_counts: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value, most = getattr(self, field.name), _MOST[field.name]
            if not abs(value) <= most:  # NaN is not, either
                raise ValueError(f"calibration {field.name} is {value:g}: write a number from {-most:g} to {most:g}")
        for name in ("metres_per_count", "newtons_per_count"):
            if getattr(self, name) == 0:
                raise ValueError(f"calibration {name} is 0: with it the sensor would read the same everywhere")

    def position_m(self, counts: Counts) -> Counts:
        """Raw machine coordinate, up positive."""
        return (counts - self.position_zero_counts) * self.metres_per_count

    def force_n(self, counts: Counts) -> Counts:
        """Load-cell tension, pull positive."""
        return (counts - self.force_zero_counts) * self.newtons_per_count


_MOST = {
    "metres_per_count": MOST_METRES_PER_COUNT,
    "position_zero_counts": MOST_ZERO_COUNTS,
    "newtons_per_count": MOST_NEWTONS_PER_COUNT,
    "force_zero_counts": MOST_ZERO_COUNTS,
}
