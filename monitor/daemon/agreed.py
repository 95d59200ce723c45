"""The profile after a command: what was agreed on at the machine, checked like a file.

It holds until it is agreed on anew or the daemon starts again; the file is not touched.
"""

from typing import Any

import msgspec

from monitor.mqtt.contract.commands import CommandRefused, LoadCommand, ProtocolCommand
from monitor.profile.profile import Profile
from monitor.profile.reading import profile_from_builtins, profile_to_builtins
from monitor.profile.toml_document import ConfigError


def with_protocol(profile: Profile, command: ProtocolCommand) -> Profile:
    """With another tempo."""
    asked = {key: value for key in ("name", "positive_s", "negative_s", "starts_with", "band")
             if (value := getattr(command, key)) is not None}  # fmt: skip
    return _checked(profile, {"protocol": asked})


def with_load(profile: Profile, command: LoadCommand) -> Profile:
    """With another load on the pin; None is learned."""
    machine = profile.machine
    if machine.kind == "static":
        raise CommandRefused("refused", "nothing is lifted on this machine: its target is a share of the tested peak")
    if command.load_n is not None and command.load_n < machine.lift_off_n:
        light = f"{command.load_n:.0f} N is less than lift_off_n = {machine.lift_off_n:.0f} N, with which a set begins"
        raise CommandRefused("refused", f"{light}; choose more")
    table: dict[str, Any] = msgspec.to_builtins(machine)
    return _checked(profile, {"machine": table | {"working_load_n": command.load_n}})


def _checked(profile: Profile, changed: dict[str, Any]) -> Profile:
    try:
        checked = profile_from_builtins(profile_to_builtins(profile) | changed, "the command")
    except ConfigError as error:
        raise CommandRefused("refused", str(error)) from error
    return msgspec.structs.replace(profile, machine=checked.machine, protocol=checked.protocol)
