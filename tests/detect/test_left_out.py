"""Readings that the device itself refuses, and single counts that it has lost, explain no fault of the lifter."""

from typing import Any

import numpy as np
import pytest

from firmware_bridge.samples import Flag, Samples
from monitor.detect.spine import Spine
from monitor.events import Update
from tests.detect.stories import END, REP, UP
from tests.movements import PROFILES, Act, Down, Helped, Leg, Movement, Still

LOST_M = 2.0**-13  # one count
HELD_TOP: list[Act] = [Leg(1.0, 2.0), Still(3.0), Leg(0.0, 2.0), Still(0.4)]
HELPED: list[Act] = [*UP, Helped(0.0, 3.0, 1.25), Still(0.4)]
HEAVED: list[Act] = [Leg(0.3, 0.55), Leg(1.0, 1.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
TOUCHED: list[Act] = [*UP, Down(1.5, 2.0)]
ROWS = Movement((Leg(0.0, 0.5), Still(0.4), *REP, *REP, *HELD_TOP, *HELPED, *HEAVED, *TOUCHED, *REP, *END)).samples()


def refused(rows: Samples) -> Samples:
    """One reading in forty of the cell reads full scale, and the device says so."""
    hit = np.flatnonzero(~np.isnan(rows.force_n))[::40]
    force_n, flags = rows.force_n.copy(), rows.flags.copy()
    force_n[hit], flags[hit] = 8000.0, Flag.DESYNC
    return Samples(rows.t_s, rows.position_m, force_n, flags)


def losing_counts(rows: Samples) -> Samples:
    """One count is lost in each second, and the device says so."""
    hit = np.flatnonzero(~np.isnan(rows.position_m))[::250]
    flags = rows.flags.copy()
    flags[hit] = Flag.SLIPPED
    lost = np.cumsum(flags != 0) % 2
    return Samples(rows.t_s, rows.position_m - LOST_M * lost, rows.force_n, flags)


def reported(rows: Samples) -> tuple[list[Any], Update]:
    spine = Spine(PROFILES["stack"], "s")
    update = spine.update(rows)
    return list({event.id: event for event in [*update.events, *spine.finish().events]}.values()), update


@pytest.mark.parametrize("spoil", [refused, losing_counts])
def test_they_take_no_fault_out_of_the_summary(spoil: Any) -> None:
    found, _ = reported(spoil(ROWS))
    sound, _ = reported(ROWS)
    one, other = (next(event for event in events if event.kind == "set_end") for events in (found, sound))
    assert one.counts | {"sensor_fault": 0} == other.counts | {"sensor_fault": 0}
    assert (one.reps, one.clean_reps) == (other.reps, other.clean_reps)
    assert one.skill == pytest.approx(other.skill, abs=0.01)
    assert {"lockout_rest", "assist", "jerk", "stack_touch"} <= set(other.counts)
    assert [event for event in found if event.kind == "sensor_fault"]


@pytest.mark.parametrize("spoil", [refused, losing_counts])
def test_they_do_not_blank_the_display(spoil: Any) -> None:
    _, update = reported(spoil(ROWS))
    assert {one.fault for one in update.feedback} == {None}
    assert all(one.tension is not None for one in update.feedback if one.set is not None)
