"""A muscle that needs time to act, and tires. Forces are shares of the load.

activation   follows the wanted force, faster up than down
capability   strength, times the share that is not tired, times factors for the joint's angle and the speed (Hill)
tiredness    grows with activation, falls slowly (a short form of Xia and Frey-Law's three compartments)
"""

import math
from dataclasses import dataclass

RISE_S, FALL_S = 0.05, 0.08
HILL = 0.35  # curvature of force against speed
ECCENTRIC = 1.35  # the largest force while it is stretched
ECCENTRIC_M_S = 0.25  # the speed at which half of that is reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Muscle:
    """The properties of a rested muscle."""

    strength: float = 1.6  # of the load, at rest, where the joint is strongest
    weak_at: float = 0.45  # share of the range where the joint is weakest: the sticking point
    weak_by: float = 0.15  # by how much
    fastest_m_s: float = 1.2  # the speed at which no force is left
    tires_per_s: float = 0.014  # share of the rested muscle that a second at full activation tires
    recovers_per_s: float = 0.003


class Body:
    """One muscle during a set."""

    def __init__(self, muscle: Muscle) -> None:
        self.muscle = muscle
        self.activation = 0.0
        self.tired = 0.0

    def capability(self, place: float, speed_m_s: float) -> float:
        """The force at full activation; `place` is a share of the range."""
        muscle = self.muscle
        joint = 1 - muscle.weak_by * math.exp(-(((place - muscle.weak_at) / 0.2) ** 2))
        return muscle.strength * (1 - self.tired) * joint * self._of_speed(speed_m_s)

    def _of_speed(self, speed_m_s: float) -> float:
        if speed_m_s >= 0:
            share = min(speed_m_s / self.muscle.fastest_m_s, 1.0)
            return (1 - share) / (1 + share / HILL)
        stretch = -speed_m_s
        return 1 + (ECCENTRIC - 1) * stretch / (stretch + ECCENTRIC_M_S)

    def force(self, wanted: float, place: float, speed_m_s: float, step_s: float) -> float:
        """The force one step after this force is wanted."""
        can = max(self.capability(place, speed_m_s), 1e-6)
        asked = min(max(wanted / can, 0.0), 1.0)
        lag_s = RISE_S if asked > self.activation else FALL_S
        self.activation += (asked - self.activation) * step_s / lag_s
        fresh = 1 - self.tired
        self.tired += (
            fresh * self.activation * self.muscle.tires_per_s - self.tired * self.muscle.recovers_per_s
        ) * step_s
        return self.activation * can
