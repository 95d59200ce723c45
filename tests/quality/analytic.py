"""Movements as formulas: their truth is known without a simulator."""

from dataclasses import dataclass

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from monitor.profile.profile import Profile
from monitor.profile.reading import profile_from_builtins
from tests.quality.signals import Floats, Signals

STEP_S = 0.001
BACK = 600  # steps from a pulse to its opposite
LOAD_N, FRICTION = 800.0, 0.08
BOTTOM_M, TOP_M = 0.03, 0.53
STICTION_M_S = 0.004


@dataclass(frozen=True)
class Leg:
    """A minimum-jerk movement to a position, ending at standstill; a leg to the present position is a dwell."""

    duration_s: float
    to_m: float


def profile(positive_s: float = 4.0, negative_s: float = 4.0, **machine: object) -> Profile:
    """A profile with the truth about the machine of `signals`."""
    table = {
        "machine": {
            "id": "analytic",
            "kind": "stack",
            "rest_m": 0.0,
            "bottom_m": BOTTOM_M,
            "top_m": TOP_M,
            "working_load_n": LOAD_N,
            "friction": FRICTION,
            **machine,
        },
        "protocol": {"positive_s": positive_s, "negative_s": negative_s},
    }
    return profile_from_builtins(table, "the formulas")


def signals(legs: list[Leg], pulses: list[tuple[float, float, float]] | None = None, load_n: float = LOAD_N) -> Signals:
    """The signals of legs, one after the other, from the rest.

    A pulse (t_s, duration_s, height_m_s2) adds to the acceleration; its opposite follows 0.6 s later and removes the
    added speed again. The added distance remains, so put pulses where there is room.
    """
    a_parts: list[Floats] = []
    place = 0.0
    for leg in legs:
        s = (np.arange(round(leg.duration_s / STEP_S)) + 0.5) * STEP_S / leg.duration_s
        way = leg.to_m - place
        a_parts.append(way / leg.duration_s**2 * (60 * s - 180 * s**2 + 120 * s**3))
        place = leg.to_m
    a: Floats = np.concatenate(a_parts)
    t_s: Floats = np.arange(len(a), dtype=np.float64) * STEP_S
    for at_s, for_s, height in pulses or []:
        first, n = round(at_s / STEP_S), round(for_s / STEP_S)
        a[first : first + n] += height
        a[first + BACK : first + BACK + n] -= height
    v: Floats = np.cumsum(a) * STEP_S
    x: Floats = np.cumsum(v) * STEP_S
    return of_motion(t_s, x, v, a, load_n)


def of_motion(t_s: Floats, x: Floats, v: Floats, a: Floats, load_n: float = LOAD_N) -> Signals:
    """The signals of a motion; the tension follows from load, inertia and friction, and is 0 on the rest."""
    tension_n = load_n * (1 + a / STANDARD_GRAVITY_M_S2 + FRICTION * np.tanh(v / STICTION_M_S))
    resting = (x < 0.0005) & (np.abs(v) < 0.001)
    tension_n = np.where(resting, 0.0, tension_n)
    return Signals(t_s, x, v, a, tension_n, np.where(resting, load_n, 0.0))


def repetition(
    positive_s: float = 4.0, negative_s: float = 4.0, upper_s: float = 0.4, lower_s: float = 0.4
) -> list[Leg]:
    """One clean repetition from the bottom."""
    return [Leg(positive_s, TOP_M), Leg(upper_s, TOP_M), Leg(negative_s, BOTTOM_M), Leg(lower_s, BOTTOM_M)]


LEAD = [Leg(2.0, 0.0), Leg(1.0, BOTTOM_M), Leg(0.3, BOTTOM_M)]
TAIL = [Leg(1.0, 0.0), Leg(7.0, 0.0)]


def with_tension(given: Signals, from_s: float, for_s: float, times: float) -> Signals:
    """The same signals with the tension multiplied for a while."""
    during = (given.t_s >= from_s) & (given.t_s < from_s + for_s)
    return given._replace(tension_n=np.where(during, given.tension_n * times, given.tension_n))
