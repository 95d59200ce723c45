"""A small device that writes protocol 1 and keeps a list of its samples."""

from collections.abc import Callable
from dataclasses import dataclass, field

from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.framing import frame
from firmware_bridge.formats.messages import Ack, EventNote, Force, Hello, Message, Pong, Pos, Status

RAW = Calibration(metres_per_count=1, newtons_per_count=1)  # raw counts


MASK_U32 = 2**32 - 1


@dataclass
class Row:
    """One sample of the device; `at_us` is on a clock that never wraps."""

    kind: int
    at_us: int
    counts: int
    flags: int = 0


@dataclass
class Wire:
    """Makes frames: positions at 500 Hz in blocks of 5, a conversion every 12.5 ms."""

    boot_id: int = 1
    stream_id: int = 1
    boot_at_us: int = 0  # on the clock that never wraps
    t0_us: int = 0  # the device's own clock at boot; 0 on real devices
    seq: int = 0
    pos_idx: int = 0
    force_idx: int = 0
    enc_illegal: int = 0
    frames: int = 0
    sent: list[Row] = field(default_factory=list)

    def send(self, message: Message) -> bytes:
        self.frames += 1
        self.seq = (self.seq + 1) & 0xFF
        return frame(message.to_bytes(self.seq - 1))

    def stamp(self, at_us: int) -> int:
        return (at_us - self.boot_at_us + self.t0_us) & MASK_U32

    def reboot(self, at_us: int, boot_id: int, stream_id: int) -> None:
        self.boot_at_us, self.boot_id, self.stream_id = at_us, boot_id, stream_id
        self.t0_us = self.seq = self.pos_idx = self.force_idx = self.enc_illegal = 0

    def hello(self, at_us: int, protocol: int = 1) -> bytes:
        return self.send(Hello(protocol, 0, 1, 0, 0, 1, self.boot_id, 7, 1, 80, 3, 16000, 1, self.stamp(at_us)))

    def status(self, at_us: int, streaming: bool = True) -> bytes:
        return self.send(Status(self.stamp(at_us), self.boot_id, 0, 0, self.enc_illegal, 0, 0, 0, 0, 200, streaming))

    def others(self, at_us: int) -> bytes:
        stamp = self.stamp(at_us)
        return self.send(Pong(1, stamp, stamp)) + self.send(Ack(0x82, 0, 0)) + self.send(EventNote(1, 2, stamp))

    def pos(self, at_us: int, n: int = 5, period_us: int = 2000) -> bytes:
        counts = tuple((self.pos_idx + k) * 7 - 5000 for k in range(n))
        self.sent += [Row(Pos.TYPE, at_us + k * period_us, counts[k]) for k in range(n)]
        message = Pos(self.stream_id, self.pos_idx, self.stamp(at_us), period_us, counts)
        self.pos_idx = (self.pos_idx + n) & 0xFFFF
        return self.send(message)

    def force(self, at_us: int, n: int = 1, span_us: int = 0, flags: int = 0, slipped: bool = False) -> bytes:
        counts = tuple(2**20 - 1 if slipped else ((self.force_idx + k) * 37) % 2**24 - 2**23 for k in range(n))
        self.sent += [Row(Force.TYPE, at_us + k * span_us // max(n - 1, 1), counts[k], flags) for k in range(n)]
        message = Force(self.stream_id, self.force_idx, self.stamp(at_us), span_us, flags, counts)
        self.force_idx = (self.force_idx + n) & 0xFFFF
        return self.send(message)

    def stream(self, at_us: int, duration_us: int) -> list[tuple[int, bytes]]:
        """The frames in the order of the wire, each with the time at which it is complete."""
        due: list[tuple[int, Callable[[int], bytes], int]] = []
        due += [(at_us + t + 8000, self.pos, at_us + t) for t in range(0, duration_us, 10_000)]
        due += [(at_us + t + 1, self.force, at_us + t) for t in range(13_000, duration_us, 12_500)]
        due += [(at_us + t, self.status, at_us + t) for t in range(1_000_000, duration_us, 1_000_000)]
        due.sort(key=lambda one: one[0])
        return [(done_us, write(stamp_us)) for done_us, write, stamp_us in due]
