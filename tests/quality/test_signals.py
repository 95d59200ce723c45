"""The filters of the truth, and the pivots of a movement."""

import numpy as np
import pytest

from tests.quality.movement import pivots
from tests.quality.signals import held, joined, low_pass


@pytest.mark.parametrize(("frequency_hz", "gain"), [(0.5, 1.0), (6.0, 0.5), (12.0, 1 / 17), (40.0, 0.0)])
def test_low_pass_is_the_squared_butterworth_without_phase(frequency_hz: float, gain: float) -> None:
    t_s = np.arange(8000) * 0.001
    wave = np.sin(2 * np.pi * frequency_hz * t_s)
    middle = slice(3000, 5000)
    assert low_pass(wave, 6.0, 0.001)[middle] == pytest.approx(gain * wave[middle], abs=0.004)


def test_low_pass_keeps_constants_and_ramps_to_the_very_ends() -> None:
    ramp = np.linspace(3.0, 7.0, 5000)
    assert low_pass(ramp, 8.0, 0.001) == pytest.approx(ramp, abs=2e-3)
    assert low_pass(np.full(700, 5.0), 8.0, 0.001) == pytest.approx(np.full(700, 5.0), abs=1e-9)


def test_pivots_need_travel_and_the_ends_are_kept() -> None:
    x = np.concatenate(
        [np.linspace(0, 1, 50), np.linspace(1, 0.95, 10), np.linspace(0.95, 1.2, 30), np.linspace(1.2, 0, 50)]
    )
    assert [side for side, _ in pivots(x, 0.1)] == [-1, 1, -1]
    assert [side for side, _ in pivots(x, 0.04)] == [-1, 1, -1, 1, -1]
    assert pivots(np.zeros(10), 0.1) == []


def test_holds_come_before_joins() -> None:
    mask = np.zeros(1000, bool)
    mask[100:170] = mask[260:280] = mask[300:370] = mask[700:800] = True
    assert joined(held(mask, 0.06, 0.001), 0.15, 0.001) == [(100, 370), (700, 800)]
    assert held(mask, 0.08, 0.001) == [(700, 800)]
