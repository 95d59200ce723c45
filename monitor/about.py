"""What `info` says of a machine, of the tempo agreed on, and of the firmware."""

from firmware_bridge.messages import Hello
from monitor.detect.limits import limits_of
from monitor.feedback.messages import FirmwareInfo, MachineInfo, ProtocolInfo
from monitor.profile import Profile


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
        mcu=str(hello.mcu),
        boot_id=f"{hello.boot_id:04x}",
        reset_cause=str(hello.reset_cause),
        adc=str(hello.adc),
        force_rate_hz=float(hello.adc_sps),
        position_rate_hz=float(profile.serial.rate_hz),
    )
