"""Sessions of a gym, and a lifter who fails by exhaustion."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from firmware_bridge.simulator import Kit, Machine, measure
from firmware_bridge.simulator import striving as module
from firmware_bridge.simulator.faults import CellGlitches
from firmware_bridge.simulator.gym import KINDS, drawn_session
from firmware_bridge.simulator.machine import STEP_S
from firmware_bridge.simulator.muscle import Body, Muscle
from firmware_bridge.simulator.pad import STEEL, Pad, rubber
from firmware_bridge.simulator.session import Session
from firmware_bridge.simulator.striving import Striving, simulate_striving

MACHINE = Machine(mass_kg=60, friction=0.06, rest_m=0.0, bottom_m=0.03, top_m=0.43)


def drawn(kind: str, seed: int, faulty: bool = False) -> Session:
    return drawn_session(np.random.default_rng(seed), kind, 2.0, 4.0, faulty)


@pytest.mark.parametrize("kind", ["hook", "trainer_lifts", "hand_lifted", "curve_light", "hybrid"])
def test_a_session_begins_and_ends_at_rest(kind: str) -> None:
    trace = drawn(kind, 5).trace()
    speed_m_s = np.abs(trace.velocity_m_s)
    assert speed_m_s[:500].max() < 0.01
    assert speed_m_s[-300:].max() < 0.01
    assert trace.x_m.max() > 0.25
    assert trace.tension_n[-300:].max() < 0.02 * trace.loads_n.max(), "nothing pulls at the end"
    seams = np.abs(np.diff(trace.position_m))
    assert seams.max() < 0.003


def test_every_kind_can_be_drawn() -> None:
    assert all(drawn(kind, seed, faulty=bool(seed % 2)).stretches for kind in KINDS for seed in range(8))


def test_an_exhausted_lifter_lets_go_of_a_stack_that_rubber_carries() -> None:
    """A little pull is enough to hold it above where it would lie alone."""
    machine = replace(MACHINE, pad=rubber(0.0025, 0.4))
    striving = Striving(positive_s=2, negative_s=2, muscle=Muscle(strength=1.9), patience_s=2.0, tail_s=2.0)
    trace = simulate_striving(machine, striving, 3)
    pulled = np.flatnonzero(trace.tension_n > 0.1 * machine.working_load_n)
    down = np.flatnonzero(trace.x_m > 0.003)
    assert 0 <= (pulled[-1] - down[-1]) * STEP_S < 1.0
    assert (len(trace.x_m) - down[-1]) * STEP_S < striving.tail_s + 2.0


@pytest.mark.parametrize(
    ("pad", "above_rest_m", "seconds", "muscle"),
    [
        (STEEL, 0.03, 6.0, Muscle(strength=1.6, tires_per_s=0.05)),
        (rubber(0.0025, 0.4), 0.03, 6.0, Muscle(strength=1.6, tires_per_s=0.05)),
        (rubber(0.0025, 0.4), 0.10, 4.0, Muscle(strength=1.4, tires_per_s=0.06)),  # falls while it is set down
    ],
    ids=["steel", "rubber", "set down"],
)
def test_an_exhausted_lifter_lets_go_of_a_stack_that_falls(
    monkeypatch: pytest.MonkeyPatch, pad: Pad, above_rest_m: float, seconds: float, muscle: Muscle
) -> None:
    """Without the strength to lower it, the path that the lifter intended waits for a stack that lies on its rest."""
    monkeypatch.setattr(module, "LONGEST_S", 60.0)
    machine = replace(MACHINE, friction=0.02, bottom_m=above_rest_m, top_m=above_rest_m + 0.4, pad=pad)
    striving = Striving(positive_s=seconds, negative_s=seconds, muscle=muscle, patience_s=2.0, tail_s=2.0)
    trace = simulate_striving(machine, striving, 3)
    pulled = np.flatnonzero(trace.tension_n > 0.1 * machine.working_load_n)
    landed = np.flatnonzero(trace.x_m > 0.003)[-1]
    assert trace.velocity_m_s[: landed + 1].min() < -0.12, "it falls"
    assert (pulled[-1] - landed) * STEP_S < 1.0
    assert (len(trace.x_m) - landed) * STEP_S < striving.tail_s + 2.0


def test_a_set_that_never_ends_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_S", 5.0)
    with pytest.raises(RuntimeError, match=r"the set has not ended after 5 s: up goes on, 0\.\d{4} m above the rest"):
        simulate_striving(MACHINE, Striving(positive_s=4.0, negative_s=4.0), 3)


def test_the_same_seed_is_the_same_session_and_another_is_not() -> None:
    assert drawn("pin_moved", 3) == drawn("pin_moved", 3)
    assert drawn("pin_moved", 3) != drawn("pin_moved", 4)
    assert drawn("pin_moved", 3, faulty=True) != drawn("pin_moved", 3)
    with pytest.raises(ValueError, match=r"unknown kind 'yoga': the kinds are clean, .*"):
        drawn("yoga", 1)


def test_pins_move_clearly_and_drop_sets_only_fall() -> None:
    for seed in range(20):
        moved = [stretch.machine.mass_kg for stretch in drawn("pin_moved", seed).stretches]
        dropped = [stretch.machine.mass_kg for stretch in drawn("drop_set", seed).stretches]
        for loads in (moved, dropped):
            assert all(abs(b / a - 1) >= 0.1 for a, b in pairwise(loads))
        assert sorted(dropped, reverse=True) == dropped


@pytest.fixture(scope="module")
def tired() -> tuple[Striving, np.ndarray, np.ndarray]:
    striving = Striving(positive_s=4.0, negative_s=4.0, muscle=Muscle(strength=1.9), patience_s=4.0)
    trace = simulate_striving(MACHINE, striving, 3)
    return striving, trace.x_m, trace.tension_n / MACHINE.working_load_n


def test_a_lifter_who_tires_slows_down_sticks_and_fails(tired: tuple[Striving, np.ndarray, np.ndarray]) -> None:
    striving, x_m, _ = tired
    up = np.flatnonzero(np.diff((x_m > 0.4).astype(int)) > 0)
    assert 1 <= len(up) < striving.most_reps
    lows = np.flatnonzero(np.diff((x_m > 0.06).astype(int)) > 0)
    ways_s = (up - lows[: len(up)]) * 0.001
    assert ways_s[-1] > 1.2 * ways_s[0], "the last positive that he finishes takes longer"
    last = x_m[lows[len(up)] :]
    assert 0.08 < last.max() < 0.38, "the next one sticks on the way"
    assert (np.abs(np.diff(last)) < 5e-6).sum() > 1500


def test_a_failing_lifter_gives_less_and_less_and_lowers_under_control(
    tired: tuple[Striving, np.ndarray, np.ndarray],
) -> None:
    _, x_m, relative = tired
    aloft = x_m > 0.05
    assert relative[aloft].max() < 1.3
    assert relative[aloft].min() > 0.7
    assert np.diff(x_m).min() > -0.5e-3, "never faster than half a metre a second"


def test_rested_muscle_lasts_and_strength_makes_repetitions() -> None:
    def reps(strength: float) -> int:
        muscle = Muscle(strength=strength)
        trace = simulate_striving(
            MACHINE, Striving(positive_s=2, negative_s=2, muscle=muscle, patience_s=1.0, tail_s=0.5), 1
        )
        return int((np.diff((trace.x_m > 0.4).astype(int)) > 0).sum())

    assert reps(1.5) < reps(1.7)


def test_force_is_never_above_what_the_muscle_can_and_tiredness_recovers() -> None:
    body = Body(Muscle())
    for _ in range(20_000):
        force = body.force(5.0, 0.2, 0.0, 0.001)
        assert force <= body.capability(0.2, 0.0) + 0.01
    worn = body.tired
    assert 0.15 < worn < 0.4
    for _ in range(20_000):
        body.force(0.0, 0.2, 0.0, 0.001)
    assert body.tired < worn
    assert body.capability(0.2, 0.3) < body.capability(0.2, 0.0) < body.capability(0.2, -0.3)
    assert body.capability(Muscle().weak_at, 0.0) < body.capability(1.0, 0.0)


def test_a_glitch_is_one_reading_between_sound_ones() -> None:
    trace = drawn("clean", 2).trace()
    sound, spoiled = (measure(trace, Kit(faults=faults), 1) for faults in ((), (CellGlitches(130),)))
    off = np.flatnonzero(np.abs(spoiled.force_n - sound.force_n) > 1000)
    forces = np.flatnonzero(~np.isnan(sound.force_n))
    assert np.diff(np.searchsorted(forces, off)) == pytest.approx(130)
    assert spoiled.force_n[off] == pytest.approx(0.9 * Kit().full_scale_n, rel=0.01)
