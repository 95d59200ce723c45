"""The labeller by the whole contract, on movements and forces that are known."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from tests.quality.analytic import (
    BOTTOM_M,
    FRICTION,
    LEAD,
    LOAD_N,
    TAIL,
    TOP_M,
    Leg,
    profile,
    repetition,
    signals,
    with_tension,
)
from tests.quality.labels import Label, Truth
from tests.quality.movement import HELD
from tests.quality.signals import Floats, Loads, Signals
from tests.quality.skill import leaked
from tests.quality.thresholds import Thresholds
from tests.quality.truth import label

G = 9.80665
A_JERK_M_S2 = 0.08 * G  # at 4/4 over 0.5 m
HALF_M = (BOTTOM_M + TOP_M) / 2
FIRST_S = 3.3  # the first repetition after LEAD
BRIEF = [Leg(2.0, 0.0), Leg(1.0, BOTTOM_M), Leg(0.3, BOTTOM_M)]


def whole(given: Signals, pause_s: float = 0.0, factor: float = 1.0, tempo_s: float = 4.0, **machine: Any) -> Truth:
    return label(given, profile(tempo_s, tempo_s, **machine), factor, whole=True, pause_s=pause_s)


def during(given: Signals, from_s: float, to_s: float, tension_n: float | Floats) -> Signals:
    """The same with another tension for a while."""
    mask = (given.t_s >= from_s) & (given.t_s < to_s)
    return given._replace(tension_n=np.where(mask, tension_n, given.tension_n))


def with_loads(given: Signals, *steps: tuple[float, float]) -> Signals:
    """The same with other pins from these times on; the tension in proportion."""
    selected = np.full(len(given.t_s), LOAD_N)
    for from_s, load_n in steps:
        selected[given.t_s >= from_s] = load_n
    loads = Loads(selected, selected, selected / G)
    return given._replace(tension_n=given.tension_n * selected / LOAD_N, loads=loads)


def kinds(truth: Truth, *wanted: str) -> Counter[str]:
    return Counter(event.kind for event in truth.events if not wanted or event.kind in wanted)


def one(truth: Truth, kind: str) -> Label:
    (event,) = truth.of(kind)
    return event


def summary(truth: Truth) -> dict[str, Any]:
    return one(truth, "set_end").own


def test_a_clean_set_is_as_clean_as_before() -> None:
    truth = whole(signals(LEAD + repetition() * 3 + TAIL))
    assert kinds(truth) == {"set_start": 1, "rep": 3, "turnaround": 5, "stack_touch": 1, "bottom_rest": 1, "set_end": 1}
    own = summary(truth)
    assert own["skill"] == pytest.approx(1.0, abs=1e-9)
    assert own["clean_reps"] == {3}
    assert own["loads_n"] == [own["working_load_n"]] == [LOAD_N]
    assert own["set_s"] == pytest.approx(3 * 8.8 + 1.05 + 0.75, abs=0.1)


# On the rest


def test_contact_is_position_alone_whatever_the_hands_still_pull() -> None:
    legs = LEAD + repetition() + [Leg(0.8, 0.0), Leg(2.0, 0.0), Leg(0.8, BOTTOM_M)] + repetition() + TAIL
    down_s = FIRST_S + 8.8 + 0.8
    kept = during(signals(legs), down_s - 0.1, down_s + 2.1, 0.65 * LOAD_N)
    truth = whole(kept)
    rest = next(event for event in truth.of("bottom_rest") if not event.own["ended_set"])
    assert rest.t_s == pytest.approx(down_s - 0.15, abs=0.1)
    assert rest.duration_s == pytest.approx(2.3, abs=0.2)
    assert len(truth.of("stack_touch")) == 1, "tension was never lost before the end"


def test_a_set_ends_when_the_stack_has_stood_for_5_s_however_hard_somebody_pulls() -> None:
    given = signals(LEAD + repetition() + [Leg(0.8, 0.0), Leg(12.0, 0.0)])
    truth = whole(during(given, FIRST_S + 8.8, 99.0, 0.8 * LOAD_N))
    assert one(truth, "set_end").t_s == pytest.approx(FIRST_S + 8.8 + 0.65, abs=0.1)


def test_a_touch_begins_at_contact_though_tension_is_lost_later() -> None:
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


def test_a_landing_that_bounces_is_one_contact_and_its_speed_is_that_before_it() -> None:
    touch = one(whole(fall_onto_rest(0.5, bounces=True)), "stack_touch")
    assert touch.own["slam"]
    assert touch.own["speed_m_s"] == pytest.approx(0.5, abs=0.01)
    assert not one(whole(fall_onto_rest(0.08, bounces=False)), "stack_touch").own["slam"]


def test_set_down_for_long_it_is_no_bounce() -> None:
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


def test_rubber_that_gives_is_no_movement() -> None:
    given = signals([Leg(3.0, 0.0), Leg(0.2, 0.0025), Leg(1.0, 0.0025), *repetition(), *TAIL])
    assert np.max(given.velocity_m_s[given.t_s < 3.3]) > 0.02, "faster than what stands still"
    rep = one(whole(given), "rep")
    at = int(np.searchsorted(given.t_s, rep.t_s))
    assert given.position_m[at] == pytest.approx(0.003, abs=0.0005)


# Held, and on a stop


def hung(hold_s: float) -> Signals:
    """On the way up of the second repetition the stack is hung up for a while."""
    legs = LEAD + repetition() + [Leg(2.0, HALF_M), Leg(hold_s, HALF_M), Leg(2.0, TOP_M), *repetition()[1:], *TAIL]
    begins_s = FIRST_S + 8.8 + 2.0
    return during(signals(legs), begins_s + 0.5, begins_s + hold_s - 0.5, 0.0)


def test_a_stack_that_hangs_is_held_and_nothing_else() -> None:
    given = hung(4.0)
    truth = whole(given)
    held = given.t_s[truth.movement.phase == HELD]
    assert (held[0], held[-1]) == pytest.approx((FIRST_S + 11.3, FIRST_S + 14.3), abs=0.1)
    assert truth.reps() == [2]
    inside = [event for event in truth.events if FIRST_S + 11.6 < event.t_s < FIRST_S + 14.2]
    assert not inside
    assert kinds(truth, "slack", "stall", "stack_touch", "failure", "lockout_rest", "assist") == {"stack_touch": 1}


def test_five_seconds_of_it_end_a_set_and_taking_it_over_begins_one() -> None:
    truth = whole(hung(9.0))
    assert truth.of("set_end")[0].t_s == pytest.approx(FIRST_S + 11.3, abs=0.1)
    assert truth.of("set_start")[1].t_s == pytest.approx(FIRST_S + 8.8 + 2.0 + 8.5, abs=0.1)
    assert truth.reps() == [1, 1]
    second = truth.of("rep")[1]
    assert second.t_s == pytest.approx(FIRST_S + 8.8 + 2.0 + 9.0, abs=0.2)


def test_what_is_hung_up_for_good_and_put_down_by_somebody_else_is_no_repetition() -> None:
    legs = LEAD + repetition() + [Leg(2.0, HALF_M), Leg(9.0, HALF_M), Leg(2.0, 0.0), Leg(7.0, 0.0)]
    given = during(signals(legs), FIRST_S + 8.8 + 2.5, 99.0, 0.0)
    assert whole(given).reps() == [1]


def stands_low(place_m: float, stands_s: float) -> Signals:
    legs = [*LEAD, Leg(1.0, place_m), Leg(stands_s, place_m), *repetition(), Leg(1.0, place_m), Leg(stands_s, place_m)]
    legs += [*repetition(), *TAIL]
    given = signals(legs)
    still = (np.abs(given.velocity_m_s) < 1e-6) & (given.position_m > 0.003)
    return given._replace(tension_n=np.where(still, LOAD_N * (1 + 0.3 * FRICTION), given.tension_n))


def test_a_stop_that_holds_the_cable_ends_the_set_and_begins_it_anew() -> None:
    given = stands_low(0.04, 8.0)
    truth = whole(given, bottom_m=0.08, top_m=TOP_M)
    assert truth.reps() == [1, 1]
    assert len(truth.movement.idle) == 1, "what was done before the first repetition is no set"
    first, _ = truth.of("set_start")
    assert first.t_s == pytest.approx(12.3, abs=0.3)
    assert truth.of("set_end")[0].t_s == pytest.approx(12.3 + 8.8 + 1.0, abs=0.3)
    assert len(label(given, profile(bottom_m=0.08)).of("set_end")) == 1


def test_a_repetition_ends_on_the_stop_whatever_comes_after() -> None:
    legs = [*LEAD, *repetition(), Leg(1.0, 0.04), Leg(8.0, 0.04), Leg(1.0, 0.0), Leg(7.0, 0.0)]
    truth = whole(signals(legs), bottom_m=0.08, top_m=TOP_M)
    assert truth.reps() == [1]
    assert one(truth, "set_end").t_s == pytest.approx(FIRST_S + 8.8 + 1.0, abs=0.3)
    assert one(truth, "rep").end_s == pytest.approx(one(truth, "set_end").t_s, abs=0.3)
    assert len(truth.movement.idle) == 1, "let down from the stop it was no set"


def test_a_lifter_who_holds_the_stack_low_does_not_end_it() -> None:
    truth = whole(stands_low(BOTTOM_M, 15.0))
    assert truth.reps() == [2]


def test_what_others_do_to_the_stack_is_no_repetition() -> None:
    carried = [Leg(1.0, 0.2), Leg(1.0, 0.2), Leg(0.25, 0.0), Leg(2.0, 0.0)]
    legs = [Leg(2.0, 0.0), *carried, *LEAD[1:], *repetition(), *TAIL, *carried, Leg(1.0, 0.0)]
    given = signals(legs)
    begins_s = 2.0 + 4.25 + 1.3
    ends_s = begins_s + 8.8 + 8.0
    given = during(during(given, 0.0, 6.2, 0.0), ends_s, 99.0, 0.0)
    truth = whole(given)
    assert truth.reps() == [1]
    assert one(truth, "set_start").t_s == pytest.approx(6.25, abs=0.4)


# Loads


def test_another_pin_is_a_change_at_lift_off() -> None:
    legs = LEAD + repetition() + TAIL + BRIEF[1:] + repetition() + TAIL
    change_s = FIRST_S + 8.8 + 6.0
    truth = whole(with_loads(signals(legs), (change_s, 1.5 * LOAD_N)))
    change = one(truth, "load_change")
    assert (change.own["from_n"], change.own["to_n"]) == (LOAD_N, 1.5 * LOAD_N)
    assert change.t_s == pytest.approx(truth.of("set_start")[1].t_s, abs=0.01)
    assert [event.own["working_load_n"] for event in truth.of("set_end")] == [LOAD_N, 1.5 * LOAD_N]
    assert not kinds(truth, "assist", "tension_out", "unload", "force_ceiling")
    assert not whole(with_loads(signals(legs), (change_s, LOAD_N))).of("load_change")


def drop_set(pause_s: float = 3.0) -> Signals:
    legs = LEAD + repetition() * 2 + [Leg(0.8, 0.0), Leg(pause_s, 0.0), Leg(1.0, BOTTOM_M)] + repetition() + TAIL
    return with_loads(signals(legs), (FIRST_S + 2 * 8.8 + 0.8 + pause_s / 2, 0.6 * LOAD_N))


def test_a_drop_set_is_one_set_whose_pause_neither_leaks_nor_counts() -> None:
    truth = whole(drop_set())
    own = summary(truth)
    assert own["loads_n"] == pytest.approx([LOAD_N, 0.6 * LOAD_N])
    assert own["working_load_n"] == LOAD_N
    assert [rep.own["load_n"] for rep in truth.of("rep")] == pytest.approx([LOAD_N, LOAD_N, 0.6 * LOAD_N])
    assert own["leaked_s"] == pytest.approx(0.0, abs=1e-6)
    assert own["set_s"] == pytest.approx(3 * 8.8 + 1.8, abs=1.6)
    assert own["clean_reps"] == {3}


def test_it_fails_once_a_load() -> None:
    fails = [Leg(2.0, HALF_M), Leg(2.6, HALF_M), Leg(3.0, BOTTOM_M)]
    legs = LEAD + repetition() + fails * 2 + [Leg(0.8, 0.0), Leg(3.0, 0.0), Leg(1.0, BOTTOM_M)] + repetition()
    legs += fails + TAIL
    given = with_loads(signals(legs), (FIRST_S + 8.8 + 2 * 7.6 + 2.0, 0.6 * LOAD_N))
    assert len(whole(given).of("failure")) == 2
    assert len(label(given, profile()).of("failure")) == 3


# Other people's forces


@pytest.mark.parametrize(
    ("push_n", "for_s", "side"),
    [(-0.33, 1.0, "lighter"), (0.2, 1.0, "heavier"), (-0.33, 0.4, None), (-0.06, 1.0, None)],
)
def test_a_foreign_force_is_an_assist(push_n: float, for_s: float, side: str | None) -> None:
    given = signals(LEAD + repetition() * 2 + TAIL)
    helped = (given.t_s > 5.0) & (given.t_s < 5.0 + for_s)
    truth = whole(given._replace(tension_n=given.tension_n + np.where(helped, push_n * LOAD_N, 0.0)))
    assert [event.own["side"] for event in truth.of("assist")] == ([side] if side else [])
    if side:
        assert one(truth, "assist").t_s == pytest.approx(5.0, abs=0.06)
        out = truth.of("tension_out") + truth.of("unload")
        assert out
        assert all(event.part_of == truth.events.index(one(truth, "assist")) for event in out)
        assert summary(truth)["leaked_s"] == pytest.approx(0.0, abs=1e-6)
        assert summary(truth)["clean_reps"] == {2}


def test_on_a_light_stack_15_n_are_too_little() -> None:
    def assists(push_n: float) -> int:
        given = signals(LEAD + repetition() * 2 + TAIL, load_n=60.0)
        helped = (given.t_s > 5.0) & (given.t_s < 6.5)
        given = given._replace(tension_n=given.tension_n - np.where(helped, push_n, 0.0))
        return len(whole(given, working_load_n=60.0).of("assist"))

    assert (assists(13.0), assists(18.0)) == (0, 1)


def test_friction_at_rest_and_inertia_are_nobodys_force() -> None:
    given = signals(LEAD + repetition(upper_s=3.0) + TAIL)
    standing = (np.abs(given.velocity_m_s) < 0.004) & (given.position_m > 0.5)
    for less, assists in ((0.06, 0), (0.10, 1)):  # beyond what stiction hides
        held = np.where(standing, LOAD_N * (1 - FRICTION - less), given.tension_n)
        assert len(whole(given._replace(tension_n=held)).of("assist")) == assists
    quick = signals(LEAD + repetition(2, 2) * 3 + TAIL)
    tension_n = quick.tension_n + 2 * LOAD_N / G * quick.acceleration_m_s2 * (quick.position_m > 0.0005)
    for times, some in ((3, False), (1, True)):  # a flywheel: three times the stack's mass moves
        load_n = np.full_like(tension_n, LOAD_N)
        wheel = quick._replace(tension_n=tension_n, loads=Loads(load_n, load_n, times * load_n / G))
        assert bool(whole(wheel, tempo_s=2.0).of("assist")) == some


def test_a_positive_that_somebody_else_did_is_assisted_and_counts() -> None:
    given = signals(LEAD + repetition() * 2 + TAIL)
    second = (given.t_s > FIRST_S + 8.8) & (given.t_s < FIRST_S + 8.8 + 3.9)
    truth = whole(given._replace(tension_n=np.where(second, 0.1 * LOAD_N, given.tension_n)))
    assert [rep.own["assisted"] for rep in truth.of("rep")] == [False, True]
    assert truth.reps() == [2]


def test_a_motor_that_adds_to_the_negative_is_a_step_after_three() -> None:
    given = signals(LEAD + repetition() * 4 + TAIL)
    times = np.where(given.velocity_m_s < 0, 1.3, 1.0)
    loads = Loads(LOAD_N * times, np.full_like(times, LOAD_N), np.full_like(times, LOAD_N / G))
    truth = whole(given._replace(tension_n=given.tension_n * times, loads=loads))
    step = one(truth, "load_step")
    assert step.t_s == pytest.approx(truth.of("rep")[2].end_s, abs=0.01)
    assert (step.own["load_up_n"], step.own["load_down_n"]) == pytest.approx((LOAD_N, 1.3 * LOAD_N))
    assert not kinds(truth, "assist", "tension_out", "force_ceiling")
    assert not whole(given).of("load_step")


def test_a_curve_is_the_load_of_its_place() -> None:
    given = signals(LEAD + repetition() * 2 + TAIL)
    times = 0.8 + 0.4 * np.clip(given.position_m / TOP_M, 0, 1)
    loads = Loads(LOAD_N * times, np.full_like(times, LOAD_N), np.full_like(times, LOAD_N / G))
    curved = given._replace(tension_n=given.tension_n * times, loads=loads)
    assert not kinds(whole(curved), "assist", "tension_out", "unload", "force_ceiling")
    assert kinds(whole(curved._replace(loads=None)), "tension_out")["tension_out"] > 1


# Repetitions


def grade_of(lead: list[Leg], pulses: list[tuple[float, float, float]] | None = None, upload_s: float = 1.0) -> Any:
    given = signals([*lead, *repetition()[1:], *repetition(), *TAIL], pulses)
    moves_s = float(given.t_s[np.argmax(given.position_m > 0.0006)])
    ramp = np.clip((given.t_s - moves_s + upload_s) / upload_s, 0, 1)
    loading = given.t_s <= moves_s
    return whole(given._replace(tension_n=np.where(loading, ramp * LOAD_N, given.tension_n))).of("rep")[0].own


def test_a_squeezed_start_is_slow_in_force_and_way() -> None:
    slow = [Leg(3.0, 0.0), Leg(5.0, TOP_M)]
    own = grade_of(slow)
    assert own["start_grade"] == "squeezed"
    assert own["start"]["upload_s"] == pytest.approx(0.9 + 0.2, abs=0.1)  # and until it is 3 mm high
    assert own["start"]["first_25_mm_s"] == pytest.approx(0.5, abs=0.1)
    assert grade_of(slow, upload_s=0.15)["start_grade"] == "fair"
    assert grade_of([Leg(3.0, 0.0), Leg(2.0, TOP_M)])["start_grade"] == "fair"
    assert grade_of(slow, [(3.55, 0.2, 2.5 * A_JERK_M_S2)])["start_grade"] == "jerked"
    second = whole(signals(LEAD + repetition() * 2 + TAIL)).of("rep")[1]
    assert second.own["start"] is None


def test_dips_are_stops_within_a_phase_not_its_ends() -> None:
    def dips(*legs: Leg) -> tuple[int, int]:
        own = whole(signals([*LEAD, *repetition(), *legs, *repetition(), *TAIL])).of("rep")[1].own
        return own["dips_positive"], own["dips_negative"]

    assert dips(*repetition()) == (0, 0)
    segmented = [Leg(1.3, 0.2), Leg(0.3, 0.2), Leg(1.3, 0.37), Leg(0.3, 0.37), Leg(1.3, TOP_M), *repetition()[1:]]
    assert dips(*segmented) == (2, 0)


def test_standing_is_sticking_too_and_what_follows_is_a_shove() -> None:
    legs = [Leg(2.0, HALF_M), Leg(0.5, HALF_M), Leg(2.0, TOP_M), *repetition()[1:]]
    stuck_s = FIRST_S + 2.0 + 0.5
    truth = whole(signals(LEAD + repetition() + legs + TAIL, [(stuck_s + 8.85, 0.25, 2 * A_JERK_M_S2)]))
    assert [rep.own["sticking"] for rep in truth.of("rep")] == [False, True]
    assert one(truth, "jerk").own["cause"] == "shove"
    smooth = whole(signals(LEAD + repetition() * 2 + TAIL, [(5.2, 0.25, 2 * A_JERK_M_S2)]))
    assert one(smooth, "jerk").own["cause"] == "mid"


def test_failure_says_how_long_he_went_on_pushing() -> None:
    fails = [Leg(2.0, HALF_M), Leg(8.0, HALF_M), Leg(3.0, BOTTOM_M)]
    given = signals(LEAD + repetition() + fails + TAIL)
    stall_s = FIRST_S + 8.8 + 2.0 - 0.12
    given = during(given, stall_s + 5.0 + 2.5, stall_s + 8.1, 0.7 * LOAD_N)
    failure = one(whole(given), "failure")
    assert failure.t_s == pytest.approx(stall_s + 5.0, abs=0.1)
    assert failure.own["held_s"] == pytest.approx(2.5, abs=0.15)


def test_a_descent_counts_from_the_place_of_the_stall() -> None:
    creeps = [Leg(2.0, HALF_M), Leg(2.4, HALF_M), Leg(1.0, HALF_M + 0.04), Leg(1.0, HALF_M), Leg(2.0, BOTTOM_M), *TAIL]
    given = signals(LEAD + repetition() + creeps)
    sunk_m = HALF_M - one(whole(given), "failure").position_m
    assert sunk_m == pytest.approx(0.05, abs=0.005)


def test_a_dwell_is_within_a_hundredth_of_the_range() -> None:
    drifts = [Leg(4.0, TOP_M - 0.0045), Leg(1.2, TOP_M), Leg(4.0, BOTTOM_M), Leg(0.4, BOTTOM_M)]
    given = signals(LEAD + drifts + repetition() + TAIL)
    truth = whole(given)
    upper = truth.of("turnaround")[0]
    from_s = upper.t_s - upper.own["dwell_s"] / 2
    place_m = truth.filtered.x_m[round(from_s * 1000)]
    assert place_m == pytest.approx(TOP_M - 0.005, abs=0.0005)


# Skill


def test_rests_leak_their_length_once() -> None:
    truth = whole(signals(LEAD + repetition(upper_s=3.0) + repetition() + TAIL))
    own = summary(truth)
    assert own["leaked_s"] == pytest.approx(one(truth, "lockout_rest").duration_s, abs=0.01)
    assert own["skill"] == pytest.approx(1 - own["leaked_s"] / own["set_s"])
    assert own["clean_reps"] == {1}


def test_a_heave_spoils_what_is_left_of_its_positive_four_seconds_at_most() -> None:
    def spoils_s(*legs: Leg) -> tuple[float, float]:
        """From the onset of the heave on, and to the end of its positive."""
        truth = whole(signals([*LEAD, *legs, *repetition(), *TAIL], [(5.2, 0.25, 2 * A_JERK_M_S2)]))
        jerk, rep = one(truth, "jerk"), truth.of("rep")[0]
        mask = leaked(truth, Thresholds.of(profile(), whole=True))
        at = round(jerk.t_s * 1000)
        return float(np.argmin(mask[at:])) / 1000, rep.own["bounds_s"][1] - jerk.t_s

    spoilt_s, left_s = spoils_s(*repetition())
    assert spoilt_s == pytest.approx(left_s, abs=0.01)
    assert spoilt_s < 2.5
    spoilt_s, left_s = spoils_s(Leg(12.0, TOP_M), *repetition()[1:])
    assert spoilt_s == pytest.approx(4.0, abs=0.01)
    assert left_s == pytest.approx(9.5, abs=1.0)


def test_an_abrupt_turn_spoils_half_a_second_on_either_side() -> None:
    hard = [Leg(4.0, TOP_M), Leg(0.45, TOP_M - 0.06), Leg(4.0, BOTTOM_M), Leg(0.4, BOTTOM_M)]
    truth = whole(signals(LEAD + hard + repetition() + TAIL))
    turn = next(turn for turn in truth.of("turnaround") if turn.own["grade"] == "abrupt")
    mask, before_s = leaked(truth, Thresholds.of(profile(), whole=True)), turn.t_s - turn.own["dwell_s"] / 2
    assert [bool(mask[round(1000 * (before_s - early_s))]) for early_s in (0.45, 0.55)] == [True, False]


def test_planned_pauses_neither_leak_nor_count_and_do_not_end_the_set() -> None:
    legs = LEAD + repetition() + [Leg(0.8, 0.0), Leg(8.0, 0.0), Leg(1.0, BOTTOM_M)] + repetition() + TAIL
    legs += [Leg(10.0, 0.0)]
    planned = whole(signals(legs), pause_s=10.0)
    own = summary(planned)
    assert own["reps"] == 2
    assert own["leaked_s"] == pytest.approx(0.0, abs=1e-6)
    assert own["set_s"] == pytest.approx(2 * 8.8 + 1.05 + 1.3 + 0.8, abs=0.2)
    assert len(whole(signals(legs)).of("set_end")) == 2


def test_a_short_set_has_no_skill() -> None:
    assert summary(whole(signals(LEAD + repetition(2, 2) + TAIL, load_n=LOAD_N)))["skill"] is None


def test_between_two_repetitions_a_fault_may_count_for_either() -> None:
    legs = LEAD + repetition() + [Leg(0.8, 0.0), Leg(1.5, 0.0), Leg(1.0, BOTTOM_M)] + repetition() * 2 + TAIL
    own = summary(whole(signals(legs)))
    assert own["clean_reps"] == {2}
    assert own["leaked_s"] == pytest.approx(1.9, abs=0.3)


def test_a_stronger_factor_is_harder_to_meet() -> None:
    given = signals(LEAD + repetition() * 2 + TAIL)
    helped = with_tension(given, 5.0, 0.55, 1 - 0.09)
    assert [len(whole(helped, factor=k).of("assist")) for k in (0.8, 1.0, 1.25)] == [1, 1, 0]
