"""A motor that adds to the load on the way down, while the pin moves or a repetition is too uneven to show it."""

from typing import Any

import pytest

from monitor.detect.spine import Spine
from tests.movements import FRICTION, LOAD_N, Act, Down, Leg, Movement, Pin, Still, Tug, profile

START: list[Act] = [Leg(0.0, 0.5), Still(0.4)]
REP: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
END: list[Act] = [Down(6.0)]
MOTOR = 1.4


def events_of(
    acts: list[Act], motor: float = MOTOR, friction: float | None = FRICTION, tempo_s: float = 2.0
) -> list[Any]:
    spine = Spine(profile(working_load_n=None, friction=friction, positive_s=tempo_s, negative_s=tempo_s), "s")
    events = spine.update(Movement((*START, *acts), down=motor).samples()).events + spine.finish().events
    return list({event.id: event for event in events}.values())


def test_a_pin_that_moves_between_repetitions_does_not_mix_their_loads() -> None:
    events = events_of([*REP, *REP, Down(3.0), Pin(0.7), *START, *REP, *REP, *END])
    (step,) = [event for event in events if event.kind == "load_step"]
    assert step.load_up_n == pytest.approx(0.7 * LOAD_N, rel=0.01)
    assert step.load_down_n == pytest.approx(0.7 * MOTOR * LOAD_N, rel=0.01)
    assert not [event for event in events if event.kind == "sensor_fault"]


def test_a_repetition_that_shows_nothing_does_not_count_against_the_others() -> None:
    thrown: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 0.5), Still(0.4)]
    events = events_of([*REP, *thrown, *REP, *REP, *END])
    (step,) = [event for event in events if event.kind == "load_step"]
    assert step.rep == 4


@pytest.mark.parametrize("tempo_s", [2.0, 10.0])
def test_what_the_motor_adds_before_it_is_known_is_no_force_ceiling(tempo_s: float) -> None:
    """It takes over while the stack stands, and until three repetitions agree only the positive's load is known."""
    rep: list[Act] = [Leg(1.0, 1.2 * tempo_s), Still(0.2), Tug(1.6, 0.4), Leg(0.0, 1.2 * tempo_s), Still(0.4)]
    events = events_of([*rep * 4, Down(7.5, 1.5)], motor=1.6, tempo_s=tempo_s)
    (step,) = [event for event in events if event.kind == "load_step"]
    ceilings = [event for event in events if event.kind == "force_ceiling"]
    assert ceilings
    assert {event.part_of for event in ceilings} == {step.id}
    (end,) = [event for event in events if event.kind == "set_end"]
    assert end.clean_reps == 4


def test_a_heave_that_exceeds_the_motors_load_too_stays_a_force_ceiling() -> None:
    heave: list[Act] = [Leg(0.5, 0.4), Leg(1.0, 1.5), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    events = events_of([*heave, *REP, *REP, *REP, *REP, *END], motor=1.3)
    assert [event.kind for event in events if event.kind == "load_step"]
    assert [event.rep for event in events if event.kind == "force_ceiling" and event.part_of is None] == [1]


@pytest.mark.parametrize("friction", [FRICTION, None])
@pytest.mark.parametrize("pin", [1.0, 0.8])
def test_another_pin_is_a_load_change_whether_or_not_the_friction_is_known(friction: float | None, pin: float) -> None:
    events = events_of([*[*REP] * 4, Down(7.0), Pin(pin), *START, *[*REP] * 4, *END], friction=friction)
    changes = [event for event in events if event.kind == "load_change"]
    assert len([event for event in events if event.kind == "load_step"]) == 2
    assert [event.to_n / event.from_n for event in changes] == pytest.approx([] if pin == 1.0 else [pin], rel=0.01)
    assert all(event.set == 2 for event in changes)
