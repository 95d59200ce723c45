"""From a byte stream to payloads and back: COBS (Cheshire and Baker, 1999) around payload and CRC.

    wire     | COBS block, 5 to 63 bytes without a zero       | 00 |
    inside   | type u8 | seq u8 | body 0 to 58 bytes | crc u16 LE  |     4 to 62 bytes
    crc      CRC-16/CCITT-FALSE (poly 1021, init FFFF, "123456789" = 29B1) over type, seq and body

>>> frame(b"\\x83\\x00").hex(" ")        # STOP with seq 0; its CRC is 53C4
'02 83 03 c4 53 00'
>>> Deframer().feed(frame(b"\\x83\\x00"))
[b'\\x83\\x00']

A frame has at most 64 bytes on the wire, so COBS costs exactly one byte.
"""

from binascii import crc_hqx

from cobs import cobs

from firmware_bridge.formats.splitting import Splitter

END_OF_FRAME = b"\x00"
CRC_START = 0xFFFF
MIN_PAYLOAD_BYTES = 2  # type and seq
MAX_PAYLOAD_BYTES = 60  # type, seq and body; 62 with the CRC
MIN_BLOCK_BYTES = MIN_PAYLOAD_BYTES + 3  # + CRC and the COBS code
MAX_BLOCK_BYTES = MAX_PAYLOAD_BYTES + 3


def frame(payload: bytes) -> bytes:
    """Wrap type, seq and body for the wire."""
    if not MIN_PAYLOAD_BYTES <= len(payload) <= MAX_PAYLOAD_BYTES:
        raise ValueError(f"a payload has {MIN_PAYLOAD_BYTES} to {MAX_PAYLOAD_BYTES} bytes, not {len(payload)}")
    block: bytes = cobs.encode(payload + crc_hqx(payload, CRC_START).to_bytes(2, "little"))
    return block + END_OF_FRAME


class Deframer(Splitter[bytes]):
    """Turns a byte stream, however it was split, into payloads: type, seq and body; the CRC is checked and removed."""

    END = END_OF_FRAME
    LONGEST_BYTES = MAX_BLOCK_BYTES
    START = b""

    def _read(self, block: bytes) -> bytes | None:
        if MIN_BLOCK_BYTES <= len(block) <= MAX_BLOCK_BYTES:
            try:
                plain: bytes = cobs.decode(block)
            except cobs.DecodeError:
                self._refuse(block)
                return None
            payload = plain[:-2]
            if crc_hqx(payload, CRC_START) == plain[-2] | plain[-1] << 8:
                return payload
            self._refuse(block, crc=True)
        elif block:  # a device sends a lone zero to clear the line
            self._refuse(block)
        return None
