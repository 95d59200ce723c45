"""A jerk is announced early only where the rounding of the encoder cannot have made it."""

import numpy as np
import pytest

from firmware_bridge.samples import Samples
from monitor.detect.spine import Spine
from tests.movements import BOTTOM_M, TOP_M, Act, Down, Leg, Movement, Still, profile

COARSE_M = 2.0**-11  # 0.49 mm
PROFILE = profile(metres_per_count=COARSE_M, positive_s=4.0, negative_s=4.0)
A_JERK_M_S2 = 0.08 * 9.80665
SHARE = 0.8  # of it: the peak of a movement that is no jerk


@pytest.mark.parametrize("k", range(8, 16))
def test_rounding_makes_no_jerk_of_a_movement_without_one(k: int) -> None:
    peak_of_minimum_jerk = 10 / np.sqrt(3)  # in lengths over the square of the duration
    shortest_s = float(np.sqrt(peak_of_minimum_jerk * 0.9 * (TOP_M - BOTTOM_M) / (SHARE * A_JERK_M_S2)))
    slow = shortest_s * (1 + 0.001 * k)
    rep: list[Act] = [Leg(0.9, slow), Still(0.4), Leg(0.0, slow), Still(0.4)]
    acts: list[Act] = [Leg(0.0, 0.5), Still(0.4 + 0.003 * k), *rep, *rep, Down(1.0)]
    samples = Movement(tuple(acts), position_hz=100.0).samples()
    coarse_m = np.round(samples.position_m / COARSE_M) * COARSE_M
    events = Spine(PROFILE, "s").update(Samples(samples.t_s, coarse_m, samples.force_n, samples.flags)).events
    assert not [event for event in events if event.kind == "jerk"]
