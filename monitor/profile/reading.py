"""Reads a machine's profile from TOML and checks it. Each error is one sentence for a person.

    >>> profile = load_profile(Path("configs/leg_press.toml"))
    >>> profile.machine.id, profile.protocol.positive_s
    ('leg-press', 4.0)

A preset in `[protocol] name` sets the keys in PRESETS. A key beside it with another value is an error.
"""

from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from monitor.profile.profile import MQTT_TLS_PORT, PRESETS, MachineSettings, Profile
from monitor.profile.toml_document import ConfigError, Document

SHORTEST_RANGE_M, LONGEST_RANGE_M = 0.02, 3.0  # a range beyond them was given in other units than metres
SHORTEST_PHASE_S = 0.3  # detection looks at a turn for 0.25 s


def load_profile(path: Path) -> Profile:
    """The profile in a TOML file; paths inside it are relative to its folder. Raises ConfigError."""
    profile = _profile(Document.read(path))
    home = path.resolve().parent
    return msgspec.structs.replace(
        profile,
        mqtt=msgspec.structs.replace(
            profile.mqtt,
            password_file=absolute(home, profile.mqtt.password_file),
            ca_file=absolute(home, profile.mqtt.ca_file),
        ),
        record=msgspec.structs.replace(profile.record, directory=absolute(home, profile.record.directory)),
        display=msgspec.structs.replace(
            profile.display,
            cues=absolute(home, profile.display.cues),
            tls=absolute(home, profile.display.tls),
        ),
    )


def mistakes_in(path: Path) -> list[ConfigError]:
    """Everything that is wrong in a profile, so that a person can correct it at once.

    Values are compared with each other only once each of them is possible.
    """
    try:
        return _mistakes(Document.read(path))
    except ConfigError as error:
        return [error]


def profile_to_builtins(profile: Profile) -> dict[str, Any]:
    """The tables that detection needs, for a recording's header. Without addresses and folders, which stay private."""
    everything: dict[str, Any] = msgspec.to_builtins(profile)
    return {key: everything[key] for key in ("machine", "protocol", "serial", "calibration", "detect")}


def profile_from_builtins(table: dict[str, Any], name: str = "the recording's header") -> Profile:
    """The profile in a recording's header, checked like a file. Raises ConfigError."""
    return _profile(Document(name, deepcopy(table)))


def _profile(document: Document) -> Profile:
    for mistake in _mistakes(document):
        raise mistake
    return msgspec.convert(document.table, Profile)


def _mistakes(document: Document) -> list[ConfigError]:
    """Everything that is wrong; presets and defaults are then in the document's table."""
    found = [*_expand_preset(document), *document.mistakes(Profile)]
    if found:
        return found
    if (mqtt := document.table.get("mqtt")) and mqtt.get("tls"):
        mqtt.setdefault("port", MQTT_TLS_PORT)
    profile = msgspec.convert(document.table, Profile)
    return [
        *_check_machine(document, profile.machine),
        *_check_curve(document, profile.machine),
        *_check_protocol(document, profile),
        *_check_rest(document, profile),
    ]


def _expand_preset(document: Document) -> Iterator[ConfigError]:
    protocol = document.table.get("protocol")
    if not isinstance(protocol, dict) or not isinstance(name := protocol.get("name"), str) or name not in PRESETS:
        return  # `mistakes` reports this
    for key, value in PRESETS[name].items():
        if protocol.setdefault(key, value) != value:
            yield document.error(
                ("protocol", key),
                f'is {protocol[key]}, but name = "{name}" means {key} = {value}; remove one of the two',
            )


def _check_machine(document: Document, machine: MachineSettings) -> Iterator[ConfigError]:
    bottom_m, top_m = machine.bottom_m, machine.top_m
    if bottom_m is None or top_m is None:
        missing, other = ("bottom_m", "top_m") if bottom_m is None else ("top_m", "bottom_m")
        if machine.kind == "motor" or (machine.kind == "stack" and bottom_m is not top_m):
            advice = "" if machine.kind == "motor" else f", or remove {other} too, then the range is learned"
            yield document.error(("machine", missing), f"is missing; add it in metres{advice}")
        return
    if top_m <= bottom_m:
        yield document.error(("machine", "top_m"), f"is {top_m:g}, not above bottom_m = {bottom_m:g}; up is positive")
    elif not SHORTEST_RANGE_M <= top_m - bottom_m <= LONGEST_RANGE_M:
        yield document.error(
            ("machine", "top_m"),
            f"gives a working range of {top_m - bottom_m:g} m, but {SHORTEST_RANGE_M:g} to {LONGEST_RANGE_M:g} m"
            " are possible; give both ends in metres",
        )
    if machine.lockout_m is not None and not bottom_m < machine.lockout_m <= top_m:
        yield document.error(
            ("machine", "lockout_m"),
            f"is {machine.lockout_m:g}, outside {bottom_m:g} to {top_m:g}; correct it, or remove it to use top_m",
        )
    if machine.rest_m is not None and machine.rest_m > bottom_m:
        yield document.error(
            ("machine", "rest_m"),
            f"is {machine.rest_m:g}, above bottom_m = {bottom_m:g}; the stack rests at bottom_m or below it",
        )


def _check_curve(document: Document, machine: MachineSettings) -> Iterator[ConfigError]:
    if machine.resistance is not None and machine.kind != "stack":
        yield document.error(("machine", "resistance"), f'is for kind = "stack", not for "{machine.kind}"; remove it')
    curve_m, curve_n = machine.curve_m, machine.curve_n
    if machine.resistance != "curve":
        for key in ("curve_m", "curve_n"):
            if getattr(machine, key) is not None:
                yield document.error(("machine", key), 'needs resistance = "curve"; add that, or remove it')
        return
    if curve_m is None or curve_n is None:
        missing = "curve_m" if curve_m is None else "curve_n"
        advice = "is missing; list the places in metres in curve_m and the forces there in newtons in curve_n"
        yield document.error(("machine", missing), advice)
        return
    if len(curve_m) != len(curve_n):
        complaint = f"has {len(curve_n)} forces for {len(curve_m)} places in curve_m; give one for each"
        yield document.error(("machine", "curve_n"), complaint)
    if any(upper <= lower for lower, upper in pairwise(curve_m)):
        yield document.error(("machine", "curve_m"), "does not rise; list the places from the lowest to the highest")


def _check_protocol(document: Document, profile: Profile) -> Iterator[ConfigError]:
    protocol, kind = profile.protocol, profile.machine.kind
    if (protocol.name == "static") is not (kind == "static") and protocol.name is not None:
        complaint = f'is "{protocol.name}", which does not fit [machine] kind = "{kind}"; change one of the two'
        yield document.error(("protocol", "name"), complaint)
    if kind != "static":
        for key in ("positive_s", "negative_s"):
            value: float = getattr(protocol, key)
            if key not in document.table.get("protocol", {}):
                presets = ", ".join(f'"{name}"' for name in PRESETS if name != "static")
                yield document.error(("protocol", key), f"is missing; add it in seconds, or a name: {presets}")
            elif value < SHORTEST_PHASE_S:
                yield document.error(
                    ("protocol", key), f"is {value:g}; a phase must take at least {SHORTEST_PHASE_S:g} seconds"
                )
    elif not protocol.stages or len(protocol.stages) != len(protocol.stages_s):
        yield document.error(
            ("protocol", "stages_s"),
            f"has {len(protocol.stages_s)} durations for {len(protocol.stages)} stages; give one for each",
        )


def _check_rest(document: Document, profile: Profile) -> Iterator[ConfigError]:
    if calibration := profile.calibration:
        for key in ("metres_per_count", "newtons_per_count"):
            if getattr(calibration, key) == 0 and (key, profile.machine.kind) != ("metres_per_count", "static"):
                yield document.error(("calibration", key), "is 0 or missing; run `rep-monitor calibrate`")
    if profile.display.tls and profile.display.tls_port == profile.display.port:
        yield document.error(("display", "tls_port"), "is the same as port; give each its own")
    if profile.mqtt.ca_file and not profile.mqtt.tls:
        yield document.error(("mqtt", "ca_file"), "is given, but tls is false; set tls = true or remove it")
    if profile.mqtt.websocket_url and profile.mqtt.host is None:
        complaint = "is given, but host is not, so pages connect to the daemon's own broker; add host or remove it"
        yield document.error(("mqtt", "websocket_url"), complaint)
    for table, low, high in (("jerk", "min_g", "max_g"), ("stall", "low", "high")):
        settings = getattr(profile.detect, table)
        if getattr(settings, low) > getattr(settings, high):
            yield document.error(("detect", table, low), f"is above {high}; swap the two")


def absolute(home: Path, path: str | None) -> str | None:
    """A path that a file in this folder names. Raises ConfigError."""
    try:
        return None if path is None else str(home / Path(path).expanduser())
    except RuntimeError as error:
        raise ConfigError(f"{path}: that home folder is not known; give the whole path") from error
