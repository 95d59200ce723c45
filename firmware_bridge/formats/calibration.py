"""Turns raw counts into metres and newtons, for one machine."""

import math
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Counts = TypeVar("Counts", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Scale and zero of the two sensors. A negative scale is for a sensor that is mounted the other way round."""

    metres_per_count: float
    position_zero_counts: float = 0.0
    newtons_per_count: float
    force_zero_counts: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if not math.isfinite(getattr(self, field.name)):
                raise ValueError(f"calibration {field.name} is {getattr(self, field.name)}: write a finite number")
        for name in ("metres_per_count", "newtons_per_count"):
            if getattr(self, name) == 0:
                raise ValueError(f"calibration {name} is 0: with it the sensor would read the same everywhere")

    def position_m(self, counts: Counts) -> Counts:
        """Raw machine coordinate, up positive."""
        return (counts - self.position_zero_counts) * self.metres_per_count

    def force_n(self, counts: Counts) -> Counts:
        """Load-cell tension, pull positive."""
        return (counts - self.force_zero_counts) * self.newtons_per_count
