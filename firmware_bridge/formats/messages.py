"""The messages inside the frames, exactly as on the wire (protocol 1, little-endian), without meaning.

    payload   type u8 | seq u8 | body
    device    01 HELLO   protocol u8, firmware 3 x u8, mcu u8, reset_cause u8, boot_id u16, serial u32, adc u8,
                         adc_sps u16, caps u16, f_cpu_khz u16, build u32, t_us u32                        27 bytes
              02 STATUS  t_us u32, boot_id u16, 8 counters u16, flags u8                                  23
              03 PONG    token u32, t_rx_us u32, t_tx_us u32                                              12
              04 ACK     command u8, command_seq u8, result u8                                             3
              10 POS     stream_id u8, idx u16, t0_us u32, period_us u16, n u8, i32, (n-1) x i16     14 + 2(n-1)
              11 FORCE   stream_id u8, idx u16, t_first_us u32, span_us u16, n u8, flags u8, n x i24  11 + 3n
              12 EVENT   code u8, arg u32, t_us u32                                                        9
    host      81 HELLO?  83 STOP  85 STATUS?  empty        82 START    streams u8, period_us u16, batch u8, stream_id u8
              84 PING    token u32                         86 SET_ADC  gain u8, rate_sps u16

Every type has one exact length (POS and FORCE: one for each n). PROTOCOL.md describes them byte by byte.

>>> parse(Pos(stream_id=1, idx=0, t0_us=5000, period_us=2000, counts=(7, 8)).to_bytes(seq=0))
Pos(stream_id=1, idx=0, t0_us=5000, period_us=2000, counts=(7, 8))
"""

import struct
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from firmware_bridge.errors import ProtocolVersionError
from firmware_bridge.formats.codes import Adc, Mcu, ResetCause, StatusFlag

PROTOCOL = 1
MAX_POS_SAMPLES = 15
MAX_FORCE_SAMPLES = 14
MIN_PERIOD_US = 400
COUNTER_MAX = 0xFFFF  # where the counters of STATUS saturate


class MessageError(ValueError):
    """A body that cannot be this message: its length is wrong, or its count contradicts its length."""


@dataclass(frozen=True, slots=True)
class Message:
    """The base of all messages: `from_body` checks the exact length, `to_bytes` makes a payload for `framing.frame`."""

    TYPE: ClassVar[int]
    BODY: ClassVar[struct.Struct]

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """Read the body of a payload: what follows type and seq. Raises MessageError."""
        if len(body) != cls.BODY.size:
            raise MessageError(f"{cls.__name__} has a body of {cls.BODY.size} bytes, not {len(body)}")
        make: Any = cls
        message: Self = make(*cls.BODY.unpack(body))
        return message

    def to_bytes(self, seq: int) -> bytes:
        """Type, seq and body."""
        return bytes((self.TYPE, seq & 0xFF)) + self._body()

    def _body(self) -> bytes:
        return self.BODY.pack(*(getattr(self, field.name) for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Hello(Message):
    """Says who is there. Sent at boot and on request."""

    TYPE = 0x01
    BODY = struct.Struct("<6BHIBHHHII")

    protocol: int
    firmware_major: int
    firmware_minor: int
    firmware_patch: int
    mcu: int
    reset_cause: int
    boot_id: int  # different for every boot
    serial: int
    adc: int
    adc_sps: int
    caps: int
    f_cpu_khz: int
    build: int
    t_us: int

    @property
    def firmware(self) -> str:
        """The firmware's version, as in 0.1.0."""
        return f"{self.firmware_major}.{self.firmware_minor}.{self.firmware_patch}"

    @property
    def mcu_name(self) -> str:
        return Mcu(self.mcu).name if self.mcu in set(Mcu) else f"MCU {self.mcu}"

    @property
    def adc_name(self) -> str:
        return Adc(self.adc).name if self.adc in set(Adc) else f"ADC {self.adc}"

    @property
    def reset_cause_names(self) -> str:
        """Joined by |; "unknown" if the device does not know."""
        return ResetCause(self.reset_cause).name or "unknown"


@dataclass(frozen=True, slots=True)
class Status(Message):
    """What the device has counted since its boot, once a second. Counters saturate; they never wrap."""

    TYPE = 0x02
    BODY = struct.Struct("<IH8HB")

    t_us: int
    boot_id: int
    tx_dropped: int  # frames that had no room in the transmit ring
    samp_overrun: int  # position samples that were due but not taken
    enc_illegal: int  # impossible quadrature transitions: counts were lost
    adc_timeout: int
    adc_resync: int
    rx_overrun: int
    rx_bad: int
    tx_min_free: int  # bytes: the least room in the transmit ring since the last STATUS
    flags: int = StatusFlag.STREAMING


@dataclass(frozen=True, slots=True)
class Pong(Message):
    """The answer to PING, with the device's clock at its arrival and at the answer."""

    TYPE = 0x03
    BODY = struct.Struct("<III")

    token: int
    t_rx_us: int
    t_tx_us: int


@dataclass(frozen=True, slots=True)
class Ack(Message):
    """The answer to START, STOP and SET_ADC."""

    TYPE = 0x04
    BODY = struct.Struct("<BBB")

    command: int
    command_seq: int
    result: int


@dataclass(frozen=True, slots=True)
class Pos(Message):
    """A block of position samples on an exact grid: sample k was taken at `t0_us + k * period_us`."""

    TYPE = 0x10
    HEAD: ClassVar[struct.Struct] = struct.Struct("<BHIHBi")

    stream_id: int
    idx: int  # running number of the first sample; wraps at 2**16
    t0_us: int
    period_us: int
    counts: tuple[int, ...]

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        n = body[9] if len(body) >= cls.HEAD.size else 0
        if not 1 <= n <= MAX_POS_SAMPLES or len(body) != cls.HEAD.size + 2 * (n - 1):
            raise MessageError(f"POS cannot have {n} samples in a body of {len(body)} bytes")
        stream_id, idx, t0_us, period_us, _, position = cls.HEAD.unpack_from(body)
        counts = [position]
        for delta in struct.unpack_from(f"<{n - 1}h", body, cls.HEAD.size):
            counts.append(counts[-1] + delta)
        return cls(stream_id, idx, t0_us, period_us, tuple(counts))

    def _body(self) -> bytes:
        n = len(self.counts)
        if not 1 <= n <= MAX_POS_SAMPLES:
            raise MessageError(f"POS has 1 to {MAX_POS_SAMPLES} samples, not {n}")
        deltas = [b - a for a, b in zip(self.counts, self.counts[1:], strict=False)]
        head = self.HEAD.pack(self.stream_id, self.idx, self.t0_us, self.period_us, n, self.counts[0])
        return head + struct.pack(f"<{n - 1}h", *deltas)


@dataclass(frozen=True, slots=True)
class Force(Message):
    """A block of load-cell conversions, spread evenly from `t_first_us` to `span_us` later."""

    TYPE = 0x11
    HEAD: ClassVar[struct.Struct] = struct.Struct("<BHIHBB")

    stream_id: int
    idx: int  # running number of the first conversion; wraps at 2**16
    t_first_us: int
    span_us: int  # 0 if n is 1
    flags: int  # of all samples in the block: 1 timeout, 2 saturated, 4 desync, 8 late
    counts: tuple[int, ...]  # 24 bit, signed

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        n = body[9] if len(body) >= cls.HEAD.size else 0
        if not 1 <= n <= MAX_FORCE_SAMPLES or len(body) != cls.HEAD.size + 3 * n:
            raise MessageError(f"FORCE cannot have {n} samples in a body of {len(body)} bytes")
        stream_id, idx, t_first_us, span_us, _, flags = cls.HEAD.unpack_from(body)
        words = range(cls.HEAD.size, len(body), 3)
        counts = tuple(int.from_bytes(body[at : at + 3], "little", signed=True) for at in words)
        return cls(stream_id, idx, t_first_us, span_us, flags, counts)

    def _body(self) -> bytes:
        n = len(self.counts)
        if not 1 <= n <= MAX_FORCE_SAMPLES:
            raise MessageError(f"FORCE has 1 to {MAX_FORCE_SAMPLES} samples, not {n}")
        head = self.HEAD.pack(self.stream_id, self.idx, self.t_first_us, self.span_us, n, self.flags)
        return head + b"".join(count.to_bytes(3, "little", signed=True) for count in self.counts)


@dataclass(frozen=True, slots=True)
class EventNote(Message):
    """Something that the device reports by itself, at most ten a second."""

    TYPE = 0x12
    BODY = struct.Struct("<BII")

    code: int
    arg: int
    t_us: int


@dataclass(frozen=True, slots=True)
class HelloRequest(Message):
    """Asks who is there. Until HELLO has come, nothing else is sent."""

    TYPE = 0x81
    BODY = struct.Struct("")


@dataclass(frozen=True, slots=True)
class StartStream(Message):
    """Starts a stream. Acknowledged; repeating it with the same stream_id changes nothing."""

    TYPE = 0x82
    BODY = struct.Struct("<BHBB")

    streams: int  # bits of Streams
    period_us: int  # between position samples, 400 or more
    batch: int  # position samples in a block, 1 to 15
    stream_id: int  # repeated in every POS and FORCE; a new one starts idx from 0


@dataclass(frozen=True, slots=True)
class StopStream(Message):
    """Stops the stream. Acknowledged."""

    TYPE = 0x83
    BODY = struct.Struct("")


@dataclass(frozen=True, slots=True)
class Ping(Message):
    """Asks for the device's clock."""

    TYPE = 0x84
    BODY = struct.Struct("<I")

    token: int


@dataclass(frozen=True, slots=True)
class StatusRequest(Message):
    """Asks for STATUS now."""

    TYPE = 0x85
    BODY = struct.Struct("")


@dataclass(frozen=True, slots=True)
class SetAdc(Message):
    """Sets the converter's gain and rate. Acknowledged."""

    TYPE = 0x86
    BODY = struct.Struct("<BH")

    gain: int
    rate_sps: int


FROM_DEVICE: dict[int, type[Message]] = {m.TYPE: m for m in (Hello, Status, Pong, Ack, Pos, Force, EventNote)}
FROM_HOST: dict[int, type[Message]] = {
    m.TYPE: m for m in (HelloRequest, StartStream, StopStream, Ping, StatusRequest, SetAdc)
}


def parse(payload: bytes) -> Message | None:
    """The message in a payload of either direction; None for an unknown type. Raises MessageError."""
    kind = FROM_DEVICE.get(payload[0]) or FROM_HOST.get(payload[0])
    return kind.from_body(payload[2:]) if kind else None


def check_protocol(payload: bytes) -> None:
    """Raise ProtocolVersionError for a HELLO of another protocol, of whose body only the first byte is known."""
    if payload[0] == Hello.TYPE and len(payload) > 2 and payload[2] != PROTOCOL:
        raise ProtocolVersionError(
            f"the device speaks protocol {payload[2]}, this program protocol {PROTOCOL}:"
            " flash the firmware that came with this program"
        )
