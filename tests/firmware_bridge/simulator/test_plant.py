"""Machines with more than a plain stack: curves, rubber, stiction, a pulley, hooks, other hands."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from firmware_bridge.simulator import Lift, Lifter, Lower, Machine, Rest, Script, SetDown, Trace, Turn, simulate
from firmware_bridge.simulator import plant as stepping
from firmware_bridge.simulator.machine import STEP_S, MachineState, step_one
from firmware_bridge.simulator.outside import NOTHING, Outside
from firmware_bridge.simulator.pad import REST_SINK_M, rubber
from firmware_bridge.simulator.plant import Plant
from firmware_bridge.simulator.resistance import ResistanceCurve, air, band, cam, chain, hybrid, lever
from firmware_bridge.simulator.script import (
    Brace,
    Carry,
    Clank,
    GymMove,
    Hang,
    Helped,
    Lifted,
    Move,
    Park,
    Slacken,
)

CALM = Lifter(tempo_spread=0.0, wobble=0.0, tremor=0.0, range_spread=0.0, fatigue=0.0, sag_m=0.001)
MACHINE = Machine(mass_kg=70, friction=0.1, viscous_per_s=0.0, rest_m=-0.2, bottom_m=-0.16, top_m=0.28)
REP = (Lift(), Turn(), Lower(), Turn())


def perform(machine: Machine, *moves: Move | GymMove, tempo: tuple[float, float] = (4, 4)) -> Trace:
    return simulate(machine, Script(positive_s=tempo[0], negative_s=tempo[1], moves=moves, lifter=CALM), seed=1)


def fall(machine: Machine, from_m: float, seconds: float) -> np.ndarray:
    """Drops the stack. Returns x and v, a row per millisecond."""
    plant, moment = Plant(machine), MachineState(from_m, 0.0, 0.0, 0.0, 0.0, 0.0)
    rows = []
    for _ in range(round(seconds / STEP_S)):
        moment = plant.step(moment, -1.0, -1.0, 0.0, NOTHING)
        rows.append(moment[:2])
    return np.array(rows).T


def test_a_plain_machine_steps_as_the_plain_step_does() -> None:
    plant, physics = Plant(MACHINE), MACHINE.physics()
    one = other = MachineState(0.1, 0.0, 0.0, 0.0, 0.0, 0.0)
    hand = 0.1 + MACHINE.stretch_m
    rng = np.random.default_rng(4)
    for _ in range(3000):
        following, limit = hand + float(rng.normal(-1e-4, 5e-4)), float(rng.choice([0.5, 1.2, 9.0])) * G
        one = step_one(physics, one, hand, following, limit)
        other = plant.step(other, hand, following, limit, NOTHING)
        hand = following
        assert other == pytest.approx(one, abs=1e-9)


@pytest.mark.parametrize("resistance", [cam(), lever(), band(), air(), chain()], ids=lambda r: f"{r.shares[0]:.2f}")
def test_a_curve_has_its_mean_over_the_range_and_is_what_the_cell_feels(resistance: ResistanceCurve) -> None:
    places = np.linspace(0, 1, 1000)
    assert np.trapezoid(resistance.at(places), places) == pytest.approx(1.0, abs=0.002)
    assert resistance.at(np.array([-1.0, 2.0])) == pytest.approx([resistance.shares[0], resistance.shares[-1]])
    trace = perform(replace(MACHINE, resistance=resistance), *REP, Lift(), Turn(3.0))
    for sign in (1, -1):  # cruising, the mean of up and down is the curve
        cruise = sign * trace.velocity_m_s > 0.05
        assert trace.tension_n[cruise] / trace.loads_n[cruise] == pytest.approx(1 + sign * 0.1, abs=0.06)
    assert trace.tension_n[-1500:-600] / trace.loads_n[-1500:-600] == pytest.approx(1.0, abs=0.01)


def test_what_moves_little_mass_feels_little_inertia() -> None:
    light, heavy = (replace(MACHINE, resistance=ResistanceCurve(inertia=i), friction=0.0) for i in (0.05, 1.0))
    assert light.inertia_kg == pytest.approx(0.05 * 70)
    swings = [np.ptp(perform(machine, *REP, tempo=(1, 1)).tension_n[1500:4000]) for machine in (light, heavy)]
    assert swings[0] < 0.35 * swings[1]


def test_a_motor_adds_to_the_negative_from_the_upper_turn_on() -> None:
    trace = perform(replace(MACHINE, resistance=hybrid(0.4), friction=0.02), *REP, *REP, SetDown(1.0))
    for sign, times in ((1, 1.02), (-1, 1.4 - 0.02 * 1.4)):
        cruise = sign * trace.velocity_m_s > 0.08
        assert np.median(trace.tension_n[cruise]) / MACHINE.working_load_n == pytest.approx(times, abs=0.01)
        assert np.median(trace.loads_n[cruise]) == pytest.approx((1.0 if sign > 0 else 1.4) * MACHINE.working_load_n)
    jumps = np.abs(np.diff(trace.loads_n))[trace.x_m[1:] > 0.06] / MACHINE.working_load_n
    assert jumps.max() < 0.01, "it comes within the turn, not at once"


def test_behind_a_pulley_half_the_weight_pulls_and_a_quarter_of_the_mass_moves() -> None:
    machine = replace(MACHINE, pulley=2)
    assert machine.working_load_n == pytest.approx(35 * G)
    assert machine.inertia_kg == pytest.approx(70 / 4)
    trace = perform(machine, Lift(), Turn(4.0))
    assert trace.tension_n[-1500:-600] == pytest.approx(35 * G, rel=0.005)
    moment = MachineState(0.2, 0.0, 0.0, 0.0, 0.0, 0.0)
    pulled = [Plant(one).step(moment, 1.0, 1.0, 1.2 * G, NOTHING).a_m_s2 for one in (MACHINE, machine)]
    assert pulled == pytest.approx([0.2 * G, 0.4 * G]), "the same share of the load moves it twice as much"


@pytest.mark.parametrize("restitution", [0.2, 0.4])
def test_rubber_throws_back_and_gives_under_the_stack(restitution: float) -> None:
    machine = replace(MACHINE, friction=0.0, pad=rubber(0.002, restitution))
    x_m, v_m_s = fall(machine, 0.05, 2.0)
    landing = int(np.argmin(v_m_s))
    assert v_m_s[landing : landing + 100].max() / -v_m_s[landing] == pytest.approx(restitution, abs=0.1)
    assert x_m.min() < -0.004, "it is pressed in"
    assert x_m[-1] == pytest.approx(-REST_SINK_M, abs=1e-5), "and stands as deep as on steel"


def test_rubber_lets_the_stack_up_a_little_before_it_leaves() -> None:
    trace = perform(replace(MACHINE, pad=rubber(0.002)), Rest(1.0), *REP)
    light = trace.tension_n > 0.4 * MACHINE.working_load_n
    still_standing = light & (trace.contact_n > 0.05 * MACHINE.working_load_n) & (trace.t_s < 3)
    assert trace.x_m[still_standing].max() > 0.0008


def test_breaking_away_takes_more_than_sliding() -> None:
    def needed(stiction: float) -> float:
        plant = Plant(replace(MACHINE, stiction=stiction))
        moment, hand = MachineState(0.2, 0.0, 0.0, 0.0, 0.0, 0.0), 0.2 + MACHINE.stretch_m
        most = 0.0
        for _ in range(4000):
            moment = plant.step(moment, hand, hand + 5e-6, 1e9, NOTHING)
            hand += 5e-6
            most = max(most, moment.pull_m_s2)
        return most / G

    assert needed(0.0) < 1.101
    assert 1.12 < needed(0.6) < 1.16


def test_a_stack_hung_up_stands_without_tension_and_is_taken_over_again() -> None:
    trace = perform(MACHINE, *REP, Hang(0.4, 3.0), Lift(), Turn())
    hook_m = MACHINE.bottom_m - MACHINE.rest_m + 0.4 * MACHINE.range_m
    hung = (np.abs(trace.x_m - hook_m) < 0.001) & (trace.tension_n == 0)
    assert 2.9 < hung.sum() * STEP_S < 4.0
    assert trace.x_m[-300:].min() > 0.4, "and goes on to the top"


def test_a_parked_machine_is_dead_still_under_load() -> None:
    machine = replace(MACHINE, bottom_m=-0.1)
    trace = simulate(machine, Script(positive_s=4, negative_s=4, moves=(*REP, Park(0.05, 6.0))), 1)
    parked = slice(-5000, None)
    assert np.ptp(trace.x_m[parked]) < 1e-5
    assert trace.x_m[-1] == pytest.approx(0.05, abs=0.001)
    assert trace.tension_n[parked] == pytest.approx(machine.working_load_n, rel=0.1)


def test_no_force_acts_while_the_stack_is_carried_and_it_falls_when_released() -> None:
    trace = perform(MACHINE, Rest(1.0), Carry(0.2, 0.5), Rest(1.0))
    assert not trace.tension_n.any()
    assert trace.x_m.max() == pytest.approx(0.2, abs=0.01)
    assert trace.velocity_m_s.min() < -1.5


@pytest.mark.parametrize(("share", "low", "high"), [(0.3, 0.55, 0.95), (-0.25, 1.05, 1.4)])
def test_a_helpers_hands_are_missing_from_the_cable_or_added_to_it(share: float, low: float, high: float) -> None:
    alone = perform(MACHINE, *REP, Lift(), Turn(), Lower())
    helped = perform(MACHINE, *REP, Helped(Lift(), share, 0.3), Turn(), Helped(Lower(), share, 0.3))
    assert helped.x_m == pytest.approx(alone.x_m, abs=0.004), "the same movement"
    late = (helped.t_s > 12) & (helped.x_m > 0.15) & (helped.x_m < 0.3)
    relative = helped.tension_n[late] / MACHINE.working_load_n
    assert low < relative.min() < relative.max() < high


def test_a_trainer_lifts_and_the_lifter_lowers() -> None:
    trace = perform(MACHINE, Rest(1.0), Lifted(), Turn(1.5), Lower(), SetDown(1.0))
    up = trace.velocity_m_s > 0.03
    assert trace.tension_n[up].max() < 0.25 * MACHINE.working_load_n
    down = trace.velocity_m_s < -0.03
    assert np.median(trace.tension_n[down]) / MACHINE.working_load_n == pytest.approx(0.9, abs=0.02)


def test_tension_can_be_kept_on_the_rest() -> None:
    trace = perform(MACHINE, *REP[:3], SetDown(0.4, loose=False), Brace(0.65, 5.0), SetDown(0.1))
    kept = (trace.x_m < 0.001) & (np.abs(trace.tension_n / MACHINE.working_load_n - 0.65) < 0.02)
    assert kept.sum() * STEP_S > 5


def test_slack_taken_up_in_haste_makes_the_cable_ring() -> None:
    peaks = [
        perform(MACHINE, Rest(0.5), Slacken(0.03), Clank(speed_m_s), Lift(squeeze=False)).tension_n.max()
        for speed_m_s in (0.1, 0.3)
    ]
    assert peaks[1] > 1.3 * peaks[0] > 1.3 * MACHINE.working_load_n


def test_what_others_do_comes_and_goes_straight() -> None:
    plant = Plant(MACHINE)
    moment = MachineState(0.2, 0.0, 0.0, 0.0, 0.0, 0.0)
    hand = 0.2 + MACHINE.stretch_m
    lifts = [
        plant.step(moment, hand, hand, 1e9, Outside(hands=(0.0, 0.4)), along).a_m_s2 for along in (0.0, 0.25, 0.5, 1.0)
    ]
    assert np.diff(lifts) == pytest.approx([0.1 * G, 0.1 * G, 0.2 * G])


def test_a_finer_step_gives_the_same_movement(monkeypatch: pytest.MonkeyPatch) -> None:
    machines = [
        replace(MACHINE, resistance=band(), pad=rubber(), friction=0.12, stiction=0.4),
        replace(MACHINE, pulley=2, stiction=0.5),
    ]
    coarse = [perform(machine, Rest(0.5), *REP, SetDown(0.6, speed_m_s=0.4)) for machine in machines]
    monkeypatch.setattr(stepping, "SUBSTEPS", 40)
    for machine, one in zip(machines, coarse, strict=True):
        fine = perform(machine, Rest(0.5), *REP, SetDown(0.6, speed_m_s=0.4))
        n = min(len(one), len(fine))
        assert np.abs(one.position_m[:n] - fine.position_m[:n]).max() < 0.001


def test_stretches_joined_keep_each_ones_load() -> None:
    heavy, light = (perform(replace(MACHINE, mass_kg=kg), Rest(0.5), *REP[:3], SetDown(0.5)) for kg in (70, 40))
    trace = Trace.joined([heavy, light])
    assert sorted(set(trace.loads_n.round(6))) == pytest.approx([40 * G, 70 * G])
    assert trace.part(len(heavy), len(trace)).loads_n == pytest.approx(40 * G)
    assert Trace.joined([heavy, heavy]).load_n is None
    seams = [np.abs(a.position_m[-1] - b.position_m[0]) for a, b in pairwise((heavy, light))]
    assert max(seams) < 1e-4


@pytest.mark.parametrize("wrong", [{"shares": (1.0, 0.0)}, {"inertia": 0.0}, {"down": -1.0}])
def test_a_resistance_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        ResistanceCurve(**wrong)  # type: ignore[arg-type]
