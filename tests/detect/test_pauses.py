"""Pauses on the rest within a set, in which hands keep a part of the load on the cable."""

from typing import Any

import numpy as np
import pytest

from firmware_bridge.samples import Samples
from tests.detect.feeding import last_records, run
from tests.detect.stories import LOW_S, REP, UP
from tests.movements import LEAD_S, LOAD_N, Act, Down, Leg, Movement, Still

LEAD: list[Act] = [Leg(0.0, 0.5), Still(0.4)]
PAUSE_S, WAY_S = 3.0, 2.0
UNTIL_S = PAUSE_S + 0.2  # the stack is still below 3 mm
CONTACT_S = LEAD_S + 0.9 + 4.8 + 2.4 + WAY_S - LOW_S


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
