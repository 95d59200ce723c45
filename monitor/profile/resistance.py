"""Describes how a machine's pull varies over its range: W(x) = load * share(x); in the negative, `down` times that.

The shares are at evenly spaced places of the range; their mean is 1. Outside the range the value at the end applies.
"""

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

KNOTS = 12
Column = NDArray[np.float64]
Share = Annotated[float, Meta(gt=0, le=100)]


class Resistance(msgspec.Struct, frozen=True):
    """Heights are in m above the rest. `inertia`: the moving mass as a share of load/g; 1 for a stack."""

    bottom_m: float
    top_m: float
    shares: Annotated[tuple[Share, ...], Meta(min_length=2, max_length=64)]
    inertia: Annotated[float, Meta(ge=0, le=10)] = 1.0

    @property
    def places_m(self) -> Column:
        """The places of the shares, m above the rest."""
        places_m: Column = np.linspace(self.bottom_m, self.top_m, len(self.shares))
        return places_m

    def at(self, x_m: Column | float) -> Column:
        """Shares of the load at heights of any shape; NaN stays NaN."""
        shares: Column = np.asarray(np.interp(x_m, self.places_m, self.shares))
        return shares

    def raised(self, by_m: float) -> "Resistance":
        """The same curve with heights above a rest that is lower by `by_m`."""
        return msgspec.structs.replace(self, bottom_m=self.bottom_m + by_m, top_m=self.top_m + by_m)


def resistance_of(
    curve_m: tuple[float, ...], curve_n: tuple[float, ...], bottom_m: float, top_m: float
) -> tuple[Resistance, float]:
    """The curve through forces (N) at rising places (m), and the load (N), which is the mean over the range."""
    forces_n = np.interp(np.linspace(bottom_m, top_m, KNOTS), curve_m, curve_n)
    load_n = mean(forces_n)
    return Resistance(bottom_m, top_m, tuple((forces_n / load_n).tolist())), load_n


def mean(values: Column) -> float:
    """The mean of a line through evenly spaced values."""
    return float((values.sum() - (values[0] + values[-1]) / 2) / (len(values) - 1))
