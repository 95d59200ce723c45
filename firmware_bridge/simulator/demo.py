"""A lifter who never goes home: sets of five to seven repetitions with some faults, and a rest between them."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import numpy as np

from firmware_bridge.simulator.live import live
from firmware_bridge.simulator.machine import Machine
from firmware_bridge.simulator.script import Lifter, Rest
from firmware_bridge.simulator.sets import faulty_set
from firmware_bridge.simulator.trace import Trace

FAULTS = (
    "heave_start", "heave_mid", "drop", "snap_upper", "snap_lower", "lockout_rest", "touch", "bottom_rest",
    "stall_grind", "stall_shove", "partial", "slam",
)  # fmt: skip
LEAD_S = 3.0
REST_S = 15.0


def demo_traces(
    machine: Machine, positive_s: float, negative_s: float, seed: int, rows: int = 5, share: float = 0.35
) -> Iterator[Trace]:
    """Endless; a row is a millisecond."""
    for number in count():
        rng = np.random.default_rng([seed, number])
        script = faulty_set(
            rng,
            machine,
            positive_s,
            negative_s,
            reps=int(rng.integers(5, 8)),
            faults=FAULTS,
            share=share,
            lifter=Lifter(tempo=float(rng.uniform(0.97, 1.06)), fatigue=float(rng.uniform(0.1, 0.35))),
            tail_s=REST_S - LEAD_S,
        )
        moves = (Rest(LEAD_S), *script.moves[1:])
        yield from live(machine, replace(script, moves=moves), int(rng.integers(2**31)), rows)
