"""The slow wobble of a lifter's speed and the tremor of the hand, as sums of a few sines."""

import numpy as np
from numpy.typing import NDArray

WOBBLES, TREMORS = 3, 4
WOBBLE_HZ, TREMOR_HZ = (0.4, 1.6), (8.0, 12.0)


class Sway:
    """The waves of one lifter, with their phases."""

    def __init__(self, rng: np.random.Generator) -> None:
        waves_hz = [rng.uniform(*WOBBLE_HZ, WOBBLES), rng.uniform(*TREMOR_HZ, TREMORS)]
        self.omega = 2 * np.pi * np.concatenate(waves_hz)
        self.phase = rng.uniform(0, 2 * np.pi, WOBBLES + TREMORS)


def sway_blocks(
    sways: list[Sway], wobble: NDArray[np.float64], t_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How fast each lifter's clock runs, and a tremor of rms 1; both of shape (times, lifters)."""
    omega = np.array([s.omega for s in sways]).T[:, None, :]
    phase = np.array([s.phase for s in sways]).T[:, None, :]
    waves = np.sin(omega * t_s[None, :, None] + phase)
    pace = 1.0 + wobble * waves[:WOBBLES].sum(axis=0) * np.sqrt(2 / WOBBLES)
    return pace, waves[WOBBLES:].sum(axis=0) * np.sqrt(2 / TREMORS)
