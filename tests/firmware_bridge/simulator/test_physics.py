"""The simulated machine obeys mechanics, whatever the lifter does."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from firmware_bridge.simulator import (
    Heave,
    LetFall,
    Lift,
    Lifter,
    Lower,
    Machine,
    Rest,
    Script,
    SetDown,
    Trace,
    Turn,
    simulate,
)
from firmware_bridge.simulator import machine as mechanics
from firmware_bridge.simulator.machine import STEP_S, MachineState, step

CALM = Lifter(tempo_spread=0.0, wobble=0.0, tremor=0.0, range_spread=0.0, fatigue=0.0)
MACHINE = Machine(mass_kg=70, friction=0.1, viscous_per_s=0.0, rest_m=-0.2, bottom_m=-0.17, top_m=0.28)


def perform(machine: Machine, *moves: object, lifter: Lifter = CALM, tempo: tuple[float, float] = (2, 4)) -> Trace:
    return simulate(machine, Script(positive_s=tempo[0], negative_s=tempo[1], moves=moves, lifter=lifter), seed=1)  # type: ignore[arg-type]


def positive(z: float) -> float:
    return max(z, 0.0)


def hold(machine: Machine, x_m: float, hand_m: float, seconds: float, limit: float = 1e9) -> np.ndarray:
    """Releases the stack under a hand that does not move. Returns x, v, a, pull, push."""
    physics = machine.physics()
    moment = MachineState(x_m, 0.0, 0.0, 0.0, 0.0, 0.0)
    rows = []
    for _ in range(round(seconds / STEP_S)):
        before = moment
        moment = step(physics, moment, hand_m, hand_m, limit, np.tanh, positive)
        rows.append((before.x_m, before.v_m_s, *moment[3:]))
    return np.array(rows).T


def test_a_hanging_stack_pulls_with_its_weight() -> None:
    trace = perform(MACHINE, Lift(), Turn(5.0))
    still = trace.tension_n[-1500:-600] / MACHINE.working_load_n
    assert still == pytest.approx(1.0, abs=0.003)
    assert np.abs(trace.velocity_m_s[-1500:-600]).max() < 0.001
    assert trace.position_m[-1000] == pytest.approx(MACHINE.top_m, abs=0.002)


def test_a_resting_stack_pulls_nothing_and_weighs_on_its_rest() -> None:
    trace = perform(MACHINE, Rest(1.0))
    assert not trace.tension_n.any()
    assert trace.contact_n == pytest.approx(MACHINE.working_load_n, rel=1e-6)
    assert trace.position_m == pytest.approx(MACHINE.rest_m, abs=0.0002)


@pytest.mark.parametrize("heave", [None, Heave(0.3, 3.0)])
def test_between_two_stops_mean_tension_is_the_load_and_its_friction(heave: Heave | None) -> None:
    trace = perform(MACHINE, Lift(), Turn(), Lower(), Turn(1.5), Lift(heave=heave), Turn(1.5), Lower(), Turn(1.5))
    moving = np.abs(trace.velocity_m_s) > 0.01
    edges = np.flatnonzero(np.diff(moving.astype(int)))
    up, down = [range(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False) if b - a > 500][-2:]
    for phase, sign in ((up, 1), (down, -1)):
        assert trace.tension_n[phase].mean() / MACHINE.working_load_n == pytest.approx(1 + sign * 0.1, abs=0.004)


def test_work_becomes_height_speed_and_heat() -> None:
    machine = replace(MACHINE, viscous_per_s=1.0)
    trace = perform(machine, Lift(heave=Heave(0.0, 4.0, share=0.3)), Turn(), Lower())
    v, m = trace.velocity_m_s, machine.mass_kg
    aloft = np.flatnonzero(trace.x_m > 0.001)
    a, b = aloft[0], aloft[np.argmax(trace.x_m[aloft])] - 200
    heat_w = machine.friction * m * G * np.tanh(v / 0.004) * v + 1.0 * m * v * v
    work_j = np.trapezoid((trace.tension_n * v - heat_w)[a : b + 1]) * STEP_S
    energy_j = m * G * (trace.x_m[b] - trace.x_m[a]) + m * (v[b] ** 2 - v[a] ** 2) / 2
    assert work_j == pytest.approx(energy_j, rel=0.004)


@pytest.mark.parametrize("resonance_hz", [5.0, 8.0, 12.0])
def test_it_rings_at_its_resonance_and_dies_out_at_its_damping(resonance_hz: float) -> None:
    machine = Machine(resonance_hz=resonance_hz, damping=0.02, friction=0.0, viscous_per_s=0.0)
    x_m = hold(machine, 0.3 - machine.stretch_m + 0.001, 0.3, 2.0)[0] - 0.3 + machine.stretch_m
    crossings = np.flatnonzero(np.diff(np.sign(x_m)))
    period_s = 2 * (crossings[-1] - crossings[0]) * STEP_S / (len(crossings) - 1)
    assert 1 / period_s == pytest.approx(resonance_hz, rel=0.01)
    peaks = np.abs(x_m[1:-1])[np.diff(np.sign(np.diff(x_m))) != 0]
    assert np.log(peaks[0] / peaks[10]) / 10 == pytest.approx(np.pi * 0.02, rel=0.05)


def test_a_loose_cable_lets_the_stack_fall_freely() -> None:
    machine = Machine(friction=0.0, viscous_per_s=0.0)
    x_m, v_m_s, a_m_s2, pull, _ = hold(machine, 0.4, 0.4, 0.25, limit=0.0)
    assert not pull.any()
    assert a_m_s2 == pytest.approx(-G)
    assert 0.4 - x_m[-1] == pytest.approx(G * 0.249**2 / 2, rel=0.003)
    assert v_m_s[-1] == pytest.approx(-G * 0.249)


def test_friction_holds_a_stack_whose_hand_gives_a_little_less_than_the_load() -> None:
    machine = Machine(friction=0.1, viscous_per_s=0.0)
    x_m = hold(machine, 0.3, 0.3 + machine.stretch_m, 1.0, limit=0.95 * G)[0]
    assert 0 < 0.3 - x_m[-1] < 0.004  # it creeps, at a fraction of 4 mm/s
    assert 0.3 - hold(machine, 0.3, 0.3 + machine.stretch_m, 1.0, limit=0.85 * G)[0][-1] > 0.1


def test_a_hand_that_gave_way_holds_the_stack_at_its_new_place() -> None:
    machine = Machine(friction=0.05)
    physics, moment, hand_m = machine.physics(), MachineState(0.5, 0.0, 0.0, 0.0, 0.0, 0.0), 0.5 + machine.stretch_m
    for limit in [0.6 * G] * 150 + [1e9] * 1500:
        moment = step(physics, moment, hand_m, hand_m, limit, np.tanh, positive)
        if limit < G:
            fallen_m = 0.5 - moment.x_m
    assert fallen_m > 0.03
    assert 0.5 - moment.x_m > fallen_m, "it does not spring back to where the hand had been"
    assert moment.pull_m_s2 == pytest.approx(G, rel=0.01)


def test_contact_neither_lets_the_stack_sink_in_nor_throws_it_back() -> None:
    trace = perform(MACHINE, Lift(), Turn(), Lower(), SetDown(1.0, speed_m_s=1.0))
    landing = int(np.argmin(trace.velocity_m_s))
    impact_m_s, rebound_m_s = -trace.velocity_m_s[landing], trace.velocity_m_s[landing:].max()
    assert impact_m_s > 0.4
    assert rebound_m_s < 0.25 * impact_m_s
    assert trace.x_m.min() > -0.003
    assert trace.x_m[-300:] == pytest.approx(0.0, abs=0.0003)
    assert (trace.contact_n >= 0).all()
    assert (trace.tension_n >= 0).all()


def test_a_cable_cannot_push_and_a_hand_cannot_pull_harder_than_it_can() -> None:
    weak = replace(CALM, strength=1.3)
    trace = perform(MACHINE, Lift(heave=Heave(0.0, 9.0)), Turn(), Lower(), lifter=weak)
    assert trace.tension_n.max() <= 1.3 * MACHINE.working_load_n * (1 + 1e-9)


def test_the_hand_never_jumps() -> None:
    weak = replace(CALM, strength=1.5)
    moves = (
        Lift(heave=Heave(0.2, 6.0, share=0.4)),
        Turn(),
        Lower(drop=LetFall(0.8, 0.3, 0.15)),
        Turn(),
        Lift(),
        Turn(),
        Lower(),
    )
    trace = perform(MACHINE, *moves, lifter=weak)
    aloft = (trace.x_m[1:] > 0.001) & (trace.x_m[:-1] > 0.001)
    steps = np.abs(np.diff(trace.tension_n))[aloft] / MACHINE.working_load_n
    assert steps.max() < 0.3


def test_a_finer_step_gives_the_same_movement(monkeypatch: pytest.MonkeyPatch) -> None:
    moves = (Lift(heave=Heave(0.2, 4.0)), Turn(), Lower(), SetDown(0.5, speed_m_s=0.5))
    coarse = perform(MACHINE, *moves)
    monkeypatch.setattr(mechanics, "SUBSTEPS", 16)
    fine = perform(MACHINE, *moves)
    n = min(len(coarse), len(fine))
    assert np.abs(coarse.position_m[:n] - fine.position_m[:n]).max() < 0.001


def test_columns_agree_with_each_other() -> None:
    trace = perform(MACHINE, Lift(), Turn(), Lower(), lifter=Lifter())
    m = MACHINE.mass_kg
    assert np.gradient(trace.position_m, STEP_S)[1:-1] == pytest.approx(trace.velocity_m_s[1:-1], abs=0.004)
    force_n = trace.tension_n + trace.contact_n - m * G * (1 + 0.1 * np.tanh(trace.velocity_m_s / 0.004))
    assert force_n / m == pytest.approx(trace.acceleration_m_s2, abs=1e-9)


@pytest.mark.parametrize("wrong", [{"bottom_m": 0.6}, {"rest_m": 0.1}, {"mass_kg": 0.0}, {"friction": -0.1}])
def test_a_machine_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        Machine(**wrong)  # type: ignore[arg-type]
