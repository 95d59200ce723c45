"""Draws what every kind of session needs: a machine, a lifter, repetitions, pin loads."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from firmware_bridge.simulator.machine import Machine
from firmware_bridge.simulator.script import GymMove, Lifter, Move, Rest, Script, SetDown, Turn
from firmware_bridge.simulator.session import Stretch
from firmware_bridge.simulator.sets import drawn_lifter, drawn_machine, drawn_rep

FAULTS = (
    "heave_start", "heave_mid", "drop", "snap_upper", "snap_lower", "lockout_rest", "touch", "bottom_rest",
    "stall_grind", "fast_negative",
)  # fmt: skip
LEAD_S, TAIL_S = 2.0, 6.5  # on the rest, before and after a set
PLATE_KG = 5.0
SAG_M = 0.001
SHORTEST_M = 0.3  # range
REPS = {2.0: 5, 4.0: 4, 5.0: 4, 10.0: 3}  # in a set, by the positive's seconds
Act = Move | GymMove


@dataclass(slots=True)
class Draw:
    """Draws from one random generator, for one tempo."""

    rng: np.random.Generator
    positive_s: float
    negative_s: float
    faulty: bool
    machine: Machine = field(default_factory=Machine)
    lifter: Lifter = field(default_factory=Lifter)

    def __post_init__(self) -> None:
        self.machine = drawn_machine(self.rng)
        if self.machine.range_m < SHORTEST_M:
            self.machine = replace(self.machine, top_m=self.machine.bottom_m + SHORTEST_M)
        self.lifter = replace(drawn_lifter(self.rng), sag_m=SAG_M)

    def u(self, low: float, high: float) -> float:
        """A uniform random number."""
        return float(self.rng.uniform(low, high))

    @property
    def count(self) -> int:
        """The number of repetitions in a set."""
        return REPS.get(self.positive_s, 4)

    def reps(self, count: int | None = None, share: float = 0.35) -> list[Act]:
        """Repetitions from bottom to bottom. In a faulty session, a `share` of them has a fault."""
        moves: list[Act] = []
        for _ in range(count or self.count):
            fault = str(self.rng.choice(FAULTS)) if self.faulty and self.rng.random() < share else ""
            moves += drawn_rep(self.rng, self.machine, self.positive_s, self.negative_s, fault)
        return moves

    def stretch(self, moves: Sequence[Act], mass_kg: float | None = None) -> Stretch:
        """These moves on the machine, or with another load."""
        machine = self.machine if mass_kg is None else replace(self.machine, mass_kg=mass_kg)
        script = Script(positive_s=self.positive_s, negative_s=self.negative_s, moves=tuple(moves), lifter=self.lifter)
        return Stretch(machine, script, int(self.rng.integers(2**31)))

    def set_of(self, moves: Sequence[Act], tail_s: float = TAIL_S) -> list[Act]:
        """These moves, from the rest and back to it."""
        body = list(moves)
        while body and isinstance(body[-1], Turn | SetDown):
            body.pop()
        return [Rest(LEAD_S), *body, SetDown(tail_s)]

    def loads_kg(self, count: int, falls: bool) -> list[float]:
        """Pin loads; each differs clearly from the one before."""
        heaviest = PLATE_KG * int(self.rng.integers(10, 28))
        loads = [heaviest]
        while len(loads) < count:
            times = self.u(0.65, 0.85) if falls else self.u(0.5, 1.8)
            following = PLATE_KG * round(min(max(loads[-1] * times, PLATE_KG), 150.0) / PLATE_KG)
            if abs(following / loads[-1] - 1) >= 0.1:
                loads.append(following)
        return loads
