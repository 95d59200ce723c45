"""Turns blocks of POS and FORCE that have their place on the session clock into rows, one block after the other.

This is for the few blocks of a live read. `batch` does the same for the thousands of a recording.
"""

import struct
from itertools import accumulate
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


_SUSPECT = int(Flag.SUSPECT)
_STEPS = {n: struct.Struct(f"<i{n - 1}h") for n in range(1, MAX_POS_SAMPLES + 1)}  # a position, then steps from it


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
    for payload, first_us, skip, more_flags in blocks:
        kind, _, _, _, _, dt_us, n = HEAD.unpack_from(payload)
        rows = n - skip
        if kind == Pos.TYPE:
            at_us += [first_us + k * dt_us for k in range(skip, n)]
            position += [*accumulate(_STEPS[n].unpack_from(payload, HEAD.size))][skip:]
            force += [np.nan] * rows
            flags += [0] * rows
        else:
            parts = max(n - 1, 1)
            at_us += [first_us + k * dt_us // parts for k in range(skip, n)]
            position += [np.nan] * rows
            marks = payload[HEAD.size]
            if marks & NO_VALUE:
                force += [np.nan] * rows
                flags += [marks & WIRE_FLAGS] * rows
            else:
                words = range(HEAD.size + 1 + 3 * skip, len(payload), 3)
                counts = [int.from_bytes(payload[at : at + 3], "little", signed=True) for at in words]
                force += counts
                flags += [marks & WIRE_FLAGS | _SUSPECT * is_suspect(count) for count in counts]
        flags[-rows] |= more_flags
    return Samples(
        np.array(at_us) / 1e6,
        calibration.position_m(np.array(position, np.float64)),
        calibration.force_n(np.array(force, np.float64)),
        np.array(flags, np.uint8),
    )
