"""Real recordings from other people give the expected events, if they lie beside this repository.

README.md in this folder compares the events with a plot.
"""

import csv
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.detect.spine import Spine
from monitor.profile.reading import profile_from_builtins
from monitor.record.table.table import read_table
from tests import needs

pytestmark = needs.shared_data
PRESS = needs.SHARED_DATA / "leg_press_biostrength" / "right.csv"
PULL = needs.SHARED_DATA / "isometric_pull" / "example1.csv"


def last_records(path: Path, **machine: Any) -> list[Any]:
    """The last record of each event; keys of the machine may be changed."""
    table = tomllib.loads((path.parent / "machine.toml").read_text())
    table["machine"] |= machine
    spine = Spine(profile_from_builtins(table), "real")
    events = spine.update(read_table(path).samples).events + spine.finish().events
    return list({event.id: event for event in events}.values())


def test_three_presses_begin_and_turn_where_the_labels_say() -> None:
    events = last_records(PRESS)
    with (PRESS.parent / "labels.csv").open() as file:
        labels = [row for row in csv.DictReader(file) if row["rep"]]
    reps = [event for event in events if event.kind == "rep"]
    assert [rep.t_s for rep in reps] == pytest.approx([float(row["positive_start_s"]) for row in labels], abs=0.1)
    tops = [event.t_s for event in events if event.kind == "turnaround" and event.at == "upper"]
    middles = [(float(row["positive_end_s"]) + float(row["negative_start_s"])) / 2 for row in labels]
    assert tops == pytest.approx(middles, abs=0.1)
    assert not any(rep.partial for rep in reps)


def test_the_platform_was_put_in_place_before_the_set() -> None:
    """Down and half-way up within seven seconds, with a few newtons: no repetition, no stall, no rest."""
    events = last_records(PRESS)
    (start,) = (event for event in events if event.kind == "set_start")
    (first, *_) = (event for event in events if event.kind == "rep")
    assert start.t_s == first.t_s
    assert {event.kind for event in events if event.t_s < start.t_s} <= {"turnaround"}


def test_the_events_of_the_presses_match_the_plot() -> None:
    """All begin with a shove, the first before the set is certain. There is no sensor fault; the load is unknown."""
    events = last_records(PRESS)
    assert [(event.cause, event.rep) for event in events if event.kind == "jerk"] == [
        *(("start", None), ("start", 2), ("start", 3))
    ]
    assert not {event.kind for event in events} & {"sensor_fault", "unload", "slack", "tension_out", "stall", "drop"}


def test_a_given_load_does_not_make_a_motor_s_sensors_doubtful() -> None:
    events = last_records(PRESS, working_load_n=1500.0, friction=0.0)
    assert not [event for event in events if event.kind == "sensor_fault"]
    assert {event.side for event in events if event.kind == "tension_out"} == {"low", "high"}


def test_a_pull_begins_above_the_body_weight() -> None:
    """A force plate carries the lifter; with `lift_off_n` above the body weight only the effort is the set."""
    rows = read_table(PULL).samples
    standing_n = float(np.median(rows.force_n[rows.t_s < 10.0]))
    lift_off_n = 1.5 * standing_n
    (start,) = (event for event in last_records(PULL, lift_off_n=lift_off_n) if event.kind == "set_start")
    above_s = float(rows.t_s[np.argmax(rows.force_n > lift_off_n)])
    assert start.t_s == pytest.approx(above_s, abs=0.1)
    (early,) = (event for event in last_records(PULL) if event.kind == "set_start")
    assert early.t_s < 0.2
