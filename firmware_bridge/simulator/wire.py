"""Turns a trace into the bytes that a board would send in protocol 1, with the times at which they are read.

    HELLO at boot, STATUS each second, POS and FORCE when complete; after a reset HELLO again, all counters at 0

A lost frame leaves a gap in `seq` and in the running numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.codes import Adc, Caps, Mcu, ResetCause, StatusFlag
from firmware_bridge.formats.framing import END_OF_FRAME, frame
from firmware_bridge.formats.messages import PROTOCOL, Force, Hello, Message, Pos, Status
from firmware_bridge.samples import Flag
from firmware_bridge.simulator.kit import Kit
from firmware_bridge.simulator.readout import STATUS_US, Readout, boots_us, illegal_by, read_out, silent_us
from firmware_bridge.simulator.trace import Trace

START_NS = 5_000_000_000  # the host's clock at the beginning of the trace
STREAM_ID = 1
U16, U32 = 0xFFFF, 0xFFFFFFFF
VERSION = (1, 0, 0)


def hello(kit: Kit, boot_id: int, t_us: int, reset_cause: ResetCause = ResetCause.POWER_ON, serial: int = 0) -> Hello:
    """The HELLO of a simulated board."""
    return Hello(
        protocol=PROTOCOL,
        firmware_major=VERSION[0],
        firmware_minor=VERSION[1],
        firmware_patch=VERSION[2],
        mcu=Mcu.SIMULATED,
        reset_cause=reset_cause,
        boot_id=boot_id & U16,
        serial=serial,
        adc=Adc.HX711 if kit.force_window_s * kit.force_rate_hz > 1 else Adc.ADS1220,
        adc_sps=round(kit.force_rate_hz),
        caps=Caps.POSITION | Caps.FORCE,
        f_cpu_khz=16_000,
        build=0,
        t_us=t_us & U32,
    )


def board_chunks(trace: Trace, kit: Kit, seed: int, read_s: float = 0.01) -> list[Chunk]:
    """The whole trace in chunks; the host reads every `read_s`."""
    return list(stream_chunks(trace, kit, seed, read_s))


def stream_chunks(trace: Trace, kit: Kit, seed: int, read_s: float = 0.01) -> Iterator[Chunk]:
    """The chunks of `board_chunks`, each made when it is needed."""
    read_us = round(read_s * 1e6)
    data, read = b"", 0
    for at_us, piece in _pieces(trace, kit, seed):
        if at_us // read_us != read:
            if data:
                yield Chunk(START_NS + (read + 1) * read_us * 1000, data)
            data, read = b"", at_us // read_us
        data += piece
    yield Chunk(START_NS + (read + 1) * read_us * 1000, data)


def _pieces(trace: Trace, kit: Kit, seed: int) -> Iterator[tuple[int, bytes]]:
    """Everything that is sent, each piece with its time in microseconds from the start of the trace."""
    rows = read_out(trace, kit, seed)
    sender = _Sender(kit, seed)
    resets = [0, *boots_us(kit)]
    edges = [*np.flatnonzero(np.diff(rows.frame, prepend=-1)).tolist(), len(rows.frame)]
    for first, end in pairwise(edges):
        done_us = int(rows.done_us[first])
        while resets and done_us >= resets[0]:
            sender.boot(resets.pop(0))
        sender.statuses(rows, done_us)
        sender.data(rows, first, end)
        yield from sender.take()


@dataclass(slots=True)
class _Running:
    """Running numbers since the boot."""

    seq: int = 0
    positions: int = 0
    forces: int = 0
    timeouts: int = 0


class _Sender:
    """Makes the messages of the board, and numbers them."""

    def __init__(self, kit: Kit, seed: int) -> None:
        self._kit, self._boots, self._boot_id = kit, 0, seed & U16
        self._pieces: list[tuple[int, bytes]] = []
        self._zero_us = kit.clock_start_us  # the device's clock at the start of the trace
        self._run = _Running()
        self._seconds = 0
        self._silent_us = silent_us(kit)

    def boot(self, at_us: int) -> None:
        if self._boots:
            self._zero_us = -at_us
        self._run = _Running()
        self._boot_id += self._boots > 0
        cause = ResetCause.BROWN_OUT if self._boots else ResetCause.POWER_ON
        self._boots += 1
        self._pieces.append((at_us, END_OF_FRAME))
        self._send(at_us, hello(self._kit, self._boot_id, self._zero_us + at_us, cause))

    def statuses(self, rows: Readout, until_us: int) -> None:
        """Send each STATUS that is due before `until_us`."""
        while (self._seconds + 1) * STATUS_US < until_us:
            self._seconds += 1
            at_us, run = self._seconds * STATUS_US, self._run
            status = Status(
                t_us=(self._zero_us + at_us) & U32,
                boot_id=self._boot_id & U16,
                tx_dropped=0,
                samp_overrun=0,
                enc_illegal=min(illegal_by(rows, self._seconds), U16),
                adc_timeout=min(run.timeouts, U16),
                adc_resync=0,
                rx_overrun=0,
                rx_bad=0,
                tx_min_free=200,
                flags=StatusFlag.STREAMING,
            )
            self._send(at_us, status, lost=any(begin <= at_us < end for begin, end in self._silent_us))

    def data(self, rows: Readout, first: int, end: int) -> None:
        """Send one frame of samples, unless it is lost."""
        run, n = self._run, end - first
        stamp_us = (self._zero_us + int(rows.stamp_us[first])) & U32
        counts = tuple(rows.counts[first:end].tolist())
        message: Message
        if rows.force[first]:
            span_us = int(rows.stamp_us[end - 1] - rows.stamp_us[first])
            flags = int(rows.flags[first])
            message = Force(STREAM_ID, run.forces & U16, stamp_us, span_us, flags, counts)
            run.forces += n
            run.timeouts += bool(flags & Flag.TIMEOUT)
        else:
            message = Pos(STREAM_ID, run.positions & U16, stamp_us, self._kit.period_us, counts)
            run.positions += n
        self._send(int(rows.done_us[first]), message, lost=bool(rows.lost[first]))

    def _send(self, at_us: int, message: Message, lost: bool = False) -> None:
        if not lost:
            self._pieces.append((at_us, frame(message.to_bytes(self._run.seq))))
        self._run.seq += 1

    def take(self) -> list[tuple[int, bytes]]:
        """What was sent since the last call, each piece with its time in microseconds from the start of the trace."""
        pieces, self._pieces = self._pieces, []
        return pieces
