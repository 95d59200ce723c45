"""Noise-free signals of one set, with the zero-phase filters of EVENTS.md 1.1."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOTION_HZ = 6.0
TENSION_HZ = 8.0
TENSION_FAST_HZ = 15.0  # slack, touch, ceiling
PAD_S = 2.0


Level = float | Floats  # one threshold for all rows, or one for each row


class Loads(NamedTuple):
    """The machine's load, row by row; columns of shape (n,)."""

    asked_n: Floats  # W at this position, in this direction
    selected_n: Floats  # W of the pin: the mean of asked_n over the range
    inertia_kg: Floats  # the moving mass that the cell feels


class Signals(NamedTuple):
    """What really happened, at an even 1 kHz; columns of shape (n,), the position in the machine's raw coordinate."""

    t_s: Floats
    position_m: Floats
    velocity_m_s: Floats
    acceleration_m_s2: Floats
    tension_n: Floats
    contact_n: Floats  # force between stack and rest; zeros where there is no stack
    loads: Loads | None = None  # if the load differs from the profile's


class Filtered(NamedTuple):
    """The true signals of EVENTS.md 1.1."""

    t_s: Floats
    step_s: float
    x_m: Floats  # above the rest, not filtered: contact is a matter of millimetres
    raw_v_m_s: Floats
    v_m_s: Floats
    a_m_s2: Floats
    tension_n: Floats  # 8 Hz
    fast_tension_n: Floats  # 15 Hz


def filtered(signals: Signals, rest_m: float) -> Filtered:
    step_s = float(np.mean(np.diff(signals.t_s)))
    return Filtered(
        t_s=signals.t_s,
        step_s=step_s,
        x_m=signals.position_m - rest_m,
        raw_v_m_s=signals.velocity_m_s,
        v_m_s=low_pass(signals.velocity_m_s, MOTION_HZ, step_s),
        a_m_s2=low_pass(signals.acceleration_m_s2, MOTION_HZ, step_s),
        tension_n=low_pass(signals.tension_n, TENSION_HZ, step_s),
        fast_tension_n=low_pass(signals.tension_n, TENSION_FAST_HZ, step_s),
    )


def low_pass(column: Floats, cutoff_hz: float, step_s: float) -> Floats:
    """A second-order Butterworth forward and backward: zero phase, so its response is the squared magnitude.

    |H(f)|^2 = 1 / (1 + (tan(pi f dt) / tan(pi fc dt))^4), the bilinear design, applied in the frequency domain. The
    ends are continued by odd reflection, as a forward-backward filter in the time domain would.
    """
    n = len(column)
    pad = min(round(PAD_S / step_s), n - 1)
    head = 2 * column[0] - column[pad:0:-1]
    tail = 2 * column[-1] - column[-2 : -pad - 2 : -1]
    padded = np.concatenate([head, column, tail])
    size = _fast_size(len(padded))
    ramp = np.linspace(padded[-1], padded[0], size - len(padded) + 2)[1:-1]  # closes the period without a step
    spectrum = np.fft.rfft(np.concatenate([padded, ramp]))
    angle = np.pi * np.fft.rfftfreq(size)
    angle[-1] = min(angle[-1], np.pi / 2 - 1e-9)
    spectrum /= 1 + (np.tan(angle) / np.tan(np.pi * cutoff_hz * step_s)) ** 4
    result: Floats = np.fft.irfft(spectrum, size)[pad : pad + n]
    return result


def _fast_size(n: int) -> int:
    """The next length that suits the FFT: a small number times a power of two."""
    unit = 1 << max(n.bit_length() - 4, 0)
    return -(-n // unit) * unit


def runs(mask: Bools) -> list[tuple[int, int]]:
    """Stretches of True as (first, end), the end not included."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def held(mask: Bools, hold_s: float, step_s: float) -> list[tuple[int, int]]:
    """Stretches of True that last at least `hold_s`."""
    return [(a, b) for a, b in runs(mask) if (b - a) * step_s >= hold_s - 1e-9]


def joined(stretches: list[tuple[int, int]], gap_s: float, step_s: float) -> list[tuple[int, int]]:
    """Join stretches that are closer than the gap."""
    result: list[tuple[int, int]] = []
    for a, b in stretches:
        if result and (a - result[-1][1]) * step_s < gap_s:
            result[-1] = (result[-1][0], b)
        else:
            result.append((a, b))
    return result


def filled(mask: Bools, gap_s: float, step_s: float) -> Bools:
    """The mask with gaps shorter than `gap_s` closed."""
    result = mask.copy()
    for a, b in joined(runs(mask), gap_s, step_s):
        result[a:b] = True
    return result


def longest(mask: Bools) -> tuple[int, int] | None:
    """The longest stretch of True."""
    return max(runs(mask), key=lambda run: run[1] - run[0], default=None)
