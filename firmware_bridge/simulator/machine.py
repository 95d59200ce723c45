"""The machine: a weight stack on an elastic cable, with friction in its guides, above a hard rest.

       y  handle: where the lifter's hand holds the cable
       |
      [T] load cell     T = k (y - x) + c (y' - x'), never below 0: a cable cannot push
       |
       x  stack         m x'' = T - m g - mu m g tanh(x' / 4 mm/s) - b x' + N
     -----
      rest              N: stiff, damped, only below x = 0

Everything is divided by the mass: a force becomes an acceleration, and the load drops out. `k` is cable and limb in
series; it is given by the frequency at which the stack rings while the hand is still. `plant` steps what else exists in
gyms: curves, rubber, stiction, a pulley.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from firmware_bridge.simulator.pad import REST_DAMPING, REST_SINK_M, STEEL, Pad
from firmware_bridge.simulator.resistance import CONSTANT, ResistanceCurve

STEP_S = 0.001  # one row of a trace
SUBSTEPS = 2
STICTION_M_S = 0.004  # friction reverses within this speed: the width of the tanh

F = TypeVar("F", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A weight stack with its pin set. Positions are in the raw coordinate of the encoder, up positive."""

    kind: Literal["stack", "motor", "static"] = "stack"  # the others have no stack: see effort
    mass_kg: float = 80.0  # without a stack: the nominal force over g; for a static machine the tested peak
    resonance_hz: float = 8.0  # of the stack on cable and limb, 5 to 12
    damping: float = 0.12  # of critical
    friction: float = 0.08  # Coulomb, as a share of the load
    viscous_per_s: float = 0.02  # viscous friction over mass: 0.2 % of the load at 1 m/s is 0.02
    rest_m: float = 0.0  # the stack on its rest
    bottom_m: float = 0.03  # the working range
    top_m: float = 0.53
    resistance: ResistanceCurve = CONSTANT
    stiction: float = 0.0  # how much more force it takes to start sliding than to slide, as a share (Stribeck)
    pad: Pad = STEEL
    pulley: int = 1  # 2: handle and cell see half the stack's weight and twice its travel; positions are the handle's

    def __post_init__(self) -> None:
        if not self.rest_m <= self.bottom_m < self.top_m:
            raise ValueError(f"rest_m {self.rest_m} <= bottom_m {self.bottom_m} < top_m {self.top_m} must hold")
        if self.mass_kg <= 0 or self.resonance_hz <= 0 or self.pulley < 1:
            raise ValueError("mass_kg, resonance_hz and pulley must be above 0")
        if self.friction < 0 or self.damping < 0 or self.stiction < 0:
            raise ValueError("friction, damping and stiction must not be below 0")

    @property
    def load_kg(self) -> float:
        """The mass whose weight is W."""
        return self.mass_kg / self.pulley

    @property
    def working_load_n(self) -> float:
        """W: the tension at the cell while the stack hangs still; if it varies, its mean over the range."""
        return self.load_kg * STANDARD_GRAVITY_M_S2

    @property
    def inertia_kg(self) -> float:
        """The moving mass, as the cell feels it."""
        return self.load_kg * self.resistance.inertia / self.pulley

    @property
    def plain(self) -> bool:
        """Whether it has constant load, a steel rest, and only Coulomb friction."""
        return (self.resistance, self.stiction, self.pad, self.pulley) == (CONSTANT, 0.0, STEEL, 1)

    @property
    def range_m(self) -> float:
        return self.top_m - self.bottom_m

    @property
    def stretch_m(self) -> float:
        """How much longer the cable is under the load: the hand's travel before the stack leaves its rest."""
        return STANDARD_GRAVITY_M_S2 / (2 * math.pi * self.resonance_hz) ** 2

    def physics(self) -> "Physics[float]":
        omega = 2 * math.pi * self.resonance_hz
        return Physics(
            stiffness=omega**2,
            damping=2 * self.damping * omega,
            friction=self.friction * STANDARD_GRAVITY_M_S2,
            viscous=self.viscous_per_s,
        )


class Physics(NamedTuple, Generic[F]):
    """The machine per unit of mass: floats for one machine, arrays for many."""

    stiffness: F  # 1/s2
    damping: F  # 1/s
    friction: F  # m/s2
    viscous: F  # 1/s


class MachineState(NamedTuple, Generic[F]):
    """The state after a step, and what acted on the machine at its beginning, per unit of mass."""

    x_m: F  # stack above its rest
    v_m_s: F
    slip_m: F  # how far the hand has yielded below its aim
    a_m_s2: F  # acceleration
    pull_m_s2: F  # cable tension over mass
    push_m_s2: F  # contact force over mass


REST_STIFFNESS = STANDARD_GRAVITY_M_S2 / REST_SINK_M
REST_DAMPER = 2 * REST_DAMPING * math.sqrt(REST_STIFFNESS)


def step(
    p: Physics[F],
    now: MachineState[F],
    hand_m: F,
    next_hand_m: F,
    limit_m_s2: F,
    tanh: Callable[[F], F],
    positive: Callable[[F], F],
) -> MachineState[F]:
    """Step one millisecond (semi-implicit), while the hand moves evenly from `hand_m` to `next_hand_m`.

    The hand is a clutch: it yields to a force above the muscle's (`limit_m_s2`).
    """
    h = STEP_S / SUBSTEPS
    x, v, slip = now.x_m, now.v_m_s, now.slip_m
    speed = (next_hand_m - hand_m) / STEP_S
    hand = hand_m
    a0 = pull0 = push0 = x
    for i in range(SUBSTEPS):
        spring = p.stiffness * (hand + slip - x)
        pull = spring + p.damping * (speed - v)
        excess = positive(pull - limit_m_s2)
        slip = slip - (excess > 0) * positive(spring - limit_m_s2) / p.stiffness
        pull = positive(pull - excess)
        sunk = positive(-x)
        push = positive(REST_STIFFNESS * sunk - (sunk > 0) * (REST_DAMPER * v))
        a = pull - STANDARD_GRAVITY_M_S2 - p.friction * tanh(v / STICTION_M_S) - p.viscous * v + push
        if i == 0:
            a0, pull0, push0 = a, pull, push
        v = v + a * h
        x = x + v * h
        hand = hand + speed * h
    return MachineState(x, v, slip, a0, pull0, push0)


TANH_IS_ONE = 22.0  # from here on, in doubles


def step_one(
    p: Physics[float], now: MachineState[float], hand_m: float, next_hand_m: float, limit_m_s2: float
) -> MachineState[float]:
    """What `step` returns, to the last bit, for one machine; written out for floats, in a third of the time."""
    stiffness, damping, friction, viscous = p
    x, v, slip = now[:3]
    h = STEP_S / SUBSTEPS
    speed = (next_hand_m - hand_m) / STEP_S
    hand = hand_m
    a0 = pull0 = push0 = x
    for i in range(SUBSTEPS):
        spring = stiffness * (hand + slip - x)
        pull = spring + damping * (speed - v)
        if pull > limit_m_s2:
            if spring > limit_m_s2:
                slip = slip - (spring - limit_m_s2) / stiffness
            pull = pull - (pull - limit_m_s2)
        pull = pull if pull > 0.0 else 0.0
        push = REST_STIFFNESS * -x - REST_DAMPER * v if x < 0.0 else 0.0
        push = push if push > 0.0 else 0.0
        z = v / STICTION_M_S
        rub = float(np.tanh(z)) if -TANH_IS_ONE < z < TANH_IS_ONE else math.copysign(1.0, z)  # math.tanh differs
        a = pull - STANDARD_GRAVITY_M_S2 - friction * rub - viscous * v + push
        if i == 0:
            a0, pull0, push0 = a, pull, push
        v = v + a * h
        x = x + v * h
        hand = hand + speed * h
    return MachineState(x, v, slip, a0, pull0, push0)
