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
    tracked = PositionTracker(COUNT_M, inertia=1.0).update(steps_of(x_m))
    later = tracked.steps.x_raw_m[BEFORE + 30 :]
    assert not np.isnan(later).any()
    assert np.abs(later - (0.05 + counts[BEFORE + 30 :] * COUNT_M)).max() < 0.003


def halted(speed_m_s: float, count_m: float) -> np.ndarray:
    """A position that runs evenly and then stands."""
    x_m = 0.05 + speed_m_s * STEP_S * np.minimum(np.arange(BEFORE + AFTER), BEFORE)
    known_m: np.ndarray = np.floor(x_m / count_m) * count_m
    return known_m


@pytest.mark.parametrize(("count_m", "speed_m_s"), [(1e-4, 0.03), (1e-4, 0.3), (5e-4, 0.07), (5e-4, 0.3)])
def test_an_encoder_that_stops_dead_under_an_even_tension_is_frozen(count_m: float, speed_m_s: float) -> None:
    tracker = PositionTracker(count_m, inertia=1.0)
    tracked = tracker.update(steps_of(halted(speed_m_s, count_m))._replace(holes=[]))
    assert [hole.cause for hole in tracked.steps.holes] == ["frozen"]


@pytest.mark.parametrize("inertia", [0.0, 0.05])
def test_what_moves_hardly_any_mass_stops_dead_unseen_by_the_cell(inertia: float) -> None:
    tracked = PositionTracker(COUNT_M, inertia).update(steps_of(halted(0.3, COUNT_M))._replace(holes=[]))
    assert not tracked.steps.holes


def test_half_the_mass_of_a_stack_still_shows_a_quick_stop() -> None:
    tracked = PositionTracker(COUNT_M, 0.5).update(steps_of(halted(0.3, COUNT_M))._replace(holes=[]))
    assert [hole.cause for hole in tracked.steps.holes] == ["frozen"]
