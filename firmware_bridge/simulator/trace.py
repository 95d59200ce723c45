"""What a simulated machine really did: the noise-free truth that labels and measurements are taken from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.simulator.machine import Machine


@dataclass(frozen=True, slots=True)
class Trace:
    """A thousand rows a second, row k at k ms; every column of shape (n,)."""

    machine: Machine
    position_m: NDArray[np.float64]  # raw machine coordinate: rest_m + x
    velocity_m_s: NDArray[np.float64]
    acceleration_m_s2: NDArray[np.float64]
    tension_n: NDArray[np.float64]  # at the cell
    contact_n: NDArray[np.float64]  # of the rest on the stack
    notes: tuple[tuple[float, str], ...] = ()  # (t_s, what the lifter set out to do): for people, never for labels

    @classmethod
    def of(cls, machine: Machine, columns: NDArray[np.float64], notes: tuple[tuple[float, str], ...]) -> "Trace":
        """From x, v, a and the forces over mass, as rows of one array."""
        x, v, a, pull, push = columns
        return cls(machine, x + machine.rest_m, v, a, pull * machine.mass_kg, push * machine.mass_kg, notes)

    @classmethod
    def joined(cls, parts: "Sequence[Trace]") -> "Trace":
        """One after the other."""
        names = ("position_m", "velocity_m_s", "acceleration_m_s2", "tension_n", "contact_n")
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return cls(machine=parts[0].machine, **columns, notes=tuple(note for part in parts for note in part.notes))

    def __len__(self) -> int:
        return len(self.position_m)

    def part(self, first: int, end: int) -> "Trace":
        """Some of its rows, without notes."""
        rows = slice(first, end)
        return Trace(
            self.machine, self.position_m[rows], self.velocity_m_s[rows], self.acceleration_m_s2[rows],
            self.tension_n[rows], self.contact_n[rows],
        )  # fmt: skip

    @property
    def t_s(self) -> NDArray[np.float64]:
        return np.arange(len(self), dtype=np.float64) * 0.001

    @property
    def x_m(self) -> NDArray[np.float64]:
        """Above the rest."""
        return self.position_m - self.machine.rest_m
