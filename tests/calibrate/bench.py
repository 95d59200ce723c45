"""Simulated machines with hidden scale, sign, zero, friction and noise, and a simulated person who calibrates them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.simulator import Helper, Kit, Machine, Trace, drawn_machine, stream_chunks
from firmware_bridge.simulator.faults import Fault
from monitor.calibrate.answers import Answers
from monitor.calibrate.procedure import Procedure
from monitor.calibrate.refused import Refused
from monitor.calibrate.step_results import Progress
from monitor.profile.profile import Profile
from monitor.profile.reading import profile_from_builtins

BLOCK_M = 0.25
READ_S = 1.0  # a chunk; the result does not depend on it, and long ones are decoded at less cost
PROFILE = """# A machine in a gym.
[machine]
id = "rig"         # its name
kind = "stack"
#friction = 0.06   # learned

[protocol]
name = "4/4"

# What a count means.
[calibration]
metres_per_count = 0.001   # a guess
newtons_per_count = 1.0
"""


@dataclass(frozen=True)
class Rig:
    """One machine with its hidden properties."""

    machine: Machine
    kit: Kit
    helper: Helper
    seed: int

    @property
    def answers(self) -> Answers:
        weights = tuple(f"{kg:g} kg" for kg in self.helper.weights_kg)
        return Answers(weights=weights, block_mm=self.helper.block_m * 1000, write=True)

    def chunks(self, trace: Trace | None = None, faults: tuple[Fault, ...] = ()) -> Iterator[Chunk]:
        """Made when they are needed: most calibrations that are refused need the first few seconds."""
        return stream_chunks(trace or _whole(self.seed), replace(self.kit, faults=faults), self.seed, read_s=READ_S)

    def true_profile(self, **machine: Any) -> Profile:
        wiring = self.kit.calibration(self.machine)
        table = {
            "machine": {"id": "rig", "kind": "stack", **machine},
            "protocol": {"name": "4/4"},
            "calibration": {
                "metres_per_count": wiring.metres_per_count,
                "position_zero_counts": int(wiring.position_zero_counts),
                "newtons_per_count": wiring.newtons_per_count,
                "force_zero_counts": int(wiring.force_zero_counts),
            },
        }
        return profile_from_builtins(table)


class Repeating(Helper):
    """A helper whose acts are simulated once."""

    def hold(self, weight_kg: float) -> Trace:
        return _hold(self, weight_kg)

    def repetitions(self, count: int = 2) -> Trace:
        return _repetitions(self, count)


@cache
def _hold(helper: Repeating, weight_kg: float) -> Trace:
    return Helper.hold(helper, weight_kg)


@cache
def _repetitions(helper: Repeating, count: int) -> Trace:
    return Helper.repetitions(helper, count)


@cache
def _whole(seed: int) -> Trace:
    """Everything that the helper does; it does not depend on the kit."""
    return rig(seed).helper.trace()


@cache
def rig(seed: int, **kit: Any) -> Rig:
    """Scale, sign, zero, friction and noise are drawn. The encoder is zero at position 0, wherever the stack rests."""
    rng = np.random.default_rng([2024, seed])
    machine = drawn_machine(rng)
    signs = rng.choice([-1.0, 1.0], 2)
    wiring = Calibration(
        metres_per_count=float(signs[0] * np.exp(rng.uniform(np.log(2e-5), np.log(2e-4)))),
        position_zero_counts=int(rng.integers(-100_000, 100_000)),
        newtons_per_count=float(signs[1] * np.exp(rng.uniform(np.log(0.001), np.log(0.02)))),
        force_zero_counts=int(rng.integers(-200_000, 200_000)),
    )
    drawn = {"noise_n": float(rng.uniform(0.1, 2.0)), "lost_fraction": float(rng.choice([0.0, 0.005]))}
    lightest_kg = float(rng.integers(3, 6) * 5)
    weights = (lightest_kg, lightest_kg + 20.0, max(machine.mass_kg, lightest_kg + 40.0))
    helper = Repeating(machine=machine, weights_kg=weights, block_m=BLOCK_M, seed=seed)
    return Rig(machine, Kit(wiring=wiring, **(drawn | kit)), helper, seed)


@dataclass
class Silent:
    """A guide that records everything. It repeats `tries` refused steps, then gives up."""

    tries: int = 0
    said: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def step(self, title: str, instruction: str) -> None:
        self.said.append(f"{title}: {instruction}")

    def hint(self, text: str) -> None:
        if self.said[-1] != text:
            self.said.append(text)

    def done(self, text: str) -> None:
        self.said.append(text)

    def remark(self, text: str) -> None:
        self.said.append(text)

    async def again(self, refused: Refused) -> bool:
        self.refused.append(refused)
        return len(self.refused) <= self.tries


def calibrated(
    chunks: Iterable[Chunk],
    answers: Answers,
    profile: Profile,
    guide: Silent | None = None,
    state: Progress | None = None,
) -> Progress:
    """Runs the whole procedure."""
    state = state or Progress(started_utc="2026-01-01T00:00:00Z", answers=answers)

    async def source() -> AsyncIterator[Chunk]:
        for chunk in chunks:
            yield chunk

    procedure = Procedure(profile, state, guide or Silent(), lambda: None)
    asyncio.run(procedure.run(source()))
    return state


def write_profile(folder: Path, text: str = PROFILE) -> Path:
    path = folder / "machine.toml"
    path.write_text(text)
    return path
