"""Pauses on the rest: hands that keep a part of the load on the cable, and short lifts that feel a new load."""

from typing import Any

import numpy as np
import pytest

from firmware_bridge.samples import Samples
from tests.detect.feeding import last_records, run
from tests.detect.stories import LOW_S, REP, UP
from tests.movements import BOTTOM_M, LEAD_S, LOAD_N, REST_M, TOP_M, Act, Down, Leg, Movement, Pin, Still

LEAD: list[Act] = [Leg(0.0, 0.5), Still(0.4)]
PAUSE_S, WAY_S = 3.0, 2.0
UNTIL_S = PAUSE_S + 0.2  # the stack is still below 3 mm
CONTACT_S = LEAD_S + 0.9 + 4.8 + 2.4 + WAY_S - LOW_S


def at(height_m: float) -> float:
    """The share of the range at this height above the rest."""
    return (height_m - (BOTTOM_M - REST_M)) / (TOP_M - BOTTOM_M)


def paused(*pulled: tuple[float, float]) -> list[Any]:
    """A set with a pause; `pulled`: shares of the load on the cable, each from a time after the contact on."""
    rows = Movement((*LEAD, *REP, *UP, Down(PAUSE_S, WAY_S), *LEAD, *REP, *UP, Down(6.0))).samples()
    force_n = rows.force_n.copy()
    for share, from_s in pulled:
        pause = (rows.t_s > CONTACT_S + from_s) & (rows.t_s < CONTACT_S + UNTIL_S) & ~np.isnan(force_n)
        force_n[pause] = share * LOAD_N
    samples = Samples(rows.t_s, rows.position_m, force_n, rows.flags)
    return last_records(run("learned", samples))


def of(kind: str, events: list[Any]) -> list[Any]:
    return [event for event in events if event.kind == kind and not getattr(event, "ended_set", False)]


@pytest.mark.parametrize("share", [0.2, 0.45])
def test_hands_that_pull_less_than_half_the_load_at_a_resting_stack_are_not_under_load(share: float) -> None:
    loose, pulled = (of("set_end", paused((part, 0.2)))[0] for part in (0.0, share))
    assert (loose.reps, pulled.reps) == (4, 4)
    assert pulled.under_load_s == pytest.approx(loose.under_load_s, abs=0.1)


def test_a_stack_on_its_rest_is_touched_once_its_tension_falls_even_after_a_second() -> None:
    touches = of("stack_touch", paused((1.0, 0.0), (0.3, 1.5)))
    assert [touch.t_s for touch in touches] == pytest.approx([CONTACT_S], abs=0.05)


def felt(pin: float, way_s: float) -> list[Any]:
    """What is compared with the load in two short lifts after a set, between which and the set the pin may be moved."""
    lift: list[Act] = [Leg(at(0.012), way_s), Leg(at(0.0), way_s), Still(3.0)]
    rows = Movement((*LEAD, *REP, *REP, Down(6.0), Pin(pin), Leg(at(0.0), 0.1), *lift, *lift)).samples()
    of_load = ("assist", "force_ceiling", "unload", "slack", "tension_out")
    return [event.kind for event in last_records(run("learned", rows)) if event.kind in of_load]


@pytest.mark.parametrize("pin", [0.5, 0.7, 1.5, 2.5])
def test_a_short_lift_with_another_pin_is_not_judged_by_the_load_before(pin: float) -> None:
    assert felt(pin, way_s=0.3) == []


def test_a_short_lift_with_the_same_pin_is_judged() -> None:
    assert set(felt(1.0, way_s=0.3)) == set()
    assert "force_ceiling" in felt(1.0, way_s=0.12)
