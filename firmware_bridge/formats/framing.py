"""Byte stream to payloads and back: COBS (Cheshire and Baker, 1999) around payload and CRC.

    wire     | COBS block, 5 to 63 bytes without a zero       | 00 |
    inside   | type u8 | seq u8 | body 0 to 58 bytes | crc u16 LE  |     4 to 62 bytes
    crc      CRC-16/CCITT-FALSE (poly 1021, init FFFF, "123456789" = 29B1) over type, seq and body

No I/O and no clock: `feed` takes whatever arrived and returns the payloads that are now complete. What it returns and
what it counts depend on the bytes alone, never on how they were split. A frame has at most 64 bytes on the wire, so
that COBS costs exactly one byte and memory stays bounded under endless noise.
"""

from binascii import crc_hqx
from dataclasses import dataclass

from cobs import cobs  # type: ignore[import-untyped]

END_OF_FRAME = b"\x00"
CRC_START = 0xFFFF
MIN_PAYLOAD_BYTES = 2  # type and seq
MAX_PAYLOAD_BYTES = 60  # type, seq and body; 62 with the CRC
_MIN_BLOCK_BYTES = MIN_PAYLOAD_BYTES + 3  # + CRC and the COBS code
_MAX_BLOCK_BYTES = MAX_PAYLOAD_BYTES + 3


@dataclass(slots=True)
class FrameCounts:
    """What became of everything between two ends of frame."""

    good: int = 0
    bad_crc: int = 0
    bad_shape: int = 0  # too short, too long, or no COBS
    garbage_bytes: int = 0  # in the bad ones


def frame(payload: bytes) -> bytes:
    """Wrap type, seq and body for the wire."""
    if not MIN_PAYLOAD_BYTES <= len(payload) <= MAX_PAYLOAD_BYTES:
        raise ValueError(f"a payload has {MIN_PAYLOAD_BYTES} to {MAX_PAYLOAD_BYTES} bytes, not {len(payload)}")
    block: bytes = cobs.encode(payload + crc_hqx(payload, CRC_START).to_bytes(2, "little"))
    return block + END_OF_FRAME


class Deframer:
    """Turn an arbitrarily split byte stream back into payloads (type, seq and body, the CRC checked and taken off)."""

    def __init__(self) -> None:
        self.counts = FrameCounts()
        self._pending = b""  # the beginning of a block; never longer than the longest block
        self._overlong = False  # inside a block that is already counted as bad

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes, return the payloads that they complete."""
        counts = self.counts
        blocks = (self._pending + data).split(END_OF_FRAME)
        tail = blocks.pop()
        if self._overlong and blocks:
            counts.garbage_bytes += len(blocks.pop(0))
            self._overlong = False
        payloads: list[bytes] = []
        for block in blocks:
            if not block:
                continue  # a lone zero is how a device clears the line
            if _MIN_BLOCK_BYTES <= len(block) <= _MAX_BLOCK_BYTES:
                try:
                    plain = cobs.decode(block)
                except cobs.DecodeError:
                    counts.bad_shape += 1
                else:
                    payload = plain[:-2]
                    if crc_hqx(payload, CRC_START) == plain[-2] | plain[-1] << 8:
                        counts.good += 1
                        payloads.append(payload)
                        continue
                    counts.bad_crc += 1
            else:
                counts.bad_shape += 1
            counts.garbage_bytes += len(block)
        self._keep(tail)
        return payloads

    def _keep(self, tail: bytes) -> None:
        """Hold an unfinished block for the next bytes, unless it is too long to become a frame."""
        if not self._overlong and len(tail) > _MAX_BLOCK_BYTES:
            self._overlong = True
            self.counts.bad_shape += 1
        if self._overlong:
            self.counts.garbage_bytes += len(tail)
            tail = b""
        self._pending = tail
