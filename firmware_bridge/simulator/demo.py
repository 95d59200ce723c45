"""Endless traces of a lifter: set after set with some faults, and a rest between sets; one row a millisecond."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import numpy as np

from firmware_bridge.simulator.effort import MotorEffort, StaticEffort, simulate_motor, simulate_static
from firmware_bridge.simulator.live import live
from firmware_bridge.simulator.machine import Machine
from firmware_bridge.simulator.script import Lifter, Rest
from firmware_bridge.simulator.sets import clean_set, faulty_set
from firmware_bridge.simulator.trace import Trace

FAULTS = (
    "heave_start", "heave_mid", "drop", "snap_upper", "snap_lower", "lockout_rest", "touch", "bottom_rest",
    "stall_grind", "stall_shove", "partial", "slam",
)  # fmt: skip
LEAD_S = 3.0
REST_S = 15.0  # between sets


def demo_traces(
    machine: Machine,
    positive_s: float,
    negative_s: float,
    seed: int,
    rows: int = 5,
    share: float = 0.35,
    negative_first: bool = False,
) -> Iterator[Trace]:
    """Sets of five to seven repetitions on a stack; `share` of the repetitions have a fault."""
    for number in count():
        rng = np.random.default_rng([seed, number])
        reps = int(rng.integers(5, 8))
        lifter = Lifter(tempo=float(rng.uniform(0.97, 1.06)), fatigue=float(rng.uniform(0.1, 0.35)))
        tail_s = REST_S - LEAD_S
        if negative_first:
            script = clean_set(positive_s, negative_s, reps, lifter, tail_s, negative_first=True)
        else:
            script = faulty_set(rng, machine, positive_s, negative_s, reps, FAULTS, share, lifter, tail_s)
        moves = (Rest(LEAD_S), *script.moves[1:])
        yield from live(machine, replace(script, moves=moves), int(rng.integers(2**31)), rows)


def endless_static(machine: Machine, effort: StaticEffort, seed: int, rows: int = 5) -> Iterator[Trace]:
    """Timed static contractions."""
    return _endless(lambda n: simulate_static(machine, replace(effort, tail_s=REST_S), seed + n), rows)


def endless_motor(machine: Machine, effort: MotorEffort, seed: int, rows: int = 5) -> Iterator[Trace]:
    """Sets with a motor."""
    return _endless(lambda n: simulate_motor(machine, replace(effort, tail_s=REST_S), seed + n), rows)


def _endless(perform: Callable[[int], Trace], rows: int) -> Iterator[Trace]:
    for number in count():
        trace = perform(number)
        for first in range(0, len(trace), rows):
            yield trace.part(first, first + rows)
