"""A stack that lands on rubber flies up again without a lifter."""

from typing import Any

import numpy as np
import pytest

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from firmware_bridge.samples import Samples
from monitor.detect.spine import Spine
from tests.detect.stories import END, REP, UP
from tests.movements import LEAD_S, LOAD_N, PROFILES, Act, Down, Leg, Movement, Still

LANDS_S = LEAD_S + 0.9 + 4.8 + 2.4 + 0.5
ACTS: list[Act] = [Leg(0.0, 0.5), Still(0.4), *REP, *UP, Down(2.0, 0.5), *REP, *END]


def lower_turn(high_m: float, pulled_from_s: float) -> Any:
    """The turnaround of a stack that flies up after its landing; from then on somebody pulls it."""
    rows = Movement(tuple(ACTS)).samples()
    flight_s = 2 * float(np.sqrt(2 * high_m / G))
    u = np.clip((rows.t_s - LANDS_S) / flight_s, 0.0, 1.0)
    pulled = (rows.t_s > LANDS_S + pulled_from_s) & (rows.t_s < LANDS_S + flight_s)
    position_m = rows.position_m + 4 * high_m * u * (1 - u)
    force_n = np.where(pulled & ~np.isnan(rows.force_n), LOAD_N, rows.force_n)
    spine = Spine(PROFILES["stack"], "s")
    events: list[Any] = spine.update(Samples(rows.t_s, position_m, force_n, rows.flags)).events
    turns = [event for event in events if event.kind == "turnaround" and event.at == "lower"]
    return min(turns, key=lambda turn: abs(turn.t_s - LANDS_S))


@pytest.mark.parametrize("high_m", [0.012, 0.017, 0.025])
def test_a_stack_that_lies_after_its_flight_did_not_bounce(high_m: float) -> None:
    assert lower_turn(high_m, pulled_from_s=10.0).grade is None


def test_a_stack_that_is_pulled_up_bounces() -> None:
    assert lower_turn(0.025, pulled_from_s=0.05).grade == "bounce"


@pytest.mark.parametrize("name", ["stack", "learned"])
def test_a_rebound_is_no_slack_whether_the_load_is_known_or_learned_after_it(name: str) -> None:
    acts: list[Act] = [Leg(0.0, 0.5), Still(0.4), *UP, Down(3.0, 1.5), *REP, *END]
    rows = Movement(tuple(acts)).samples()
    lands_s = LEAD_S + 0.9 + 2.4 + 1.5
    u = np.clip((rows.t_s - lands_s - 0.05) / 0.08, 0.0, 1.0)
    spine = Spine(PROFILES[name], "s")
    events = spine.update(Samples(rows.t_s, rows.position_m + 4 * 0.008 * u * (1 - u), rows.force_n, rows.flags)).events
    assert not {"slack", "unload", "tension_out"} & {event.kind for event in events}
