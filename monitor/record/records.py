"""The records of a recording: the header, the bytes of the wire, and what was made of them, in one stream.

/header    Header    once, first
/wire      Chunk     bytes as read, with the host's monotonic clock
/event     AnyEvent  as in EVENTS.md 3
/feedback  Feedback  what the lifter saw
/gap       Gap       records that could not be written
"""

from typing import Any, Literal, NamedTuple

import msgspec

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats import Format
from monitor.events import AnyEvent, Feedback

FORMAT_VERSION = 1
PROFILE = "rep-monitor"  # the MCAP profile of these files
MESSAGE_CAP_BYTES = 64 << 10

Topic = Literal["/header", "/wire", "/event", "/feedback", "/gap"]
CHANNELS: dict[Topic, int] = {  # fixed by the format version; a reader needs them if the channel records are damaged
    "/header": 1,
    "/wire": 2,
    "/event": 4,  # 3 was /command, on which no version has written
    "/feedback": 5,
    "/gap": 6,
}


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a replay needs, so that a file explains itself. It contains no lifter's name or id."""

    session: str
    machine: str
    created_utc: str  # a label: ISO 8601, when the session began
    created_ns: int  # the host's monotonic clock at that time, as in the chunks
    daemon_version: str
    profile: dict[str, Any]
    calibration: dict[str, float]
    wire_format: Format = "frames"
    protocol_version: int | None = None
    firmware_version: str | None = None
    boot_id: int | None = None
    hello: bytes | None = None  # body of the device's HELLO, if it came before the first chunk
    learned: dict[str, Any] | None = None  # the lifter's range from earlier sessions, known at the first chunk
    machine_learned: dict[str, Any] | None = None  # friction and zero of the machine, known at the first chunk
    provenance: dict[str, str] = {}  # the origin of the bytes: port, seed of the simulator, recovered from
    format_version: int = FORMAT_VERSION


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Records that are missing at this place of the stream."""

    cause: Literal["queue_full", "damaged"]
    records: int | None  # null: not known
    chunks: int | None = None  # how many of them were chunks of the wire
    wire_bytes: int | None = None


class Record(NamedTuple):
    """One record of a file. `data` is bytes of the wire or one JSON object.

    A file that was read may contain topics that are not in `Topic`.
    """

    topic: str
    at_ns: int
    data: bytes


def wire_record(chunk: Chunk) -> Record:
    return Record("/wire", chunk.received_ns, chunk.data)


def event_record(event: AnyEvent, at_ns: int) -> Record:
    return Record("/event", at_ns, msgspec.json.encode(event))


def feedback_record(feedback: Feedback, at_ns: int) -> Record:
    return Record("/feedback", at_ns, msgspec.json.encode(feedback))


def gap_record(gap: Gap, at_ns: int) -> Record:
    return Record("/gap", at_ns, msgspec.json.encode(gap))
