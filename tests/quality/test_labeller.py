"""The labeller finds the right events in known movements."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from monitor.profile.reading import profile_from_builtins
from tests.quality.analytic import (
    BOTTOM_M,
    LEAD,
    LOAD_N,
    TAIL,
    TOP_M,
    Leg,
    of_motion,
    profile,
    repetition,
    signals,
    with_tension,
)
from tests.quality.judge import judge
from tests.quality.labels import Label
from tests.quality.signals import Signals
from tests.quality.truth import label

A_JERK_M_S2 = 0.08 * STANDARD_GRAVITY_M_S2  # at 4/4 over 0.5 m
EASE_S = 0.246  # a minimum-jerk leg of 0.5 m in 4 s is slower than v_rest for this long at either end


FAULTS = (
    "jerk",
    "drop",
    "unload",
    "slack",
    "lockout_rest",
    "stall",
    "failure",
    "speed_over",
    "tension_out",
    "force_ceiling",
)


def kinds(events: list[Label]) -> Counter[str]:
    return Counter(event.kind for event in events)


def test_clean_repetitions_are_counted_and_nothing_is_wrong_with_them() -> None:
    truth = label(signals(LEAD + repetition() * 3 + TAIL), profile())
    found = kinds(truth.events)
    assert (found["rep"], found["set_start"], found["set_end"]) == (3, 1, 1)
    assert not any(found[kind] for kind in FAULTS)
    turns = truth.of("turnaround")
    assert [turn.own["grade"] for turn in turns] == ["smooth"] * len(turns)
    assert [turn.own["at"] for turn in turns] == ["upper", "lower"] * 2 + ["upper"]
    assert turns[1].own["dwell_s"] == pytest.approx(0.4 + 2 * EASE_S, abs=0.06)
    assert turns[1].t_s == pytest.approx(3.3 + 4 + 0.4 + 4 + 0.2, abs=0.02)


def test_the_edges_of_a_repetition_are_where_the_speed_passes_v_rest() -> None:
    given_signals = signals(LEAD + repetition() * 3 + TAIL)
    rep = label(given_signals, profile()).of("rep")[1]
    for edge_s in rep.own["bounds_s"]:
        assert abs(np.interp(edge_s, given_signals.t_s, given_signals.velocity_m_s)) == pytest.approx(0.0125, abs=0.002)
    assert rep.duration_s == pytest.approx(rep.own["positive_s"] + rep.own["upper_dwell_s"] + rep.own["negative_s"])
    assert rep.own["rom_m"] == pytest.approx(0.5, abs=0.002)


@pytest.mark.parametrize(
    ("height", "found", "required"), [(0.7, 0, 0), (0.9, 0, 0), (1.15, 1, 0), (1.6, 1, 1)], ids=lambda v: str(v)
)
def test_a_jerk_is_an_acceleration_above_a_jerk(height: float, found: int, required: int) -> None:
    judged = judge(signals(LEAD + repetition() + TAIL, [(5.15, 0.3, height * A_JERK_M_S2)]), profile())
    jerks = judged.nominal.of("jerk")
    assert len(jerks) == found
    needed = [event for event, must in zip(judged.nominal.events, judged.required, strict=True) if must]
    assert kinds(needed)["jerk"] == required
    if jerks:
        assert jerks[0].t_s == pytest.approx(5.15, abs=0.06)
        assert jerks[0].own["cause"] == "mid"
        assert not judged.nominal.of("drop")  # slowing down in the positive is not a drop


def test_a_short_jerk_does_not_count_and_two_close_ones_are_one() -> None:
    def jerks(*pulses: tuple[float, float, float]) -> list[Label]:
        return label(signals(LEAD + repetition() + TAIL, list(pulses)), profile()).of("jerk")

    big = 3 * A_JERK_M_S2
    assert len(jerks((5.3, 0.02, big))) == 0  # the low-pass leaves little of 20 ms
    assert len(jerks((4.4, 0.15, big))) == 1
    assert len(jerks((4.4, 0.12, big), (4.65, 0.12, big))) == 1
    assert len(jerks((4.1, 0.12, big), (4.55, 0.12, big))) == 2


def test_a_let_go_negative_is_a_drop() -> None:
    truth = label(signals(LEAD + repetition() + TAIL, [(8.6, 0.25, -2 * A_JERK_M_S2)]), profile())
    assert [drop.t_s for drop in truth.of("drop")] == pytest.approx([8.6], abs=0.05)
    assert truth.of("drop")[0].phase == "negative"
    assert not truth.of("jerk")  # the catch of a negative is not a jerk


def test_friction_does_not_count_as_tension() -> None:
    truth = label(signals(LEAD + repetition() + TAIL), profile())
    t_s, relative = truth.filtered.t_s, truth.relative
    for at_s in (3.3 + 2.0, 3.3 + 4.4 + 2.0):  # the middle of the positive, of the negative: no acceleration
        assert np.interp(at_s, t_s, relative) == pytest.approx(1.0, abs=0.01)
    assert np.interp(1.0, t_s, truth.filtered.tension_n) == pytest.approx(0.0, abs=1.0)


@pytest.mark.parametrize(("dwell_s", "found", "required"), [(0.6, 0, 0), (1.1, 1, 0), (2.5, 1, 1)])
def test_a_lockout_rest_is_as_long_as_the_stillness(dwell_s: float, found: int, required: int) -> None:
    judged = judge(signals(LEAD + repetition(upper_s=dwell_s) + repetition() + TAIL), profile())
    rests = judged.nominal.of("lockout_rest")
    assert len(rests) == found
    needed = [event for event, must in zip(judged.nominal.events, judged.required, strict=True) if must]
    assert kinds(needed)["lockout_rest"] == required
    if rests:
        assert rests[0].duration_s == pytest.approx(dwell_s + 2 * EASE_S, abs=0.05)  # the slow ends of the legs count
        assert rests[0].t_s == pytest.approx(3.3 + 4 - EASE_S, abs=0.05)
        assert rests[0].phase == "upper_turn"


def test_superslow_may_dwell_longer() -> None:
    legs = LEAD + repetition(10, 10, upper_s=1.0) + repetition(10, 10) + TAIL
    assert not label(signals(legs), profile(10, 10)).of("lockout_rest")


def test_a_hard_reversal_is_abrupt_above_and_a_bounce_below() -> None:
    hard = [Leg(4.0, TOP_M), Leg(0.45, TOP_M - 0.06), Leg(4.0, BOTTOM_M - 0.02), Leg(0.45, BOTTOM_M + 0.06)]
    truth = label(signals(LEAD + hard + [Leg(4.0, TOP_M), Leg(4.0, BOTTOM_M), *TAIL]), profile())
    grades = [(turn.own["at"], turn.own["grade"]) for turn in truth.of("turnaround")][:2]
    assert grades == [("upper", "abrupt"), ("lower", "bounce")]


def test_a_stack_set_down_is_touch_and_rest_and_the_last_one_ends_the_set() -> None:
    legs = LEAD + repetition() + [Leg(0.8, 0.0), Leg(1.5, 0.0), Leg(1.0, BOTTOM_M)] + repetition() + TAIL
    truth = label(signals(legs), profile())
    touches, rests = truth.of("stack_touch"), truth.of("bottom_rest")
    assert [touch.own["ended_set"] for touch in touches] == [False, True]
    assert [rest.own["ended_set"] for rest in rests] == [False, True]
    lowest_s = 0.2  # the legs are below 3 mm for this long
    assert touches[0].t_s == pytest.approx(3.3 + 8.8 + 0.8 - lowest_s, abs=0.06)
    assert touches[0].duration_s == pytest.approx(1.5 + 2 * lowest_s, abs=0.1)
    assert not touches[0].own["slam"]
    assert kinds(truth.events)["set_end"] == 1
    assert truth.of("set_end")[0].t_s == touches[1].t_s
    at_rest = [turn for turn in truth.of("turnaround") if turn.own["contact"]]
    assert [turn.own["grade"] for turn in at_rest] == [None]


def test_a_hard_landing_is_a_slam() -> None:
    t_s = np.arange(16000, dtype=np.float64) * 0.001
    fall = np.minimum(np.maximum(t_s - 9.0, 0.0) * 0.5, 0.5)  # 0.5 m/s onto the rest
    lift = 0.5 * np.clip((t_s - 2.0) / 4.0, 0, 1) ** 2 * (3 - 2 * np.clip((t_s - 2.0) / 4.0, 0, 1))
    x = np.maximum(lift - fall, 0.0)
    v = np.asarray(np.gradient(x, 0.001))
    truth = label(of_motion(t_s, x, v, np.asarray(np.gradient(v, 0.001))), profile())
    assert [touch.own["slam"] for touch in truth.of("stack_touch")] == [True]
    assert truth.of("stack_touch")[0].own["speed_m_s"] == pytest.approx(0.5, abs=0.02)


def test_compression_of_the_rest_by_a_landing_is_not_travel() -> None:
    legs = [*LEAD, *repetition(), Leg(1.0, 0.0), Leg(3.0, 0.0), Leg(1.0, BOTTOM_M), *repetition(), *TAIL]
    given_signals = signals(legs)
    landed_s = 3.3 + 8.8 + 1.0
    pressed = (given_signals.t_s > landed_s) & (given_signals.t_s < landed_s + 0.04)
    sunk = given_signals._replace(position_m=np.where(pressed, -0.006, given_signals.position_m))
    (touch,) = [turn for turn in label(sunk, profile()).of("turnaround") if turn.own["contact"]]
    assert touch.own["dwell_s"] > 2.5


HALF_M = (BOTTOM_M + TOP_M) / 2


@pytest.mark.parametrize(("hold_s", "stalls"), [(0.7, 0), (1.8, 1), (2.5, 1)])
def test_a_stall_is_stillness_in_the_middle_of_the_positive(hold_s: float, stalls: int) -> None:
    legs = [Leg(2.0, HALF_M), Leg(hold_s, HALF_M), Leg(2.0, TOP_M), Leg(0.4, TOP_M), Leg(4.0, BOTTOM_M)]
    truth = label(signals(LEAD + legs + TAIL), profile())
    assert len(truth.of("stall")) == stalls
    assert not truth.of("failure")
    if stalls:
        assert truth.of("stall")[0].duration_s == pytest.approx(hold_s + 2 * 0.12, abs=0.1)


def test_failure_is_a_stall_that_sinks_or_lasts_after_a_full_repetition() -> None:
    sinks = [Leg(2.0, HALF_M), Leg(2.5, HALF_M), Leg(3.0, BOTTOM_M), *TAIL]
    lasts = [Leg(2.0, HALF_M), Leg(6.0, HALF_M), Leg(3.0, BOTTOM_M), *TAIL]
    soon = [Leg(2.0, HALF_M), Leg(1.5, HALF_M), Leg(3.0, BOTTOM_M), *TAIL]
    assert not label(signals(LEAD + sinks), profile()).of("failure")
    assert not label(signals(LEAD + repetition() + soon), profile()).of("failure")
    truth = label(signals(LEAD + repetition() + sinks), profile())
    (failure,) = truth.of("failure")
    sunk_m = truth.of("stall")[0].position_m - failure.position_m
    assert sunk_m == pytest.approx(0.05, abs=0.005)
    truth = label(signals(LEAD + repetition() + lasts), profile())
    (failure,) = truth.of("failure")
    assert failure.t_s == pytest.approx(truth.of("stall")[0].t_s + 5.0, abs=0.01)
    assert truth.of("set_end")[0].own["outcome"] == "failure"


def test_a_failed_attempt_is_a_partial_repetition_but_fidgeting_is_not() -> None:
    attempt = [Leg(2.0, HALF_M), Leg(2.0, BOTTOM_M)]
    fidget = [Leg(1.0, BOTTOM_M + 0.06), Leg(1.0, BOTTOM_M)]
    truth = label(signals(LEAD + repetition() + attempt + fidget + TAIL), profile())
    assert [rep.own["partial"] for rep in truth.of("rep")] == [False, True]


def test_force_alone_shows_slack_unload_ceiling_and_band() -> None:
    clean = signals(LEAD + repetition() * 2 + TAIL)
    for times, for_s, expected in (
        (0.0, 0.2, {"slack": 1, "unload": 1, "tension_out": 1}),
        (0.7, 0.3, {"unload": 1, "tension_out": 1}),
        (1.7, 0.15, {"force_ceiling": 1}),
        (1.25, 0.5, {"tension_out": 1}),
    ):
        found = kinds(label(with_tension(clean, 5.3, for_s, times), profile()).events)
        assert {kind: found[kind] for kind in FAULTS if found[kind]} == {
            **expected,
            **({"tension_out": 1} if times == 1.7 else {}),
        }


def test_an_absolute_limit_is_a_separate_ceiling() -> None:
    clean = signals(LEAD + repetition() * 2 + TAIL)
    assert not label(clean, profile()).of("force_ceiling")
    assert label(clean, profile(force_ceiling_n=850.0)).of("force_ceiling")


def test_one_act_has_one_primary() -> None:
    clean = signals(LEAD + repetition() * 2 + TAIL)
    truth = label(with_tension(clean, 5.3, 0.2, 0.0), profile())
    slack = next(i for i, event in enumerate(truth.events) if event.kind == "slack")
    assert truth.events[slack].part_of is None
    assert [event.part_of for event in truth.of("tension_out")] == [slack]
    assert [event.part_of for event in truth.of("unload")] == [None]  # it has no rank


def test_the_summary_adds_up() -> None:
    truth = label(signals(LEAD + repetition(upper_s=3.0) + repetition() + TAIL), profile())
    own = truth.of("set_end")[0].own
    assert own["under_load_s"] - own["under_tension_s"] == pytest.approx(sum(own["leak"].values()), abs=1e-6)
    assert own["leak"]["lockout_s"] == pytest.approx(truth.of("lockout_rest")[0].duration_s, abs=0.01)
    assert own["reps"] == 2


@settings(max_examples=15, deadline=None)
@given(later_s=st.floats(0.05, 3.0), heavier=st.floats(0.3, 3.0))
def test_a_later_start_and_another_load_only_shift_the_labels(later_s: float, heavier: float) -> None:
    """The same movement, later and with another load, has the same labels, later."""
    legs = LEAD + repetition(upper_s=2.0) + repetition() + TAIL
    pulses = [(5.0, 0.3, 2 * A_JERK_M_S2)]
    later_s = round(later_s, 3)
    one = label(signals(legs, pulses), profile())
    moved = [(at + later_s, for_s, height) for at, for_s, height in pulses]
    load_n = LOAD_N * heavier
    other = label(signals([Leg(2.0 + later_s, 0.0), *legs[1:]], moved, load_n), profile(working_load_n=load_n))
    assert [event.kind for event in one.events] == [event.kind for event in other.events]
    for a, b in zip(one.events, other.events, strict=True):
        assert b.t_s - a.t_s == pytest.approx(later_s, abs=0.003)


def test_a_static_contraction_has_stages_and_fails_when_the_force_is_gone() -> None:
    t_s = np.arange(80_000, dtype=np.float64) * 0.001
    pull_n = np.select(
        [t_s < 2.0, t_s < 22.0, t_s < 42.0, t_s < 58.0, t_s < 62.5], [0.0, 510.0, 740.0, 1010.0, 850.0], 0.0
    )
    pull_n[(t_s > 5.0) & (t_s < 7.6)] = 400.0  # too early to be a failure
    pull_n[(t_s > 30.0) & (t_s < 30.5)] = 600.0
    still = np.zeros_like(t_s)
    table: dict[str, Any] = {
        "machine": {"id": "static", "kind": "static", "peak_n": 1000.0},
        "protocol": {"stages": [0.5, 0.75, 1.0], "stages_s": [20.0, 20.0, 20.0]},
    }
    truth = label(Signals(t_s, still, still, still, pull_n, still), profile_from_builtins(table))
    found = [(event.kind, round(event.t_s, 1)) for event in truth.events]
    assert found == [
        ("set_start", 2.0),
        ("stage", 2.0),
        ("tension_out", 5.0),
        ("stage", 22.0),
        ("tension_out", 30.0),
        ("stage", 42.0),
        ("tension_out", 58.0),
        ("failure", 60.0),
        ("set_end", 62.5),
    ]
    assert [stage.own["target_n"] for stage in truth.of("stage")] == [500.0, 750.0, 1000.0]
