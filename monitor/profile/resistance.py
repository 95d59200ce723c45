"""Describes how a machine's pull varies over its range: W(x) = load * share(x); in the negative, `down` times that.

The shares are at evenly spaced places of the range; their mean is 1. Outside the range the value at the end applies.
"""

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

KNOTS = 12  # over the range: one every few centimetres
Column = NDArray[np.float64]
Share = Annotated[float, Meta(gt=0, le=100)]


class Resistance(msgspec.Struct, frozen=True):
    """Heights are in m above the rest. `inertia`: the moving mass as a share of load/g; 1 for a stack."""

    bottom_m: float
    top_m: float
    shares: Annotated[tuple[Share, ...], Meta(min_length=2, max_length=64)]
    inertia: Annotated[float, Meta(ge=0, le=10)] = 1.0

    @property
    def varies(self) -> bool:
        """Whether the load does; if not, only the moving mass is another than a stack's."""
        return min(self.shares) < max(self.shares)

    @property
    def places_m(self) -> Column:
        """The places of the shares, m above the rest."""
        places_m: Column = np.linspace(self.bottom_m, self.top_m, len(self.shares))
        return places_m

    def covers(self, x_m: Column) -> NDArray[np.bool_]:
        """At which heights the load is known: beyond the ends of a curve it is only assumed."""
        return (x_m >= self.bottom_m) & (x_m <= self.top_m)

    def at(self, x_m: Column | float) -> Column:
        """Shares of the load at heights of any shape; NaN stays NaN."""
        shares: Column = np.asarray(np.interp(x_m, self.places_m, self.shares))
        return shares


def resistance_of(
    curve_m: tuple[float, ...], curve_n: tuple[float, ...], ends_m: tuple[float | None, float | None], rest_m: float
) -> tuple[Resistance, float]:
    """The curve through forces (N) at rising places (m), and the load (N), which is the mean over the range.

    Without a given range (`ends_m`) it is that of the places, which are raw coordinates, as `rest_m` is.
    """
    bottom_m = curve_m[0] if ends_m[0] is None else ends_m[0]
    top_m = curve_m[-1] if ends_m[1] is None else ends_m[1]
    forces_n = np.interp(np.linspace(bottom_m, top_m, KNOTS), curve_m, curve_n)
    load_n = mean(forces_n)
    return Resistance(bottom_m - rest_m, top_m - rest_m, tuple((forces_n / load_n).tolist())), load_n


def moving_like(given: Resistance | None, learned: Resistance | None) -> Resistance | None:
    """The given curve, or None for a constant load, with the mass that was learned."""
    if learned is None:
        return given
    if given is None:
        return Resistance(learned.bottom_m, learned.top_m, (1.0, 1.0), learned.inertia)
    return msgspec.structs.replace(given, inertia=learned.inertia)


def mean(values: Column) -> float:
    """The mean of a line through evenly spaced values."""
    return float((values.sum() - (values[0] + values[-1]) / 2) / (len(values) - 1))
