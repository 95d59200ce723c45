"""The linear filters of motion and tension, each the best estimate of its true signal at its delay.

The true signals (EVENTS.md 1.1) are low-passed with zero phase, which needs samples from far ahead. The best estimate
that can be given `ahead` steps later is the Wiener filter: the weights with the least expected error, given how the
signal is distributed over frequencies, the response of the sensor, and its noise. With R the covariance of the
measured values and r their covariance with the wanted value, the weights are R^-1 r (Wiener 1949).
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from monitor.signals.grid import STEP_S

Column = NDArray[np.float64]
F_HZ = np.linspace(0, 0.5 / STEP_S, 2001)  # up to half of the grid's rate
ACCELERATION_HZ = 6.0  # of the true signals: EVENTS.md 1.1
PAST, TENSION_PAST = 16, 10  # steps that acceleration and tension look back
SPREAD_M_S2, BEND_HZ, SLOPE = 1.5, 4.0, 3.0  # how acceleration in faulty sets is spread over frequencies
TENSION_SPREAD, TENSION_BEND_HZ, TENSION_SLOPE = 0.12, 3.0, 3.0  # and tension, as a share of the load
CELL_NOISE = 0.002  # of the load, rms of one reading
LEAST_NOISE = 0.3  # of that, in every step: without it the filter would sharpen what noise hides
LONGEST_WINDOW_S = 0.1  # of a cell that can be sharpened: at 10 readings a second nothing is left to sharpen


def quadratic_kernel(half: int) -> Column:
    """Value in the middle of the least-squares quadratic over 2 * half + 1 steps (Savitzky & Golay 1964)."""
    i = np.arange(-half, half + 1, dtype=float)
    return 3 * (3 * half * (half + 1) - 1 - 5 * i * i) / ((2 * half - 1) * (2 * half + 1) * (2 * half + 3))


@lru_cache
def slope_kernel(half: int) -> Column:
    """Slope (1/s) of the least-squares line over 2 * half + 1 steps."""
    i = np.arange(-half, half + 1, dtype=float)
    return i / (i @ i) / STEP_S


@lru_cache
def acceleration_kernel(ahead: int, count_m: float, past: int = PAST) -> Column:
    """Acceleration (1/s2) low-passed at 6 Hz, from positions `past` steps before a moment to `ahead` steps after it.

    It weighs second differences of position, so that position and speed do not matter. `count_m`: the encoder's step.
    """
    i = np.arange(-past, ahead)
    power = _power(SPREAD_M_S2, BEND_HZ, SLOPE)
    seen = np.sinc(F_HZ * STEP_S) ** 3  # the mean over a cell, and the triangle of a second difference
    matrix = _covariance(len(i), power * seen**2)
    apart = np.abs(i[:, None] - i[None, :])
    for distance, weight in ((0, 6.0), (1, -4.0), (2, 1.0)):  # rounding to counts, differenced twice
        matrix += weight * count_m**2 / 12 / STEP_S**4 * (apart == distance)
    weights = np.linalg.solve(matrix, _wanted(i, power * seen * _low_pass(ACCELERATION_HZ)))
    return np.convolve(weights, (1.0, -2.0, 1.0)) / STEP_S**2


def rounding_error(kernel: Column, count_m: float) -> float:
    """The root mean square of what rounding positions to steps of `count_m` adds to an estimate."""
    return float(np.sqrt(kernel @ kernel / 12)) * count_m


def tension_kernel(cutoff_hz: float, ahead: int, window_s: float, period_s: float) -> Column:
    """Tension low-passed at `cutoff_hz`, from forces TENSION_PAST steps before a moment to `ahead` steps after it.

    A reading is the mean over the `window_s` before its stamp, and readings come every `period_s`: the converter is
    late by half its window and flattens shorter events. The kernel undoes both as far as the noise allows. The weights
    sum to one, so that a constant force is passed on unchanged.
    """
    return _tension_estimate(cutoff_hz, TENSION_PAST, ahead, window_s, period_s)[0]


def tension_outlook(ahead: int, steps: int, window_s: float, period_s: float) -> tuple[Column, Column]:
    """Tension in the `steps` moments after one, as acceleration is low-passed, from the forces of `tension_kernel`.

    Returns kernels, shape (steps, n), and their expected errors (root mean square, share of the load), shape (steps,).
    """
    estimates = [
        _tension_estimate(ACCELERATION_HZ, TENSION_PAST + step, ahead - step, window_s, period_s)
        for step in range(1, steps + 1)
    ]
    return np.stack([kernel for kernel, _ in estimates]), np.array([error for _, error in estimates])


@lru_cache
def _tension_estimate(
    cutoff_hz: float, past: int, ahead: int, window_s: float, period_s: float
) -> tuple[Column, float]:
    """The kernel, and its expected error as a share of the load."""
    if window_s > LONGEST_WINDOW_S:
        window_s = period_s = STEP_S
    i = np.arange(-past, ahead + 1)
    power = _power(TENSION_SPREAD, TENSION_BEND_HZ, TENSION_SLOPE)
    straight = np.sinc(F_HZ * period_s) ** 2  # readings are joined by straight lines
    cell = np.sinc(F_HZ * STEP_S)
    seen = np.sinc(F_HZ * window_s) * straight * cell * np.exp(-1j * np.pi * F_HZ * window_s)
    noise = CELL_NOISE**2 * straight**2 / (straight**2).sum() * cell**2
    matrix = _covariance(len(i), power * np.abs(seen) ** 2 + noise) + (LEAST_NOISE * CELL_NOISE) ** 2 * np.eye(len(i))
    wanted = _wanted(i, power * seen * _low_pass(cutoff_hz))
    weights = np.linalg.solve(matrix, wanted)
    spare = np.linalg.solve(matrix, np.ones(len(i)))
    kernel: Column = weights + spare * (1 - weights.sum()) / spare.sum()
    left = (power * _low_pass(cutoff_hz) ** 2).sum() - 2 * wanted @ kernel + kernel @ matrix @ kernel
    return kernel, math.sqrt(left)


def _power(spread: float, bend_hz: float, slope: float) -> Column:
    """The variance by frequency, flat up to the bend."""
    shape = 1 / (1 + (F_HZ / bend_hz) ** slope)
    power: Column = spread**2 * shape / shape.sum()
    return power


def _low_pass(cutoff_hz: float) -> Column:
    """|H|^2 of a second-order Butterworth filter: forward and backward, as in EVENTS.md 1.1."""
    passed: Column = 1 / (1 + (F_HZ / cutoff_hz) ** 4)
    return passed


def _covariance(n: int, power: Column) -> Column:
    """The covariance of n consecutive steps of a signal, shape (n, n)."""
    # step by step: one array of all steps would be the largest of a daemon's start
    by_distance = np.array([np.cos(2 * np.pi * STEP_S * step * F_HZ) @ power for step in range(n)])
    i = np.arange(n)
    covariance: Column = by_distance[np.abs(i[:, None] - i[None, :])]
    return covariance


def _wanted(i: NDArray[np.int64], crossed: NDArray[np.complex128] | Column) -> Column:
    """The covariance of measured values at steps `i` with the wanted value at step 0."""
    return np.array([(np.exp(2j * np.pi * STEP_S * step * F_HZ) @ crossed).real for step in i])
