"""Resistance curves: how a machine's pull varies over its range (cam, lever, band, air, chain, added motor)."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KNOTS = 33


@dataclass(frozen=True, slots=True, kw_only=True)
class ResistanceCurve:
    """The pull as a share of the nominal load; beyond the range it is the value at the end."""

    shares: tuple[float, ...] = (1.0,)  # at evenly spaced places of the range, from bottom to top; their mean is 1
    inertia: float = 1.0  # moving mass, as a share of the load over g; air and bands move little
    down: float = 1.0  # times the load on the way down; a motor adds the difference at the upper turn

    def __post_init__(self) -> None:
        if min(self.shares) <= 0 or self.inertia <= 0 or self.down <= 0:
            raise ValueError("shares, inertia and down of a resistance must be above 0")

    def at(self, place: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shares of the load at these places (shares of the range), in the same shape."""
        return np.interp(place, np.linspace(0.0, 1.0, len(self.shares)), self.shares)


CONSTANT = ResistanceCurve()


def cam(swing: float = 0.3) -> ResistanceCurve:
    """Heaviest in the middle: the radius of the cam grows and then shrinks."""
    return _along(lambda u: 1 + swing * math.sin(math.pi * u))


def lever(first_deg: float = -15.0, last_deg: float = 60.0) -> ResistanceCurve:
    """A weight on an arm: the moment follows the cosine of the arm's angle."""
    return _along(lambda u: math.cos(math.radians(first_deg + u * (last_deg - first_deg))))


def band(slack: float = 0.5) -> ResistanceCurve:
    """Rubber: the pull grows with the stretch, more slowly at the end; almost no mass moves."""
    return _along(lambda u: (slack + u) ** 0.8, inertia=0.06)


def air(compression: float = 0.45) -> ResistanceCurve:
    """A cylinder: the pressure grows as the volume shrinks."""
    return _along(lambda u: 1 / (1 - compression * u), inertia=0.05)


def chain(lifted: float = 0.6) -> ResistanceCurve:
    """A chain: its links leave the floor one by one and add to the load."""
    return _along(lambda u: 1 + lifted * u)


def hybrid(added: float = 0.4) -> ResistanceCurve:
    """A stack with a motor that adds to the negative."""
    return ResistanceCurve(down=1 + added)


def _along(pull: Callable[[float], float], inertia: float = 1.0) -> ResistanceCurve:
    pulls = np.array([pull(u) for u in np.linspace(0.0, 1.0, KNOTS)])
    mean = float(np.trapezoid(pulls, dx=1 / (KNOTS - 1)))
    return ResistanceCurve(shares=tuple((pulls / mean).tolist()), inertia=inertia)
