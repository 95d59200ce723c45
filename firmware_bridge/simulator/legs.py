"""The legs of the hand's path: each is a quintic from one place and speed to another, as people move (minimum jerk).

Each leg begins smoothly where the one before ended, or where the stack is if it moved by itself.
"""

from dataclasses import dataclass
from typing import NamedTuple

from firmware_bridge.simulator.outside import NOTHING, Outside

LOOSE = -0.05  # stretch of a loose cable, in units of the stretch under load


class Now(NamedTuple):
    """What the lifter feels at the end of a leg."""

    t_s: float
    x_m: float  # stack above its rest
    v_m_s: float
    hand_m: float  # the real place of the hand
    slip_m: float  # its distance from the wanted place


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg of the hand's path."""

    duration_s: float
    to_m: float  # place of the stack at the end
    speed_m_s: float = 0.0  # speed at the end
    lean: float = 1.0  # stretch of the cable at the end, in units of the stretch under load
    from_stack: bool = False  # begin at the stack's place and speed, not where the last leg ended
    share: float | None = None  # of the load: the hand's largest force at the end; None: the lifter's strength
    hands: float = 0.0  # share of the load that somebody else carries at the end; below 0: presses down
    motor: float = 1.0  # times the load, at the end
    stop_m: float | None = None  # a hook below the stack
    grip: float = 0.0  # share of the pull that hands at the stack give, at the end
    calm: bool = False  # no tremor: the machine holds the cable


class Segment(NamedTuple):
    """A leg as numbers, for the integrator."""

    coefficients: tuple[float, float, float, float, float, float]  # of the hand's place over the time in the leg
    duration_s: float
    limit_m_s2: float
    limit_slope_m_s3: float
    tremor_m: float
    begins_now: bool  # at the stack; otherwise where the last leg ended, a fraction of a millisecond ago
    outside: Outside = NOTHING

    def hand_m(self, u_s: float) -> float:
        c0, c1, c2, c3, c4, c5 = self.coefficients
        return c0 + u_s * (c1 + u_s * (c2 + u_s * (c3 + u_s * (c4 + u_s * c5))))


NO_SEGMENT = Segment((0.0,) * 6, 0.0, 0.0, 0.0, 0.0, False)


def quintic(
    duration_s: float, start_m: float, start_m_s: float, end_m: float, end_m_s: float
) -> tuple[float, float, float, float, float, float]:
    """The polynomial between two places and speeds without acceleration at either end (Flash and Hogan 1985)."""
    t = duration_s
    way = end_m - start_m
    c3 = (10 * way - (6 * start_m_s + 4 * end_m_s) * t) / t**3
    c4 = (-15 * way + (8 * start_m_s + 7 * end_m_s) * t) / t**4
    c5 = (6 * way - 3 * (start_m_s + end_m_s) * t) / t**5
    return (start_m, start_m_s, 0.0, c3, c4, c5)
