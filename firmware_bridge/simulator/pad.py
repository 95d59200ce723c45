"""The pad under a stack: steel, or rubber that yields and makes it rebound."""

import math
from dataclasses import dataclass

REST_SINK_M = 0.00015  # how far a steel rest yields under the resting stack
REST_DAMPING = 0.6  # of critical: gives a restitution of about 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pad:
    """A spring with a damper that only pushes."""

    give_m: float = REST_SINK_M  # under the resting stack
    damping: float = REST_DAMPING  # of critical

    @property
    def surface_m(self) -> float:
        """The surface of the empty pad: a resting stack is at the same height as on steel."""
        return self.give_m - REST_SINK_M


STEEL = Pad()


def rubber(give_m: float = 0.002, restitution: float = 0.4) -> Pad:
    """A pad that throws a landing back with this share of its speed."""
    decay = math.log(1 / restitution)
    return Pad(give_m=give_m, damping=decay / math.sqrt(math.pi**2 + decay**2))
