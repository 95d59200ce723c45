"""Simulates scripts on machines, one or many at once.

Live, alone and in a batch, the same steps are taken in the same order, so a set is the same bit for bit.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.simulator.legs import Now
from firmware_bridge.simulator.lifter import Performer
from firmware_bridge.simulator.live import live
from firmware_bridge.simulator.machine import STEP_S, Machine, MachineState, Physics, step
from firmware_bridge.simulator.pad import REST_SINK_M
from firmware_bridge.simulator.script import Script
from firmware_bridge.simulator.sway import sway_blocks
from firmware_bridge.simulator.trace import Trace

BLOCK = 250  # rows between two removals of finished machines
FEW = 20  # up to this many, plain floats one after the other are faster than arrays

Array = NDArray[np.float64]


class Job(NamedTuple):
    """One set to simulate."""

    machine: Machine
    script: Script
    seed: int


def simulate(machine: Machine, script: Script, seed: int) -> Trace:
    """Simulate one script on one machine."""
    return Trace.joined(list(live(machine, script, seed, BLOCK)))


def simulate_many(jobs: Sequence[Job]) -> list[Trace]:
    """Simulate all jobs together. 30 to 60 at once are fastest; each needs about 6 MB a minute."""
    if len(jobs) <= FEW or not all(job.machine.plain and job.script.plain for job in jobs):
        return [simulate(*job) for job in jobs]
    batch = _Batch(jobs)
    parts: list[list[Array]] = [[] for _ in jobs]
    while len(batch.who):
        rows, ends = batch.block()
        for column, (who, end) in enumerate(zip(batch.who, ends, strict=True)):
            parts[who].append(rows[:, :end, column].copy())
        batch.leave_out(ends < BLOCK)
    return [
        Trace.of(job.machine, np.concatenate(part, axis=1), tuple(performer.notes))
        for job, part, performer in zip(jobs, parts, batch.performers, strict=True)
    ]


def _positive(z: Array) -> Array:
    return np.maximum(z, 0.0)


class _Batch:
    """Machines and lifters side by side, one column each."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        n = len(jobs)
        self.performers = [Performer(job.machine, job.script, job.seed) for job in jobs]
        self.who = list(range(n))
        self._row = 0
        physics = [job.machine.physics() for job in jobs]
        self._physics = Physics(*(np.array(column) for column in zip(*physics, strict=True)))
        self._wobble = np.array([job.script.lifter.wobble for job in jobs])
        self._moment = MachineState(np.full(n, -REST_SINK_M), *(np.zeros(n) for _ in range(5)))
        self._hand = np.array(
            [one.loose * job.machine.stretch_m for one, job in zip(self.performers, jobs, strict=True)]
        )
        self._clock = np.zeros(n)  # each lifter's time in the leg
        self._duration = np.zeros(n)
        self._coefficients = np.zeros((6, n))
        self._limit, self._slope = np.zeros(n), np.zeros(n)
        self._tremor, self._shake = np.zeros(n), np.zeros(n)  # its size, its present value

    def leave_out(self, over: NDArray[np.bool_]) -> None:
        """Remove those whose script is over."""
        if not over.any():
            return
        keep = ~over
        self.who = [who for who, kept in zip(self.who, keep, strict=True) if kept]
        self._physics = Physics(*(column[keep] for column in self._physics))
        self._moment = MachineState(*(column[keep] for column in self._moment))
        for name in ("_wobble", "_hand", "_clock", "_duration", "_limit", "_slope", "_tremor", "_shake"):
            setattr(self, name, getattr(self, name)[keep])
        self._coefficients = self._coefficients[:, keep]

    def block(self) -> tuple[Array, NDArray[np.int64]]:
        """The next rows of x, v, a, pull, push, shape (5, BLOCK, columns), and the row where each column ends."""
        n = len(self.who)
        out = np.empty((5, BLOCK, n))
        ends = np.full(n, BLOCK)
        sways = [self.performers[who].sway for who in self.who]
        t_s = (self._row + 1 + np.arange(BLOCK, dtype=np.float64)) * STEP_S
        pace, tremor = sway_blocks(sways, self._wobble, t_s)
        for i in range(BLOCK):
            if (self._clock >= self._duration).any():
                for column in np.flatnonzero(self._clock >= self._duration):
                    if ends[column] == BLOCK and not self._turn_over(int(column)):
                        ends[column] = i
                        self._duration[column] = np.inf
            self._clock = self._clock + pace[i] * STEP_S
            c0, c1, c2, c3, c4, c5 = self._coefficients
            u = self._clock
            shake = self._tremor * tremor[i]
            hand = c0 + u * (c1 + u * (c2 + u * (c3 + u * (c4 + u * c5)))) + shake
            limit = self._limit + self._slope * u
            x, v = self._moment.x_m, self._moment.v_m_s
            self._moment = step(self._physics, self._moment, self._hand, hand, limit, np.tanh, _positive)
            self._hand, self._shake = hand, shake
            out[0, i], out[1, i], out[2, i], out[3, i], out[4, i] = x, v, *self._moment[3:]
            self._row += 1
        return out, ends

    def _turn_over(self, column: int) -> bool:
        """Begin the lifter's next leg; returns False when all legs are over."""
        x, v, slip = (float(values[column]) for values in self._moment[:3])
        hand = float(self._hand[column]) + slip - float(self._shake[column])
        segment = self.performers[self.who[column]].segment(Now(self._row * STEP_S, x, v, hand, slip))
        if segment is None:
            return False
        self._clock[column] = 0.0 if segment.begins_now else self._clock[column] - self._duration[column]
        self._coefficients[:, column] = segment.coefficients
        self._duration[column] = segment.duration_s
        self._limit[column], self._slope[column] = segment.limit_m_s2, segment.limit_slope_m_s3
        self._tremor[column] = segment.tremor_m
        self._hand[column] += slip
        self._moment.slip_m[column] = 0.0
        return True
