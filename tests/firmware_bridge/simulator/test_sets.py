"""Simulated lifters: clean sets are clean, each fault shows in the motion, and the same seed gives the same set."""

from dataclasses import fields
from functools import cache

import numpy as np
import pytest

from firmware_bridge.simulator import (
    FAULTS,
    Job,
    Lift,
    Lower,
    Machine,
    Move,
    Rest,
    Script,
    SetDown,
    Trace,
    clean_set,
    drawn_lifter,
    drawn_machine,
    faulty_set,
    live,
    simulate,
    simulate_many,
    simulation,
)
from firmware_bridge.simulator.sets import drawn_rep
from tests.firmware_bridge.simulator.truth import Motion, longest_s, low_pass
from tests.soak import long, soak

pytestmark = soak

TEMPI = ((2.0, 4.0), (4.0, 4.0), (5.0, 5.0), (10.0, 10.0))
COLUMNS = ("position_m", "velocity_m_s", "acceleration_m_s2", "tension_n", "contact_n")


def same(a: Trace, b: Trace) -> bool:
    return a.notes == b.notes and all(np.array_equal(getattr(a, name), getattr(b, name)) for name in COLUMNS)


def test_one_simulation_a_batch_and_a_live_one_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "FEW", 1)
    rng = np.random.default_rng(3)
    jobs: list[Job] = []
    for faults in (("yank", "drop"), ("heave_slack", "drop_slack")):  # the hand gives way in these
        machine, lifter = drawn_machine(rng), drawn_lifter(rng)
        reps = [move for fault in faults for move in drawn_rep(rng, machine, 1.5, 1.5, fault)]
        moves = (Rest(0.5), *reps, SetDown(0.5))
        script = Script(positive_s=1.5, negative_s=1.5, moves=moves, lifter=lifter)
        jobs.append(Job(machine, script, len(jobs)))
    for job, trace in zip(jobs, simulate_many(jobs), strict=True):
        assert same(simulate(*job), trace)
        assert same(Trace.joined(list(live(*job, rows=7))), trace)


def test_another_seed_is_another_set() -> None:
    script = clean_set(2, 4, 1, tail_s=0.5)
    a, b = (simulate(Machine(), script, seed) for seed in (1, 2))
    assert not np.array_equal(a.position_m[:5000], b.position_m[:5000])


@pytest.fixture(scope="module")
def clean() -> list[tuple[tuple[float, float], Trace]]:
    rng = np.random.default_rng(20)
    tempi = [TEMPI[i % 4] for i in range(long(12, 8))]
    jobs = [Job(drawn_machine(rng), clean_set(*tempo, 2, drawn_lifter(rng), 1.0), i) for i, tempo in enumerate(tempi)]
    return list(zip(tempi, simulate_many(jobs), strict=True))


def test_clean_sets_are_clean(clean: list[tuple[tuple[float, float], Trace]]) -> None:
    for (positive_s, negative_s), trace in clean:
        motion, machine = Motion.of(trace, positive_s, negative_s), trace.machine
        inside = motion.inside
        assert np.abs(motion.a_m_s2[inside]).max() < 0.8 * motion.jerk_m_s2
        band = max(0.08 if positive_s >= 8 else 0.10, motion.jerk_m_s2 / 9.80665)
        assert np.abs(motion.relative[inside] - 1).max() < band
        assert low_pass(trace.tension_n, 15)[inside].min() > 0.5 * machine.working_load_n
        for v_m_s, phase_s in ((motion.v_m_s, positive_s), (-motion.v_m_s, negative_s)):
            assert v_m_s.max() < (2.0 if phase_s <= 4 else 1.7) * machine.range_m / phase_s
        still = inside & (np.abs(motion.v_m_s) < motion.rest_m_s)
        assert longest_s(still) < (2.0 if positive_s >= 8 else 1.3)
        assert longest_s(inside & (trace.x_m < 0.003)) == 0


def test_clean_sets_keep_their_tempo_and_range(clean: list[tuple[tuple[float, float], Trace]]) -> None:
    for (positive_s, negative_s), trace in clean:
        machine = trace.machine
        share = (trace.position_m - machine.bottom_m) / machine.range_m
        assert 0.96 < share.max() < 1.04
        tops = np.flatnonzero(np.diff((share > 0.5).astype(int)))
        assert len(tops) == 4, "two repetitions"
        second = trace.position_m[tops[1] : tops[3]]
        rate = np.gradient(second, 0.001)
        for moving, phase_s in (
            (rate > 0.01 * machine.range_m, positive_s),
            (rate < -0.01 * machine.range_m, negative_s),
        ):
            assert moving.sum() * 0.001 == pytest.approx(phase_s, rel=0.3)


def test_no_lifter_repeats_exactly(clean: list[tuple[tuple[float, float], Trace]]) -> None:
    _, trace = clean[3]
    tension = trace.tension_n / trace.machine.working_load_n
    shake = tension - low_pass(tension, 6)
    assert 0.0005 < shake[Motion.of(trace, 10, 10).inside].std() < 0.03


BETWEEN_TWO = ("yank", "snap_lower", "bounce", "touch", "slam", "bottom_rest")  # repetitions


@cache
def faulty(fault: str) -> tuple[Motion, Trace]:
    """A set of one or two repetitions with this fault."""
    machine, seed = Machine(mass_kg=90, friction=0.06), 100 + FAULTS.index(fault)
    reps = 2 if fault in BETWEEN_TWO else 1
    script = faulty_set(np.random.default_rng(seed), machine, 4, 4, reps, (fault,), 1.0, tail_s=1.0)
    trace = simulate(machine, script, seed)
    return Motion.of(trace, 4, 4), trace


@pytest.mark.parametrize("fault", ["heave_start", "heave_mid", "heave_slack", "yank", "stall_shove"])
def test_a_heave_throws_the_stack(fault: str) -> None:
    motion, _ = faulty(fault)
    assert longest_s((motion.v_m_s > 0) & (motion.a_m_s2 > motion.jerk_m_s2)) >= 0.06


@pytest.mark.parametrize("fault", ["drop", "drop_slack", "slam"])
def test_a_drop_falls(fault: str) -> None:
    motion, _ = faulty(fault)
    assert longest_s(motion.inside & (motion.v_m_s < 0) & (motion.a_m_s2 < -motion.jerk_m_s2)) >= 0.06


def test_a_cable_let_go_hangs_loose_off_the_rest() -> None:
    _, trace = faulty("drop_slack")
    assert longest_s((trace.x_m > 0.003) & (low_pass(trace.tension_n, 15) < 0.05 * trace.machine.working_load_n)) > 0.03


@pytest.mark.parametrize("fault", ["snap_upper", "snap_lower", "bounce"])
def test_a_snap_turns_abruptly(fault: str) -> None:
    motion, _ = faulty(fault)
    assert longest_s(motion.inside & (np.abs(motion.a_m_s2) > motion.jerk_m_s2)) >= 0.06


@pytest.mark.parametrize(("fault", "at_least_s"), [("touch", 0.08), ("slam", 0.2), ("bottom_rest", 0.7), ("yank", 0.3)])
def test_a_stack_set_down_stands_there(fault: str, at_least_s: float) -> None:
    motion, trace = faulty(fault)
    loose = trace.tension_n < 0.5 * trace.machine.working_load_n
    assert longest_s(motion.inside & (trace.x_m < 0.003) & loose) >= at_least_s


def test_lockout_stall_and_partial_show_in_the_position() -> None:
    def still_s(fault: str, low: float, high: float) -> float:
        motion, trace = faulty(fault)
        share = (trace.position_m - trace.machine.bottom_m) / trace.machine.range_m
        return longest_s((np.abs(motion.v_m_s) < motion.rest_m_s) & (share > low) & (share < high))

    assert still_s("lockout_rest", 0.95, 1.1) > 1.3
    assert still_s("stall_grind", 0.1, 0.9) > 1.5
    _, partial = faulty("partial")
    tops = np.flatnonzero(np.diff((partial.velocity_m_s > 0.02).astype(int)) < 0)
    heights = (partial.position_m[tops] - partial.machine.bottom_m) / partial.machine.range_m
    assert ((heights > 0.3) & (heights < 0.8)).any()


@pytest.mark.parametrize("fault", ["fast_positive", "fast_negative"])
def test_a_hasty_phase_is_too_fast(fault: str) -> None:
    motion, trace = faulty(fault)
    sign = 1 if fault == "fast_positive" else -1
    assert longest_s(sign * motion.v_m_s > 2.0 * trace.machine.range_m / 4) >= 0.30


def test_every_fault_of_the_list_can_be_drawn() -> None:
    def drawn(fault: str) -> list[Move]:
        return drawn_rep(np.random.default_rng(0), Machine(), 2, 4, fault)

    clean = drawn("")
    assert all(drawn(fault) != clean for fault in FAULTS)
    with pytest.raises(ValueError, match=r"unknown fault 'heavy': the faults are heave_start, .*"):
        faulty_set(np.random.default_rng(0), Machine(), 2, 4, faults=("heavy",), share=1.0)


@pytest.mark.parametrize(
    ("negative_first", "order"), [(False, "Lift Lower Lift Lower"), (True, "Lift Lower Lift Lower Lift Lower")]
)
def test_a_clean_set_has_its_phases_in_order(negative_first: bool, order: str) -> None:
    moves = clean_set(2, 4, 2, negative_first=negative_first).moves
    assert " ".join(type(move).__name__ for move in moves if isinstance(move, Lift | Lower)) == order


def test_a_trace_ends_where_its_script_ends() -> None:
    trace = simulate(Machine(), clean_set(2, 4, 1, tail_s=3.0), 5)
    assert trace.t_s[-1] == pytest.approx(2.5 + 0.9 + 2.2 + 0.5 + 4 + 0.5 + 3.0, abs=2.0)
    assert {len(getattr(trace, f.name)) for f in fields(trace) if f.name in COLUMNS} == {len(trace)}
