"""The sensors and their converters: turn rows of a machine into raw counts with the device's stamps.

Positions are on an exact grid, but sampled by an interrupt that comes a little early or late. A converter averages the
force over its settling time. A trace may come whole or in pieces: the counts are the same.
"""

import math

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.samples import Flag
from firmware_bridge.simulator.kit import RAIL, Kit
from firmware_bridge.simulator.machine import Machine

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ROW_S = 0.001
LATEST_S = 0.001  # the largest distance of a sample from its stamp


class Stream:
    """The samples of one sensor as columns, before they are cut into frames; faults change them in place."""

    def __init__(self, stamp_us: Ints, counts: Ints) -> None:
        self.stamp_us = stamp_us  # on the device's clock, from the start of the trace, not wrapped
        self.counts = counts
        self.flags = np.zeros(len(counts), np.uint8)
        self.cut = np.zeros(len(counts), np.bool_)  # does not reach the host
        self.illegal = np.zeros(len(counts), np.int64)  # illegal encoder transitions that the device has counted so far

    def __len__(self) -> int:
        return len(self.counts)

    def keep(self, kept: NDArray[np.bool_]) -> None:
        for name in ("stamp_us", "counts", "flags", "cut", "illegal"):
            setattr(self, name, getattr(self, name)[kept])


class Meter:
    """Give it the rows of a machine, a thousand a second; it returns positions and forces when they are due."""

    def __init__(self, kit: Kit, machine: Machine, seed: int, period_us: int | None = None) -> None:
        jitter, noise = np.random.SeedSequence(seed).spawn(2)
        self._kit, self._jitter, self._noise = kit, np.random.default_rng(jitter), np.random.default_rng(noise)
        self._wiring = kit.calibration(machine)
        self._rest_m = machine.rest_m
        self._period_us = period_us or kit.period_us
        self._fast = 1 + kit.clock_ppm * 1e-6
        self._rows = 0  # until now
        self._x_m = np.empty(0)  # of the last rows
        self._impulse_ns = np.zeros(0)  # integral of tension up to each of the last rows
        self._tension_n = 0.0
        self._positions = self._forces = 0  # returned until now

    def take(self, x_m: Floats, tension_n: Floats) -> tuple[Stream, Stream]:
        """The samples that these rows complete."""
        if not len(x_m):
            raise ValueError("a meter needs at least one row")
        steps = (tension_n + np.concatenate(([self._tension_n if self._rows else tension_n[0]], tension_n[:-1]))) / 2
        steps[0] *= self._rows > 0
        so_far = self._impulse_ns[-1] if len(self._impulse_ns) else 0.0
        self._impulse_ns = np.concatenate((self._impulse_ns, np.cumsum(np.concatenate(([so_far], steps * ROW_S)))[1:]))
        self._x_m = np.concatenate((self._x_m, x_m))
        self._tension_n = float(tension_n[-1])
        self._rows += len(x_m)
        taken = self._take_positions(), self._take_forces()
        self._x_m = self._x_m[-8:]
        self._impulse_ns = self._impulse_ns[-math.ceil(self._kit.force_window_s / ROW_S) - 20 :]
        return taken

    def _rows_s(self, column: Floats) -> Floats:
        return (np.arange(self._rows - len(column), self._rows, dtype=np.float64)) * ROW_S

    def _take_positions(self) -> Stream:
        kit = self._kit
        known_s = (self._rows - 1) * ROW_S - LATEST_S
        n = max(math.floor(known_s * 1e6 * self._fast / self._period_us) + 1, self._positions)
        stamp_us = np.arange(self._positions, n, dtype=np.int64) * self._period_us
        self._positions = n
        late_s = np.clip(self._jitter.normal(0.0, kit.stamp_jitter_s, len(stamp_us)), -LATEST_S, LATEST_S)
        x_m = np.interp(stamp_us / (1e6 * self._fast) + late_s, self._rows_s(self._x_m), self._x_m)
        counts = (x_m + self._rest_m) / self._wiring.metres_per_count + self._wiring.position_zero_counts
        return Stream(stamp_us, np.round(counts).astype(np.int64))

    def _take_forces(self) -> Stream:
        kit = self._kit
        n = max(math.floor((self._rows - 1) * ROW_S * kit.force_rate_hz), self._forces)
        end_s = np.arange(self._forces + 1, n + 1, dtype=np.float64) / kit.force_rate_hz
        self._forces = n
        begin_s = np.maximum(end_s - kit.force_window_s, 0.0)
        t_s = self._rows_s(self._impulse_ns)
        impulse_ns = np.interp(end_s, t_s, self._impulse_ns) - np.interp(begin_s, t_s, self._impulse_ns)
        force_n = impulse_ns / (end_s - begin_s) + self._noise.normal(0.0, kit.noise_n, len(end_s))
        counts = force_n / self._wiring.newtons_per_count + self._wiring.force_zero_counts
        stream = Stream(np.round(end_s * 1e6 * self._fast).astype(np.int64), np.round(counts).astype(np.int64))
        saturate(stream)
        return stream


def saturate(force: Stream) -> None:
    """Limit the counts to the converter's range, and flag those at its end."""
    over = np.abs(force.counts) >= RAIL
    force.counts[over] = np.sign(force.counts[over]) * RAIL
    force.flags[over] |= np.uint8(Flag.SATURATED)
