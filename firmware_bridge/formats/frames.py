"""Turns chunks of protocol 1 into samples on the session clock, and counts everything that is missing.

chunk -> Deframer -> payloads -> one by one (live), or as columns (a recording) -> Samples
                              -> control messages: HELLO, STATUS, PONG, ACK, EVENT
"""

from collections import deque
from dataclasses import dataclass

from firmware_bridge.chunk import Chunk, ChunkRun, run_of
from firmware_bridge.errors import ProtocolVersionError
from firmware_bridge.formats import blocks
from firmware_bridge.formats.batch import Batch
from firmware_bridge.formats.blocks import Block
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.clock import StampClock, Whole, preceding
from firmware_bridge.formats.link_counts import LinkCounts
from firmware_bridge.formats.messages import (
    FROM_DEVICE,
    Force,
    Hello,
    Message,
    MessageError,
    Pong,
    Pos,
    Status,
    check_protocol,
)
from firmware_bridge.formats.unframing import RunDeframer
from firmware_bridge.samples import Flag, Samples

CONTROL_KEPT = 1000  # control messages, the newest
_STAMP = slice(5, 9)  # of a block's first sample, in its payload
_FEW = 16  # payloads: up to here, one by one costs no more than all at once
_FEW_BYTES = 1024  # and up to here
_BACK_US = 1_000_000  # a block overtakes one of the other kind by less than the longest block


@dataclass(slots=True)
class _Kind:
    """What is remembered of one kind of sample."""

    received: int = 0
    lost: int = 0
    stream_id: int | None = None  # None: none seen yet, so the first idx does not show a loss
    next_idx: int = 0
    last_us: int = -1  # of the newest row; no row lies before the session's first sample
    owed_flags: int = 0  # to be added to the next row

    def count_block(self, stream_id: int, idx: int, n: int) -> None:
        """Count a block and, by its running number, what is missing before it. A new stream counts from 0."""
        if stream_id == self.stream_id:
            self.lost += (idx - self.next_idx) & 0xFFFF
        elif self.stream_id is not None:
            self.lost += idx
        self.stream_id = stream_id
        self.received += n
        self.next_idx = idx + n

    def count_run(self, idx: Whole, n: Whole, last_us: int) -> None:
        """Count blocks of the known stream that give all their rows."""
        self.lost += int((idx - preceding(self.next_idx, idx + n) & 0xFFFF).sum())
        self.received += int(n.sum())
        self.next_idx = int(idx[-1] + n[-1])
        self.last_us = last_us
        self.owed_flags = 0

    def restart(self) -> None:
        """The device booted: what comes next is another stream."""
        self.stream_id = -1
        self.owed_flags |= Flag.RESTART


def position_stamps(payloads: list[bytes]) -> list[int]:
    """The stamps of the blocks of positions, in us: they come at even steps."""
    return [int.from_bytes(payload[_STAMP], "little") for payload in payloads if payload[0] == Pos.TYPE]


class FrameReader:
    """Turns chunks of protocol 1 into samples, the same ones however the bytes are grouped."""

    def __init__(self, calibration: Calibration, boot: Hello | None = None) -> None:
        self._calibration = calibration
        self._deframer = RunDeframer()
        self._clock = StampClock(back_us=_BACK_US)
        self._restarts = 0  # of the clock: those that both kinds know of
        self._position, self._force = _Kind(), _Kind()
        self._streams = {Pos.TYPE: self._position, Force.TYPE: self._force}
        self._zero_us: int | None = None
        self._boot_id = boot.boot_id if boot else None
        self._boots = 0  # reported by the device
        self._next_seq: int | None = None
        self._enc_illegal: int | None = None
        self._device: Status | None = None
        self._control: deque[Message] = deque(maxlen=CONTROL_KEPT)
        self._frames = self._bad_body = self._bad_stamp = self._unknown = self._lost_frames = self._late = 0

    @property
    def counts(self) -> LinkCounts:
        """The counts up to now."""
        wire = self._deframer.counts
        return LinkCounts(
            frames=self._frames,
            bad_crc=wire.bad_crc,
            bad_shape=wire.bad_shape,
            bad_body=self._bad_body,
            bad_stamp=self._bad_stamp,
            garbage_bytes=wire.garbage_bytes,
            unknown_types=self._unknown,
            lost_frames=self._lost_frames,
            position_samples=self._position.received,
            force_samples=self._force.received,
            lost_position_samples=self._position.lost,
            lost_force_samples=self._force.lost,
            late_samples=self._late,
            resets=self._boots + self._clock.inferred,
            device=self._device,
        )

    def take_control(self) -> list[Message]:
        """The control messages since the last call, at most the newest CONTROL_KEPT."""
        taken = list(self._control)
        self._control.clear()
        return taken

    def feed(self, *chunks: Chunk) -> Samples:
        """The samples that these chunks complete. Raises ProtocolVersionError at a HELLO of another protocol."""
        if sum(len(chunk.data) for chunk in chunks) > _FEW_BYTES and all(chunk.split is None for chunk in chunks):
            return self.feed_run(run_of(chunks))
        taken = [self._take(payload, chunk.received_ns) for chunk in chunks for payload in self._deframer.take(chunk)]
        return blocks.to_samples([block for block in taken if block], self._calibration)

    def feed_run(self, run: ChunkRun) -> Samples:
        """The same for many chunks."""
        batch = Batch(self._deframer.take_run(run))
        self._take_all(batch)
        return batch.to_samples(self._calibration)

    def _take_all(self, batch: Batch) -> None:
        """What `_take` does for each. Runs of ordinary frames are taken at once, everything else one by one."""
        others = (~batch.is_block).nonzero()[0].tolist()
        quiet = self._quiet(batch, others)
        at = 0
        for stop in [*(k for k in others if k not in quiet), len(batch)]:
            while at < stop:
                at += self._take_run(batch, quiet, at, stop)
                alone = min(at + _FEW, stop)  # others like it are near
                self._take_each(batch, at, alone)
                at = alone
            self._take_each(batch, stop, stop + 1)
            at = stop + 1

    def _take_each(self, batch: Batch, at: int, end: int) -> None:
        for k in range(at, min(end, len(batch))):
            if block := self._take(batch.payload(k), int(batch.received_ns[k])):
                batch.put_block(k, block)

    def _quiet(self, batch: Batch, others: list[int]) -> dict[int, Message]:
        """The messages that change nothing for the blocks around them, by their place in the batch."""
        quiet: dict[int, Message] = {}
        known: tuple[int | None, int | None] | None = self._boot_id, self._enc_illegal
        for k in others:
            kind, body = FROM_DEVICE.get(int(batch.kind[k])), batch.payload(k)[2:]
            if kind is Pong and len(body) == Pong.BODY.size:
                quiet[k] = Pong.from_body(body)
            elif kind is Status and len(body) == Status.BODY.size:
                status, before = Status.from_body(body), known
                known = status.boot_id, status.enc_illegal
                if known == before:
                    quiet[k] = status
            else:
                known = None  # it may be another boot
        return quiet

    def _take_run(self, batch: Batch, quiet: dict[int, Message], at: int, stop: int) -> int:
        """Take the ordinary frames at the beginning of these: known blocks and quiet messages; returns how many."""
        rows = at + batch.is_block[at:stop].nonzero()[0]
        span_us = batch.span_us[rows]
        stamps_us = batch.stamp_us[rows] + span_us
        at_us = self._clock.foresee(stamps_us, batch.received_ns[rows], self._boots)
        if self._zero_us is None or not len(at_us):
            return 0
        last_us = at_us - self._zero_us
        first_us = last_us - span_us[: len(at_us)]
        run = self._ordinary(batch, rows[: len(at_us)], first_us, last_us)
        if not run:
            return 0
        end = int(rows[run]) if run < len(rows) else stop
        rows = rows[:run]
        self._count_blocks(batch, rows, last_us[:run])
        self._count_frames(batch.seq[at:end])
        batch.put(rows, first_us[:run])
        self._clock.follow(int(stamps_us[run - 1]), int(batch.received_ns[rows[-1]]), int(at_us[run - 1]))
        for k in (at + (~batch.is_block[at:end]).nonzero()[0]).tolist():
            self._hear(quiet[k])
        return end - at

    def _ordinary(self, batch: Batch, rows: Whole, first_us: Whole, last_us: Whole) -> int:
        """How many of these blocks belong to the known stream and begin after the block before them."""
        run = len(rows)
        for kind, stream in self._streams.items():
            mine = (batch.kind[rows[:run]] == kind).nonzero()[0]
            before_us = preceding(stream.last_us, last_us[mine])
            odd = (batch.stream_id[rows[mine]] != stream.stream_id) | (first_us[mine] <= before_us)
            if odd.any():
                run = int(mine[odd.argmax()])
        return run

    def _count_blocks(self, batch: Batch, rows: Whole, last_us: Whole) -> None:
        """Count these blocks; `last_us`: the times of their last samples."""
        for kind, stream in self._streams.items():
            mine = (batch.kind[rows] == kind).nonzero()[0]
            if len(mine):
                batch.flag(int(rows[mine[0]]), stream.owed_flags)
                stream.count_run(batch.idx[rows[mine]], batch.n[rows[mine]], int(last_us[mine[-1]]))

    def _count_frames(self, seqs: Whole) -> None:
        assert self._next_seq is not None
        self._frames += len(seqs)
        self._lost_frames += int((seqs - preceding(self._next_seq - 1, seqs) - 1 & 0xFF).sum())
        self._next_seq = int(seqs[-1]) + 1 & 0xFF

    def _take(self, payload: bytes, received_ns: int) -> Block | None:
        """The block in this payload, and its place; None for everything else."""
        stream = self._streams.get(payload[0])
        if stream is not None:
            return self._place(stream, payload, received_ns)
        self._read_control(payload)
        return None

    def _place(self, stream: _Kind, payload: bytes, received_ns: int) -> Block | None:
        """Count a block and find its place on the session clock; None if it gives no row."""
        if len(payload) < blocks.HEAD.size:
            self._bad_body += 1
            return None
        kind, seq, stream_id, idx, stamp_us, dt_us, n = blocks.HEAD.unpack_from(payload)
        if not blocks.is_block(payload, n, dt_us):
            self._bad_body += 1
            return None
        self._count_frame(seq)
        parts = 1 if kind == Pos.TYPE or n == 1 else n - 1  # a span is divided among the samples, a period is not
        span_us = (n - 1) * dt_us // parts
        at_us = self._clock.place(stamp_us + span_us, received_ns, self._boots)
        if at_us is None:
            self._bad_stamp += 1
            return None
        self._note_restart()
        stream.count_block(stream_id, idx, n)
        if self._zero_us is None:
            self._zero_us = at_us - span_us
        last_us = at_us - self._zero_us
        first_us = last_us - span_us
        skip = 0
        if first_us <= stream.last_us:
            skip = sum(first_us + k * dt_us // parts <= stream.last_us for k in range(n))
            self._late += skip
            if skip == n:
                return None
        stream.last_us = last_us
        flags, stream.owed_flags = stream.owed_flags, 0
        return Block(payload, first_us, skip, flags)

    def _note_restart(self) -> None:
        """The clock has been bridged over a restart: both kinds begin another stream."""
        if self._restarts != self._clock.restarts:
            self._restarts = self._clock.restarts
            self._position.restart()
            self._force.restart()

    def _read_control(self, payload: bytes) -> None:
        """Read a message that is not a block of samples."""
        kind = FROM_DEVICE.get(payload[0])
        if kind is None:
            self._unknown += 1
            self._count_frame(payload[1])
            return
        try:
            check_protocol(payload)
        except ProtocolVersionError:
            if self._boot_id is None:
                raise
            self._bad_body += 1  # the link has refused that device, which left the beginning of its HELLO in the stream
            return
        try:
            message = kind.from_body(payload[2:])
        except MessageError:
            self._bad_body += 1
            return
        self._hear(message)
        self._count_frame(payload[1])

    def _hear(self, message: Message) -> None:
        """Note what a control message tells."""
        if isinstance(message, Hello | Status):
            self._note_boot(message.boot_id)
        if isinstance(message, Status):
            if self._enc_illegal is not None and message.enc_illegal > self._enc_illegal:
                self._position.owed_flags |= Flag.SLIPPED
            self._enc_illegal = message.enc_illegal
            self._device = message
        self._control.append(message)

    def _note_boot(self, boot_id: int) -> None:
        """Compare a message's boot with the known one. Every count of a device begins at its boot."""
        if self._boot_id is not None and boot_id != self._boot_id:
            self._boots += 1
            self._next_seq = self._enc_illegal = 0
        self._boot_id = boot_id

    def _count_frame(self, seq: int) -> None:
        self._frames += 1
        if self._next_seq is not None:
            self._lost_frames += (seq - self._next_seq) & 0xFF
        self._next_seq = (seq + 1) & 0xFF
