"""Simulated clients of a gym: who goes to which machine, with which load, and how the set ends there.

    >>> [effort.machine for effort in visit(CLIENTS[1], number=0)]
    ['chest-press', 'pulldown', 'row', 'leg-press']

The same client, visit and seed give the same sets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from firmware_bridge.simulator import Halt, Lift, Lifter, Machine, Move, Rest, Script, SetDown, Turn
from firmware_bridge.simulator.sets import drawn_rep

PLATE_KG = 5.0
SETTLE_S = 1.5  # in the seat, before the first repetition
TAIL_S = 7.0  # afterwards; a set ends after 5 s on the rest
FAULTS = ("heave_start", "snap_lower", "lockout_rest", "partial", "drop")


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorMachine:
    """A machine of the simulated gym, in the order in which clients use them."""

    id: str
    range_m: float
    usual_kg: float  # what a client of strength 1 lifts here


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedClient:
    """A simulated client."""

    name: str
    strength: float  # share of the usual load
    carelessness: float  # share of repetitions with a fault
    begins_at: int  # index of the first machine


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSet:
    """One set of one client."""

    machine: str
    load_kg: float
    reps: int
    fails: bool  # the set ends in a failed repetition
    carelessness: float
    seed: int


MACHINES = (
    FloorMachine(id="leg-press", range_m=0.50, usual_kg=100.0),
    FloorMachine(id="chest-press", range_m=0.40, usual_kg=45.0),
    FloorMachine(id="pulldown", range_m=0.55, usual_kg=50.0),
    FloorMachine(id="row", range_m=0.45, usual_kg=45.0),
)
CLIENTS = (
    SimulatedClient(name="Ada", strength=0.9, carelessness=0.05, begins_at=0),
    SimulatedClient(name="Ben", strength=1.2, carelessness=0.30, begins_at=1),
    SimulatedClient(name="Cleo", strength=0.7, carelessness=0.15, begins_at=2),
)


def visit(
    client: SimulatedClient, number: int, seed: int = 1, machines: Sequence[FloorMachine] = MACHINES
) -> list[PlannedSet]:
    """One set on each machine. Over the visits the load rises, one plate after each set that ended by failure."""
    first = client.begins_at % len(machines)
    return [_effort(client, machine, number, seed) for machine in (*machines[first:], *machines[:first])]


def _effort(client: SimulatedClient, machine: FloorMachine, number: int, seed: int) -> PlannedSet:
    identity = [seed, *client.name.encode(), 0, *machine.id.encode()]
    endings = [np.random.default_rng([*identity, past]).random() < 0.6 for past in range(number + 1)]
    rng = np.random.default_rng([*identity, number, 1])
    plates = round(client.strength * machine.usual_kg / PLATE_KG) + sum(endings[:number])
    return PlannedSet(
        machine=machine.id,
        load_kg=PLATE_KG * plates,
        reps=int(rng.integers(5, 9)),
        fails=endings[number],
        carelessness=client.carelessness,
        seed=int(rng.integers(2**31)),
    )


def script_of(effort: PlannedSet, machine: Machine, positive_s: float, negative_s: float) -> Script:
    """What the client does from sitting down to standing up."""
    rng = np.random.default_rng(effort.seed)
    moves: list[Move] = [Rest(SETTLE_S)]
    for _ in range(effort.reps):
        fault = str(rng.choice(FAULTS)) if rng.random() < effort.carelessness else ""
        moves += drawn_rep(rng, machine, positive_s, negative_s, fault)
    if effort.fails:
        moves += [Lift(stall=Halt(float(rng.uniform(0.3, 0.6)), float(rng.uniform(2.5, 4.0)), "lower"))]
    else:
        moves = moves[: len(moves) - len(list(takewhile(lambda move: isinstance(move, Turn), reversed(moves))))]
    lifter = Lifter(tempo=float(rng.uniform(0.97, 1.06)), fatigue=float(rng.uniform(0.1, 0.35)))
    return Script(positive_s=positive_s, negative_s=negative_s, moves=(*moves, SetDown(TAIL_S)), lifter=lifter)
