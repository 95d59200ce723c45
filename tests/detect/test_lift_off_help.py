"""Somebody helps with the beginning of the first lift, so that the load that is confirmed there is too light."""

from typing import Any

import pytest

from tests.detect.feeding import last_records, run
from tests.detect.stories import REP
from tests.movements import LOAD_N, Act, Down, Helped, Leg, Movement, Pin, Still

LEAD: list[Act] = [Leg(0.0, 0.5), Still(0.4)]
AGAIN: list[Act] = [Leg(0.0, 2.0), Still(0.4), *REP, Down(6.0)]


def second_set(pin: float, *acts: Act, down: float = 1.0) -> list[Any]:
    """What is reported of a second set, after one that taught load and friction."""
    rows = Movement((*LEAD, *REP, *REP, Down(6.0), Pin(pin), *acts, *AGAIN), down=down).samples()
    return [event for event in last_records(run("learned", rows)) if event.set == 2]


@pytest.mark.parametrize("pin", [1.0, 1.5])
@pytest.mark.parametrize("share", [0.6, 0.75])
def test_a_load_of_which_somebody_lifted_a_part_is_corrected_at_the_top(pin: float, share: float) -> None:
    events = second_set(pin, Helped(0.0, 1.0, share), Helped(0.35, 1.5, share), Leg(1.0, 2.0), Still(0.6))
    assert [event for event in events if event.kind == "sensor_fault"] == []
    reps = [event.load_n for event in events if event.kind == "rep"]
    assert reps == pytest.approx([pin * LOAD_N] * 2, rel=0.02)
    assert "lighter" in [event.side for event in events if event.kind == "assist"]


def test_who_presses_a_stack_down_at_the_top_does_not_change_its_load() -> None:
    pressed = (Leg(0.0, 0.5), Leg(0.5, 1.5), Helped(1.0, 1.5, 1.3), Helped(1.0, 0.6, 1.3), Helped(0.0, 2.0, 1.3))
    reps = [event.load_n for event in second_set(1.0, *pressed, Still(0.4)) if event.kind == "rep"]
    assert reps == pytest.approx([LOAD_N] * len(reps), rel=0.02)
