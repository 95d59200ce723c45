"""Strict typing checks each field of each event, and that a moment is frozen."""

from pathlib import Path

from mypy import api

ROOT = Path(__file__).parents[2]
HEAD = """
from monitor.detect.detector import Detection
from monitor.detect.moment import Moment
from monitor.events import Drop, Jerk, Stamp

def found(moment: Moment, stamp: Stamp) -> Detection[Jerk]:
    return Detection({}, 0)
"""
RIGHT = 'Jerk(**stamp, cause="mid", peak_g=0.1)'
WRONG = {
    'Jerk(**stamp, cause="mid")': "Missing named argument",
    'Jerk(**stamp, cause="mid", peak_g="0.1")': "incompatible type",
    'Jerk(**stamp, cause="middle", peak_g=0.1)': "incompatible type",
    'Jerk(**stamp, cause="mid", peak_g=0.1, side="low")': "Unexpected keyword argument",
    'Jerk(**stamp, cause="mid", peak_g=0.1, t_s=0.0)': "multiple values for keyword argument",
    "Drop(**stamp, peak_g=0.1)": "incompatible type",
}


def test_a_wrong_field_of_an_event_is_a_type_error(tmp_path: Path) -> None:
    """One run of mypy over a module for each event, right or wrong."""
    cases = {RIGHT: "", **WRONG}
    paths = {event: tmp_path / f"case_{i}.py" for i, event in enumerate(cases)}
    for event, path in paths.items():
        path.write_text(f"# {path}{HEAD.format(event)}")  # differs from what the cache holds of an earlier run
    writes = tmp_path / "writes.py"
    writes.write_text(
        f"# {writes}\nfrom monitor.detect.moment import Moment\n\ndef f(moment: Moment) -> None:\n    moment.now = 1\n"
    )
    options = [f"--config-file={ROOT / 'pyproject.toml'}", f"--cache-dir={ROOT / '.mypy_cache'}"]  # as `make check`
    found, trouble, _ = api.run([*options, *map(str, [*paths.values(), writes])])
    assert not trouble
    for event, path in paths.items():
        said = [line for line in found.splitlines() if line.startswith(str(path)) and ": error: " in line]
        assert [cases[event] in line for line in said] == [True] * (event != RIGHT), f"{event}: {said}"
    assert any(line.startswith(str(writes)) and "read-only" in line for line in found.splitlines())
