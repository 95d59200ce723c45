"""The tally of a link: what came, what was refused, what is missing."""

from dataclasses import dataclass

from firmware_bridge.formats.messages import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCounts:
    """Sums since the decoder began. For every stream of samples: received + lost = sent by the device."""

    frames: int = 0  # that were believed, of every type; in the line formats: lines
    bad_crc: int = 0
    bad_shape: int = 0  # no COBS, or an impossible length; in the line formats: not the fields that a line has
    bad_body: int = 0  # the checksum fits, but not the length or a value
    bad_stamp: int = 0  # the checksum fits, but the device cannot have measured then
    garbage_bytes: int = 0
    unknown_types: int = 0
    lost_frames: int = 0  # by gaps in seq; exact up to 255 in a row
    position_samples: int = 0  # received
    force_samples: int = 0
    lost_position_samples: int = 0  # by gaps in idx; exact up to 65535 in a row
    lost_force_samples: int = 0
    late_samples: int = 0  # received, but not after the sample before them: not handed on
    resets: int = 0
    device: Status | None = None  # what the device counts itself since its boot, as of its last STATUS
