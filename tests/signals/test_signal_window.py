"""Detectors see what is known at their moment, however many moments have arrived in the same batch."""

from typing import Any

import numpy as np
import pytest

from monitor.signals.motion import SignalBlock
from monitor.signals.signal_window import KEPT, SignalWindow

LAG = 5


def window(moments: int, now: int) -> SignalWindow:
    """Each signal of a moment is its number; a slow velocity lags by LAG."""
    kept = SignalWindow(LAG)
    for first in range(0, moments, 500):
        column = np.arange(first, min(moments, first + 500), dtype=np.float64)
        marks = np.zeros(len(column), bool)
        columns: list[Any] = [*[column] * 6, marks, marks, *[column] * 3]
        kept.append(SignalBlock(first, *columns), rest_m=0.0, zero_n=0.0)
    kept.look_from(now)
    return kept


@pytest.mark.parametrize("arrived", [101, 150, 400])
def test_a_slow_velocity_that_is_not_known_yet_is_not_seen(arrived: int) -> None:
    signals = window(arrived, now=100)
    assert signals.slow_part(90, 94).tolist() == [95, 96, 97, 98]
    assert signals.slow_part(90, 99).tolist() == [95, 96, 97, 98, 99, 100]


def test_slow_velocities_of_a_long_stretch_begin_with_the_oldest_visible_moment() -> None:
    now = KEPT + 1000
    signals = window(now + 1, now)
    assert signals.part(signals.x, 0, now).tolist()[0] == 1000
    assert signals.slow_part(0, now).tolist()[0] == 1000 + LAG
