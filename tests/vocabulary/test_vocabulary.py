"""The vocabulary: a row for every event, the faults that the event contract names, and the page's copy."""

import json
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from monitor.events import KINDS, AnyEvent, FaultCause, Jerk, Leak, StackTouch, Turnaround
from monitor.vocabulary.__main__ import PAGE_COPY
from monitor.vocabulary.cues import CUES
from monitor.vocabulary.leaks import LEAKS
from monitor.vocabulary.lookup import is_fault, name_of_sensor_fault, row_of
from monitor.vocabulary.page_copy import page_copy
from monitor.vocabulary.table import ROWS

ROOT = Path(__file__).parents[2]
CONTRACT = (ROOT / "monitor" / "detect" / "EVENTS.md").read_text()
PACKS = sorted((ROOT / "monitor" / "display" / "page" / "cues").glob("??.json"))
COMMON: dict[str, Any] = {
    "id": 1, "session": "s", "set": 1, "t_s": 1.0, "found_s": 1.0, "duration_s": 0.0, "rep": 1, "phase": "positive",
    "position_m": 0.2,
}  # fmt: skip
TOUCH = StackTouch(slam=False, speed_m_s=0.1, **COMMON)


def test_the_pages_copy_is_the_table() -> None:
    assert PAGE_COPY.read_text() == page_copy(), "run python -m monitor.vocabulary"


def test_every_kind_has_rows_that_stand_together_and_a_last_one_for_all_others() -> None:
    kinds = [row.kind for row in ROWS]
    assert set(kinds) == set(KINDS)
    assert len({row.key for row in ROWS}) == len(ROWS)
    for kind in KINDS:
        at = [number for number, one in enumerate(kinds) if one == kind]
        assert at == list(range(at[0], at[-1] + 1)), kind
        assert [bool(ROWS[number].when) for number in at] == [True] * (len(at) - 1) + [False], kind


def test_a_row_asks_for_values_that_its_event_can_have() -> None:
    structs = {str(struct.__struct_config__.tag): struct for struct in AnyEvent.__args__}
    for row in ROWS:
        types = get_type_hints(structs[row.kind])
        for field, value in row.when.items():
            msgspec.convert(value, types[field])  # raises


def test_the_faults_are_those_of_the_event_contract() -> None:
    """Its table of kinds has yes, no, the grades that are faults, or the field that excuses."""
    rows = re.findall(r"^\| `(\w+)` \| (?:interval|instant) \| ([^|]+) \|", CONTRACT, re.MULTILINE)
    contract = dict(rows)
    assert contract.keys() >= set(KINDS)
    for row in ROWS:
        fault = contract[row.kind].strip()
        grades = re.findall(r"`(\w+)`", fault)
        if fault.startswith("unless"):
            expected = row.key != f"{row.kind}.{grades[0]}"
        elif grades:
            expected = row.key.partition(".")[2] in grades
        else:
            expected = fault == "yes"
        assert row.fault is expected, row.key
        assert (row.tone == "blind") is (fault == "the machine's"), row.key


def test_a_part_of_another_event_is_not_a_separate_fault() -> None:
    assert is_fault(Jerk(cause="mid", peak_g=0.3, **COMMON))
    assert not is_fault(Jerk(cause="mid", peak_g=0.3, part_of=7, **COMMON))


def test_the_most_specific_row_applies() -> None:
    assert row_of(Jerk(cause="start", peak_g=0.3, **COMMON)).key == "jerk.start"
    assert row_of(Jerk(cause="shove", peak_g=0.3, **COMMON)).key == "jerk"
    assert row_of(TOUCH).key == "stack_touch"
    slam = StackTouch(slam=True, speed_m_s=0.4, ended_set=True, **COMMON)
    assert row_of(slam).key == "stack_touch.ended_set"  # a hard landing at the end of the set is no fault
    assert row_of(Turnaround(at="lower", grade=None, dwell_s=1.0, peak_g=0.1, **COMMON)).key == "turnaround"


def test_every_sensor_fault_has_its_own_name() -> None:
    names = {name_of_sensor_fault(cause) for cause in get_args(FaultCause)}
    assert len(names) == len(get_args(FaultCause))
    assert name_of_sensor_fault("a cause of tomorrow") == "Sensor fault"


def test_every_fault_has_a_remedy_and_every_row_words_in_both_languages() -> None:
    for row in ROWS:
        assert row.remedy or not row.fault, row.key
        assert all((*row.name, row.why, *(row.remedy or ()))), row.key
        assert row.why.endswith("."), row.key


def test_every_cue_of_a_row_is_a_cue_and_every_cue_has_a_word() -> None:
    cues = {cue.key for cue in CUES}
    assert {row.cue for row in ROWS} - {None} == cues
    for path in PACKS:
        pack = json.loads(path.read_text())
        assert cues <= pack["cues"].keys() & pack["spoken"].keys(), path.name
        heaves = {cue.key for cue in CUES if cue.urgency == "heave"}
        assert {f"state.heave.{cue}" for cue in heaves} <= pack["texts"].keys(), path.name


def test_every_cause_of_leak_has_a_row() -> None:
    assert {row.leak for row in ROWS} - {None} == LEAKS.keys()
    assert LEAKS.keys() == set(Leak.__struct_fields__) - {"unjudged_s"}
