"""What stands when the encoder falls silent, stands there afterwards."""

from typing import Any

import numpy as np
import pytest

from monitor.detect.spine import Spine
from monitor.profile.profile import Profile
from tests.detect.stories import END, REP
from tests.movements import (
    BOTTOM_M,
    PROFILES,
    REST_M,
    TOP_M,
    Act,
    Down,
    Helped,
    Leg,
    Movement,
    Pin,
    Still,
    Tug,
    profile,
)

LEAD: list[Act] = [Leg(0.0, 0.5), Still(0.4)]
STARTED_S = 1.9


def reported(
    acts: list[Act], silent_s: tuple[float, float], machine: Profile = PROFILES["stack"], *, whole: bool = False
) -> list[Any]:
    """The last records; the encoder is silent from one time to another, and with it the cell if `whole`."""
    rows = Movement((*LEAD, *acts)).samples()
    silent = (rows.t_s > silent_s[0]) & (rows.t_s < silent_s[1]) & (whole | ~np.isnan(rows.position_m))
    heard = rows.rows(~silent)
    spine = Spine(machine, "s", feedback=False)
    events: list[Any] = [*spine.update(heard).events, *spine.finish().events]
    return list({event.id: event for event in events}.values())


@pytest.mark.parametrize("for_s", [0.8, 2.0])
def test_a_stack_on_a_hook_has_not_landed(for_s: float) -> None:
    hung: list[Act] = [Leg(1.0, 2.0), Leg(0.1, 2.0), Still(0.5), Tug(0.0, 3.4), Still(0.5), Leg(0.0, 0.5), Still(0.4)]
    begins_s = STARTED_S + 4.8 + 4.5 + 0.7
    events = reported([*REP, *hung, *REP, *END], (begins_s, begins_s + for_s))
    assert [event.ended_set for event in events if event.kind in ("stack_touch", "bottom_rest")] == [True, True]


def test_a_stack_that_a_trainer_lifts_has_not_landed() -> None:
    lifted: list[Act] = [Helped(1.0, 3.0, 0.0), Still(1.0), Leg(0.0, 2.0), Still(0.4)]
    begins_s = STARTED_S + 4.8 + 1.0
    events = reported([*REP, *lifted, *REP, *END], (begins_s, begins_s + 1.5))
    assert [event.ended_set for event in events if event.kind in ("stack_touch", "bottom_rest")] == [True, True]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("for_s", [0.2, 1.0, 3.0])
def test_a_stack_on_its_stop_begins_no_set(for_s: float, whole: bool) -> None:
    parked: list[Act] = [Leg((0.06 - (BOTTOM_M - REST_M)) / (TOP_M - BOTTOM_M), 1.5), Still(16.0)]
    high = profile(bottom_m=REST_M + 0.1)
    begins_s = STARTED_S + 2 * 4.8 + 1.5 + 9.0
    acts = [*REP, *REP, *parked, Down(7.0, 1.0)]
    events = reported(acts, (begins_s, begins_s + for_s), high, whole=whole)
    assert [event.kind for event in events if event.kind.startswith("set_")] == ["set_start", "set_end"]
    taken = reported([*REP, *REP, *parked, *REP, *END], (begins_s, begins_s + for_s), high, whole=whole)
    start = [event.t_s for event in taken if event.kind == "set_start"][-1]
    assert start == pytest.approx(STARTED_S + 2 * 4.8 + 17.5, abs=0.2)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("for_s", [0.2, 0.7, 2.0])
def test_a_silence_in_a_pause_does_not_join_two_sets(for_s: float, whole: bool) -> None:
    lands_s = STARTED_S + 2 * 4.8 + 0.4
    acts: list[Act] = [*REP, *REP, Down(8.0), *REP, *REP, *END]
    contacts = reported(acts, (lands_s + 3.5, lands_s + 3.5 + for_s), whole=whole)
    ends = [event for event in contacts if event.kind == "set_end"]
    sound = [event for event in reported(acts, (0.0, 0.0)) if event.kind == "set_end"]
    assert [(end.reps, end.clean_reps) for end in ends] == [(2, 2), (2, 2)]
    assert [end.counts | {"sensor_fault": 0} for end in ends] == [end.counts | {"sensor_fault": 0} for end in sound]
    assert [end.t_s for end in ends] == pytest.approx([end.t_s for end in sound], abs=0.1)


@pytest.mark.parametrize("whole", [False, True])
def test_a_set_does_not_end_unseen(whole: bool) -> None:
    """A long silence may hide movement, so the rest begins again; a rest that was left in a silence ended no set."""
    lands_s = STARTED_S + 2 * 4.8 + 0.4
    long = reported([*REP, *REP, Down(14.0), *REP, *END], (lands_s + 1.0, lands_s + 5.0), whole=whole)
    assert next(end.t_s for end in long if end.kind == "set_end") == pytest.approx(lands_s + 5.0, abs=0.1)
    left = reported([*REP, *REP, Down(5.4), *REP, *END], (lands_s + 3.0, lands_s + 5.6), whole=whole)
    assert [end.reps for end in left if end.kind == "set_end"] == [3]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(("after_s", "for_s"), [(0.7, 0.6), (-0.1, 0.9), (0.9, 1.2)])
def test_a_silence_does_not_hide_another_pin(after_s: float, for_s: float, whole: bool) -> None:
    """The stack is seen to rest for less than a second on either side."""
    begins_s = STARTED_S + 2 * 4.8 + 0.4 + after_s
    acts: list[Act] = [*REP, *REP, Down(1.8), Pin(0.6), *REP, *REP, *END]
    events = reported(acts, (begins_s, begins_s + for_s), profile(working_load_n=None), whole=whole)
    (change,) = [event for event in events if event.kind == "load_change"]
    assert change.to_n == pytest.approx(0.6 * change.from_n, rel=0.02)
    assert not [event for event in events if event.kind in ("assist", "unload", "tension_out")]
