"""The messages that the daemon publishes over MQTT, one struct each; event records are in `monitor.events`.

In JSON Schema and AsyncAPI a struct has its name without `Message` (`schema.contract_name`).
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from monitor.events import Feedback, Leak

VERSION: Literal[1] = 1
LIVE_HZ, REST_HZ = 25.0, 1.0  # of live feedback; at rest nothing changes

Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]  # one topic level
Seq = Annotated[int, Meta(ge=0, le=2**53)]  # beyond it JavaScript does not count exactly
StoreId = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,64}\Z")]
Recording = Literal["off", "idle", "on", "failed"]
PublishedLink = Literal["none", "absent", "opening", "wrong_device", "silent", "unstable", "live"]
Reason = Literal["retained", "stale", "unknown", "malformed", "too_many", "refused"]


class MqttMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The field of every message."""

    v: Literal[1] = VERSION


class StatusMessage(MqttMessage, frozen=True, kw_only=True):
    """The presence of the daemon. `conn` counts its connections; an `offline` with a smaller number is out of date."""

    state: Literal["online", "offline"]
    conn: int
    link: PublishedLink = "none"  # the microcontroller
    store_id: StoreId | None = None
    first_seq: Seq | None = None  # the oldest event that can be requested
    last_seq: Seq | None = None  # a consumer that has fewer requests the rest
    refused: int = 0  # events that the broker refuses now


class MachineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The machine, in the coordinates of the events: 0 m is the rest."""

    id: str
    kind: Literal["stack", "motor", "static"]
    bottom_m: float | None
    top_m: float | None
    lockout_m: float | None
    working_load_n: float | None  # from the profile or a command; null: it is learned
    force_ceiling_n: float | None
    plates_kg: tuple[float, ...] | None = None  # loads that the pin can select


class ProtocolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The tempo of this session."""

    name: str | None
    positive_s: float
    negative_s: float
    starts_with: Literal["positive", "negative"]
    band: float  # half-width of the tension band around 1
    stages_s: tuple[float, ...] | None = None


class FirmwareInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The microcontroller, as its HELLO describes it."""

    protocol: int
    firmware: str
    mcu: str  # a name, for example ATMEGA328P
    boot_id: str
    reset_cause: str
    adc: str  # the name of the force converter, for example HX711
    force_rate_hz: float | None
    position_rate_hz: float | None


class LinkInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The serial link and its counters."""

    state: PublishedLink
    detail: str | None = None  # one sentence for a person, if the state needs one
    counts: dict[str, int] = {}
    counted_s: float | None = None  # session clock, up to which the counts go
    device: dict[str, int] = {}  # the device's own saturating counters


class StorageInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The disk for events and recordings."""

    warning: str | None = None  # mount options that can lose data
    trouble: str | None = None  # the current error
    events_waiting: int = 0  # not yet stored
    events_dropped: int = 0  # not stored, because the queue was full
    store_failures: int = 0
    rows_skipped: int = 0  # unreadable rows of the store
    tidy_failures: int = 0  # old recordings that could not be removed
    records_dropped: int = 0  # from the current recording, which contains the times


class CalibrationInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The newest stored calibration, and its drift in this session; null: not yet known."""

    finished_utc: str
    zero_n: float | None = None  # the reading of the load cell without load
    span: float | None = None  # share: at 0.02 the cell reads 2 % too much
    drift: str | None = None  # one sentence for a person, if the drift matters


class ConfigInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a profile that was changed while the daemon runs."""

    pending: bool = False  # it applies when the set has ended
    trouble: str | None = None  # one sentence: it has an error, and the old profile stays
    restart: tuple[str, ...] = ()  # tables whose changes apply after a restart


class Delivery(msgspec.Struct, kw_only=True):
    """Counters of the publisher."""

    connections: int = 0
    connect_failures: int = 0
    disconnects: int = 0
    acknowledgements_missed: int = 0  # the broker did not answer in time
    status_repairs: int = 0  # a wrong retained status, mostly an old last will, was overwritten
    events_acknowledged: int = 0
    events_refused: int = 0
    publishes_refused: int = 0  # any message, by the broker's access list
    store_failures: int = 0  # events could not be read, or the bookmark could not be written
    live_sent: int = 0
    live_dropped: int = 0  # replaced by newer feedback, or too old
    resumes: int = 0
    resumes_abandoned: int = 0  # no client listened any more
    events_resumed: int = 0
    commands: int = 0
    commands_refused: dict[str, int] = {}


class InfoMessage(MqttMessage, frozen=True, kw_only=True):
    """Facts about machine, firmware, link and health, for displays and engineers."""

    version: str  # of the daemon
    machine: MachineInfo
    protocol: ProtocolInfo
    firmware: FirmwareInfo | None
    link: LinkInfo
    delivery: Delivery
    session: str | None
    recording: Recording
    fault: str | None  # cause of an open sensor fault
    storage: StorageInfo = StorageInfo()
    calibration: CalibrationInfo | None = None
    config: ConfigInfo = ConfigInfo()
    range_trouble: str | None = None  # one sentence: the range could not be learned, and must be given


class LiveMessage(Feedback, frozen=True, kw_only=True):
    """Live feedback, as in EVENTS.md 16."""

    v: Literal[1] = VERSION
    session: str
    feedback_hz: float = LIVE_HZ  # how often feedback is published now; it is stale when much more time has passed


class StateMessage(LiveMessage, frozen=True, kw_only=True):
    """The newest feedback, for clients that connect later. `stale`: no sample has come since."""

    stale: bool


class Envelope(MqttMessage, frozen=True, kw_only=True):
    """The fields that MQTT adds to an event record."""

    seq: Annotated[int, Meta(ge=1, le=2**53)]
    store_id: StoreId
    historical: bool


class SetEnvelope(Envelope, frozen=True, kw_only=True):
    """The fields of a set's record for a collector, the only message that names a lifter."""

    lifter: Name | None
    ended_unix_s: float | None = None  # by the machine's wall clock; null from old versions


class SessionMessage(MqttMessage, frozen=True, kw_only=True):
    """The summary of a session."""

    session: str
    started_utc: str
    duration_s: float
    sets: int
    reps: int
    partial_reps: int
    clean_reps: int = 0  # without a primary fault
    set_s: float = 0.0  # what the seconds of leak are part of
    under_load_s: float
    under_tension_s: float | None
    leak: Leak | None  # null: no set had a known load
    counts: dict[str, int]


class ResumeMark(MqttMessage, frozen=True, kw_only=True):
    """Begins and ends the records on a resume topic. Records between `after` and `first_seq` no longer exist."""

    mark: Literal["begin", "end"]
    id: Name  # of the command
    store_id: StoreId
    after: Seq  # the records follow this one
    first_seq: Seq
    last_seq: Seq


class AckMessage(MqttMessage, frozen=True, kw_only=True):
    """The answer to a command. `stamp_s` is the daemon's wall clock; a `stale` client can correct its stamp by it."""

    id: Name
    ok: bool
    stamp_s: float
    error: Reason | None = None
    detail: str | None = None
