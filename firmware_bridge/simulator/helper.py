"""Simulates a person who calibrates a machine: stack on a block, known weights held, two slow lifts, one knock.

Weights and repetitions are simulated on the machine with another pin. The movement of the block and the knock is
prescribed, because the hand does not matter there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from firmware_bridge.simulator.legs import quintic
from firmware_bridge.simulator.machine import (
    STEP_S,
    STICTION_M_S,
    Machine,
    MachineState,
    step_one,
)
from firmware_bridge.simulator.pad import REST_SINK_M
from firmware_bridge.simulator.script import HoldStill, Lift, Lifter, Script, SetDown
from firmware_bridge.simulator.sets import clean_set
from firmware_bridge.simulator.simulation import simulate
from firmware_bridge.simulator.trace import Trace

STEADY = Lifter(tempo_spread=0.02, wobble=0.02, tremor=0.003, range_spread=0.004, fatigue=0.0)
CARRY_M = 0.01  # above the block, before the stack is set down on it
KNOCK_M_S = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Helper:
    """A person who follows the steps of a calibration in order, slowly."""

    machine: Machine
    weights_kg: Sequence[float]
    block_m: float
    seed: int
    hold_s: float = 4.0
    knocks: bool = True

    def trace(self) -> Trace:
        """The whole calibration."""
        return Trace.joined([self.still(16.0), self.block(), *map(self.hold, self.weights_kg), *self._movement()])

    def still(self, duration_s: float) -> Trace:
        """Nobody touches the machine; the cable is slack."""
        rows = np.zeros(round(duration_s / STEP_S))
        return self._prescribed(rows, rows > 0)

    def hold(self, weight_kg: float) -> Trace:
        """One weight: lifted off the rest, held still, set down."""
        moves = (Lift(to=0.4), HoldStill(self.hold_s), SetDown(0.5))
        script = Script(positive_s=4.0, negative_s=4.0, moves=moves, lifter=STEADY)
        held = simulate(replace(self.machine, mass_kg=weight_kg), script, self.seed + round(10 * weight_kg))
        return Trace.joined([self._as_this(held), self.still(5.0)])

    def repetitions(self, count: int = 2) -> Trace:
        """Slow repetitions with the heaviest weight."""
        script = clean_set(5.0, 5.0, count, STEADY, tail_s=0.5)
        moved = simulate(replace(self.machine, mass_kg=self.weights_kg[-1]), script, self.seed + 7)
        return Trace.joined([self._as_this(moved), self.still(5.0)])

    def block(self, stands_s: float = 5.0) -> Trace:
        """Lift the stack, put the block under it, let go, and remove the block again."""
        high_m = self.block_m + CARRY_M
        places = [(2.0, 0.0), (3.0, high_m), (0.5, high_m), (1.0, self.block_m), (stands_s, self.block_m)]
        places += [(1.0, high_m), (0.5, high_m), (3.0, 0.0), (5.0, 0.0)]
        x_m = _along(places)
        carried = x_m > 1e-6
        on_block = np.abs(x_m - self.block_m) < 1e-6
        return self._prescribed(x_m - np.where(on_block, REST_SINK_M, 0.0), carried & ~on_block)

    def knock(self) -> Trace:
        """Hold the stack off its rest and knock on it: it rings."""
        machine = replace(self.machine, mass_kg=self.weights_kg[-1])
        physics = machine.physics()
        hand_m = 0.1 + machine.stretch_m
        moment = MachineState(0.1, 0.0, 0.0, 0.0, 0.0, 0.0)
        rows = []
        for row in range(3500):
            if row == 1500:
                moment = moment._replace(v_m_s=moment.v_m_s - KNOCK_M_S)
            moment = step_one(physics, moment, hand_m, hand_m, 3 * STANDARD_GRAVITY_M_S2)
            rows.append((moment.x_m, moment.pull_m_s2))
        ringing = np.array(rows)
        up, down = _along([(1.0, 0.0), (2.0, 0.1)]), _along([(0.5, 0.1), (3.0, 0.0), (5.0, 0.0)], 0.1)
        parts = [
            self._prescribed(up, up > 1e-6),
            self._trace(ringing[:, 0], ringing[:, 1] * machine.mass_kg),
            self._prescribed(down, down > 1e-6),
        ]
        return Trace.joined(parts)

    def _movement(self) -> list[Trace]:
        return [self.repetitions(), *([self.knock()] if self.knocks else []), self.still(16.0)]

    def _as_this(self, trace: Trace) -> Trace:
        return replace(trace, machine=self.machine)

    def _prescribed(self, x_m: NDArray[np.float64], carried: NDArray[np.bool_]) -> Trace:
        """A prescribed movement, with the force where the hand carries the stack."""
        v = np.gradient(x_m, STEP_S)
        rubs = self.machine.friction * np.tanh(v / STICTION_M_S)
        share = 1 + np.gradient(v, STEP_S) / STANDARD_GRAVITY_M_S2 + rubs
        tension_n = np.where(carried, share * self.weights_kg[-1] * STANDARD_GRAVITY_M_S2, 0.0)
        return self._trace(np.where(x_m > 1e-6, x_m, -REST_SINK_M), np.maximum(tension_n, 0.0))

    def _trace(self, x_m: NDArray[np.float64], tension_n: NDArray[np.float64]) -> Trace:
        v = np.gradient(x_m, STEP_S)
        contact_n = np.zeros(len(x_m))
        return Trace(self.machine, self.machine.rest_m + x_m, v, np.gradient(v, STEP_S), tension_n, contact_n)


def _along(places: Sequence[tuple[float, float]], start_m: float = 0.0) -> NDArray[np.float64]:
    """From place to place, (duration, place) each, at rest between them."""
    parts = []
    for duration_s, end_m in places:
        t_s = np.arange(round(duration_s / STEP_S)) * STEP_S
        parts.append(np.polyval(quintic(duration_s, start_m, 0.0, end_m, 0.0)[::-1], t_s))
        start_m = end_m
    return np.concatenate(parts)
