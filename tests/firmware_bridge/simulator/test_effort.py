"""Effort without a stack: stages held until exhaustion, and a motor that sets the movement."""

import numpy as np
import pytest

from firmware_bridge.simulator import Kit, Machine, MotorEffort, StaticEffort, measure, simulate_motor, simulate_static
from tests.firmware_bridge.simulator.truth import longest_s, low_pass

STATIC = Machine(kind="static", mass_kg=120, friction=0.0)
MOTOR = Machine(kind="motor", mass_kg=200, friction=0.0, rest_m=0.3, bottom_m=0.3, top_m=0.57)
SHORT = StaticEffort(stages=(0.5, 1.0), stages_s=(10.0, 20.0), inroad_per_s=0.02, tail_s=3.0)


def test_stages_are_held_until_strength_is_used_up() -> None:
    trace = simulate_static(STATIC, SHORT, 1)
    share = low_pass(trace.tension_n / STATIC.working_load_n, 8)
    first, second = share[5000:12_000], share[15_000:32_000]
    assert first == pytest.approx(0.5, abs=0.04)
    assert second[:1000].mean() > 0.9
    assert second[-1000:].mean() < 0.80, "decay"
    assert share[:2000] == pytest.approx(0.0, abs=0.001)
    assert share[-2000:] == pytest.approx(0.0, abs=0.001)
    assert not trace.velocity_m_s.any()


def test_a_static_effort_may_move_against_nothing() -> None:
    moving = simulate_static(STATIC, StaticEffort(stages=(0.5,), stages_s=(20.0,), moves=True), 1)
    still = simulate_static(STATIC, StaticEffort(stages=(0.5,), stages_s=(20.0,)), 1)
    assert np.array_equal(moving.tension_n, still.tension_n)
    assert np.ptp(moving.position_m) == pytest.approx(STATIC.range_m, rel=0.01)


def test_a_motor_repeats_exactly_and_the_push_comes_with_it() -> None:
    trace = simulate_motor(MOTOR, MotorEffort(positive_s=2.5, negative_s=2.5, reps=3, positionings=2), 1)
    pushing = trace.tension_n > 100
    assert longest_s(pushing) > 1.5
    assert trace.tension_n.max() < 1.3 * MOTOR.working_load_n
    moving = np.abs(trace.velocity_m_s) > 0.02
    alone = moving & (low_pass(trace.tension_n, 5) < 50)
    assert alone.sum() * 0.001 > 3.0, "the platform is positioned without a push"
    tops = np.flatnonzero(np.diff((trace.position_m > 0.55).astype(int)) > 0)
    assert len(tops) == 3
    assert trace.position_m.max() == pytest.approx(MOTOR.top_m)
    assert trace.position_m.min() == pytest.approx(MOTOR.bottom_m)


def test_the_same_seed_is_the_same_effort_and_any_kit_measures_it() -> None:
    once, again = (simulate_motor(MOTOR, MotorEffort(positive_s=2, negative_s=2, reps=1), 4) for _ in range(2))
    assert np.array_equal(once.tension_n, again.tension_n)
    samples = measure(once, Kit(), 1)
    assert np.nanmax(samples.position_m) == pytest.approx(MOTOR.top_m, abs=0.0001)
