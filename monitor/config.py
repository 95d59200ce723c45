"""A machine's profile: TOML to frozen settings, checked at the door.

    profile = load_profile(Path("configs/leg_press.toml"))      raises ConfigError, one sentence for a person

What each key means stands in configs/leg_press.toml. A preset in `[protocol] name` stands for the keys in PRESETS.
"""

from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from monitor.detect.settings import Detect, Table
from monitor.toml_document import ConfigError, Document

__all__ = ["ConfigError", "Profile", "load_profile", "profile_from_builtins", "profile_to_builtins"]

MachineId = Annotated[
    str,
    Meta(pattern=r"\A[a-z0-9-]{1,32}\Z", description="1 to 32 characters out of a-z, 0-9 and -, in quotes"),
]
Position = Annotated[float, Meta(ge=-10, le=10)]
Duration = Annotated[float, Meta(ge=0, le=120)]
Force = Annotated[float, Meta(gt=0, le=50_000)]
TcpPort = Annotated[int, Meta(ge=1, le=65_535)]
SHORTEST_RANGE_M = 0.02
LONGEST_RANGE_M = 3.0

PRESETS: dict[str, dict[str, Any]] = {
    "10/10": {"positive_s": 10.0, "negative_s": 10.0},
    "5/5": {"positive_s": 5.0, "negative_s": 5.0},
    "4/4": {"positive_s": 4.0, "negative_s": 4.0},
    "2/4": {"positive_s": 2.0, "negative_s": 4.0},
    "30-30-30": {"positive_s": 30.0, "negative_s": 30.0, "starts_with": "negative"},
    "static": {"stages": [0.5, 0.75, 1.0], "stages_s": [30.0, 30.0, 30.0]},
}


class Machine(Table, frozen=True, kw_only=True):
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


class Protocol(Table, frozen=True, kw_only=True):
    """`[protocol]`: the tempo that was agreed on. Durations are 0 only on a static machine."""

    name: Literal["10/10", "5/5", "4/4", "2/4", "30-30-30", "static"] | None = None
    positive_s: Duration = 0.0
    negative_s: Duration = 0.0
    starts_with: Literal["positive", "negative"] = "positive"
    band: Annotated[float, Meta(gt=0, le=0.5)] | None = None  # 0.10, superslow 0.08
    stages: tuple[Annotated[float, Meta(gt=0, le=1.5)], ...] = (0.5, 0.75, 1.0)  # static: shares of peak_n
    stages_s: tuple[Annotated[float, Meta(gt=0, le=600)], ...] = (30.0, 30.0, 30.0)


class Serial(Table, frozen=True, kw_only=True):
    """`[serial]`: where the microcontroller is and what it is asked for."""

    port: str | None = None
    baud: Annotated[int, Meta(ge=1200, le=4_000_000)] = 500_000
    format: Literal["frames", "lines-millis", "lines-micros"] = "frames"
    rate_hz: Annotated[int, Meta(ge=10, le=2500)] = 500
    block: Annotated[int, Meta(ge=1, le=15)] = 5  # samples in a frame


class Calibration(Table, frozen=True, kw_only=True):
    """`[calibration]`: si = (counts - zero) * scale. A negative scale turns the direction round."""

    metres_per_count: Annotated[float, Meta(ge=-1, le=1)]
    position_zero_counts: int = 0
    newtons_per_count: Annotated[float, Meta(ge=-1000, le=1000)]
    force_zero_counts: int = 0


class Mqtt(Table, frozen=True, kw_only=True):
    """`[mqtt]`: the broker; without a host the daemon brings one up on loopback."""

    host: str | None = None
    port: TcpPort = 1883  # 8883 where tls is set
    username: str | None = None
    password_file: str | None = None
    tls: bool = False
    ca_file: str | None = None
    client_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class Record(Table, frozen=True, kw_only=True):
    """`[record]`: sessions on disk."""

    enabled: bool = True
    directory: str | None = None  # the machine's state folder where absent
    idle_minutes: Annotated[float, Meta(gt=0, le=1440)] = 10.0
    keep_days: Annotated[int, Meta(ge=1)] | None = None  # for ever where absent


class Display(Table, frozen=True, kw_only=True):
    """`[display]`: the page."""

    enabled: bool = True
    bind: str = "127.0.0.1"
    port: TcpPort = 8080


class Profile(Table, frozen=True, kw_only=True):
    """One machine: everything that a daemon, a replay or a report has to be told."""

    machine: Machine
    protocol: Protocol = Protocol()
    serial: Serial = Serial()
    calibration: Calibration | None = None
    mqtt: Mqtt = Mqtt()
    record: Record = Record()
    display: Display = Display()
    detect: Detect = Detect()


def load_profile(path: Path) -> Profile:
    """The profile in a TOML file; paths inside it are relative to its folder."""
    document = Document.read(path)
    profile = _profile(document)
    home = path.resolve().parent
    return msgspec.structs.replace(
        profile,
        mqtt=msgspec.structs.replace(
            profile.mqtt,
            password_file=_absolute(home, profile.mqtt.password_file),
            ca_file=_absolute(home, profile.mqtt.ca_file),
        ),
        record=msgspec.structs.replace(profile.record, directory=_absolute(home, profile.record.directory)),
    )


def profile_to_builtins(profile: Profile) -> dict[str, Any]:
    """What detection needs, for a recording's header; where broker and files are is nobody's business there."""
    everything: dict[str, Any] = msgspec.to_builtins(profile)
    return {key: everything[key] for key in ("machine", "protocol", "serial", "calibration", "detect")}


def profile_from_builtins(table: dict[str, Any], name: str = "the recording's header") -> Profile:
    """The profile that a recording carries, checked like a file."""
    return _profile(Document(name, deepcopy(table)))


def _profile(document: Document) -> Profile:
    _expand_preset(document)
    document.check(Profile)
    if (mqtt := document.table.get("mqtt")) and mqtt.get("tls"):
        mqtt.setdefault("port", 8883)
    profile = msgspec.convert(document.table, Profile)
    _check_machine(document, profile.machine)
    _check_protocol(document, profile)
    _check_rest(document, profile)
    return profile


def _expand_preset(document: Document) -> None:
    protocol = document.table.get("protocol")
    if not isinstance(protocol, dict) or not isinstance(name := protocol.get("name"), str) or name not in PRESETS:
        return  # what is wrong with it, the check says
    for key, value in PRESETS[name].items():
        if protocol.setdefault(key, value) != value:
            raise document.error(
                f"protocol.{key}",
                f'is {protocol[key]}, but name = "{name}" stands for {key} = {value}; remove one of the two',
            )


def _check_machine(document: Document, machine: Machine) -> None:
    bottom_m, top_m = machine.bottom_m, machine.top_m
    if bottom_m is None or top_m is None:
        missing, other = ("bottom_m", "top_m") if bottom_m is None else ("top_m", "bottom_m")
        if machine.kind == "motor" or (machine.kind == "stack" and bottom_m is not top_m):
            advice = "" if machine.kind == "motor" else f", or leave out {other} too and the range is learned"
            raise document.error(f"machine.{missing}", f"is missing; add it in metres{advice}")
        return
    if top_m <= bottom_m:
        raise document.error("machine.top_m", f"is {top_m:g}, not above bottom_m = {bottom_m:g}; up is positive")
    if not SHORTEST_RANGE_M <= top_m - bottom_m <= LONGEST_RANGE_M:
        raise document.error(
            "machine.top_m",
            f"makes a working range of {top_m - bottom_m:g} m, but {SHORTEST_RANGE_M:g} to {LONGEST_RANGE_M:g} m"
            " can be; give both ends in metres",
        )
    if machine.lockout_m is not None and not bottom_m < machine.lockout_m <= top_m:
        raise document.error(
            "machine.lockout_m",
            f"is {machine.lockout_m:g}, outside {bottom_m:g} to {top_m:g}; correct it or leave it out for top_m",
        )
    if machine.rest_m is not None and machine.rest_m > bottom_m:
        raise document.error(
            "machine.rest_m",
            f"is {machine.rest_m:g}, above bottom_m = {bottom_m:g}; the stack rests at the bottom or below it",
        )


def _check_protocol(document: Document, profile: Profile) -> None:
    protocol, kind = profile.protocol, profile.machine.kind
    if (protocol.name == "static") is not (kind == "static") and protocol.name is not None:
        complaint = f'is "{protocol.name}", which does not fit [machine] kind = "{kind}"; change one of the two'
        raise document.error("protocol.name", complaint)
    if kind != "static":
        for key in ("positive_s", "negative_s"):
            value: float = getattr(protocol, key)
            if key not in document.table.get("protocol", {}):
                presets = ", ".join(f'"{name}"' for name in PRESETS if name != "static")
                raise document.error(f"protocol.{key}", f"is missing; add it in seconds, or a name out of {presets}")
            if value < 0.3:
                raise document.error(f"protocol.{key}", f"is {value:g}; a phase takes 0.3 seconds or longer")
    elif not protocol.stages or len(protocol.stages) != len(protocol.stages_s):
        raise document.error(
            "protocol.stages_s",
            f"has {len(protocol.stages_s)} durations for {len(protocol.stages)} stages; give one for each",
        )


def _check_rest(document: Document, profile: Profile) -> None:
    if calibration := profile.calibration:
        for key in ("metres_per_count", "newtons_per_count"):
            if getattr(calibration, key) == 0:
                raise document.error(f"calibration.{key}", "is 0, so that nothing would be measured; measure it")
    if profile.mqtt.ca_file and not profile.mqtt.tls:
        raise document.error("mqtt.ca_file", "is given, but tls is false; set tls = true or remove it")
    for table, low, high in (("jerk", "min_g", "max_g"), ("stall", "low", "high")):
        settings = getattr(profile.detect, table)
        if getattr(settings, low) > getattr(settings, high):
            raise document.error(f"detect.{table}.{low}", f"is above {high}; exchange the two")


def _absolute(home: Path, path: str | None) -> str | None:
    return None if path is None else str(home / Path(path).expanduser())
