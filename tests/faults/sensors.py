"""Faults of a cell or an encoder that the simulator does not have: rows N5 to N12 of README.md."""

from dataclasses import dataclass

import numpy as np

from firmware_bridge.simulator.faults import StreamColumns
from firmware_bridge.simulator.kit import CELL_ZERO_COUNTS


def _within(stream: StreamColumns, at_s: float, for_s: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return (stream.stamp_us >= at_s * 1e6) & (stream.stamp_us < (at_s + for_s) * 1e6)


@dataclass(frozen=True, slots=True)
class CellNoise:
    """A broken wire of the bridge: the readings are a hundred times noisier."""

    at_s: float
    for_s: float
    rms_counts: float

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        hit = _within(force, self.at_s, self.for_s)
        force.counts[hit] += np.round(rng.normal(0.0, self.rms_counts, int(hit.sum()))).astype(np.int64)


@dataclass(frozen=True, slots=True)
class CellTurned:
    """Reversed wiring: a pull reads negative."""

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        force.counts[:] = 2 * CELL_ZERO_COUNTS - force.counts


@dataclass(frozen=True, slots=True)
class CellOtherZero:
    """After a reset the converter has another zero."""

    at_s: float
    counts: int

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        force.counts[force.stamp_us >= self.at_s * 1e6] += self.counts


@dataclass(frozen=True, slots=True)
class CellLate:
    """The stamps of the force are late."""

    by_s: float

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        force.counts[:] = np.interp(force.stamp_us - self.by_s * 1e6, force.stamp_us, force.counts).astype(np.int64)


@dataclass(frozen=True, slots=True)
class EncoderCreep:
    """Counts are lost silently, more on the way down than on the way up, so the zero drifts."""

    at_s: float
    share: float

    def spoil(self, position: StreamColumns, force: StreamColumns, rng: np.random.Generator) -> None:
        moved = np.diff(position.counts, prepend=position.counts[:1])
        down = (moved < 0) & (position.stamp_us >= self.at_s * 1e6)
        position.counts += np.cumsum(rng.binomial(np.where(down, -moved, 0), self.share))
