"""Blocks of POS and FORCE, already placed on the session clock, to columns of rows.

Two ways with the same result: lists for the few rows of a live read, arrays for the millions of a recording.
"""

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.calibration import Calibration
from firmware_bridge.messages import MAX_FORCE_SAMPLES, MAX_POS_SAMPLES, Force, Pos
from firmware_bridge.samples import NOTHING, Flag, Samples, is_suspect, suspect

HEAD = struct.Struct("<BBBHIHB")  # type, seq, stream_id, idx, first stamp in us, period or span in us, n

_LENGTHS = {  # of a payload, by type and n
    **{(Pos.TYPE, n): HEAD.size + 2 + 2 * n for n in range(1, MAX_POS_SAMPLES + 1)},
    **{(Force.TYPE, n): HEAD.size + 1 + 3 * n for n in range(1, MAX_FORCE_SAMPLES + 1)},
}
_HEAD = [("before", "V9"), ("dt_us", "<u2"), ("n", "u1")]  # what the columns need of it
_FEW_BLOCKS = 16  # where the two ways cost the same
_WIRE_FLAGS = Flag.TIMEOUT | Flag.SATURATED | Flag.DESYNC | Flag.LATE
_NO_VALUE = Flag.TIMEOUT | Flag.DESYNC  # what stands in such a block is no measurement


class Block(NamedTuple):
    """A payload of POS or FORCE and where its rows go."""

    payload: bytes
    first_us: int  # of its first sample, on the session clock
    skip: int  # samples at its beginning that came too late to be rows
    flags: int  # for the first row after those


def is_block(payload: bytes, n: int, dt_us: int) -> bool:
    """Whether a POS or FORCE has the exact length for its number of samples, and stamps that differ."""
    return len(payload) == _LENGTHS.get((payload[0], n)) and dt_us >= n - 1


def to_samples(blocks: list[Block], calibration: Calibration) -> Samples:
    """The rows of these blocks, in their order."""
    if not blocks:
        return NOTHING
    if len(blocks) <= _FEW_BLOCKS:
        at_us, position, force, flags = _few(blocks)
    else:
        at_us, position, force, flags = _many(blocks)
        flags[suspect(force)] |= np.uint8(Flag.SUSPECT)
    return Samples(at_us / 1e6, calibration.position_m(position), calibration.force_n(force), flags)


Columns = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.uint8]]


def _few(blocks: list[Block]) -> Columns:
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
            at_us += [block.first_us + k * period_us for k in range(skip, skip + rows)]
            position += pos.counts[skip:]
            force += [np.nan] * rows
            flags += [0] * rows
        else:
            cell = Force.from_body(body)
            n = len(cell.counts)
            rows = n - skip
            at_us += [block.first_us + k * cell.span_us // max(n - 1, 1) for k in range(skip, n)]
            position += [np.nan] * rows
            marks = cell.flags & _WIRE_FLAGS
            if cell.flags & _NO_VALUE:
                force += [np.nan] * rows
                flags += [marks] * rows
            else:
                force += cell.counts[skip:]
                flags += [marks | Flag.SUSPECT.value * is_suspect(counts) for counts in cell.counts[skip:]]
        flags[-rows] |= block.flags
    return np.array(at_us), np.array(position, np.float64), np.array(force, np.float64), np.array(flags, np.uint8)


def _many(blocks: list[Block]) -> Columns:
    payloads = [block.payload for block in blocks]
    first_us = np.array([block.first_us for block in blocks], np.int64)
    sizes = np.array([payload[HEAD.size - 1] for payload in payloads])
    kinds = np.array([payload[0] for payload in payloads])
    starts = np.cumsum(sizes) - sizes
    at_us = np.empty(int(sizes.sum()), np.int64)
    position = np.full(len(at_us), np.nan)
    force = np.full(len(at_us), np.nan)
    flags = np.zeros(len(at_us), np.uint8)
    shapes = kinds * 256 + sizes
    for shape in np.unique(shapes):
        mine = np.flatnonzero(shapes == shape)
        n = int(shape) & 0xFF
        k = np.arange(n)
        rows = starts[mine][:, None] + k
        wire = b"".join([payloads[at] for at in mine.tolist()])
        if int(shape) >> 8 == Pos.TYPE:
            pos = np.frombuffer(wire, [*_HEAD, ("first", "<i4"), ("steps", "<i2", (n - 1,))])
            at_us[rows] = first_us[mine][:, None] + k * pos["dt_us"].astype(np.int64)[:, None]
            position[rows[:, 0]] = pos["first"]
            position[rows[:, 1:]] = pos["first"][:, None] + np.cumsum(pos["steps"], axis=1, dtype=np.int64)
        else:
            cell = np.frombuffer(
                wire, [("", "V9"), ("dt_us", "<u2"), ("", "V1"), ("flags", "u1"), ("words", "u1", (n, 3))]
            )
            at_us[rows] = first_us[mine][:, None] + k * cell["dt_us"].astype(np.int64)[:, None] // max(n - 1, 1)
            words = cell["words"].astype(np.int32)
            counts = words[..., 0] | words[..., 1] << 8 | (words[..., 2] << 24) >> 8
            force[rows] = np.where((cell["flags"] & _NO_VALUE)[:, None], np.nan, counts)
            flags[rows] = (cell["flags"] & _WIRE_FLAGS)[:, None]
    late: list[int] = []
    for start, block in zip(starts.tolist(), blocks, strict=True):
        if block.skip or block.flags:
            late += range(start, start + block.skip)
            flags[start + block.skip] |= block.flags
    if not late:
        return at_us, position, force, flags
    keep = np.ones(len(at_us), np.bool_)
    keep[late] = False
    return at_us[keep], position[keep], force[keep], flags[keep]
