"""By the whole contract, the labeller knows where a stack rests, hangs or stands on a stop."""

import numpy as np
import pytest

from tests.quality.analytic import BOTTOM_M, FRICTION, LEAD, LOAD_N, TAIL, TOP_M, Leg, profile, repetition, signals
from tests.quality.movement import HELD
from tests.quality.signals import Signals
from tests.quality.truth import label
from tests.quality.whole_contract import FIRST_S, HALF_M, during, kinds, one, whole


def test_contact_follows_from_position_even_if_hands_still_pull() -> None:
    legs = LEAD + repetition() + [Leg(0.8, 0.0), Leg(2.0, 0.0), Leg(0.8, BOTTOM_M)] + repetition() + TAIL
    down_s = FIRST_S + 8.8 + 0.8
    kept = during(signals(legs), down_s - 0.1, down_s + 2.1, 0.65 * LOAD_N)
    truth = whole(kept)
    rest = next(event for event in truth.of("bottom_rest") if not event.own["ended_set"])
    assert rest.t_s == pytest.approx(down_s - 0.15, abs=0.1)
    assert rest.duration_s == pytest.approx(2.3, abs=0.2)
    assert len(truth.of("stack_touch")) == 1, "tension was never lost before the end"


def test_a_set_ends_after_5_s_on_the_rest_even_if_somebody_pulls() -> None:
    given = signals(LEAD + repetition() + [Leg(0.8, 0.0), Leg(12.0, 0.0)])
    truth = whole(during(given, FIRST_S + 8.8, 99.0, 0.8 * LOAD_N))
    assert one(truth, "set_end").t_s == pytest.approx(FIRST_S + 8.8 + 0.65, abs=0.1)


def test_a_touch_begins_at_contact_even_if_the_tension_falls_later() -> None:
    legs = LEAD + repetition() + [Leg(0.8, 0.0), Leg(1.5, 0.0), Leg(0.8, BOTTOM_M)] + repetition() + TAIL
    down_s = FIRST_S + 8.8 + 0.8
    late = during(signals(legs), down_s - 0.05, down_s + 0.4, LOAD_N)
    touch, _ = whole(late).of("stack_touch")
    assert touch.t_s == pytest.approx(down_s - 0.15, abs=0.05)
    assert not whole(late).of("assist"), "nobody carries a stack that stands on its rest"


def fall_onto_rest(speed_m_s: float, bounces: bool) -> Signals:
    """Up in 4 s, down at a speed; where it bounces, once, 6 mm high for a fifth of a second."""
    given = signals(LEAD + repetition()[:2] + [Leg(14.0, TOP_M)])
    t_s = given.t_s
    from_s = FIRST_S + 5.0
    x = np.maximum(np.where(t_s < from_s, given.position_m, TOP_M - (t_s - from_s) * speed_m_s), 0.0)
    lands_s = from_s + TOP_M / speed_m_s
    if bounces:
        hop = np.clip((t_s - lands_s - 0.03) / 0.2, 0, 1)
        x = x + 0.006 * np.sin(np.pi * hop)
    v = np.gradient(x, 0.001)
    tension_n = np.where(t_s < lands_s + 0.1, given.tension_n.max(), 0.0)
    return Signals(t_s, x, v, np.gradient(v, 0.001), np.where(t_s < 3, given.tension_n, tension_n), np.zeros_like(x))


def test_a_landing_that_bounces_is_one_contact_with_the_speed_before_it() -> None:
    touch = one(whole(fall_onto_rest(0.5, bounces=True)), "stack_touch")
    assert touch.own["slam"]
    assert touch.own["speed_m_s"] == pytest.approx(0.5, abs=0.01)
    assert not one(whole(fall_onto_rest(0.08, bounces=False)), "stack_touch").own["slam"]


def test_a_stack_set_down_for_long_does_not_bounce() -> None:
    def grade(stands_s: float) -> str | None:
        down, up = Leg(0.5, 0.0), Leg(0.5, BOTTOM_M + 0.03)
        legs = [*LEAD, *repetition()[:3], down, *([Leg(stands_s, 0.0)] if stands_s else []), up, Leg(4.0, TOP_M), *TAIL]
        turns = [turn for turn in whole(signals(legs)).of("turnaround") if turn.own["contact"]]
        grades: list[str | None] = [turn.own["grade"] for turn in turns]
        return grades[0]

    hard = [Leg(4.0, TOP_M), Leg(3.0, 0.06), Leg(0.3, 0.0), Leg(0.3, 0.06), Leg(4.0, TOP_M), *TAIL]
    bounces = [turn.own["grade"] for turn in whole(signals(LEAD + hard)).of("turnaround") if turn.own["contact"]]
    assert bounces == ["bounce"]
    assert grade(1.0) is None


def test_decompressing_rubber_is_not_movement() -> None:
    given = signals([Leg(3.0, 0.0), Leg(0.2, 0.0025), Leg(1.0, 0.0025), *repetition(), *TAIL])
    assert np.max(given.velocity_m_s[given.t_s < 3.3]) > 0.02, "faster than what stands still"
    rep = one(whole(given), "rep")
    at = int(np.searchsorted(given.t_s, rep.t_s))
    assert given.position_m[at] == pytest.approx(0.003, abs=0.0005)


def hung(hold_s: float) -> Signals:
    """On the way up of the second repetition the stack is hung up for a while."""
    legs = LEAD + repetition() + [Leg(2.0, HALF_M), Leg(hold_s, HALF_M), Leg(2.0, TOP_M), *repetition()[1:], *TAIL]
    begins_s = FIRST_S + 8.8 + 2.0
    return during(signals(legs), begins_s + 0.5, begins_s + hold_s - 0.5, 0.0)


def test_a_stack_that_hangs_is_held_without_any_event() -> None:
    given = hung(4.0)
    truth = whole(given)
    held = given.t_s[truth.movement.phase == HELD]
    assert (held[0], held[-1]) == pytest.approx((FIRST_S + 11.3, FIRST_S + 14.3), abs=0.1)
    assert truth.reps() == [2]
    inside = [event for event in truth.events if FIRST_S + 11.6 < event.t_s < FIRST_S + 14.2]
    assert not inside
    assert kinds(truth, "slack", "stall", "stack_touch", "failure", "lockout_rest", "assist") == {"stack_touch": 1}


def test_five_seconds_of_hanging_end_a_set_and_taking_the_stack_over_begins_one() -> None:
    truth = whole(hung(9.0))
    assert truth.of("set_end")[0].t_s == pytest.approx(FIRST_S + 11.3, abs=0.1)
    assert truth.of("set_start")[1].t_s == pytest.approx(FIRST_S + 8.8 + 2.0 + 8.5, abs=0.1)
    assert truth.reps() == [1, 1]
    second = truth.of("rep")[1]
    assert second.t_s == pytest.approx(FIRST_S + 8.8 + 2.0 + 9.0, abs=0.2)


def test_a_stack_hung_up_for_good_and_put_down_by_somebody_else_makes_no_repetition() -> None:
    legs = LEAD + repetition() + [Leg(2.0, HALF_M), Leg(9.0, HALF_M), Leg(2.0, 0.0), Leg(7.0, 0.0)]
    given = during(signals(legs), FIRST_S + 8.8 + 2.5, 99.0, 0.0)
    assert whole(given).reps() == [1]


def stands_low(place_m: float, stands_s: float, share: float = 1 + 0.3 * FRICTION) -> Signals:
    legs = [*LEAD, Leg(1.0, place_m), Leg(stands_s, place_m), *repetition(), Leg(1.0, place_m), Leg(stands_s, place_m)]
    legs += [*repetition(), *TAIL]
    given = signals(legs)
    still = (np.abs(given.velocity_m_s) < 1e-6) & (given.position_m > 0.003)
    return given._replace(tension_n=np.where(still, share * LOAD_N, given.tension_n))


@pytest.mark.parametrize("share", [1 + 0.3 * FRICTION, 0.3])
def test_a_stop_that_holds_the_cable_ends_a_set_and_leaving_it_begins_one(share: float) -> None:
    """The stop may leave any part of the load on the cable."""
    given = stands_low(0.04, 8.0, share)
    truth = whole(given, bottom_m=0.08, top_m=TOP_M)
    assert truth.reps() == [1, 1]
    assert len(truth.movement.idle) == 1, "movement before the first repetition is not a set"
    first, _ = truth.of("set_start")
    assert first.t_s == pytest.approx(12.3, abs=0.3)
    shown_m = float(np.interp(first.own["to_s"], given.t_s, given.position_m))
    assert shown_m == pytest.approx(0.0405, abs=1e-4), "one count of the coarsest encoder"
    lifted = whole(signals([*LEAD, *repetition(), *TAIL])).of("set_start")[0]
    assert lifted.own["to_s"] == lifted.t_s
    assert truth.of("set_end")[0].t_s == pytest.approx(12.3 + 8.8 + 1.0, abs=0.3)
    assert len(label(given, profile(bottom_m=0.08)).of("set_end")) == 1


@pytest.mark.parametrize("settles_m", [0.0, 0.0004])
def test_a_repetition_ends_on_the_stop_whatever_follows(settles_m: float) -> None:
    settling = [Leg(1.0, 0.04 - settles_m), Leg(0.3, 0.04 - settles_m), Leg(0.3, 0.04)]
    legs = [*LEAD, *repetition(), *settling, Leg(8.0, 0.04), Leg(1.0, 0.0), Leg(7.0, 0.0)]
    truth = whole(signals(legs), bottom_m=0.08, top_m=TOP_M)
    assert truth.reps() == [1]
    assert one(truth, "set_end").t_s == pytest.approx(FIRST_S + 8.8 + 1.0, abs=0.2)
    assert one(truth, "rep").end_s == pytest.approx(one(truth, "set_end").t_s, abs=0.3)
    assert len(truth.movement.idle) == 1, "lowering from the stop is not a set"


def test_a_lifter_who_holds_the_stack_low_does_not_end_the_set() -> None:
    truth = whole(stands_low(BOTTOM_M, 15.0))
    assert truth.reps() == [2]


def test_carrying_the_stack_by_hand_makes_no_repetition() -> None:
    carried = [Leg(1.0, 0.2), Leg(1.0, 0.2), Leg(0.25, 0.0), Leg(2.0, 0.0)]
    legs = [Leg(2.0, 0.0), *carried, *LEAD[1:], *repetition(), *TAIL, *carried, Leg(1.0, 0.0)]
    given = signals(legs)
    begins_s = 2.0 + 4.25 + 1.3
    ends_s = begins_s + 8.8 + 8.0
    given = during(during(given, 0.0, 6.2, 0.0), ends_s, 99.0, 0.0)
    truth = whole(given)
    assert truth.reps() == [1]
    assert one(truth, "set_start").t_s == pytest.approx(6.25, abs=0.4)
