"""A live board: it waits for START, answers commands and streams what its sensors measure. Bytes in, bytes out.

Its clock is the machine's: one row is one millisecond. It does no I/O and never waits.
"""

from dataclasses import replace

import numpy as np

from firmware_bridge.formats.codes import ResetCause, Result, StatusFlag, Streams
from firmware_bridge.formats.framing import END_OF_FRAME, Deframer, frame
from firmware_bridge.formats.messages import (
    COUNTER_MAX,
    MAX_POS_SAMPLES,
    MIN_PERIOD_US,
    Ack,
    Force,
    HelloRequest,
    Message,
    MessageError,
    Ping,
    Pong,
    Pos,
    SetAdc,
    StartStream,
    Status,
    StatusRequest,
    StopStream,
    parse,
)
from firmware_bridge.simulator.blocks import Blocks, BlockSamples
from firmware_bridge.simulator.kit import Kit
from firmware_bridge.simulator.meter import Floats, Meter
from firmware_bridge.simulator.trace import Trace
from firmware_bridge.simulator.wire import U16, U32, hello

TX_BYTES = 1024  # the transmit ring; a frame that does not fit is dropped as a whole
TX_RESERVED_BYTES = 64  # of it reserved for answers, so that samples cannot fill it
STATUS_US = 1_000_000
SPS = (10, 20, 40, 80, 90, 175, 320, 330, 600, 1000)  # rates that SET_ADC accepts


class Board:
    """Give it rows of a machine and bytes from the host; take the bytes that it sends."""

    def __init__(self, kit: Kit, seed: int, tx_bytes: int | None = TX_BYTES) -> None:
        if kit.faults:
            raise ValueError("a live board cannot play the faults of a kit: reset() it, or stop taking its bytes")
        self._kit, self._seed, self._tx_bytes = kit, seed, tx_bytes  # None: unlimited
        self._rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(3)[2])
        self._us = 0  # since power on
        self._boots = 0
        self._dead_until_us = 0
        self._tx = bytearray()
        self._forgotten = 0  # counts: the encoder's position at the last reset
        self._position = 0
        self._cause = ResetCause.POWER_ON
        self._boot(0, kit.clock_start_us)

    def _boot(self, at_us: int, clock_us: int) -> None:
        self._boots += 1
        self._booted_us, self._clock_us = at_us, clock_us
        self._deframer = Deframer()
        self._seq = self._dropped = 0
        self._least_room = self._room()
        self._status_us = at_us + STATUS_US
        self._start: StartStream | None = None
        self._meter: Meter | None = None
        self._streams = 0
        self._tx += END_OF_FRAME
        self._send(self._hello())

    @property
    def boot_id(self) -> int:
        return (self._seed + self._boots) & U16

    @property
    def streaming(self) -> bool:
        """Whether START has been received."""
        return self._start is not None

    @property
    def tx_dropped(self) -> int:
        """Frames since the boot that had no room."""
        return self._dropped

    def reset(self, cause: ResetCause = ResetCause.BROWN_OUT, down_s: float = 0.3) -> None:
        """Restart: silence for a while, then HELLO with another boot id; the position is counted from here."""
        self._tx.clear()
        self._cause, self._dead_until_us = cause, self._us + round(down_s * 1e6)
        self._meter = self._start = None
        self._forgotten = self._position

    def receive(self, data: bytes) -> None:
        """Bytes from the host."""
        if self._dead_until_us > self._us:
            return
        for payload in self._deframer.feed(data):
            command, seq = payload[0], payload[1]
            try:
                message = parse(payload)
            except MessageError:
                self._send(Ack(command, seq, Result.ARGUMENT))
                continue
            match message:
                case HelloRequest():
                    self._send(self._hello())
                case StartStream():
                    self._send(Ack(command, seq, self._begin(message)))
                case StopStream():
                    self._start = self._meter = None
                    self._send(Ack(command, seq, Result.OK))
                case Ping(token):
                    self._send(Pong(token, self._now_us(), self._now_us()))
                case StatusRequest():
                    self._send(self._status())
                case SetAdc(_, rate_sps):
                    self._send(Ack(command, seq, self._set_adc(rate_sps)))
                case _:
                    self._send(Ack(command, seq, Result.UNKNOWN))

    def advance(self, trace: Trace) -> None:
        """The machine has moved by these rows."""
        begin_us, self._us = self._us, self._us + 1000 * len(trace)
        self._machine = trace.machine
        if self._dead_until_us > begin_us:
            if self._dead_until_us > self._us:
                return
            self._boot(self._dead_until_us, 0)
            self._dead_until_us = 0
        if self._start:
            self._stream(trace.x_m, trace.tension_n, begin_us)
        counts = trace.machine.rest_m + float(trace.x_m[-1])
        self._position = round(counts / self._kit.calibration(trace.machine).metres_per_count)
        while self._status_us <= self._us:
            self._status_us += STATUS_US
            self._send(self._status())

    @property
    def waiting(self) -> bytes:
        """The bytes that wait to be sent, oldest first."""
        return bytes(self._tx)

    def taken(self, n_bytes: int) -> None:
        """The line took this many of them."""
        del self._tx[:n_bytes]

    def _now_us(self) -> int:
        return round(self._clock_us + (self._us - self._booted_us) * (1 + self._kit.clock_ppm * 1e-6)) & U32

    def _hello(self) -> Message:
        return hello(self._kit, self.boot_id, self._now_us(), self._cause, serial=self._seed & U32)

    def _status(self) -> Status:
        status = Status(
            t_us=self._now_us(),
            boot_id=self.boot_id,
            tx_dropped=min(self._dropped, COUNTER_MAX),
            samp_overrun=0,
            enc_illegal=0,
            adc_timeout=0,
            adc_resync=0,
            rx_overrun=0,
            rx_bad=min(self._deframer.counts.bad_crc + self._deframer.counts.bad_shape, COUNTER_MAX),
            tx_min_free=min(self._least_room, COUNTER_MAX),
            flags=StatusFlag.STREAMING if self._start else StatusFlag(0),
        )
        self._least_room = self._room()
        return status

    def _begin(self, start: StartStream) -> Result:
        streams = 0 < start.streams <= Streams.POSITION | Streams.FORCE
        if not streams or start.period_us < MIN_PERIOD_US or not 1 <= start.batch <= MAX_POS_SAMPLES:
            return Result.ARGUMENT
        if self._start is None or self._start.stream_id != start.stream_id:
            self._start, self._meter = start, None
            self._positions, self._forces = Blocks(start.batch), Blocks(self._kit.force_block)
        return Result.OK

    def _set_adc(self, rate_sps: int) -> Result:
        if rate_sps not in SPS:
            return Result.ARGUMENT
        self._kit = replace(self._kit, force_rate_hz=float(rate_sps))
        if self._start:  # the converter starts again, on new grids
            self._meter = None
            self._forces.size = self._kit.force_block
        return Result.OK

    def _stream(self, x_m: Floats, tension_n: Floats, begin_us: int) -> None:
        assert self._start
        if self._meter is None:
            self._streams += 1
            seed = self._seed + 1000 * self._boots + self._streams
            self._meter = Meter(self._kit, self._machine, seed, self._start.period_us)
            self._meter_us = round((begin_us - self._booted_us) * (1 + self._kit.clock_ppm * 1e-6)) + self._clock_us
            self._positions.begin_anew()
            self._forces.begin_anew()
        position, force = self._meter.take(x_m, tension_n)
        due: list[tuple[int, Message]] = []
        if self._start.streams & Streams.POSITION:
            position.counts -= self._forgotten
            for block in self._positions.add(position):
                due.append((block.stamps_us[-1], self._pos(block)))
        if self._start.streams & Streams.FORCE:
            for block in self._forces.add(force):
                due.append((block.stamps_us[-1], self._force(block)))
        for _, message in sorted(due, key=lambda item: item[0]):
            self._send(message)

    def _pos(self, block: BlockSamples) -> Pos:
        assert self._start
        stamp_us = (self._meter_us + block.stamps_us[0]) & U32
        return Pos(self._start.stream_id, block.idx & U16, stamp_us, self._start.period_us, tuple(block.counts))

    def _force(self, block: BlockSamples) -> Force:
        assert self._start
        stamp_us = (self._meter_us + block.stamps_us[0]) & U32
        span_us = block.stamps_us[-1] - block.stamps_us[0]
        return Force(self._start.stream_id, block.idx & U16, stamp_us, span_us, block.flags, tuple(block.counts))

    def _room(self) -> int:
        return COUNTER_MAX if self._tx_bytes is None else self._tx_bytes - len(self._tx)

    def _send(self, message: Message) -> None:
        """Put a frame into the transmit ring, whole or not at all. `seq` advances either way: the host sees the gap."""
        data = frame(message.to_bytes(self._seq))
        self._seq += 1
        room = self._room()
        self._least_room = min(self._least_room, room)
        reserved = TX_RESERVED_BYTES if isinstance(message, Pos | Force) else 0
        lost = isinstance(message, Pos | Force) and self._rng.random() < self._kit.lost_fraction
        if room < len(data) + reserved:
            self._dropped += 1
        elif not lost:
            self._tx += data
