"""The true motion of a simulated machine, without noise, for labels and measurements."""

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
    notes: tuple[tuple[float, str], ...] = ()  # (t_s, what the lifter intends): for people, never for labels
    load_n: NDArray[np.float64] | None = None  # the machine's load at each row; None: W throughout

    @classmethod
    def of(
        cls,
        machine: Machine,
        columns: NDArray[np.float64],
        notes: tuple[tuple[float, str], ...],
        motor: NDArray[np.float64] | None = None,
    ) -> "Trace":
        """From x, v, a and the forces over mass, shape (5, n). `motor`: times the load, row by row."""
        x, v, a, pull, push = columns
        load_n = None
        if motor is not None:
            place = (x + machine.rest_m - machine.bottom_m) / machine.range_m
            load_n = machine.working_load_n * machine.resistance.at(place) * motor
        return cls(machine, x + machine.rest_m, v, a, pull * machine.load_kg, push * machine.load_kg, notes, load_n)

    @classmethod
    def joined(cls, parts: "Sequence[Trace]") -> "Trace":
        """Consecutive traces as one."""
        names = ("position_m", "velocity_m_s", "acceleration_m_s2", "tension_n", "contact_n")
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        machine, notes = parts[0].machine, tuple(note for part in parts for note in part.notes)
        same = all(part.load_n is None and part.machine == machine for part in parts)
        load_n = None if same else np.concatenate([part.loads_n for part in parts])
        return cls(machine=machine, **columns, notes=notes, load_n=load_n)

    def __len__(self) -> int:
        return len(self.position_m)

    def part(self, first: int, end: int) -> "Trace":
        """The rows from `first` to `end`, without notes."""
        rows = slice(first, end)
        return Trace(
            self.machine, self.position_m[rows], self.velocity_m_s[rows], self.acceleration_m_s2[rows],
            self.tension_n[rows], self.contact_n[rows],
            load_n=None if self.load_n is None else self.load_n[rows],
        )  # fmt: skip

    @property
    def t_s(self) -> NDArray[np.float64]:
        return np.arange(len(self), dtype=np.float64) * 0.001

    @property
    def loads_n(self) -> NDArray[np.float64]:
        """W at each row."""
        return np.full(len(self), self.machine.working_load_n) if self.load_n is None else self.load_n

    @property
    def x_m(self) -> NDArray[np.float64]:
        """Above the rest."""
        return self.position_m - self.machine.rest_m
