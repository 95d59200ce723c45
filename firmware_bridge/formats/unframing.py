"""Takes the thousands of frames of a recording apart at once, by NumPy.

    wire     | 02 83 03 c4 53 | 00 | ...       blocks of any lengths, as they lie in the stream
    plain    | 00 83 00 c4 53 | 00 | ...       every COBS code replaced by the zero that it stands for

COBS moves nothing: behind its first code, a block is already the payload and its CRC, except that each zero holds the
distance to the next one. All blocks follow these distances together.

A CRC is linear over XOR: that of a payload is the XOR of what each byte contributes by its distance to the end of the
block, and of what the start value contributes by the length. So a table of all bytes at all distances gives every CRC.
"""

from binascii import crc_hqx
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.chunk import ChunkRun
from firmware_bridge.formats.clock import Whole, preceding
from firmware_bridge.formats.framing import CRC_START, MAX_BLOCK_BYTES, MIN_BLOCK_BYTES, Deframer

Bytes = NDArray[np.uint8]
_CRC_AND_END = 3  # bytes behind a payload


class Payloads(NamedTuple):
    """Many payloads where they lie in a wire; the columns have one value for each."""

    plain: Bytes
    starts: Whole  # in `plain`
    lengths: Whole
    received_ns: Whole  # of the chunk that completes it


class RunDeframer(Deframer):
    """A Deframer that also takes a run of chunks; it finds and counts the same."""

    def take_run(self, run: ChunkRun) -> Payloads:
        """The payloads that these chunks complete."""
        wire = np.frombuffer(self._complete(run.data), np.uint8)
        ends = (wire == 0).nonzero()[0]
        starts = preceding(-1, ends) + 1
        plain, good = _take_apart(wire, starts, ends)
        for bad in (~good).nonzero()[0].tolist():
            self._read(wire[starts[bad] : ends[bad]].tobytes())  # counts it
        starts, ends = starts[good], ends[good]
        self.counts.good += len(ends)
        before = run.data.rfind(self.END) + 1 - len(wire)  # bytes of the run before the first block
        received_ns = run.received_ns[run.ends.searchsorted(ends + before, "right")]
        return Payloads(plain, starts + 1, ends - starts - _CRC_AND_END, received_ns)


def _take_apart(wire: Bytes, starts: Whole, ends: Whole) -> tuple[Bytes, NDArray[np.bool_]]:
    """The wire without the codes of its blocks, and which blocks are good: they contain a payload with its CRC."""
    lengths = ends - starts
    plain, good = _without_codes(wire, starts, ends, (lengths >= MIN_BLOCK_BYTES) & (lengths <= MAX_BLOCK_BYTES))
    if len(ends):
        good &= _crc_fits(plain, starts, ends)
    return plain, good


def _without_codes(
    wire: Bytes, starts: Whole, ends: Whole, sized: NDArray[np.bool_]
) -> tuple[Bytes, NDArray[np.bool_]]:
    """The wire with zeros for the codes of the blocks of a possible length, and which of these are COBS."""
    plain, good, rows = wire.copy(), sized.copy(), sized.nonzero()[0]
    code, end = starts[rows], ends[rows]
    while len(rows):
        plain[code] = 0
        code = code + wire[code]
        good[rows[code > end]] = False
        inside = code < end
        rows, code, end = rows[inside], code[inside], end[inside]
    return plain, good


def _crc_fits(plain: Bytes, starts: Whole, ends: Whole) -> NDArray[np.bool_]:
    """Whether the CRC of each block fits; without meaning for a block of an impossible length."""
    contributions, of_start = _tables()
    places = np.repeat(ends, np.diff(ends, prepend=-1))
    places -= np.arange(len(plain))
    places <<= 8
    places |= plain
    found = np.bitwise_xor.reduceat(contributions.take(places, mode="clip"), starts)
    fits: NDArray[np.bool_] = found == of_start.take(ends - starts, mode="clip")
    return fits


@cache
def _tables() -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """What a byte contributes, by distance to the end * 256 + byte; what the start value does, by length of the block.

    The two bytes of the CRC contribute themselves, so that all contributions of a good block cancel out.
    """
    contributions = np.zeros((MAX_BLOCK_BYTES + 1, 256), np.uint16)
    contributions[1], contributions[2] = np.arange(256) << 8, np.arange(256)
    last = contributions[_CRC_AND_END] = [crc_hqx(bytes((byte,)), 0) for byte in range(256)]
    for distance in range(_CRC_AND_END + 1, MAX_BLOCK_BYTES + 1):
        before = contributions[distance - 1]
        contributions[distance] = before << 8 ^ np.take(last, before >> 8)
    lengths = range(MAX_BLOCK_BYTES + 1)
    of_start = np.array([crc_hqx(bytes(max(0, n - _CRC_AND_END)), CRC_START) for n in lengths], np.uint16)
    return contributions.ravel(), of_start
