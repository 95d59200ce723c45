"""The tracked position over a jump of the encoder."""

import numpy as np
import pytest

from monitor.signals.grid import STEP_S, Hole, Steps
from monitor.signals.position_tracker import PositionTracker

COUNT_M = 1e-4
BEFORE, AFTER = 400, 1200
JUMP_M = 0.03


def steps_of(x_m: np.ndarray) -> Steps:
    n = len(x_m)
    still = np.concatenate((np.zeros(1, bool), np.diff(x_m) == 0))
    jump_s = BEFORE * STEP_S
    return Steps(
        first=0,
        x_raw_m=x_m,
        force_n=np.full(n, 800.0),
        still=still,
        repeated=np.zeros(n, bool),
        found_s=np.arange(n, dtype=np.float64) * STEP_S,
        holes=[Hole("position", "encoder_jump", jump_s - 0.002, jump_s + 0.002, BEFORE + 1)],
        flagged=[],
    )


@pytest.mark.parametrize("counts_apart", [3, 12, 40])
def test_the_position_is_found_again_after_a_jump_while_the_stack_hardly_moves(counts_apart: int) -> None:
    """A movement across the jump is not a speed, so the standstill after it is not a frozen encoder."""
    counts = np.arange(BEFORE + AFTER) // counts_apart
    x_m = 0.05 + counts * COUNT_M
    x_m[BEFORE:] += JUMP_M
    x_m[BEFORE] = np.nan  # the grid cell with the jump
    x_m[BEFORE + 3 : BEFORE + 15] = x_m[BEFORE + 15]
    x_m[BEFORE + 1 : BEFORE + 3] = x_m[BEFORE + 3] - np.array((2, 1)) * COUNT_M / 3  # the last of its counts
    tracked = PositionTracker(COUNT_M).update(steps_of(x_m))
    later = tracked.steps.x_raw_m[BEFORE + 30 :]
    assert not np.isnan(later).any()
    assert np.abs(later - (0.05 + counts[BEFORE + 30 :] * COUNT_M)).max() < 0.003
