"""Numbers that no machine has are refused where they come in: calculations with them would overflow."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from firmware_bridge.formats.calibration import Calibration
from monitor.__main__ import main
from monitor.exit_codes import ExitCode
from monitor.profile.reading import profile_from_builtins
from monitor.profile.settings import CellSettings, DetectSettings
from monitor.profile.toml_document import ConfigError
from monitor.record.session_file import SessionEncoder
from monitor.record.session_reader import read_session

RECORDING = Path(__file__).parents[1] / "recordings" / "clean.mcap"
SOUND = {"metres_per_count": 1e-4, "newtons_per_count": 0.01, "position_zero_counts": 0.0, "force_zero_counts": 0.0}
HUGE = (1e308, -1e308, float("inf"), float("nan"))


def numbers(table: dict[str, Any], *above: str) -> Iterator[tuple[str, ...]]:
    """The places of all numbers in a table of tables."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from numbers(value, *above, key)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield *above, key


def changed(table: dict[str, Any], place: tuple[str, ...], value: float) -> dict[str, Any]:
    result = copy.deepcopy(table)
    inner = result
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return result


def test_every_number_of_a_profile_has_bounds() -> None:
    header = read_session(RECORDING).header
    assert header is not None
    detect = msgspec.to_builtins(DetectSettings(cell=CellSettings(rate_hz=80.0, settling=4.0)))
    table = header.profile | {"detect": detect}
    places = list(numbers(table))
    assert len(places) > 100
    taken = []
    for place in places:
        for value in HUGE:
            try:
                profile_from_builtins(changed(table, place, value), "a header")
            except ConfigError:
                continue
            taken.append((place, value))
    assert not taken


@pytest.mark.parametrize("name", SOUND)
def test_every_number_of_a_calibration_has_bounds(name: str) -> None:
    Calibration(**SOUND)
    for value in HUGE:
        with pytest.raises(ValueError, match=f"calibration {name} is .*: write a number from -"):
            Calibration(**SOUND | {name: value})


def test_a_recording_with_such_a_calibration_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = read_session(RECORDING)
    assert session.header is not None
    calibration = session.header.calibration | {"newtons_per_count": 1e308}
    encoder = SessionEncoder(msgspec.structs.replace(session.header, calibration=calibration))
    for record in session:
        if record.topic != "/header":
            encoder.add(record)
    path = tmp_path / "huge.mcap"
    path.write_bytes(encoder.finish())
    assert main(["replay", str(path)]) == ExitCode.BAD_INPUT
    assert capsys.readouterr().err == (
        "rep-monitor replay: session clean cannot be decoded: calibration newtons_per_count is 1e+308: write a number"
        " from -1000 to 1000; replay it with --config\n"
    )
