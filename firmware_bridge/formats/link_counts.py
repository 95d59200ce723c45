"""The tally of a link: what came, what was refused, what is missing."""

from dataclasses import dataclass

from firmware_bridge.formats.messages import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCounts:
    """Sums since the decoder began. For each kind of sample: received + lost = sent by the device."""

    frames: int = 0  # good ones of all types; in the line formats: lines
    bad_crc: int = 0
    bad_shape: int = 0  # not COBS, or an impossible length; in the line formats: not the fields of a line
    bad_body: int = 0  # the CRC fits, but the length or a value does not
    bad_stamp: int = 0  # the CRC fits, but the device cannot have measured at that time
    garbage_bytes: int = 0
    unknown_types: int = 0
    lost_frames: int = 0  # by gaps in seq; exact up to 255 in a row
    position_samples: int = 0  # received
    force_samples: int = 0
    lost_position_samples: int = 0  # by gaps in idx; exact up to 65535 in a row
    lost_force_samples: int = 0
    late_samples: int = 0  # received, but not later than the sample before: dropped
    resets: int = 0
    device: Status | None = None  # the device's own counts since its boot: its last STATUS
