"""The tables of a session on a terminal."""

import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from monitor.events import AnyEvent, Event, Jerk, SensorFault, SetEnd, Turnaround
from monitor.profile.reading import load_profile
from monitor.report.terminal import session_report

ROOT = Path(__file__).parents[2]
EVENTS = (ROOT / "tests" / "recordings" / "faults.events.jsonl").read_text().splitlines()
ENDS = [event for line in EVENTS if isinstance(event := msgspec.json.decode(line, type=AnyEvent), SetEnd)]


def printed(*records: AnyEvent) -> list[str]:
    console = Console(width=120)
    with console.capture() as captured:
        for part in session_report(load_profile(ROOT / "configs" / "leg_press.toml"), records):
            console.print(part)
    return captured.get().splitlines()


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
    (line,) = [line for line in printed(msgspec.structs.replace(ENDS[-1], **changes)) if "Repetitions" in line]
    assert line.split(None, 1)[1].strip() == words


@pytest.mark.parametrize(("load_n", "why"), [(784.5, "no repetition was full"), (None, "the load was not known")])
def test_a_strength_that_is_not_known_has_its_reason(load_n: float | None, why: str) -> None:
    lines = printed(msgspec.structs.replace(ENDS[-1], working_load_n=load_n, strength_n=None))
    assert [line.split(None, 1)[1].strip() for line in lines if "Strength" in line] == [f"not known: {why}"]


def test_spikes_that_follow_one_another_are_one_line() -> None:
    """A smooth turn does not come between them, a fault does; noise is another thing."""

    def at(kind: type[Event], t_s: float, **fields: Any) -> Any:
        number = next(numbers)
        common: dict[str, Any] = {
            "id": number,
            "session": "s",
            "set": 1,
            "found_s": t_s,
            "duration_s": 0.01,
            "rep": round(t_s),
        }
        return kind(t_s=t_s, phase="positive", position_m=0.1, **common | fields)

    numbers = itertools.count(1)
    spikes = [at(SensorFault, t_s, cause="spike") for t_s in (1.0, 1.5, 3.0, 6.0)]
    noise = at(SensorFault, 7.0, cause="spike", detail="noise")
    turn = at(Turnaround, 2.0, at="upper", grade="smooth", dwell_s=0.1, peak_g=0.02)
    jerk = at(Jerk, 5.0, cause="mid", peak_g=0.2)
    rows = [line.split() for line in printed(*spikes, noise, turn, jerk) if "spikes" in line]
    name = ["The", "load", "cell", "shows", "spikes"]
    assert rows == [
        ["1.00", "1-3", *name, "3", "times", "until", "3.00", "s", "0.03"],
        ["6.00", "6", *name, "0.01"],
        ["7.00", "7", *name, "noise", "0.01"],
        ["Sensors:", *name[:-1], "spikes,", "5", "times,", "0.1", "s", "in", "all."],
    ]
