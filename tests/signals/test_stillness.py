"""Whether counts that stand are a stack that stands."""

import numpy as np

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
    known = [Judge(COUNT_M).stop(x_m[:n], force_n[:n], edge) for n in range(edge + PLATEAU, len(x_m))]
    assert Verdict.FROZEN not in known
    assert known[-1] is Verdict.REAL


def test_counts_that_stop_under_an_even_tension_are_a_frozen_encoder() -> None:
    x_m = np.minimum(np.arange(STOP + 60), STOP) * 0.1 * STEP_S
    force_n = np.full(len(x_m), HELD_N)
    known = [Judge(COUNT_M).stop(x_m[:n], force_n[:n], STOP + 1) for n in range(STOP + PLATEAU, len(x_m))]
    assert known[0] is Verdict.ODD
    assert known[-1] is Verdict.FROZEN
