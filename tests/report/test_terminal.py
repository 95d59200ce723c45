"""The terminal's summary of a set says how many repetitions were clean or partial, and how the set ended."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from monitor.events import AnyEvent, SetEnd
from monitor.profile.reading import load_profile
from monitor.report.terminal import session_report

ROOT = Path(__file__).parents[2]
EVENTS = (ROOT / "tests" / "recordings" / "faults.events.jsonl").read_text().splitlines()
ENDS = [event for line in EVENTS if isinstance(event := msgspec.json.decode(line, type=AnyEvent), SetEnd)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "9: 2 clean, 2 partial; ended in failure"),
        ({"partial_reps": 0, "outcome": "ended"}, "9: 2 clean"),
        ({"clean_reps": None, "outcome": "ended"}, "9: 2 partial"),
        ({"reps": 0, "partial_reps": 0, "clean_reps": 0, "outcome": "ended"}, "0"),
    ],
)
def test_a_set_counts_clean_and_partial_repetitions(changes: dict[str, Any], words: str) -> None:
    console = Console(width=120)
    with console.capture() as captured:
        for part in session_report(
            load_profile(ROOT / "configs" / "leg_press.toml"), [msgspec.structs.replace(ENDS[-1], **changes)]
        ):
            console.print(part)
    (line,) = [line for line in captured.get().splitlines() if "Repetitions" in line]
    assert line.split(None, 1)[1].strip() == words
