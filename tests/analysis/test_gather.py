"""Samples handed on together: all of them, in order, and at the ticks that feedback falls on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.samples import Samples
from monitor.analysis.gather import TICK_S, Gather

POSITION, FORCE = (1.0, np.nan), (np.nan, 1.0)


def batch(*rows: tuple[float, tuple[float, float]]) -> Samples:
    return Samples(
        np.array([t_s for t_s, _ in rows]),
        np.array([values[0] for _, values in rows]),
        np.array([values[1] for _, values in rows]),
        np.zeros(len(rows), np.uint8),
    )


def of_one_kind(
    kind: tuple[float, float], every_s: float, duration_s: float
) -> list[tuple[float, tuple[float, float]]]:
    return [(k * every_s, kind) for k in range(round(duration_s / every_s))]


def rest_s(gather: Gather) -> float:
    """How long no sample is needed after the newest one."""
    return gather.due_s - gather.newest_s


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=200))
def test_nothing_is_lost_or_reordered(sizes: list[int]) -> None:
    rows = sorted(of_one_kind(POSITION, 0.002, 3) + of_one_kind(FORCE, 0.0125, 3), key=lambda row: row[0])
    gather, at = Gather(), 0
    taken: list[float] = []
    for size in sizes:
        if at < len(rows):
            handed = gather.add(batch(*rows[at : at + size]))
            taken += [] if handed is None else handed.t_s.tolist()
            at += size
    taken += gather.take().t_s.tolist()
    assert taken == [t_s for t_s, _ in rows[:at]]


def test_it_hands_on_once_a_tick_and_as_soon_as_the_tick_is_known() -> None:
    rows = sorted(of_one_kind(POSITION, 0.002, 10) + of_one_kind(FORCE, 0.002, 10), key=lambda row: row[0])
    gather = Gather()
    handed = [samples for row in rows if (samples := gather.add(batch(row))) is not None]
    assert len(handed) == round(10 / TICK_S) + 2  # the first of each kind, then every tick
    for samples in handed[2:]:
        past_s = (samples.t_s[-1] - 0.0025) % TICK_S
        assert past_s < 0.002 + 1e-9, "a step that a feedback falls on is made by the first sample behind it"


def test_a_missing_kind_delays_the_other_no_longer_than_the_grid_waits() -> None:
    gather = Gather()
    handed = [gather.add(batch(row)) for row in of_one_kind(POSITION, 0.002, 10)]
    assert len([samples for samples in handed if samples is not None]) > 9.5 / TICK_S


@settings(deadline=None, max_examples=30)
@given(st.sampled_from([0.001, 0.002, 0.01]), st.sampled_from([0.001, 0.0125, 0.1]), st.floats(0, 0.04))
def test_it_never_rests_past_what_it_would_hand_on(position_s: float, force_s: float, begin_s: float) -> None:
    rows = sorted(of_one_kind(POSITION, position_s, 0.5) + of_one_kind(FORCE, force_s, 0.5), key=lambda row: row[0])
    gather, until_s, rested_s = Gather(), 0.0, 0.0
    gather.add(batch((begin_s, POSITION), (begin_s, FORCE)))
    for t_s, values in rows:
        t_s += begin_s
        if gather.add(batch((t_s, values))) is not None:
            assert t_s >= until_s - 1e-9
            rested_s += max(0.0, rest_s(gather))
        until_s = max(until_s, gather.due_s)
    assert rested_s > 0.25 or force_s == 0.1, "half of the time or more it need not look"


@pytest.mark.parametrize(("positions", "force_s"), [(1, 0.0125), (5, 0.0125), (9, 0.002), (5, 0.1)])
def test_it_foresees_the_burst_that_completes_a_tick(positions: int, force_s: float) -> None:
    rows = of_one_kind(POSITION, 0.002, 18)
    bursts = [rows[k : k + positions] for k in range(0, len(rows), positions)]
    bursts += [[row] for row in of_one_kind(FORCE, force_s, 18)]
    gather, handed, foreseen = Gather(), 0, 0
    for burst in sorted(bursts, key=lambda burst: burst[-1][0]):
        due_s = gather.due_s
        if gather.add(batch(*burst)) is not None and gather.newest_s > 0.5:
            handed += 1
            foreseen += abs(due_s - gather.newest_s) < 0.001
    assert foreseen == handed > 170


def test_after_a_sample_that_just_missed_a_tick_it_rests_until_the_next_one() -> None:
    forces = [(k * 0.0125 - 1e-9, FORCE) for k in range(1, 800)]
    rows = sorted(of_one_kind(POSITION, 0.002, 10) + forces, key=lambda row: row[0])
    gather, missed = Gather(), 0
    for t_s, values in rows:
        gather.add(batch((t_s, values)))
        if values is FORCE and t_s > 0.5 and abs((t_s - 0.0025) % TICK_S - TICK_S) < 1e-6:
            missed += 1
            assert gather.due_s == pytest.approx(t_s + 0.0125)
    assert missed > 40


def test_bursts_that_came_in_one_read_are_no_longer_one() -> None:
    gather = Gather()
    for number in range(100):
        gather.add(batch(*((number * 0.04 + t_s, kind) for t_s in (0.01, 0.02, 0.03) for kind in (POSITION, FORCE))))
        assert rest_s(gather) <= TICK_S


def test_a_silence_makes_no_burst_longer() -> None:
    gather = Gather()
    for t_s in (0.0, 2.0):
        gather.add(batch((t_s, POSITION), (t_s, FORCE)))
    gather.add(batch(*((2.0 + k * 0.01, kind) for k in range(1, 11) for kind in (POSITION, FORCE))))
    assert rest_s(gather) <= TICK_S


def test_it_rests_though_a_kind_stays_away() -> None:
    gather, rested_s = Gather(), 0.0
    for row in of_one_kind(POSITION, 0.002, 10):
        if gather.add(batch(row)) is not None:
            rested_s += rest_s(gather)
    assert rested_s > 9


def test_an_empty_read_hands_nothing_on() -> None:
    assert Gather().add(batch()) is None
    assert len(Gather().take()) == 0


def calm_gather() -> tuple[Gather, list[tuple[float, tuple[float, float]]]]:
    """After a second, when no change is expected any more, and the rows that follow."""
    rows = sorted(of_one_kind(POSITION, 0.002, 10) + of_one_kind(FORCE, 0.002, 10), key=lambda row: row[0])
    gather = Gather()
    while rows[0][0] < 1 or gather.add(batch(rows[0])) is None:
        gather.add(batch(rows.pop(0)))
    gather.expect(changes=False)
    return gather, rows[1:]


def test_without_changes_it_hands_on_once_a_second_and_rests_for_two_ticks() -> None:
    gather, rows = calm_gather()
    handed, rested_s = [], 0.0
    assert TICK_S < rest_s(gather) <= 2 * TICK_S + 1e-9
    for row in rows:
        before_s = rest_s(gather)
        if (samples := gather.add(batch(row))) is not None:
            handed.append(samples)
        rested_s += max(0.0, rest_s(gather) - before_s)
    assert 8 <= len(handed) <= 10
    assert rested_s > 7


@pytest.mark.parametrize("values", [(1.0015, np.nan), (0.9985, np.nan), (np.nan, 9.0), (np.nan, -7.0)])
def test_the_first_change_is_handed_on_with_its_tick(values: tuple[float, float]) -> None:
    gather, rows = calm_gather()
    handed_s = []
    for t_s, calm in rows:
        changed = t_s > 1.5 and np.isnan(values[0]) == np.isnan(calm[0])
        if gather.add(batch((t_s, values if changed else calm))) is not None:
            handed_s.append(t_s)
    first_s = next(t_s for t_s in handed_s if t_s > 1.5)
    assert first_s < 1.5 + TICK_S + 0.005


def test_a_flag_or_a_missing_kind_is_a_change() -> None:
    gather, rows = calm_gather()
    flagged = [gather.add(Samples(*batch(row)[:3], np.ones(1, np.uint8))) for row in rows[:100]]
    assert len([samples for samples in flagged if samples is not None]) >= 2
    gather, rows = calm_gather()
    alone = [gather.add(batch(row)) for row in rows if row[1] is POSITION]
    assert len([samples for samples in alone if samples is not None]) > 8 / TICK_S
