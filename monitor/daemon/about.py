"""Builds the parts of the `info` message, and the status line for the service manager."""

from firmware_bridge.formats.messages import Hello
from firmware_bridge.link_state import LinkState
from monitor.calibrate.history import StoredCalibration
from monitor.custody.housekeeping import Housekeeper
from monitor.daemon.keeper import Keeper
from monitor.daemon.session import LiveSession
from monitor.mqtt.contract.messages import (
    CalibrationInfo,
    FirmwareInfo,
    LinkInfo,
    MachineInfo,
    ProtocolInfo,
    PublishedLink,
    Recording,
    StorageInfo,
)
from monitor.profile.limits import limits_of
from monitor.profile.profile import Profile
from monitor.record.recorder import Recorder

_PUBLISHED: dict[str, PublishedLink] = {
    "absent": "absent",
    "busy": "absent",
    "opening": "opening",
    "hello": "opening",
    "streaming": "live",
    "silent": "silent",
    "garbage": "wrong_device",
    "incompatible": "wrong_device",
    "wrong_device": "wrong_device",
}


def published(link: LinkState) -> PublishedLink:
    """The state to publish. A port that drops repeatedly is `unstable`, instead of each single drop."""
    state = _PUBLISHED[link.state]
    return "unstable" if link.unstable and state in ("absent", "opening", "live") else state


def calibration_info(stored: StoredCalibration | None, session: LiveSession | None) -> CalibrationInfo | None:
    if stored is None:
        return None
    if session is None:
        return CalibrationInfo(finished_utc=stored.finished_utc)
    zero_n, span, sentence = session.drift.against(stored)
    return CalibrationInfo(
        finished_utc=stored.finished_utc,
        zero_n=None if zero_n is None else round(zero_n, 2),
        span=None if span is None else round(span, 4),
        drift=sentence,
    )


def machine_info(profile: Profile) -> MachineInfo:
    machine = profile.machine
    rest_m = machine.rest_m if machine.rest_m is not None else machine.bottom_m or 0.0

    def above(position_m: float | None) -> float | None:
        return None if position_m is None else round(position_m - rest_m, 4)

    return MachineInfo(
        id=machine.id,
        kind=machine.kind,
        bottom_m=above(machine.bottom_m),
        top_m=above(machine.top_m),
        lockout_m=above(machine.lockout_m if machine.lockout_m is not None else machine.top_m),
        working_load_n=machine.working_load_n,
        force_ceiling_n=machine.force_ceiling_n,
        plates_kg=machine.plates_kg,
    )


def protocol_info(profile: Profile) -> ProtocolInfo:
    protocol = profile.protocol
    return ProtocolInfo(
        name=protocol.name,
        positive_s=protocol.positive_s,
        negative_s=protocol.negative_s,
        starts_with=protocol.starts_with,
        band=round(limits_of(profile).band, 4),
        stages_s=protocol.stages_s if profile.machine.kind == "static" else None,
    )


def firmware_info(hello: Hello, profile: Profile) -> FirmwareInfo:
    return FirmwareInfo(
        protocol=hello.protocol,
        firmware=hello.firmware,
        mcu=hello.mcu_name,
        boot_id=f"{hello.boot_id:04x}",
        reset_cause=hello.reset_cause_names,
        adc=hello.adc_name,
        force_rate_hz=float(hello.adc_sps),
        position_rate_hz=float(profile.serial.rate_hz),
    )


def link_info(link: LinkState | None, session: LiveSession | None) -> LinkInfo:
    if link is None:
        return LinkInfo(state="none")
    counts: dict[str, int] = {"reconnects": link.reconnects, "drops_a_minute": link.drops}
    counted_s: float | None = None
    device: dict[str, int] = {}
    if session is not None:
        link_counts = session.analysis.decoder.counts
        counted_s = round(session.analysis.newest_s, 3)
        every = {name: getattr(link_counts, name) for name in link_counts.__slots__}
        status = every.pop("device")
        counts |= every
        if status is not None:
            device = {name: int(getattr(status, name)) for name in status.__slots__ if name != "t_us"}
    detail = link.unstable or (None if link.state == "streaming" else link.detail)
    return LinkInfo(state=published(link), detail=detail, counts=counts, counted_s=counted_s, device=device)


def storage_info(
    keeper: Keeper, housekeeper: Housekeeper, recorder: Recorder | None, warning: str | None
) -> StorageInfo:
    unwritten = None if recorder is None else recorder.status.last_error
    return StorageInfo(
        warning=warning,
        trouble=keeper.trouble
        or keeper.store.trouble
        or (None if unwritten is None else f"the recording cannot be written ({unwritten})"),
        events_waiting=keeper.waiting,
        events_dropped=keeper.dropped,
        store_failures=keeper.failures,
        rows_skipped=keeper.store.odd_rows,
        tidy_failures=housekeeper.failures,
        records_dropped=0 if recorder is None else recorder.status.dropped_records,
    )


def recording_state(profile: Profile, session: LiveSession | None) -> Recording:
    if not profile.record.enabled:
        return "off"
    if session is None:
        return "idle"
    recorder = session.recorder
    return "failed" if recorder is not None and recorder.status.state == "no_storage" else "on"


def headline(link: LinkState | None, session: LiveSession | None, broker_trouble: str | None) -> str:
    """One line for the administrator of the computer."""
    device = "no device yet" if link is None else link.unstable or link.detail
    lifting = "no session" if session is None else f"session {session.id}"
    return f"{device}; {lifting}; {broker_trouble or 'connected to the broker'}"
