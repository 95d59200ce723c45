"""While the place of the stack is in doubt, its rest is where it can lie."""

from typing import Any

import numpy as np
import pytest

from firmware_bridge.samples import Samples
from monitor.detect.spine import Spine
from monitor.events import AnyEvent, Feedback
from tests.detect.stories import END, REP
from tests.movements import LEAD_S, LOAD_N, PROFILES, Act, Down, Leg, Movement, Still

LANDED_S = LEAD_S + 0.9 + 2 * 4.8 + 0.4  # after two repetitions
STANDS_S = 12.0
ACTS: list[Act] = [Leg(0.0, 0.5), Still(0.4), *REP, *REP, Down(STANDS_S), *REP, *END]


def braced(*pulls: tuple[float, float], jump_m: float) -> tuple[list[AnyEvent], list[Feedback]]:
    """What is found after a jump, where the lifter pulls at the rest: (from s on, share of the load)."""
    rows = Movement(tuple(ACTS)).samples()
    rests = (rows.t_s > LANDED_S) & (rows.t_s < LANDED_S + STANDS_S) & (rows.force_n < 0.1 * LOAD_N)
    from_s, shares = np.array([(-1.0, 0.0), *pulls]).T
    pulled_n = shares[np.searchsorted(from_s, rows.t_s - LANDED_S, side="right") - 1] * LOAD_N
    force_n = np.where(rests, rows.force_n + pulled_n, rows.force_n)
    position_m = np.where(rows.t_s > 5.0, rows.position_m + jump_m, rows.position_m)
    spine = Spine(PROFILES["stack"], "s")
    update = spine.update(Samples(rows.t_s, position_m, force_n, rows.flags))
    records = [*update.events, *spine.finish().events]
    return list({event.id: event for event in records}.values()), update.feedback


@pytest.mark.parametrize("jump_m", [-0.03, 0.03])
@pytest.mark.parametrize("pulls", [[(0.0, 0.35), (0.7, 0.65)], [(0.0, 0.65)]], ids=["lets go", "never lets go"])
def test_a_lifter_who_keeps_pulling_at_the_rest_has_no_help(pulls: list[tuple[float, float]], jump_m: float) -> None:
    found: list[Any] = braced(*pulls, jump_m=jump_m)[0]
    sound: list[Any] = braced(*pulls, jump_m=0.0)[0]
    assert not [event for event in found if event.kind in ("assist", "unload", "tension_out")]
    assert [event.set for event in found if event.kind == "rep"] == [1, 1, 2]
    first, second = (next(event.t_s for event in some if event.kind == "set_end") for some in (found, sound))
    assert first == pytest.approx(second, abs=0.1)
