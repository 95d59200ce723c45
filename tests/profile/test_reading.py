"""Profiles: valid ones load, each mistake is reported, and the example explains every key."""

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.profile.profile import PRESETS, Profile
from monitor.profile.reading import load_profile, profile_from_builtins, profile_to_builtins
from monitor.profile.settings import JerkSettings
from monitor.profile.toml_document import ConfigError
from tests import needs
from tests.soak import long, soak

CONFIGS = Path(__file__).parents[2] / "configs"
MACHINE = '[machine]\nid = "m1"\nkind = "stack"\nbottom_m = 0.1\ntop_m = 0.5\n'
PROFILE = MACHINE + "[protocol]\npositive_s = 4\nnegative_s = 4\n"


def load(folder: Path, text: str | bytes) -> Profile:
    path = folder / "m.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_profile(path)


def complaint(folder: Path, text: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    message = str(caught.value)
    assert message.isprintable()
    return message.removeprefix(str(folder / "m.toml"))


def test_little_is_required(tmp_path: Path) -> None:
    profile = load(tmp_path, PROFILE)
    assert (profile.machine.bottom_m, profile.machine.top_m) == (0.1, 0.5)
    assert (profile.machine.rest_m, profile.machine.working_load_n) == (None, None)
    assert (profile.protocol.positive_s, profile.serial.baud, profile.mqtt.port) == (4.0, 500_000, 1883)


def test_a_stack_may_leave_its_range_to_be_learned(tmp_path: Path) -> None:
    profile = load(tmp_path, PROFILE.replace("bottom_m = 0.1\ntop_m = 0.5\n", ""))
    assert profile.machine.bottom_m is None
    assert profile.machine.top_m is None


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sets_its_keys(tmp_path: Path, name: str) -> None:
    machine = MACHINE.replace("stack", "static") if name == "static" else MACHINE
    protocol = load(tmp_path, f'{machine}[protocol]\nname = "{name}"\n').protocol
    given = msgspec.to_builtins(protocol)
    assert {key: list(v) if isinstance(v := given[key], tuple) else v for key in PRESETS[name]} == PRESETS[name]


def test_every_name_that_is_allowed_is_a_preset() -> None:
    hint = next(
        field.type for field in msgspec.structs.fields(type(Profile.__struct_defaults__[0])) if field.name == "name"
    )
    assert set(get_args(get_args(hint)[0])) == set(PRESETS)


def test_the_preset_of_three_thirties_begins_with_the_negative(tmp_path: Path) -> None:
    protocol = load(tmp_path, MACHINE + '[protocol]\nname = "30-30-30"').protocol
    assert (protocol.starts_with, protocol.positive_s, protocol.negative_s) == ("negative", 30, 30)


def test_tls_moves_the_port(tmp_path: Path) -> None:
    assert load(tmp_path, PROFILE + '[mqtt]\nhost = "b"\ntls = true').mqtt.port == 8883
    assert load(tmp_path, PROFILE + '[mqtt]\nhost = "b"\ntls = true\nport = 9').mqtt.port == 9


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    profile = load(tmp_path, PROFILE + '[mqtt]\npassword_file = "secret"\n[record]\ndirectory = "/var/r"')
    assert profile.mqtt.password_file == str(tmp_path / "secret")
    assert profile.record.directory == "/var/r"


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    assert load(tmp_path, b"\xef\xbb\xbf" + PROFILE.replace("\n", "\r\n").encode()).machine.id == "m1"


WRONG: dict[str, tuple[str | bytes, list[str]]] = {
    "syntax": (PROFILE + "[serial]\nport = ttyUSB0", [":10: not TOML", "column", "quotes"]),
    "decimal comma": (PROFILE.replace("positive_s = 4", "positive_s = 4,5"), [": not TOML", "decimal point (0.45)"]),
    "key twice": (PROFILE + "positive_s = 5\n\n", [": not TOML", "overwrite"]),
    "unclosed table": ("[machine\nid = 1", [":1: not TOML"]),
    "not utf-8": (PROFILE.encode() + b'\n# Ger\xe4t"', [":10: not UTF-8", "save the file as UTF-8"]),
    "empty": ("", [": [machine] is missing; add this table"]),
    "unknown table": ("[machin]\n" + PROFILE, [':1: Unknown table "machin". Did you mean "machine"?', "detect"]),
    "key outside a table": ('id = "a"\n' + PROFILE, [':1: Unknown key "id". Remove it.']),
    "unknown key": (
        MACHINE + "tpo_m = 1",
        [':6: [machine] Unknown key "tpo_m". Did you mean "top_m"?', "bottom_m, top_m"],
    ),
    "unknown detector": (
        PROFILE + "[detect.jrk]\nsize = 1",
        [':9: [detect] Unknown table "jrk". Did you mean "jerk"?', "sensor_fault"],
    ),
    "unknown threshold": (
        PROFILE + "[detect.jerk]\nholds = 1",
        [':10: [detect.jerk] Unknown key "holds". Did you mean "hold_s"?'],
    ),
    "table is a value": ("machine = 1", ["machine must be a table, not 1; write [machine]"]),
    "missing key": (MACHINE.replace('id = "m1"\n', ""), [":1: [machine] id is missing; add id = 1 to 32 characters"]),
    "wrong type": (
        MACHINE.replace("0.5", '"0.5"'),
        [':5: [machine] top_m must be a number from -10 to 10 (metres), not "0.5"'],
    ),
    "boolean as number": (MACHINE.replace("0.5", "true"), ["[machine] top_m must be a number", "not true"]),
    "number as boolean": (PROFILE + "[mqtt]\ntls = 1", ["[mqtt] tls must be true or false, not 1"]),
    "fraction of a count": (
        PROFILE + "[serial]\nblock = 2.5",
        ["block must be a whole number from 1 to 15, not 2.5", "remove it to use 5"],
    ),
    "millimetres": (MACHINE.replace("0.5", "500"), ["top_m must be a number from -10 to 10 (metres), not 500"]),
    "not a number": (PROFILE.replace("4\n", "nan\n", 1), [":7: [protocol] positive_s must be", "not nan"]),
    "infinite": (
        PROFILE + "[detect.jerk]\nsize = inf",
        ["[detect.jerk] size must be a number above 0 and at most 1000, not inf", "11.5"],
    ),
    "threshold out of range": (
        PROFILE + "[detect.motion]\nwindow_s = 3",
        ["from 0.03 to 0.2 (seconds), not 3", "remove it to use 0.08"],
    ),
    "speed": (
        PROFILE + "[detect.stack_touch]\nslam_m_s = -1",
        ["slam_m_s must be a number above 0 and at most 1000 (m/s), not -1"],
    ),
    "list item": (MACHINE + "plates_kg = [10, -5]", [":6: [machine] plates_kg must be a list of numbers", "[10, -5]"]),
    "curve without places": (
        MACHINE + 'resistance = "curve"\ncurve_n = [500.0, 600.0]',
        ["[machine] curve_m is missing; list the places in metres"],
    ),
    "curve of unequal length": (
        MACHINE + 'resistance = "curve"\ncurve_m = [0.1, 0.2, 0.3]\ncurve_n = [500.0, 600.0]',
        ["curve_n has 2 forces for 3 places in curve_m"],
    ),
    "curve that falls back": (
        MACHINE + 'resistance = "curve"\ncurve_m = [0.2, 0.1]\ncurve_n = [500.0, 600.0]',
        ["curve_m does not rise"],
    ),
    "curve unasked": (MACHINE + "curve_n = [500.0, 600.0]", ['curve_n needs resistance = "curve"']),
    "curve of a motor": (
        PROFILE.replace("stack", "motor").replace("top_m", 'resistance = "learned"\ntop_m'),
        ['resistance is for kind = "stack", not for "motor"'],
    ),
    "odd key": (PROFILE + '"a\\nb.c" = 1', [r':6: [protocol] Unknown key "a\nb.c"']),
    "choice": (
        PROFILE + '[serial]\nformat = "csv"',
        ['format must be one of "frames"', 'not "csv"', 'to use "frames"'],
    ),
    "invalid id": (
        MACHINE.replace("m1", "Leg Press"),
        [":2: [machine] id must be 1 to 32 characters", 'not "Leg Press"'],
    ),
    "line end in id": (MACHINE.replace('"m1"', '"m1\\n"'), ["[machine] id must be"]),
    "long id": (MACHINE.replace("m1", "m" * 33), ["[machine] id must be"]),
    "top below bottom": (PROFILE.replace("0.5", "0.05"), [":5: [machine] top_m is 0.05, not above bottom_m = 0.1"]),
    "no range": (PROFILE.replace("0.5", "0.101"), [":5: [machine] top_m gives a working range of 0.001 m"]),
    "half a range": (
        PROFILE.replace("top_m = 0.5\n", ""),
        [":1: [machine] top_m is missing", "remove bottom_m too"],
    ),
    "motor without range": (
        PROFILE.replace("stack", "motor").replace("bottom_m = 0.1\n", "").replace("top_m = 0.5\n", ""),
        ["[machine] bottom_m is missing; add it in metres"],
    ),
    "lockout outside": (
        PROFILE.replace("top_m", "lockout_m = 0.6\ntop_m"),
        [":5: [machine] lockout_m is 0.6, outside 0.1 to 0.5"],
    ),
    "rest above bottom": (
        PROFILE.replace("top_m", "rest_m = 0.2\ntop_m"),
        [":5: [machine] rest_m is 0.2, above bottom_m"],
    ),
    "unknown preset": (
        MACHINE + '[protocol]\nname = "3/3"',
        [":7: [protocol] name must be one of", '"2/4"', 'not "3/3"'],
    ),
    "preset and its contrary": (
        PROFILE + 'name = "2/4"',
        [":7: [protocol] positive_s is 4", "positive_s = 2", "remove one"],
    ),
    "static tempo on a stack": (
        MACHINE + '[protocol]\nname = "static"',
        ["[protocol] name", "does not fit", '"stack"'],
    ),
    "no tempo": (MACHINE, [": [protocol] positive_s is missing; add it in seconds, or a name", '"10/10"']),
    "half a tempo": (PROFILE.replace("negative_s = 4\n", ""), [":6: [protocol] negative_s is missing"]),
    "no time at all": (
        PROFILE.replace("negative_s = 4", "negative_s = 0"),
        [":8: [protocol] negative_s is 0; a phase must take"],
    ),
    "stages": (
        MACHINE.replace("stack", "static") + "[protocol]\nstages = [0.5]",
        ["[protocol] stages_s has 3 durations for 1 stages; give one for each"],
    ),
    "no scale": (
        PROFILE + "[calibration]\nmetres_per_count = 0\nnewtons_per_count = 1",
        [":10: [calibration] metres_per_count is 0"],
    ),
    "certificate without tls": (PROFILE + '[mqtt]\nca_file = "ca"', [":10: [mqtt] ca_file is given, but tls is false"]),
    "no web address": (
        PROFILE + '[mqtt]\nhost = "b"\nwebsocket_url = "http://b:9001"',
        [':11: [mqtt] websocket_url must be an address such as "ws://broker.local:9001/mqtt"', 'not "http://b:9001"'],
    ),
    "more than a web address": (
        PROFILE + '[mqtt]\nhost = "b"\nwebsocket_url = "ws://b:9001/mqtt; script-src *"',
        ["[mqtt] websocket_url must be an address"],
    ),
    "web address of no broker": (
        PROFILE + '[mqtt]\nwebsocket_url = "ws://b:9001/mqtt"',
        [":10: [mqtt] websocket_url is given, but host is not", "add host or remove it"],
    ),
    "limits crossed": (PROFILE + "[detect.jerk]\nmin_g = 0.5", [":10: [detect.jerk] min_g is above max_g"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_reported_with_its_place_and_the_remedy(tmp_path: Path, case: str) -> None:
    text, parts = WRONG[case]
    message = complaint(tmp_path, text)
    for part in parts:
        assert part in message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file; check the path"):
        load_profile(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_profile(tmp_path)


KEYS = st.sampled_from([*Profile.__struct_fields__, "id", "kind", "jerk"]) | st.text()


@soak
@settings(max_examples=long(300, 30))
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    )
)
def test_a_damaged_header_is_a_config_error_and_nothing_else(value: Any) -> None:
    table = value if isinstance(value, dict) else {"machine": value}
    with pytest.raises(ConfigError) as caught:
        profile_from_builtins(table)
    assert str(caught.value).isprintable()


def profiles() -> list[Path]:
    return [*sorted({*CONFIGS.glob("*.toml")} - {CONFIGS / "gym.toml"}), *needs.SHARED_DATA.glob("*/machine.toml")]


@pytest.mark.parametrize("path", profiles(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_profile_survives_the_header_of_a_recording(path: Path) -> None:
    profile = load_profile(path)
    header = profile_to_builtins(profile)
    again = profile_from_builtins(msgspec.json.decode(msgspec.json.encode(header)))
    for table in ("machine", "protocol", "serial", "calibration", "detect"):
        assert getattr(again, table) == getattr(profile, table)
    assert profile_to_builtins(again) == header


def test_a_header_does_not_contain_the_places_of_broker_and_files(tmp_path: Path) -> None:
    profile = load(
        tmp_path, PROFILE + '[mqtt]\nhost = "secret-host"\nusername = "secret"\n[record]\ndirectory = "secret"'
    )
    assert b"secret" not in msgspec.json.encode(profile_to_builtins(profile))


def leaves(struct: type[msgspec.Struct], where: str = "") -> dict[str, Any]:
    """Every key of a profile by its path, with its default."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        options = [field.type, *get_args(field.type)]
        inner = next((o for o in options if isinstance(o, type) and issubclass(o, msgspec.Struct)), None)
        found |= leaves(inner, f"{where}{field.name}.") if inner else {where + field.name: field}
    return found


def test_the_example_explains_every_key_with_its_true_default() -> None:
    text = (CONFIGS / "leg_press.toml").read_text()
    explained: dict[str, tuple[bool, Any]] = {}
    table = ""
    for line in text.splitlines():
        if header := re.match(r"\[([a-z_.]+)\]", line):
            table = header[1]
        elif setting := re.match(r"(#?)([a-z_0-9]+) = ", line):
            assert f"{table}.{setting[2]}" not in explained, "explained twice"
            value = tomllib.loads(line.removeprefix("#"))[setting[2]]
            explained[f"{table}.{setting[2]}"] = (setting[1] == "#", value)
    keys = leaves(Profile)
    assert explained.keys() == keys.keys()
    for key, (commented, value) in explained.items():
        default = keys[key].default
        if commented and default is not None:
            assert value == (list(default) if isinstance(default, tuple) else default), key


def test_the_example_loads_with_every_line_put_in_force(tmp_path: Path) -> None:
    text = re.sub(r"^#([a-z_]+ = )", r"\1", (CONFIGS / "leg_press.toml").read_text(), flags=re.MULTILINE)
    profile = load(tmp_path, text.replace("tls = false", "tls = true"))
    assert profile.detect.jerk == JerkSettings()
    assert profile.machine.lockout_m == profile.machine.top_m


def test_a_profile_that_is_too_large_is_shortened(tmp_path: Path) -> None:
    assert complaint(tmp_path, PROFILE + "# x\n" * 300_000).endswith("larger than 1048576 bytes); shorten it")
