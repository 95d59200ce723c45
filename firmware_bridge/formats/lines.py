"""Lines of text, as simple boards send them: one sample a line.

    lines-millis    1000,25,30.5       milliseconds , position , force
    lines-micros    4000;30.5          microseconds ; force

    stamp     u32: digits only, wraps at 4294967296
    number    up to 10 digits, optionally a sign before and a fraction behind; no exponent
    line      ends with LF or CR LF, has at most 80 bytes; spaces around a number are ignored

>>> splitter = LineSplitter(MILLIS)
>>> splitter.feed(b"00,24,30\\n1000,25,30.5\\r\\n1010,26,1e3\\n")
[(b'1000', b'25', b'30.5')]
>>> splitter.counts.bad_shape      # 1e3 has an exponent
1

Numbers are raw counts, or metres and newtons already (then the calibration is 1). A line that differs from this is
refused and counted. There is no checksum and no running number, so a wrong digit in a value or a lost line cannot be
detected; a stamp is compared with its arrival. The first line is skipped, because it may be the end of a longer one.
"""

import re
from typing import NamedTuple

import numpy as np

from firmware_bridge.chunk import Chunk, ChunkRun
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.clock import WRAP_U32, StampClock
from firmware_bridge.formats.link_counts import LinkCounts
from firmware_bridge.formats.messages import Message
from firmware_bridge.formats.splitting import Splitter
from firmware_bridge.samples import Flag, Samples

BACK_US = 1_000_000  # a stamp that a wrong digit puts a little ahead is followed by right ones: late, no restart


class Shape(NamedTuple):
    """One of the line formats."""

    line: re.Pattern[bytes]  # groups: the stamp, then the values; the last one is the force
    tick_us: int  # of the stamp

    @property
    def has_position(self) -> bool:
        return self.line.groups == 3


_NUMBER = rb"\s*([+-]?\d{1,10}(?:\.\d{0,9})?)\s*"
MILLIS = Shape(re.compile(rb"\s*(\d{1,10})\s*," + _NUMBER + b"," + _NUMBER), 1000)
MICROS = Shape(re.compile(rb"\s*(\d{1,10})\s*;" + _NUMBER), 1)


class LineSplitter(Splitter[tuple[bytes, ...]]):
    """Turns a byte stream, however it was split, into the fields of its lines."""

    END = b"\n"
    LONGEST_BYTES = 80
    START = None

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self._line = shape.line

    def _read(self, block: bytes) -> tuple[bytes, ...] | None:
        match = self._line.fullmatch(block) if len(block) <= self.LONGEST_BYTES else None
        if match and int(match[1]) < WRAP_U32:
            return match.groups()
        if block.strip():
            self._refuse(block)
        return None


def line_stamps(lines: list[tuple[bytes, ...]]) -> list[int]:
    """The stamps of lines, in ticks."""
    return [int(fields[0]) for fields in lines]


class LineReader:
    """Turns chunks of text lines into samples, the same ones however the bytes are grouped."""

    def __init__(self, calibration: Calibration, shape: Shape) -> None:
        self._calibration = calibration
        self._splitter = LineSplitter(shape)
        self._tick_us = shape.tick_us
        self._has_position = shape.has_position
        self._clock = StampClock(wrap_us=WRAP_U32 * self._tick_us, back_us=BACK_US, guarded=True)
        self._last_us = -1
        self._samples = self._bad_stamp = self._late = 0

    @property
    def counts(self) -> LinkCounts:
        """The counts up to now."""
        wire = self._splitter.counts
        return LinkCounts(
            frames=wire.good,
            bad_shape=wire.bad_shape,
            bad_stamp=self._bad_stamp,
            garbage_bytes=wire.garbage_bytes,
            position_samples=self._samples if self._has_position else 0,
            force_samples=self._samples,
            late_samples=self._late,
            resets=self._clock.inferred,
        )

    def take_control(self) -> list[Message]:
        """Nothing: a line carries only a sample."""
        return []

    def feed_run(self, run: ChunkRun) -> Samples:
        """The same for many chunks."""
        return self.feed(*run.chunks())

    def feed(self, *chunks: Chunk) -> Samples:
        """The samples whose lines these chunks complete."""
        rows: list[tuple[float, ...]] = []
        at_us: list[int] = []
        flags: list[int] = []
        for chunk in chunks:
            for stamp, *values in self._splitter.take(chunk):
                restarts = self._clock.restarts
                placed_us = self._clock.place(int(stamp) * self._tick_us, chunk.received_ns)
                if placed_us is None:
                    self._bad_stamp += 1
                    continue
                self._samples += 1
                if placed_us <= self._last_us:
                    self._late += 1
                    continue
                self._last_us = placed_us
                at_us.append(placed_us)
                rows.append(tuple(map(float, values)))
                flags.append(Flag.RESTART if self._clock.restarts != restarts else 0)
        columns = np.array(rows, np.float64).reshape(len(rows), 2 if self._has_position else 1)
        position = columns[:, 0] if self._has_position else np.full(len(rows), np.nan)
        return Samples(
            np.array(at_us, np.int64) / 1e6,
            self._calibration.position_m(position),
            self._calibration.force_n(columns[:, -1]),
            np.array(flags, np.uint8),
        )
