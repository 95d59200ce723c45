"""By the whole contract, the labeller tells loads, friction and inertia from somebody else's force."""

import numpy as np
import pytest

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
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
from tests.quality.signals import Loads, Signals
from tests.quality.truth import label
from tests.quality.whole_contract import BRIEF, FIRST_S, HALF_M, kinds, one, summary, whole, with_loads


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


def test_a_set_fails_once_with_each_load() -> None:
    fails = [Leg(2.0, HALF_M), Leg(2.6, HALF_M), Leg(3.0, BOTTOM_M)]
    legs = LEAD + repetition() + fails * 2 + [Leg(0.8, 0.0), Leg(3.0, 0.0), Leg(1.0, BOTTOM_M)] + repetition()
    legs += fails + TAIL
    given = with_loads(signals(legs), (FIRST_S + 8.8 + 2 * 7.6 + 2.0, 0.6 * LOAD_N))
    assert len(whole(given).of("failure")) == 2
    assert len(label(given, profile()).of("failure")) == 3


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


def test_on_a_light_stack_less_than_15_n_is_not_an_assist() -> None:
    def assists(push_n: float) -> int:
        given = signals(LEAD + repetition() * 2 + TAIL, load_n=60.0)
        helped = (given.t_s > 5.0) & (given.t_s < 6.5)
        given = given._replace(tension_n=given.tension_n - np.where(helped, push_n, 0.0))
        return len(whole(given, working_load_n=60.0).of("assist"))

    assert (assists(13.0), assists(18.0)) == (0, 1)


def test_friction_at_rest_and_inertia_are_not_an_assist() -> None:
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


def test_a_positive_by_somebody_else_is_assisted_and_counts() -> None:
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


def test_a_curve_gives_the_load_at_each_height() -> None:
    given = signals(LEAD + repetition() * 2 + TAIL)
    times = 0.8 + 0.4 * np.clip(given.position_m / TOP_M, 0, 1)
    loads = Loads(LOAD_N * times, np.full_like(times, LOAD_N), np.full_like(times, LOAD_N / G))
    curved = given._replace(tension_n=given.tension_n * times, loads=loads)
    assert not kinds(whole(curved), "assist", "tension_out", "unload", "force_ceiling")
    assert kinds(whole(curved._replace(loads=None)), "tension_out")["tension_out"] > 1


def test_a_stronger_factor_is_harder_to_meet() -> None:
    given = signals(LEAD + repetition() * 2 + TAIL)
    helped = with_tension(given, 5.0, 0.55, 1 - 0.09)
    assert [len(whole(helped, factor=k).of("assist")) for k in (0.8, 1.0, 1.25)] == [1, 1, 0]
