"""What the monitor tells over MQTT: one struct a message, beside the event records of `monitor.events`."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from monitor.events import Feedback, Leak

VERSION: Literal[1] = 1

Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]  # one topic level, whoever chose it
Seq = Annotated[int, Meta(ge=0)]
LinkState = Literal["none", "absent", "opening", "wrong_device", "silent", "unstable", "live"]
Reason = Literal["retained", "stale", "unknown", "malformed", "too_many", "refused"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What every message has."""

    v: Literal[1] = VERSION


class Status(Message, frozen=True, kw_only=True):
    """Whether the daemon is there. `conn` counts its connections: an `offline` with a smaller one is a ghost's."""

    state: Literal["online", "offline"]
    conn: int
    link: LinkState = "none"  # the microcontroller
    store_id: str | None = None
    first_seq: Seq | None = None  # oldest event that can still be asked for
    last_seq: Seq | None = None  # a consumer that has less asks for the rest
    refused: int = 0  # events that the broker refuses to take at this moment


class MachineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The machine, in the coordinate of the events: 0 m is the rest."""

    id: str
    kind: Literal["stack", "motor", "static"]
    bottom_m: float | None
    top_m: float | None
    lockout_m: float | None
    working_load_n: float | None  # given by the profile or a command; None: it is learned
    force_ceiling_n: float | None
    plates_kg: tuple[float, ...] | None = None  # loads that the pin can select


class ProtocolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The tempo that was agreed on."""

    name: str | None
    positive_s: float
    negative_s: float
    starts_with: Literal["positive", "negative"]
    band: float  # half-width of the tension band around 1
    stages_s: tuple[float, ...] | None = None


class FirmwareInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What the microcontroller said of itself."""

    protocol: int
    firmware: str
    mcu: str  # by name, as ATMEGA328P
    boot_id: str
    reset_cause: str
    adc: str  # the force converter by name, as HX711
    force_rate_hz: float | None
    position_rate_hz: float | None


class LinkInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The serial link: noise is counted here."""

    state: LinkState
    detail: str | None = None  # one sentence for a person where the state needs one
    counts: dict[str, int] = {}
    device: dict[str, int] = {}  # the device's own saturating counters


class StorageInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The disk under events and recordings."""

    warning: str | None = None  # why it may not keep what it says it keeps
    trouble: str | None = None  # what it refuses at this moment
    events_waiting: int = 0  # for it
    events_dropped: int = 0  # could not even wait: a gap
    store_failures: int = 0
    tidy_failures: int = 0  # old recordings that could not be removed
    records_dropped: int = 0  # of the recording that is going on, which says where


class CalibrationInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The newest calibration that is kept, and what this session has seen of it; null: not enough yet."""

    finished_utc: str
    zero_n: float | None = None  # what the cell reads with nothing on it
    span: float | None = None  # share: 0.02 reads 2 % too much
    drift: str | None = None  # one sentence for a person where it matters


class ConfigInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a profile that was changed while the daemon runs."""

    pending: bool = False  # it is used when the set has ended
    trouble: str | None = None  # one sentence: a mistake in it, the one from before stays
    restart: tuple[str, ...] = ()  # the tables whose change waits for a restart


class Delivery(msgspec.Struct, kw_only=True):
    """What became of what was to be told; the publisher counts here."""

    connections: int = 0
    connect_failures: int = 0
    disconnects: int = 0
    acknowledgements_missed: int = 0  # the broker was silent: half-open
    status_repairs: int = 0  # a ghost's will was overwritten
    events_acknowledged: int = 0
    events_refused: int = 0
    publishes_refused: int = 0  # of any kind: the broker's access list
    store_failures: int = 0  # the disk did not let us read events, or write how far they were told
    live_sent: int = 0
    live_dropped: int = 0  # overtaken by a newer one or too old
    resumes: int = 0
    events_resumed: int = 0
    commands: int = 0
    commands_refused: dict[str, int] = {}


class Info(Message, frozen=True, kw_only=True):
    """What a display or an engineer wants to know beside the lifting."""

    version: str  # of the daemon
    machine: MachineInfo
    protocol: ProtocolInfo
    firmware: FirmwareInfo | None
    link: LinkInfo
    delivery: Delivery
    session: str | None
    recording: Literal["off", "idle", "on", "failed"]
    fault: str | None  # cause of an open sensor fault
    storage: StorageInfo = StorageInfo()
    calibration: CalibrationInfo | None = None
    config: ConfigInfo = ConfigInfo()


class Live(Feedback, frozen=True, kw_only=True):
    """The feedback of EVENTS.md 16."""

    v: Literal[1] = VERSION
    session: str


class State(Live, frozen=True, kw_only=True):
    """Feedback for who comes late; `stale` where no sample has come since."""

    stale: bool


class Envelope(Message, frozen=True, kw_only=True):
    """What the wire adds to an event record."""

    seq: Annotated[int, Meta(ge=1)]
    store_id: str
    historical: bool


class Session(Message, frozen=True, kw_only=True):
    """A session's summary."""

    session: str
    started_utc: str
    duration_s: float
    sets: int
    reps: int
    partial_reps: int
    under_load_s: float
    under_tension_s: float | None
    leak: Leak | None  # null: no set had a known load
    counts: dict[str, int]


class ResumeMark(Message, frozen=True, kw_only=True):
    """Brackets the records on a resume topic. What lies between `after` and `first_seq` is gone for ever."""

    mark: Literal["begin", "end"]
    id: Name  # of the command
    store_id: str
    after: Seq  # the records follow this one
    first_seq: Seq
    last_seq: Seq


class Ack(Message, frozen=True, kw_only=True):
    """The answer to a command. `stamp_s` is our wall clock: who was `stale` can learn the difference from it."""

    id: Name
    ok: bool
    stamp_s: float
    error: Reason | None = None
    detail: str | None = None
