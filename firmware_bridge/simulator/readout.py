"""Measures a trace with a kit: samples in frames, in the order of the wire, with losses and faults."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.samples import Flag, Samples, suspect
from firmware_bridge.simulator.faults import DeviceReset, LineCut
from firmware_bridge.simulator.kit import Kit
from firmware_bridge.simulator.meter import Ints, Meter, saturate
from firmware_bridge.simulator.trace import Trace

STATUS_US = 1_000_000  # the device sends its counters once a second


class Readout(NamedTuple):
    """One row a sample, in the order in which frames are complete, including lost ones."""

    frame: Ints  # running number of the frame
    force: NDArray[np.bool_]  # True: a force, False: a position
    stamp_us: Ints  # the device's clock, from the start of the trace, not wrapped, as if without resets
    done_us: Ints  # when its frame was complete
    counts: Ints
    flags: NDArray[np.uint8]
    lost: NDArray[np.bool_]
    illegal: Ints  # as in Stream, of the newest position

    def received(self) -> "Readout":
        """The rows that were not lost."""
        kept = ~self.lost
        return Readout(
            self.frame[kept], self.force[kept], self.stamp_us[kept], self.done_us[kept], self.counts[kept],
            self.flags[kept], self.lost[kept], self.illegal[kept],
        )  # fmt: skip


def read_out(trace: Trace, kit: Kit, seed: int) -> Readout:
    """Measure a trace, as far as the wire."""
    losses, mishaps = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4)[2:])
    position, force = Meter(kit, trace.machine, seed).take(trace.x_m, trace.tension_n)
    for fault in kit.faults:
        fault.spoil(position, force, mishaps)
    saturate(force)
    frames, done = [], []
    first = 0
    for stream, block in ((position, kit.block), (force, kit.force_block)):
        stream.keep(np.arange(len(stream)) < len(stream) - len(stream) % block)  # a block that is not full is not sent
        fresh = np.arange(len(stream)) % block == 0
        fresh[1:] |= stream.flags[1:] != stream.flags[:-1]  # flags are those of a whole frame
        fresh[1:] |= np.diff(stream.stamp_us) > 65_535  # and so is its span, a u16
        number = np.cumsum(fresh) - 1
        last = np.flatnonzero(np.append(fresh[1:], True)) if len(fresh) else np.zeros(0, np.int64)
        frames.append(number + first)
        done.append(stream.stamp_us[last][number])
        first += len(last)
    frame, done_us = np.concatenate(frames), np.concatenate(done)
    is_force = np.repeat([False, True], [len(position), len(force)])
    gone = losses.random(first) < kit.lost_fraction
    gone |= np.bincount(frame, np.concatenate([position.cut, force.cut]), first) > 0  # a frame is lost as a whole
    illegal = np.maximum.accumulate(np.concatenate([position.illegal, np.zeros(len(force), np.int64)]))
    order = np.lexsort((frame, done_us))
    frame = np.cumsum(np.append(True, np.diff(frame[order]) != 0)) - 1 if len(frame) else frame
    return Readout(
        frame=frame,
        force=is_force[order],
        stamp_us=np.concatenate([position.stamp_us, force.stamp_us])[order],
        done_us=done_us[order],
        counts=np.concatenate([position.counts, force.counts])[order],
        flags=np.concatenate([position.flags, force.flags])[order],
        lost=gone[np.concatenate(frames)][order],
        illegal=np.maximum.accumulate(np.where(is_force, 0, illegal)[order]) if len(frame) else illegal,
    )


def measure(trace: Trace, kit: Kit, seed: int) -> Samples:
    """The samples that a decoder would return, on the trace's clock; rows in the order of the wire."""
    everything = read_out(trace, kit, seed)
    rows = everything.received()
    flags = rows.flags.copy()
    for boot_us in boots_us(kit):
        for kind in (rows.force, ~rows.force):
            _mark(flags, np.flatnonzero(kind & (rows.done_us >= boot_us)), Flag.RESTART)
    for second in slips_reported_s(everything):
        _mark(flags, np.flatnonzero(~rows.force & (rows.done_us > second * STATUS_US)), Flag.SLIPPED)
    calibration = kit.calibration(trace.machine)
    counts = rows.counts.astype(np.float64)
    no_value = (rows.flags & (Flag.TIMEOUT | Flag.DESYNC)) != 0
    flags[suspect(np.where(rows.force & ~no_value, counts, np.nan))] |= np.uint8(Flag.SUSPECT)
    return Samples(
        rows.stamp_us / 1e6,
        np.where(rows.force, np.nan, calibration.position_m(counts)),
        np.where(rows.force & ~no_value, calibration.force_n(counts), np.nan),
        flags,
    )


def illegal_by(rows: Readout, second: int) -> int:
    """The illegal encoder transitions that the device has counted when it sends STATUS in this second."""
    seen = int(np.searchsorted(rows.done_us, second * STATUS_US, "right"))
    return int(rows.illegal[seen - 1]) if seen else 0


def slips_reported_s(rows: Readout) -> list[int]:
    """The seconds whose STATUS has more illegal transitions than the one before."""
    seconds = range(1, int(rows.done_us[-1] // STATUS_US) + 1) if len(rows.done_us) else range(0)
    counted = [illegal_by(rows, second) for second in seconds]
    return [second for second, before, now in zip(seconds[1:], counted, counted[1:], strict=False) if now > before]


def boots_us(kit: Kit) -> list[int]:
    """When the device is back after each reset, on the clock of the readout."""
    return sorted(round((fault.at_s + fault.down_s) * 1e6) for fault in kit.faults if isinstance(fault, DeviceReset))


def silent_us(kit: Kit) -> list[tuple[int, int]]:
    """The intervals (begin, end) in which nothing reaches the host."""
    cuts = [(fault.at_s, fault.for_s) for fault in kit.faults if isinstance(fault, LineCut)]
    cuts += [(fault.at_s, fault.down_s) for fault in kit.faults if isinstance(fault, DeviceReset)]
    return [(round(at_s * 1e6), round((at_s + for_s) * 1e6)) for at_s, for_s in cuts]


def _mark(flags: NDArray[np.uint8], rows: NDArray[np.intp], flag: Flag) -> None:
    if len(rows):
        flags[rows[0]] |= np.uint8(flag)
