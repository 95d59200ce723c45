"""What a recording holds: the header, and beside the wire's bytes the records that stand in the same stream.

/header    Header    once, first
/wire      Chunk     bytes as read, at the host's monotonic clock
/command   Command   what changed the detection, where in the stream it did
/event     AnyEvent  as in EVENTS.md 3
/feedback  Feedback  what the lifter saw
/gap       Gap       what could not be recorded
"""

from typing import Any, Literal, NamedTuple, get_args

import msgspec

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats import Format
from monitor.events import AnyEvent, Feedback

FORMAT_VERSION = 1
PROFILE = "rep-monitor"  # how such a file names itself
MESSAGE_CAP_BYTES = 64 << 10

Topic = Literal["/header", "/wire", "/command", "/event", "/feedback", "/gap"]
TOPICS: tuple[Topic, ...] = get_args(Topic)  # channel ids are places in this, from 1: fixed by the format version


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """All that a replay needs to know, so that a file explains itself. No lifter's name, no lifter's id."""

    session: str
    machine: str
    created_utc: str  # the label: ISO 8601, when the session began
    created_ns: int  # the host's monotonic clock at that moment, as in the chunks
    daemon_version: str
    profile: dict[str, Any]
    calibration: dict[str, float]
    wire_format: Format = "frames"
    protocol_version: int | None = None
    firmware_version: str | None = None
    boot_id: int | None = None
    hello: bytes | None = None  # body of the device's HELLO, where that came before the first chunk
    learned: dict[str, Any] | None = None  # the lifter's range from earlier sessions, known at the first chunk
    machine_learned: dict[str, Any] | None = None  # friction and zero of the machine, known at the first chunk
    provenance: dict[str, str] = {}  # where the bytes came from: port, simulator seed, recovered from
    format_version: int = FORMAT_VERSION


class Command(msgspec.Struct, frozen=True):
    """A command that changed the detection; it took effect after the chunk before it."""

    name: str
    arguments: dict[str, Any] = {}


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Records that are not in the recording, at this place of the stream."""

    cause: Literal["queue_full", "damaged"]
    records: int | None  # null: not known
    chunks: int | None = None  # how many of them were chunks of the wire
    wire_bytes: int | None = None


class Record(NamedTuple):
    """One record as it stands in the file; `data` is the wire's bytes or one JSON object."""

    topic: Topic
    at_ns: int
    data: bytes


def wire_record(chunk: Chunk) -> Record:
    return Record("/wire", chunk.received_ns, chunk.data)


def event_record(event: AnyEvent, at_ns: int) -> Record:
    return Record("/event", at_ns, msgspec.json.encode(event))


def feedback_record(feedback: Feedback, at_ns: int) -> Record:
    return Record("/feedback", at_ns, msgspec.json.encode(feedback))


def command_record(command: Command, at_ns: int) -> Record:
    """A change of lifter is recorded without saying who."""
    if command.name == "lifter" and command.arguments:
        raise ValueError("a recording never says who trains: record the command `lifter` without arguments")
    return Record("/command", at_ns, msgspec.json.encode(command))


def gap_record(gap: Gap, at_ns: int) -> Record:
    return Record("/gap", at_ns, msgspec.json.encode(gap))
