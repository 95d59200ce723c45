"""Steps one machine with everything that exists in gyms, a millisecond at a time, in plain floats.

    i x'' = T - W(x) motor - rub(x') - b x' + N + hands        all per unit of the mass whose weight is W

i is the share of the mass that moves. N is the push of the pad, or of a hook. rub is Coulomb friction with the Stribeck
effect, in proportion to W(x).
"""

import math

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from firmware_bridge.simulator.machine import (
    STEP_S,
    STICTION_M_S,
    SUBSTEPS,
    Machine,
    MachineState,
)
from firmware_bridge.simulator.outside import Outside
from firmware_bridge.simulator.pad import STEEL, Pad

STRIBECK_M_S = 0.010  # above about this speed there is no stiction


class Floor:
    """A pad at a height; it pushes up a stack that stands on it."""

    def __init__(self, pad: Pad, share: float = 1.0) -> None:
        """`share`: how much of the load stands on it."""
        self.stiffness_per_s2 = share * STANDARD_GRAVITY_M_S2 / pad.give_m
        self.damper_per_s = 2 * pad.damping * math.sqrt(self.stiffness_per_s2)
        self.surface_m = pad.surface_m

    def push_m_s2(self, x_m: float, v_m_s: float) -> float:
        """The push on a stack at this place above the floor, at this speed."""
        sunk_m = self.surface_m - x_m
        return max(self.stiffness_per_s2 * sunk_m - self.damper_per_s * v_m_s, 0.0) if sunk_m > 0 else 0.0


STOP = Floor(STEEL)


class Plant:
    """One machine."""

    def __init__(self, machine: Machine) -> None:
        self._cable = machine.physics()
        self._stiction = machine.stiction
        self._inertia = machine.resistance.inertia / machine.pulley
        self._shares = machine.resistance.shares
        self._rest = Floor(machine.pad, self._shares[0])
        self._bottom_m = machine.bottom_m - machine.rest_m
        self._knots_per_m = (len(self._shares) - 1) / machine.range_m
        self._substeps = max(SUBSTEPS, math.ceil(STEP_S * self._fastest_per_s()))

    def _fastest_per_s(self) -> float:
        """The rate above which explicit steps would become unstable."""
        floor = max((self._rest, STOP), key=lambda one: one.damper_per_s)
        slope = self._cable.friction * max(self._shares) * (1 + self._stiction) / STICTION_M_S
        damps = (slope + floor.damper_per_s + self._cable.damping) / self._inertia
        return max(damps, math.sqrt((floor.stiffness_per_s2 + self._cable.stiffness) / self._inertia))

    def share(self, x_m: float) -> float:
        """W(x) over W."""
        knot = (x_m - self._bottom_m) * self._knots_per_m
        if knot <= 0:
            return self._shares[0]
        first = int(knot)
        if first >= len(self._shares) - 1:
            return self._shares[-1]
        return self._shares[first] + (knot - first) * (self._shares[first + 1] - self._shares[first])

    def step(
        self,
        now: MachineState[float],
        hand_m: float,
        next_hand_m: float,
        limit_m_s2: float,
        outside: Outside,
        along: float = 0.0,
        unsteady: float = 1.0,
    ) -> MachineState[float]:
        """One millisecond, while the hand moves evenly. `along`: how much of the leg has passed, 0 to 1.

        `unsteady`: what other people's hands do at this moment, in units of what they intend.
        """
        stiffness, damping, friction, viscous = self._cable
        rest, stiction, inertia = self._rest, self._stiction, self._inertia
        h = STEP_S / self._substeps
        x, v, slip = now[:3]
        hands = _at(outside.hands, along) * unsteady * STANDARD_GRAVITY_M_S2
        motor = _at(outside.motor, along)
        weight, friction = motor * STANDARD_GRAVITY_M_S2, motor * friction
        stop_m = outside.stop_m
        speed = (next_hand_m - hand_m) / STEP_S
        hand = hand_m
        a0 = pull0 = push0 = 0.0
        for i in range(self._substeps):
            spring = stiffness * (hand + slip - x)
            pull = spring + damping * (speed - v)
            if pull > limit_m_s2:
                if spring > limit_m_s2:
                    slip -= (spring - limit_m_s2) / stiffness
                pull = limit_m_s2
            pull = pull if pull > 0.0 else 0.0
            push = rest.push_m_s2(x, v) if x < rest.surface_m else 0.0
            if stop_m is not None:
                push += STOP.push_m_s2(x - stop_m, v)
            rub = friction * math.tanh(v / STICTION_M_S)
            if stiction:
                rub *= 1 + stiction * math.exp(-((v / STRIBECK_M_S) ** 2))
            a = (pull - self.share(x) * (weight + rub) - viscous * v + push + hands) / inertia
            if i == 0:
                a0, pull0, push0 = a, pull, push
            v += a * h
            x += v * h
            hand += speed * h
        return MachineState(x, v, slip, a0, pull0 * (1 - _at(outside.grip, along)), push0)


def _at(pair: tuple[float, float], along: float) -> float:
    return pair[0] + (pair[1] - pair[0]) * along
