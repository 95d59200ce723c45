"""The settings of a machine: one frozen struct for each table of its profile.

None means that a value is learned, or that it does not apply. configs/leg_press.toml explains each key to a person;
reading.py turns a file into a `Profile`.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta

from firmware_bridge.formats import Format
from firmware_bridge.formats.calibration import MOST_METRES_PER_COUNT, MOST_NEWTONS_PER_COUNT, MOST_ZERO_COUNTS
from monitor.mqtt.contract.topics import ROOT, Root, TopicTree
from monitor.profile.settings import DetectSettings, SettingsTable

MachineId = Annotated[
    str,
    Meta(pattern=r"\A[a-z0-9-]{1,32}\Z", description="1 to 32 characters of a-z, 0-9 and -, in quotes"),
]
Position = Annotated[float, Meta(ge=-10, le=10)]
Duration = Annotated[float, Meta(ge=0, le=120)]
Force = Annotated[float, Meta(gt=0, le=50_000)]
WebSocketUrl = Annotated[
    str,
    Meta(
        pattern=r"\Awss?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?\Z",
        description='an address such as "ws://broker.local:9001/mqtt", or with wss://',
    ),
]
ZeroCounts = Annotated[int, Meta(ge=-MOST_ZERO_COUNTS, le=MOST_ZERO_COUNTS)]
TcpPort = Annotated[int, Meta(ge=1, le=65_535)]
MQTT_PORT, MQTT_TLS_PORT = 1883, 8883  # registered for MQTT with IANA

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
    rest_m: Position | None = None  # default: bottom_m
    bottom_m: Position | None = None  # default: learned, for a stack
    top_m: Position | None = None
    lockout_m: Position | None = None  # default: top_m
    working_load_n: Force | None = None  # default: learned
    friction: Annotated[float, Meta(ge=0, le=0.5)] | None = None  # default: learned
    lift_off_n: Force = 50.0
    resistance: Literal["constant", "curve", "learned"] | None = None  # None: constant, until repetitions show a curve
    curve_m: Annotated[tuple[Position, ...], Meta(min_length=2, max_length=64)] | None = None  # places of a curve
    curve_n: Annotated[tuple[Force, ...], Meta(min_length=2, max_length=64)] | None = None  # forces there
    inertia_kg: Annotated[float, Meta(ge=0, le=1000)] | None = None  # that moves; default: learned
    plates_kg: Annotated[tuple[Annotated[float, Meta(gt=0, le=1000)], ...], Meta(min_length=1)] | None = None
    force_ceiling_n: Force | None = None
    peak_n: Force | None = None  # static: the tested peak; default: learned


class ProtocolSettings(SettingsTable, frozen=True, kw_only=True):
    """`[protocol]`: the agreed tempo. Durations are 0 only on a static machine."""

    name: Literal["10/10", "5/5", "4/4", "2/4", "30-30-30", "static"] | None = None
    positive_s: Duration = 0.0
    negative_s: Duration = 0.0
    starts_with: Literal["positive", "negative"] = "positive"
    band: Annotated[float, Meta(gt=0, le=0.5)] | None = None  # default: 0.10, superslow 0.08
    pause_s: Annotated[float, Meta(ge=0, le=120)] = 0.0  # planned pauses on the rest: rest-pause, clusters
    stages: tuple[Annotated[float, Meta(gt=0, le=1.5)], ...] = (0.5, 0.75, 1.0)  # static: shares of peak_n
    stages_s: tuple[Annotated[float, Meta(gt=0, le=600)], ...] = (30.0, 30.0, 30.0)


class SerialSettings(SettingsTable, frozen=True, kw_only=True):
    """`[serial]`: the port of the microcontroller, and what the daemon asks it to send."""

    port: str | None = None
    baud: Annotated[int, Meta(ge=1200, le=4_000_000)] = 500_000
    format: Format = "frames"
    rate_hz: Annotated[int, Meta(ge=10, le=2500)] = 500
    block: Annotated[int, Meta(ge=1, le=15)] = 5  # samples in a frame


class CalibrationSettings(SettingsTable, frozen=True, kw_only=True):
    """`[calibration]`: si = (counts - zero) * scale. A negative scale reverses the direction."""

    metres_per_count: Annotated[float, Meta(ge=-MOST_METRES_PER_COUNT, le=MOST_METRES_PER_COUNT)] = (
        0.0  # 0 only for a static machine
    )
    position_zero_counts: ZeroCounts = 0
    newtons_per_count: Annotated[float, Meta(ge=-MOST_NEWTONS_PER_COUNT, le=MOST_NEWTONS_PER_COUNT)]
    force_zero_counts: ZeroCounts = 0


class BrokerSettings(SettingsTable, frozen=True, kw_only=True):
    """A broker, and the account there; without a host the program starts its own on loopback."""

    host: str | None = None
    port: TcpPort = MQTT_PORT  # default with tls: MQTT_TLS_PORT
    username: str | None = None
    password_file: str | None = None
    tls: bool = False
    ca_file: str | None = None
    client_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class MqttSettings(BrokerSettings, frozen=True, kw_only=True):
    """`[mqtt]` of a machine."""

    root: Root = ROOT  # of every topic
    websocket_url: WebSocketUrl | None = None  # the broker's WebSocket address; default: the daemon relays


class RecordSettings(SettingsTable, frozen=True, kw_only=True):
    """`[record]`: the recordings of sessions."""

    enabled: bool = True
    directory: str | None = None  # default: the machine's state folder
    idle_minutes: Annotated[float, Meta(gt=0, le=1440)] = 10.0
    keep_days: Annotated[int, Meta(ge=1)] | None = None  # default: no limit
    keep_gb: Annotated[float, Meta(gt=0)] | None = None  # default: no limit
    keep_free_gb: Annotated[float, Meta(gt=0)] | None = None  # default: the disk may fill
    mb_an_hour: Annotated[float, Meta(ge=1, le=1000)] = 60.0  # above it, live feedback is not recorded


class EventsSettings(SettingsTable, frozen=True, kw_only=True):
    """`[events]`: how many stored events a consumer can still ask for."""

    keep_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    keep_records: Annotated[int, Meta(ge=1000, le=10_000_000)] = 100_000


class DisplaySettings(SettingsTable, frozen=True, kw_only=True):
    """`[display]`: the live page."""

    enabled: bool = True
    bind: str = "127.0.0.1"
    port: TcpPort = 8080
    tls: str | None = None  # a folder with the page's certificate
    tls_port: TcpPort = 8443
    cues: str | None = None  # a folder with your own cue packs
    language: Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,32}\Z")] | None = None  # a cue pack; None: the browser's
    units: Literal["kg", "lb"] = "kg"  # of weights, wherever a person reads them


class Profile(SettingsTable, frozen=True, kw_only=True):
    """All settings of one machine, as a daemon, a replay or a report needs them."""

    machine: MachineSettings
    protocol: ProtocolSettings = ProtocolSettings()
    serial: SerialSettings = SerialSettings()
    calibration: CalibrationSettings | None = None
    mqtt: MqttSettings = MqttSettings()
    record: RecordSettings = RecordSettings()
    events: EventsSettings = EventsSettings()
    display: DisplaySettings = DisplaySettings()
    detect: DetectSettings = DetectSettings()

    @property
    def topic_tree(self) -> TopicTree:
        return TopicTree(self.machine.id, self.mqtt.root)
