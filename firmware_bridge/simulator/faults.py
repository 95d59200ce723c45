"""Faults of sensors and wires, with their times: they change the counts before these are put into frames.

Times are on the trace's clock. A fault changes the streams in place, and sets the flags that the device would set.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.samples import Flag

RAIL = 2**23 - 1


class StreamColumns(Protocol):
    """Columns of one stream, in place."""

    stamp_us: NDArray[np.int64]
    counts: NDArray[np.int64]
    flags: NDArray[np.uint8]
    cut: NDArray[np.bool_]
    illegal: NDArray[np.int64]

    def keep(self, kept: NDArray[np.bool_]) -> None: ...


class Fault(Protocol):
    """A fault; `spoil` applies it to the streams."""

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None: ...


def _within(stream: StreamColumns, at_s: float, for_s: float) -> NDArray[np.bool_]:
    return (stream.stamp_us >= at_s * 1e6) & (stream.stamp_us < (at_s + for_s) * 1e6)


@dataclass(frozen=True, slots=True)
class CellStuck:
    """The converter repeats one value."""

    at_s: float
    for_s: float

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        stuck = _within(force, self.at_s, self.for_s)
        if stuck.any():
            force.counts[stuck] = force.counts[np.argmax(stuck)]


@dataclass(frozen=True, slots=True)
class CellSaturated:
    """The converter is at the end of its range."""

    at_s: float
    for_s: float

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        force.counts[_within(force, self.at_s, self.for_s)] = RAIL


@dataclass(frozen=True, slots=True)
class CellSpikes:
    """Slipped bits: single conversions read 2^k - 1. The device flags them if it notices."""

    at_s: float
    for_s: float
    share: float = 0.02
    noticed: bool = False

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        hit = _within(force, self.at_s, self.for_s) & (rng.random(len(force.counts)) < self.share)
        force.counts[hit] = 2 ** rng.integers(15, 23, int(hit.sum())) - 1
        if self.noticed:
            force.flags[hit] |= np.uint8(Flag.DESYNC)


@dataclass(frozen=True, slots=True)
class CellGlitches:
    """One in `every` conversions reads almost full scale, without a flag; the others are right."""

    every: int
    share: float = 0.9  # of the full scale

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        hit = np.arange(int(rng.integers(self.every)), len(force.counts), self.every)
        force.counts[hit] = np.round(self.share * RAIL).astype(np.int64)


@dataclass(frozen=True, slots=True)
class CellSilent:
    """The converter does not answer; the device reports it ten times a second."""

    at_s: float
    for_s: float

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        silent = _within(force, self.at_s, self.for_s)
        tenth = force.stamp_us // 100_000
        reported = silent & np.append(True, tenth[1:] != tenth[:-1])[: len(tenth)]
        force.counts[silent] = 0
        force.flags[silent] |= np.uint8(Flag.TIMEOUT)
        force.keep(~silent | reported)


@dataclass(frozen=True, slots=True)
class CellDrift:
    """The zero drifts."""

    at_s: float
    counts_per_s: float

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        since_s = np.maximum(force.stamp_us / 1e6 - self.at_s, 0.0)
        force.counts += np.round(since_s * self.counts_per_s).astype(np.int64)


@dataclass(frozen=True, slots=True)
class EncoderFrozen:
    """The encoder is disconnected for a while: its travel meanwhile is never counted."""

    at_s: float
    for_s: float

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        frozen = np.flatnonzero(_within(position, self.at_s, self.for_s))
        if len(frozen):
            missed = position.counts[frozen[-1]] - position.counts[frozen[0]]
            position.counts[frozen] = position.counts[frozen[0]]
            position.counts[frozen[-1] + 1 :] -= missed


@dataclass(frozen=True, slots=True)
class EncoderJump:
    """The count jumps between two samples, and stays wrong."""

    at_s: float
    counts: int

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        position.counts[position.stamp_us >= self.at_s * 1e6] += self.counts


@dataclass(frozen=True, slots=True)
class EncoderSlip:
    """A share of the counts is lost while it moves; the device counts them as illegal transitions."""

    at_s: float
    for_s: float
    share: float = 0.02

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        moved = np.diff(position.counts, prepend=position.counts[:1])
        slipped = rng.binomial(np.abs(moved), self.share) * _within(position, self.at_s, self.for_s)
        position.counts -= np.cumsum(np.sign(moved) * slipped)
        position.illegal += np.cumsum(slipped)


@dataclass(frozen=True, slots=True)
class LineCut:
    """Nothing arrives for a while; the device goes on streaming."""

    at_s: float
    for_s: float

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        for stream in (position, force):
            stream.cut |= _within(stream, self.at_s, self.for_s)


@dataclass(frozen=True, slots=True)
class DeviceReset:
    """The board restarts: its clock and its running numbers begin at 0, and its position too unless it is kept."""

    at_s: float
    down_s: float = 0.3
    forgets_position: bool = True

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        for stream in (position, force):
            stream.cut |= _within(stream, self.at_s, self.down_s)
        back = position.stamp_us >= (self.at_s + self.down_s) * 1e6
        if self.forgets_position and back.any():
            position.counts[back] -= position.counts[np.argmax(back)]
