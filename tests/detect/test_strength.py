"""The strength that a set shows is its heaviest load with a full repetition (EVENTS.md 4)."""

import pytest

from monitor.detect.spine import Spine
from monitor.events import SetEnd
from monitor.profile.profile import Profile
from tests.movements import FRICTION, LOAD_N, PROFILES, Act, Down, Leg, Movement, Pin, Still, profile

FULL: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
HALF: list[Act] = [Leg(0.5, 1.0), Still(0.4), Leg(0.0, 1.0), Still(0.4)]


def end_of(acts: list[Act], of: Profile = PROFILES["stack"]) -> SetEnd:
    spine = Spine(of, "s", feedback=False)
    events = spine.update(Movement((Leg(0.0, 0.5), Still(0.4), *acts, Down(8.0))).samples()).events
    (end,) = [event for event in events if isinstance(event, SetEnd)]
    return end


def test_a_heavier_load_without_a_full_repetition_is_no_strength() -> None:
    end = end_of([*FULL, *FULL, Down(3.5), Pin(1.4), *HALF, *HALF], profile(working_load_n=None, friction=FRICTION))
    assert [stretch.load_n for stretch in end.loads] == pytest.approx([LOAD_N, 1.4 * LOAD_N], rel=0.01)
    assert [stretch.full_reps for stretch in end.loads] == [2, 0]
    assert end.strength_n == end.working_load_n == end.loads[0].load_n


def test_a_set_without_a_full_repetition_shows_no_strength() -> None:
    end = end_of([*HALF, *HALF])
    assert (end.reps, end.partial_reps) == (2, 2)
    assert end.strength_n is None
    assert end.working_load_n == pytest.approx(LOAD_N, abs=0.1)  # the one that was selected
