"""What a profile holds: one frozen table of settings a TOML table; None is learned, or nothing is meant.

What each key means to a person stands in configs/leg_press.toml; how a file becomes a `Profile`, in config.py.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta

from firmware_bridge.formats import Format
from monitor.profile.settings import DetectSettings, SettingsTable

MachineId = Annotated[
    str,
    Meta(pattern=r"\A[a-z0-9-]{1,32}\Z", description="1 to 32 characters out of a-z, 0-9 and -, in quotes"),
]
Position = Annotated[float, Meta(ge=-10, le=10)]
Duration = Annotated[float, Meta(ge=0, le=120)]
Force = Annotated[float, Meta(gt=0, le=50_000)]
WebSocketUrl = Annotated[
    str,
    Meta(
        pattern=r"\Awss?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?\Z",
        description='an address like "ws://broker.local:9001/mqtt", or with wss://',
    ),
]
TcpPort = Annotated[int, Meta(ge=1, le=65_535)]

PRESETS: dict[str, dict[str, Any]] = {
    "10/10": {"positive_s": 10.0, "negative_s": 10.0},
    "5/5": {"positive_s": 5.0, "negative_s": 5.0},
    "4/4": {"positive_s": 4.0, "negative_s": 4.0},
    "2/4": {"positive_s": 2.0, "negative_s": 4.0},
    "30-30-30": {"positive_s": 30.0, "negative_s": 30.0, "starts_with": "negative"},
    "static": {"stages": [0.5, 0.75, 1.0], "stages_s": [30.0, 30.0, 30.0]},
}


class MachineSettings(SettingsTable, frozen=True, kw_only=True):
    """`[machine]`: positions in the raw coordinate of the encoder, up positive; forces at the load cell."""

    id: MachineId
    kind: Literal["stack", "motor", "static"]
    rest_m: Position | None = None  # bottom_m where absent
    bottom_m: Position | None = None  # a stack's range is learned where absent
    top_m: Position | None = None
    lockout_m: Position | None = None  # top_m where absent
    working_load_n: Force | None = None  # learned where absent
    friction: Annotated[float, Meta(ge=0, le=0.5)] | None = None  # learned where absent
    lift_off_n: Force = 50.0
    plates_kg: Annotated[tuple[Annotated[float, Meta(gt=0, le=1000)], ...], Meta(min_length=1)] | None = None
    force_ceiling_n: Force | None = None
    peak_n: Force | None = None  # static: tested peak, learned where absent


class ProtocolSettings(SettingsTable, frozen=True, kw_only=True):
    """`[protocol]`: the tempo that was agreed on. Durations are 0 only on a static machine."""

    name: Literal["10/10", "5/5", "4/4", "2/4", "30-30-30", "static"] | None = None
    positive_s: Duration = 0.0
    negative_s: Duration = 0.0
    starts_with: Literal["positive", "negative"] = "positive"
    band: Annotated[float, Meta(gt=0, le=0.5)] | None = None  # 0.10, superslow 0.08
    stages: tuple[Annotated[float, Meta(gt=0, le=1.5)], ...] = (0.5, 0.75, 1.0)  # static: shares of peak_n
    stages_s: tuple[Annotated[float, Meta(gt=0, le=600)], ...] = (30.0, 30.0, 30.0)


class SerialSettings(SettingsTable, frozen=True, kw_only=True):
    """`[serial]`: where the microcontroller is and what it is asked for."""

    port: str | None = None
    baud: Annotated[int, Meta(ge=1200, le=4_000_000)] = 500_000
    format: Format = "frames"
    rate_hz: Annotated[int, Meta(ge=10, le=2500)] = 500
    block: Annotated[int, Meta(ge=1, le=15)] = 5  # samples in a frame


class CalibrationSettings(SettingsTable, frozen=True, kw_only=True):
    """`[calibration]`: si = (counts - zero) * scale. A negative scale turns the direction round."""

    metres_per_count: Annotated[float, Meta(ge=-1, le=1)] = 0.0  # only a static machine has none
    position_zero_counts: int = 0
    newtons_per_count: Annotated[float, Meta(ge=-1000, le=1000)]
    force_zero_counts: int = 0


class MqttSettings(SettingsTable, frozen=True, kw_only=True):
    """`[mqtt]`: the broker; without a host the daemon brings one up on loopback."""

    host: str | None = None
    port: TcpPort = 1883  # 8883 where tls is set
    username: str | None = None
    password_file: str | None = None
    tls: bool = False
    ca_file: str | None = None
    client_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    websocket_url: WebSocketUrl | None = None  # where that broker takes WebSockets; ws://host:9001/mqtt where absent


class RecordSettings(SettingsTable, frozen=True, kw_only=True):
    """`[record]`: sessions on disk."""

    enabled: bool = True
    directory: str | None = None  # the machine's state folder where absent
    idle_minutes: Annotated[float, Meta(gt=0, le=1440)] = 10.0
    keep_days: Annotated[int, Meta(ge=1)] | None = None  # for ever where absent
    keep_gb: Annotated[float, Meta(gt=0)] | None = None  # as many as there are where absent
    keep_free_gb: Annotated[float, Meta(gt=0)] | None = None  # the disk may fill where absent
    mb_an_hour: Annotated[float, Meta(ge=1, le=1000)] = 60.0  # beyond, the live feedback is not recorded


class EventsSettings(SettingsTable, frozen=True, kw_only=True):
    """`[events]`: how long a consumer that was away can still ask."""

    keep_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    keep_records: Annotated[int, Meta(ge=1000, le=10_000_000)] = 100_000


class DisplaySettings(SettingsTable, frozen=True, kw_only=True):
    """`[display]`: the page."""

    enabled: bool = True
    bind: str = "127.0.0.1"
    port: TcpPort = 8080
    cues: str | None = None  # folder with cue packs of one's own


class Profile(SettingsTable, frozen=True, kw_only=True):
    """One machine: everything that a daemon, a replay or a report needs to know."""

    machine: MachineSettings
    protocol: ProtocolSettings = ProtocolSettings()
    serial: SerialSettings = SerialSettings()
    calibration: CalibrationSettings | None = None
    mqtt: MqttSettings = MqttSettings()
    record: RecordSettings = RecordSettings()
    events: EventsSettings = EventsSettings()
    display: DisplaySettings = DisplaySettings()
    detect: DetectSettings = DetectSettings()
