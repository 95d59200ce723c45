"""A reading that leaps away from both its neighbours is noise; the steepest pull lies between them."""

import numpy as np
import pytest

from monitor.signals.roughness import Roughness

STEP_S = 0.0125  # 80 readings a second
PULLS_N = {
    "clank": [0.0, 0.0, 60.0, 900.0, 2100.0, 2500.0, 2000.0, 1400.0, 1300.0],
    "landing": [1000.0, 1000.0, 930.0, 330.0, 20.0, 0.0, 0.0],
}


def rough(force_n: list[float], *, at_once: int, averages: bool = True) -> list[float]:
    """The stamps of the rough readings, as numbers of readings, where so many arrive at once."""
    judge, t_s, y = Roughness(averages), STEP_S * np.arange(len(force_n), dtype=np.float64), np.array(force_n)
    parts = [slice(low, low + at_once) for low in range(0, len(y), at_once)]
    return [stamp_s / STEP_S for part in parts for _, stamp_s in judge.update(t_s[part], y[part])]


@pytest.mark.parametrize("at_once", [1, 3, 100])
@pytest.mark.parametrize("pull", PULLS_N)
def test_a_cable_that_is_pulled_tight_or_let_go_is_no_noise(pull: str, at_once: int) -> None:
    assert not rough(PULLS_N[pull], at_once=at_once)


@pytest.mark.parametrize("at_once", [1, 3, 100])
@pytest.mark.parametrize("leap_n", [-600.0, 600.0])
def test_a_reading_that_leaps_away_is_noise(leap_n: float, at_once: int) -> None:
    force_n = [1000.0 + i for i in range(20)]
    force_n[12] += leap_n
    assert rough(force_n, at_once=at_once) == pytest.approx([12])
    assert not rough(force_n, at_once=at_once, averages=False), "a converter that does not average may show one"


def test_most_readings_of_a_noisy_cell_are_rough() -> None:
    force_n = (1000.0 + np.random.default_rng(1).normal(0.0, 500.0, 400)).tolist()
    assert len(rough(force_n, at_once=5)) > 80
