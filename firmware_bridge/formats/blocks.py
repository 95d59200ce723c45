"""Turns blocks of POS and FORCE that have their place on the session clock into rows, one block after the other.

This is for the few blocks of a live read. `batch` does the same for the thousands of a recording.
"""

import struct
from typing import NamedTuple

import numpy as np

from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.messages import MAX_FORCE_SAMPLES, MAX_POS_SAMPLES, Force, Pos
from firmware_bridge.samples import NOTHING, Flag, Samples, is_suspect

HEAD = struct.Struct("<BBBHIHB")  # type, seq, stream_id, idx, first stamp in us, period or span in us, n
LENGTHS = {  # of a payload, by type and n
    **{(Pos.TYPE, n): HEAD.size + 2 + 2 * n for n in range(1, MAX_POS_SAMPLES + 1)},
    **{(Force.TYPE, n): HEAD.size + 1 + 3 * n for n in range(1, MAX_FORCE_SAMPLES + 1)},
}
WIRE_FLAGS = int(Flag.TIMEOUT | Flag.SATURATED | Flag.DESYNC | Flag.LATE)  # plain integers: several times faster
NO_VALUE = int(Flag.TIMEOUT | Flag.DESYNC)  # the value in such a block is not a measurement


class Block(NamedTuple):
    """A payload of POS or FORCE, and where its rows go."""

    payload: bytes
    first_us: int  # of its first sample, on the session clock
    skip: int  # samples at its beginning that are late: they give no rows
    flags: int  # added to the first row


def is_block(payload: bytes, n: int, dt_us: int) -> bool:
    """Whether a POS or FORCE has the exact length for its number of samples, and a different stamp for each."""
    return len(payload) == LENGTHS.get((payload[0], n)) and dt_us >= n - 1


def to_samples(blocks: list[Block], calibration: Calibration) -> Samples:
    """The rows of these blocks, in the same order."""
    if not blocks:
        return NOTHING
    at_us: list[int] = []
    position: list[float] = []
    force: list[float] = []
    flags: list[int] = []
    for block in blocks:
        body = block.payload[2:]
        skip = block.skip
        if block.payload[0] == Pos.TYPE:
            pos = Pos.from_body(body)
            rows = len(pos.counts) - skip
            period_us = pos.period_us
            first_us = block.first_us
            at_us += [first_us + k * period_us for k in range(skip, skip + rows)]
            position += pos.counts[skip:]
            force += [np.nan] * rows
            flags += [0] * rows
        else:
            cell = Force.from_body(body)
            n = len(cell.counts)
            rows = n - skip
            first_us, span_us, parts = block.first_us, cell.span_us, max(n - 1, 1)
            at_us += [first_us + k * span_us // parts for k in range(skip, n)]
            position += [np.nan] * rows
            marks = cell.flags & WIRE_FLAGS
            if cell.flags & NO_VALUE:
                force += [np.nan] * rows
                flags += [marks] * rows
            else:
                force += cell.counts[skip:]
                flags += [marks | Flag.SUSPECT.value * is_suspect(counts) for counts in cell.counts[skip:]]
        flags[-rows] |= block.flags
    return Samples(
        np.array(at_us) / 1e6,
        calibration.position_m(np.array(position, np.float64)),
        calibration.force_n(np.array(force, np.float64)),
        np.array(flags, np.uint8),
    )
