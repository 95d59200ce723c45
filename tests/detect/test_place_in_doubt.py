"""While the place of the stack is in doubt, its rest is where it can lie."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_bridge.samples import Flag, Samples
from monitor.detect.spine import Spine
from monitor.events import Feedback
from monitor.profile.profile import Profile
from tests.detect.stories import END, REP
from tests.movements import LEAD_S, LOAD_N, PROFILES, REST_M, Act, Down, Leg, Movement, Pin, Still, profile

LANDED_S = LEAD_S + 0.9 + 2 * 4.8 + 0.4  # after two repetitions
STANDS_S = 12.0
ACTS: list[Act] = [Leg(0.0, 0.5), Still(0.4), *REP, *REP, Down(STANDS_S), *REP, *END]


def braced(
    *pulls: tuple[float, float], jump_m: float, machine: Profile = PROFILES["stack"], slipped_s: tuple[float, ...] = ()
) -> tuple[list[Any], list[Feedback]]:
    """What is found after a jump, where the lifter pulls at the rest: (from s on, share of the load).

    `slipped_s`: when the device says that counts were lost.
    """
    rows = Movement(tuple(ACTS)).samples()
    rests = (rows.t_s > LANDED_S) & (rows.t_s < LANDED_S + STANDS_S) & (rows.force_n < 0.1 * LOAD_N)
    from_s, shares = np.array([(-1.0, 0.0), *pulls]).T
    pulled_n = shares[np.searchsorted(from_s, rows.t_s - LANDED_S, side="right") - 1] * LOAD_N
    force_n = np.where(rests, rows.force_n + pulled_n, rows.force_n)
    flags = rows.flags.copy()
    flags[np.searchsorted(rows.t_s, slipped_s)] = Flag.SLIPPED
    return reported(Samples(rows.t_s, jumped(rows, 5.0, jump_m), force_n, flags), machine)


def jumped(rows: Samples, at_s: float, by_m: float) -> NDArray[np.float64]:
    return np.where(rows.t_s > at_s, rows.position_m + by_m, rows.position_m)


def reported(rows: Samples, machine: Profile = PROFILES["stack"]) -> tuple[list[Any], list[Feedback]]:
    spine = Spine(machine, "s")
    update = spine.update(rows)
    records = [*update.events, *spine.finish().events]
    return list({event.id: event for event in records}.values()), update.feedback


@pytest.mark.parametrize("jump_m", [-0.03, 0.03])
@pytest.mark.parametrize("pulls", [[(0.0, 0.35), (0.7, 0.65)], [(0.0, 0.35), (0.5, 0.65)], [(0.0, 0.65)]])
def test_a_lifter_who_keeps_pulling_at_the_rest_has_no_help(pulls: list[tuple[float, float]], jump_m: float) -> None:
    found, _ = braced(*pulls, jump_m=jump_m)
    sound, _ = braced(*pulls, jump_m=0.0)
    assert not [event for event in found if event.kind in ("assist", "unload", "tension_out")]
    assert [event.set for event in found if event.kind == "rep"] == [1, 1, 2]
    first, second = (next(event.t_s for event in some if event.kind == "set_end") for some in (found, sound))
    assert first == pytest.approx(second, abs=0.1)


@pytest.mark.parametrize("at_s", [-3.0, -0.2, 0.6, 1.5])
def test_a_lost_count_that_is_reported_late_moves_no_stack_off_its_rest(at_s: float) -> None:
    superslow = profile(positive_s=10.0, negative_s=10.0)
    found, _ = braced((0.0, 0.35), (0.45, 0.65), jump_m=0.0, machine=superslow, slipped_s=(5.0, LANDED_S + at_s))
    sound, _ = braced((0.0, 0.35), (0.45, 0.65), jump_m=0.0, machine=superslow)
    ends = ([event.t_s for event in some if event.kind in ("set_start", "set_end")] for some in (found, sound))
    assert next(ends) == pytest.approx(next(ends), abs=0.1)
    assert not [event for event in found if event.kind == "assist"]


@pytest.mark.parametrize("height_m", [0.02, 0.028])
@pytest.mark.parametrize("jump_m", [-0.03, 0.03])
def test_a_limiter_stays_what_it_was_when_the_encoder_has_jumped(jump_m: float, height_m: float) -> None:
    """The stack stood on it before: nothing shows that it lies on its rest now."""
    acts: list[Act] = [Down(2.0), *REP, *REP, Down(7.0), *REP, *REP, *END]
    rows = Movement(tuple(acts)).samples()
    limited = profile(rest_m=REST_M - height_m)
    found, feedback = reported(Samples(rows.t_s, jumped(rows, 6.0, jump_m), rows.force_n, rows.flags), limited)
    sound, _ = reported(rows, limited)
    for kind in ("set_start", "set_end", "rep"):
        one, other = ([event.t_s for event in events if event.kind == kind] for events in (found, sound))
        assert one == pytest.approx(other, abs=0.1), kind
    assert not [event for event in found if event.kind in ("stack_touch", "bottom_rest")]
    stands = [one.phase for one in feedback if 2 * 4.8 + 5.0 < one.t_s < 2 * 4.8 + 9.0]
    assert set(stands) == {"held"}


def test_a_stack_that_fell_while_the_device_restarted_lies_on_its_rest() -> None:
    """It was carried at 0.3 m, and stands without tension as soon as it is seen again."""
    acts: list[Act] = [Leg(0.0, 0.5), Still(0.4), *REP, Leg(0.5, 1.5), Still(0.3), Down(3.0, 0.3), *REP, *END]
    rows = Movement(tuple(acts)).samples()
    falls_s = LEAD_S + 0.9 + 4.8 + 1.8
    kept = (rows.t_s < falls_s) | (rows.t_s > falls_s + 0.4)
    flags = rows.flags.copy()
    flags[rows.t_s > falls_s + 0.4] = 0
    flags[np.flatnonzero(rows.t_s > falls_s + 0.4)[:8]] = Flag.RESTART
    found, _ = reported(Samples(rows.t_s, rows.position_m, rows.force_n, flags).rows(kept))
    assert not [event for event in found if event.kind in ("assist", "unload", "tension_out")]
    touches = [event for event in found if event.kind == "stack_touch"]
    assert [touch.ended_set for touch in touches] == [False, True]
    tops = [event.position_m for event in found if event.kind == "turnaround" and event.at == "upper"]
    assert tops[-1] == pytest.approx(tops[0], abs=0.003)


@pytest.mark.parametrize("pause_s", [0.0, 4.0], ids=["for another pin", "planned"])
def test_a_pause_in_doubt_is_no_fault(pause_s: float) -> None:
    """The contact begins before the place shows it."""
    acts: list[Act] = [Leg(0.0, 0.5), Still(0.4), *REP, *REP, Down(2.5, 1.2), Pin(0.6), *REP, *REP, *END]
    rows = Movement(tuple(acts)).samples()
    machine = profile(working_load_n=None, pause_s=pause_s)
    (found, _), (sound, _) = (
        reported(Samples(rows.t_s, jumped(rows, 5.0, by_m), rows.force_n, rows.flags), machine) for by_m in (0.03, 0.0)
    )
    one, other = (next(event for event in events if event.kind == "set_end") for events in (found, sound))
    assert (one.reps, one.clean_reps) == (other.reps, other.clean_reps) == (4, 4)
