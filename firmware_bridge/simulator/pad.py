"""What a stack stands on: steel, or rubber that gives under it and throws it back."""

import math
from dataclasses import dataclass

REST_SINK_M = 0.00015  # how far a steel rest gives under the resting stack
REST_DAMPING = 0.6  # of critical: a restitution of about 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pad:
    """A spring with a damper; it only pushes."""

    give_m: float = REST_SINK_M  # under the resting stack
    damping: float = REST_DAMPING  # of critical

    @property
    def surface_m(self) -> float:
        """Where an empty pad ends: a stack that rests stands as deep as on steel."""
        return self.give_m - REST_SINK_M


STEEL = Pad()


def rubber(give_m: float = 0.002, restitution: float = 0.4) -> Pad:
    """Damped so that a landing is thrown back at this share of its speed."""
    decay = math.log(1 / restitution)
    return Pad(give_m=give_m, damping=decay / math.sqrt(math.pi**2 + decay**2))
