"""Protocol 1 to samples: chunks of bytes in, rows on the session clock out, everything that is missing counted."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats import blocks
from firmware_bridge.formats.batch import Batch
from firmware_bridge.formats.blocks import Block
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.clock import StampClock
from firmware_bridge.formats.framing import Deframer
from firmware_bridge.formats.link_counts import LinkCounts
from firmware_bridge.formats.messages import (
    FROM_DEVICE,
    Force,
    Hello,
    Message,
    MessageError,
    Pos,
    Status,
    check_protocol,
)
from firmware_bridge.samples import Flag, Samples

CONTROL_KEPT = 1000  # messages for who asks, the newest
_FEW = 16  # payloads: where one by one and all at once cost the same
_BACK_US = 1_000_000  # a block of one kind overtakes one of the other by less than the longest block


@dataclass(slots=True)
class _Stream:
    """What is remembered of one kind of sample."""

    received: int = 0
    lost: int = 0
    stream_id: int | None = None  # None: none seen yet, so that the first idx says nothing of a loss
    next_idx: int = 0
    last_us: int = -1  # of the newest row; nothing lies before the session's first sample
    owed_flags: int = 0  # for the next row

    def account(self, stream_id: int, idx: int, n: int) -> None:
        """Count a block, and by its running number what is missing before it. A new stream counts from 0."""
        if stream_id == self.stream_id:
            self.lost += (idx - self.next_idx) & 0xFFFF
        elif self.stream_id is not None:
            self.lost += idx
        self.stream_id = stream_id
        self.received += n
        self.next_idx = idx + n

    def account_run(self, idx: NDArray[np.int64], n: NDArray[np.int64], last_us: int) -> None:
        """Count blocks of the stream that is known, rows to the last of their samples; nothing is owed any more."""
        self.lost += int((idx - np.append(self.next_idx, idx + n)[:-1] & 0xFFFF).sum())
        self.received += int(n.sum())
        self.next_idx = int(idx[-1] + n[-1])
        self.last_us = last_us
        self.owed_flags = 0

    def restart(self) -> None:
        """The device booted: whatever comes next is another stream."""
        self.stream_id = -1
        self.owed_flags |= Flag.RESTART


class FrameReader:
    """Turn chunks of protocol 1 into samples; the rows depend on bytes and stamps, never on how they were grouped."""

    def __init__(self, calibration: Calibration, boot: Hello | None = None) -> None:
        self._calibration = calibration
        self._deframer = Deframer()
        self._clock = StampClock(back_us=_BACK_US)
        self._restarts = 0  # of the clock's, that the streams know of
        self._position, self._force = _Stream(), _Stream()
        self._streams = {Pos.TYPE: self._position, Force.TYPE: self._force}
        self._zero_us: int | None = None
        self._boot_id = boot.boot_id if boot else None
        self._boots = 0  # that we were told of
        self._next_seq: int | None = None
        self._enc_illegal: int | None = None
        self._device: Status | None = None
        self._control: deque[Message] = deque(maxlen=CONTROL_KEPT)
        self._frames = self._bad_body = self._bad_stamp = self._unknown = self._lost_frames = self._late = 0

    @property
    def counts(self) -> LinkCounts:
        """The tally as it stands."""
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
        """The messages that are no block of samples, since the last call; for who never asks, they do not add up."""
        taken = list(self._control)
        self._control.clear()
        return taken

    def feed(self, *chunks: Chunk) -> Samples:
        """The samples that these chunks complete. Raises ProtocolVersionError at a HELLO of another protocol."""
        payloads: list[bytes] = []
        received_ns: list[int] = []
        for chunk in chunks:
            complete = self._deframer.take(chunk)
            payloads += complete
            received_ns += [chunk.received_ns] * len(complete)
        if len(payloads) <= _FEW:
            taken = map(self._take, payloads, received_ns)
            return blocks.to_samples([block for block in taken if block], self._calibration)
        batch = Batch(payloads, received_ns)
        self._take_all(batch)
        return batch.to_samples(self._calibration)

    def _take_all(self, batch: Batch) -> None:
        """As `_take` each: runs of blocks that follow each other plainly at once, what stands out alone."""
        at = 0
        for stop in [*np.flatnonzero(~batch.is_block).tolist(), len(batch)]:
            while at < stop:
                at += self._take_run(batch, at, stop)
                alone = min(at + _FEW, stop)  # where one stands out, others are near
                self._take_each(batch, at, alone)
                at = alone
            self._take_each(batch, stop, stop + 1)
            at = stop + 1

    def _take_each(self, batch: Batch, at: int, end: int) -> None:
        for k, payload in enumerate(batch.payloads[at:end], at):
            if block := self._take(payload, int(batch.received_ns[k])):
                batch.put_block(k, block)

    def _take_run(self, batch: Batch, at: int, stop: int) -> int:
        """Place as many of these blocks as follow each other as they should; how many."""
        span_us = batch.span_us[at:stop]
        stamps_us = batch.stamp_us[at:stop] + span_us
        at_us = self._clock.foresee(stamps_us, batch.received_ns[at:stop], self._boots)
        if self._zero_us is None or not len(at_us):
            return 0
        last_us = at_us - self._zero_us
        first_us = last_us - span_us[: len(at_us)]
        run = len(at_us)
        mine = {kind: np.flatnonzero(batch.kind[at : at + run] == kind) for kind in self._streams}
        for kind, stream in self._streams.items():
            rows = mine[kind]
            before_us = np.append(stream.last_us, last_us[rows])[:-1]
            odd = (batch.stream_id[at + rows] != stream.stream_id) | (first_us[rows] <= before_us)
            if odd.any():
                run = min(run, int(rows[odd.argmax()]))
        if not run:
            return 0
        for kind, stream in self._streams.items():
            rows = mine[kind][: np.searchsorted(mine[kind], run)]
            if len(rows):
                batch.flag(at + int(rows[0]), stream.owed_flags)
                stream.account_run(batch.idx[at + rows], batch.n[at + rows], int(last_us[rows[-1]]))
        batch.put(at, first_us[:run])
        end = at + run - 1
        self._clock.follow(int(stamps_us[run - 1]), int(batch.received_ns[end]), int(at_us[run - 1]))
        assert self._next_seq is not None
        seqs = batch.seq[at : end + 1]
        self._frames += run
        self._lost_frames += int((np.diff(seqs, prepend=self._next_seq - 1) - 1 & 0xFF).sum())
        self._next_seq = int(seqs[-1]) + 1 & 0xFF
        return run

    def _take(self, payload: bytes, received_ns: int) -> Block | None:
        """The block that this is, and where it goes; None for all else."""
        stream = self._streams.get(payload[0])
        if stream is not None:
            return self._place(stream, payload, received_ns)
        self._look_at(payload)
        return None

    def _place(self, stream: _Stream, payload: bytes, received_ns: int) -> Block | None:
        """Account for a block and find its place on the session clock; None where no row of it is fit to be one."""
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
        if self._restarts != self._clock.restarts:
            self._restarts = self._clock.restarts
            self._position.restart()
            self._force.restart()
        stream.account(stream_id, idx, n)
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

    def _look_at(self, payload: bytes) -> None:
        """Take notice of a message that is not a block of samples."""
        kind = FROM_DEVICE.get(payload[0])
        if kind is None:
            self._unknown += 1
            self._count_frame(payload[1])
            return
        check_protocol(payload)
        try:
            message = kind.from_body(payload[2:])
        except MessageError:
            self._bad_body += 1
            return
        if isinstance(message, Hello):
            self._know_boot(message.boot_id)
        elif isinstance(message, Status):
            self._know_boot(message.boot_id)
            if self._enc_illegal is not None and message.enc_illegal > self._enc_illegal:
                self._position.owed_flags |= Flag.SLIPPED
            self._enc_illegal = message.enc_illegal
            self._device = message
        self._control.append(message)
        self._count_frame(payload[1])

    def _know_boot(self, boot_id: int) -> None:
        """Compare the boot that a message names with the one we know. A device counts all it counts from its boot."""
        if self._boot_id is not None and boot_id != self._boot_id:
            self._boots += 1
            self._next_seq = self._enc_illegal = 0
        self._boot_id = boot_id

    def _count_frame(self, seq: int) -> None:
        self._frames += 1
        if self._next_seq is not None:
            self._lost_frames += (seq - self._next_seq) & 0xFF
        self._next_seq = (seq + 1) & 0xFF
