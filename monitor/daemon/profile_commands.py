"""Applies the commands `protocol` and `load` to a profile, with the same checks as for a file.

The changed profile is used until the next command or until the daemon restarts. The file does not change.
"""

from typing import Any

import msgspec

from monitor.mqtt.contract.commands import CommandRefused, LoadCommand, ProtocolCommand
from monitor.profile.profile import Profile, ProtocolSettings
from monitor.profile.reading import profile_from_builtins, profile_to_builtins
from monitor.profile.toml_document import ConfigError


def with_protocol(profile: Profile, command: ProtocolCommand, own: ProtocolSettings) -> Profile:
    """The profile with another tempo; with its `own` one if the command names none. Raises CommandRefused."""
    asked = {key: value for key in ("name", "positive_s", "negative_s", "starts_with", "band")
             if (value := getattr(command, key)) is not None}  # fmt: skip
    return _checked(profile, {"protocol": asked or msgspec.to_builtins(own)})


def with_load(profile: Profile, command: LoadCommand) -> Profile:
    """The profile with another load on the pin, which is learned if it is None. Raises CommandRefused."""
    machine = profile.machine
    if machine.kind == "static":
        raise CommandRefused("refused", "a static machine has no load: its target is a share of the tested peak")
    if command.load_n is not None and command.load_n < machine.lift_off_n:
        light = f"{command.load_n:.0f} N is less than lift_off_n = {machine.lift_off_n:.0f} N, at which a set begins"
        raise CommandRefused("refused", f"{light}; choose a higher load")
    table: dict[str, Any] = msgspec.to_builtins(machine)
    return _checked(profile, {"machine": table | {"working_load_n": command.load_n}})


def _checked(profile: Profile, changed: dict[str, Any]) -> Profile:
    try:
        checked = profile_from_builtins(profile_to_builtins(profile) | changed, "the command")
    except ConfigError as error:
        raise CommandRefused("refused", str(error)) from error
    return msgspec.structs.replace(profile, machine=checked.machine, protocol=checked.protocol)
