"""The kit that measures a machine: encoder, load cell with its converter, and a wire that loses frames.

Positions are taken on an exact grid, but by an interrupt that comes a little early or late; force is what a converter
averages over its settling time. What is lost is lost in whole frames.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.calibration import Calibration
from firmware_bridge.messages import MAX_FORCE_SAMPLES
from firmware_bridge.samples import Flag, Samples
from firmware_bridge.simulator.faults import Fault
from firmware_bridge.simulator.trace import Trace

RAIL = 2**23 - 1  # a 24-bit converter
Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """One set of sensors and the settings of its board."""

    encoder_m: float = 0.0001  # per count
    position_rate_hz: int = 500
    block: int = 5  # positions in a frame
    force_rate_hz: float = 80.0  # above 200 a fast converter, whose conversions go in frames of up to 14
    settling: float = 4.0  # conversions that one value averages over; a fast converter: 1
    full_scale_n: float = 8000.0  # force at the rail
    noise_n: float = 0.8  # rms of the cell and its converter
    stamp_jitter_s: float = 0.0002  # rms of the moment of sampling against its stamp
    lost_fraction: float = 0.0  # of frames
    clock_ppm: float = 0.0  # how much the device's clock runs fast
    clock_start_us: int = 1_000_000  # where it stands when the trace begins
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        if 1_000_000 % self.position_rate_hz:
            raise ValueError(f"position_rate_hz {self.position_rate_hz} must have a period of whole microseconds")

    @property
    def force_block(self) -> int:
        """Conversions in a frame: one where they are slow, at most 20 ms of them where they are fast."""
        return 1 if self.force_rate_hz <= 200 else min(MAX_FORCE_SAMPLES, round(self.force_rate_hz * 0.02))

    def calibration(self, trace: Trace) -> Calibration:
        """What turns this kit's counts on this machine into metres and newtons: the encoder is zero on the rest."""
        return Calibration(
            metres_per_count=self.encoder_m,
            position_zero_counts=-trace.machine.rest_m / self.encoder_m,
            newtons_per_count=self.full_scale_n / RAIL,
            force_zero_counts=CELL_ZERO_COUNTS,
        )


CELL_ZERO_COUNTS = 41_337.0  # no cell is zero at no load, and nothing is tared on the device


class Readout(NamedTuple):
    """What the device took, in the order in which its frames are complete: a row a sample, lost ones too."""

    frame: Ints  # running number of the data frame
    force: NDArray[np.bool_]  # a force, else a position
    idx: Ints  # running number within the stream
    stamp_us: Ints  # the device's clock, not yet wrapped
    done_us: Ints  # when its frame was complete, on the same clock
    counts: Ints
    flags: NDArray[np.uint8]
    lost: NDArray[np.bool_]


def read_out(trace: Trace, kit: Kit, seed: int) -> Readout:
    """Measure a trace, up to the wire."""
    rng = np.random.default_rng(seed)
    fast = 1 + kit.clock_ppm * 1e-6
    end_s = (len(trace) - 1) * 0.001

    period_us = 1_000_000 // kit.position_rate_hz
    n = int(end_s * fast * 1e6) // period_us + 1
    n -= n % kit.block  # a frame that was never full was never sent
    stamp_us = np.arange(n, dtype=np.int64) * period_us
    taken_s: Array = stamp_us / (1e6 * fast) + np.clip(rng.normal(0, kit.stamp_jitter_s, n), -0.001, 0.001)
    place_m = np.interp(taken_s, trace.t_s, trace.x_m)
    position = _Stream(stamp_us, np.round(place_m / kit.encoder_m).astype(np.int64), np.zeros(n, np.uint8), kit.block)

    period_s = 1 / kit.force_rate_hz
    n = int(end_s * kit.force_rate_hz)
    n -= n % kit.force_block
    taken_s = (1 + np.arange(n, dtype=np.float64)) * period_s
    settling = kit.settling if kit.force_block == 1 else 1.0
    pull_n = _average(trace.tension_n, taken_s, settling * period_s)
    counts = CELL_ZERO_COUNTS + (pull_n + rng.normal(0, kit.noise_n, n)) * (RAIL / kit.full_scale_n)
    stamp_us = np.round(taken_s * 1e6 * fast).astype(np.int64)
    force = _Stream(stamp_us, np.round(counts).astype(np.int64), np.zeros(n, np.uint8), kit.force_block)

    for fault in kit.faults:
        fault.spoil(position, force, rng)
    over = np.abs(force.counts) >= RAIL
    force.counts[over] = np.sign(force.counts[over]) * RAIL
    force.flags[over] |= np.uint8(Flag.SATURATED)
    return _in_wire_order(position, force, kit, rng)


def measure(trace: Trace, kit: Kit, seed: int) -> Samples:
    """What the decoder would hand over, on the trace's own clock; rows in the order of the wire."""
    rows = read_out(trace, kit, seed)
    kept = ~rows.lost
    force, counts = rows.force[kept], rows.counts[kept].astype(np.float64)
    calibration = kit.calibration(trace)
    silent = (rows.flags[kept] & Flag.TIMEOUT) != 0
    return Samples(
        rows.stamp_us[kept] / 1e6,
        np.where(force, np.nan, calibration.position_m(counts)),
        np.where(force & ~silent, calibration.force_n(counts), np.nan),
        rows.flags[kept],
    )


class _Stream:
    """One stream of samples before it is cut into frames; faults change it in place."""

    def __init__(self, stamp_us: Ints, counts: Ints, flags: NDArray[np.uint8], block: int) -> None:
        self.stamp_us, self.counts, self.flags, self.block = stamp_us, counts, flags, block
        self.cut = np.zeros(len(stamp_us), np.bool_)  # sent into a dead line


def _average(values: Array, at_s: Array, window_s: float) -> Array:
    """Mean of a 1 kHz column over the window that ends at each of the times."""
    sums = np.concatenate([[0.0], np.cumsum((values[1:] + values[:-1]) / 2) * 0.001])
    t_s = np.arange(len(values)) * 0.001
    begin_s = np.maximum(at_s - window_s, 0.0)
    mean: Array = (np.interp(at_s, t_s, sums) - np.interp(begin_s, t_s, sums)) / (at_s - begin_s)
    return mean


def _in_wire_order(position: _Stream, force: _Stream, kit: Kit, rng: np.random.Generator) -> Readout:
    """Cut both streams into frames, merge the frames as they get complete, lose some."""
    frames, done = [], []
    first = 0
    for stream in (position, force):
        fresh = np.arange(len(stream.stamp_us)) % stream.block == 0
        fresh[1:] |= stream.flags[1:] != stream.flags[:-1]  # flags hold for a whole frame
        number = np.cumsum(fresh) - 1
        last = np.flatnonzero(np.append(fresh[1:], True)) if len(fresh) else np.zeros(0, np.int64)
        frames.append(number + first)
        done.append(stream.stamp_us[last][number])
        first += len(last)
    frame, done_us = np.concatenate(frames), np.concatenate(done)
    is_force = np.repeat([False, True], [len(position.stamp_us), len(force.stamp_us)])
    lost = np.concatenate([position.cut, force.cut]) | (rng.random(first) < kit.lost_fraction)[frame]
    order = np.lexsort((frame, done_us))
    fresh = np.append(True, np.diff(frame[order]) != 0)
    return Readout(
        frame=np.cumsum(fresh) - 1,
        force=is_force[order],
        idx=np.concatenate([np.arange(len(position.stamp_us)), np.arange(len(force.stamp_us))])[order],
        stamp_us=np.concatenate([position.stamp_us, force.stamp_us])[order],
        done_us=done_us[order],
        counts=np.concatenate([position.counts, force.counts])[order],
        flags=np.concatenate([position.flags, force.flags])[order],
        lost=lost[order],
    )
