"""Whether counts that stand are a stack that stands."""

import numpy as np
import pytest

from monitor.signals.grid import STEP_S
from monitor.signals.stillness import PLATEAU, Judge, Verdict

COUNT_M = 0.0005
STOP = 100  # the step in which a stack that coasts comes to stand
COASTING_N, HELD_N = 324.0, 410.0
TAKES_S = 0.09  # to hold a stack again that has coasted
HX711_HZ, HX711_WINDOW_S = 80.0, 0.05


def read_by_hx711(t_s: np.ndarray) -> np.ndarray:
    """What the steps know of the tension: each reading is a mean over the 50 ms before it."""
    fine_s = np.arange(-0.1, 2.0, 0.001)
    fine_n = np.interp(fine_s, [STOP * STEP_S, STOP * STEP_S + TAKES_S], [COASTING_N, HELD_N])
    stamps_s = np.arange(0.0, 1.9, 1 / HX711_HZ)
    means_n = [fine_n[(fine_s > at_s - HX711_WINDOW_S) & (fine_s <= at_s)].mean() for at_s in stamps_s]
    known_n: np.ndarray = np.interp(t_s, stamps_s, means_n)
    return known_n


def test_a_stack_that_coasts_to_a_stop_is_not_a_frozen_encoder_where_the_cell_is_slow() -> None:
    """A converter that averages over 50 ms shows all of the lifter's hold only 50 ms later."""
    t_s = np.arange(STOP + 60) * STEP_S
    left_s = np.maximum(0.0, (STOP * STEP_S) - t_s)
    x_m = np.round((0.5 - 0.5 * 2.0 * left_s**2) / COUNT_M) * COUNT_M
    force_n = read_by_hx711(t_s)
    edge = int(np.flatnonzero(np.diff(x_m))[-1]) + 1
    known = [Judge(COUNT_M, inertia=1.0).stop(x_m[:n], force_n[:n], edge) for n in range(edge + PLATEAU, len(x_m))]
    assert Verdict.FROZEN not in known
    assert known[-1] is Verdict.REAL


def test_counts_that_stop_under_an_even_tension_are_a_frozen_encoder() -> None:
    x_m = np.minimum(np.arange(STOP + 60), STOP) * 0.1 * STEP_S
    force_n = np.full(len(x_m), HELD_N)
    known = [Judge(COUNT_M, inertia=1.0).stop(x_m[:n], force_n[:n], STOP + 1) for n in range(STOP + PLATEAU, len(x_m))]
    assert known[0] is Verdict.ODD
    assert known[-1] is Verdict.FROZEN


def test_counts_that_run_out_by_and_by_are_a_stack_that_brakes() -> None:
    """What its inertia takes from the tension, friction may give back when it stands: the cable shows little."""
    left_s = np.maximum(0.0, STOP - np.arange(STOP + 60)) * STEP_S
    x_m = np.round(0.5 * 1.2 * left_s**2 / COUNT_M) * COUNT_M
    force_n = np.full(len(x_m), HELD_N)
    edge = int(np.flatnonzero(np.diff(x_m))[-1]) + 1
    known = [Judge(COUNT_M, inertia=1.0).stop(x_m[:n], force_n[:n], edge) for n in range(edge + PLATEAU, len(x_m))]
    assert set(known) == {Verdict.REAL}


@pytest.mark.parametrize(("runs", "verdict"), [("falls", Verdict.REAL), ("evenly", Verdict.FROZEN)])
def test_counts_that_begin_to_fall_are_no_encoder_that_was_frozen(runs: str, verdict: Verdict) -> None:
    """The cell's zero may have walked, so that it does not show an empty cable."""
    since_s = np.maximum(0.0, np.arange(STOP + 60) - STOP) * STEP_S
    way_m = 0.5 * 8.8 * since_s**2 if runs == "falls" else 0.3 * since_s
    x_m = -np.round(way_m / 1e-4) * 1e-4
    force_n = np.full(len(x_m), 21.0)
    known = [Judge(1e-4, inertia=1.0).start(x_m[:n], force_n[:n], STOP) for n in range(STOP + 5, len(x_m))]
    assert known[-1] is verdict
    assert verdict is Verdict.FROZEN or Verdict.FROZEN not in known


def verdicts(x_m: np.ndarray, force_n: np.ndarray, edge: int, of: str = "stop") -> list[Verdict]:
    """The verdicts on an edge as steps come, until one is final."""
    judge = Judge(COUNT_M, inertia=1.0)
    known: list[Verdict] = []
    for n in range(edge + PLATEAU, len(x_m)):
        known.append(getattr(judge, of)(x_m[:n], force_n[:n], edge))
        if known[-1] is not Verdict.ODD:
            break
    return known


def counted(x_m: np.ndarray) -> np.ndarray:
    known_m: np.ndarray = np.floor(x_m / COUNT_M) * COUNT_M
    return known_m


@pytest.mark.parametrize("m_s2", [1.0, 2.0, 3.0])
def test_counts_that_slow_down_to_their_turning_point_are_a_stack_that_stands_though_friction_hides_it(
    m_s2: float,
) -> None:
    left_s = np.maximum(0.0, (STOP - np.arange(STOP + 60)) * STEP_S)
    for offset_m in np.linspace(0, COUNT_M, 7):
        x_m = counted(0.5 + offset_m - 0.5 * m_s2 * left_s**2)
        edge = int(np.flatnonzero(np.diff(x_m))[-1]) + 1
        assert verdicts(x_m, np.full(len(x_m), HELD_N), edge)[-1] is Verdict.REAL


@pytest.mark.parametrize("m_s2", [1.0, 2.0, 3.0])
def test_counts_that_run_faster_and_faster_are_a_stack_that_starts(m_s2: float) -> None:
    gone_s = np.maximum(0.0, (np.arange(STOP + 60) - STOP) * STEP_S)
    x_m = counted(0.5 - 0.5 * m_s2 * gone_s**2)
    edge = int(np.flatnonzero(np.diff(x_m))[0]) + 1
    assert verdicts(x_m, np.full(len(x_m), HELD_N), edge, "start")[-1] is Verdict.REAL


def test_a_stack_that_lands_and_bounces_misses_no_counts_though_a_hand_pulls_evenly() -> None:
    t_s = (np.arange(STOP + 60) - STOP) * STEP_S
    x_m = counted(np.where(t_s < 0, -1.0 * t_s, np.maximum(0.0, 0.4 * t_s - 0.5 * 8.0 * t_s**2)))
    assert verdicts(x_m, np.full(len(x_m), HELD_N), STOP, "kink")[-1] is Verdict.REAL
    lying = int(np.flatnonzero(np.diff(x_m))[-1]) + 1
    assert verdicts(x_m, np.full(len(x_m), HELD_N), lying)[-1] is Verdict.REAL


@pytest.mark.parametrize(("left", "verdict"), [(0.6, Verdict.REAL), (0.8, Verdict.FROZEN)])
def test_a_tension_that_changes_by_a_third_shows_that_something_moves_however_fast(
    left: float, verdict: Verdict
) -> None:
    """A carriage without mass that is let go is as fast as its air lets it be after one count."""
    t_s = (np.arange(STOP + 60) - STOP) * STEP_S
    x_m = counted(0.5 - 2.0 * np.maximum(0.0, t_s))
    force_n = np.where(t_s < 0, HELD_N, left * HELD_N)
    assert verdicts(x_m, force_n, STOP + 1, "start")[-1] is verdict
