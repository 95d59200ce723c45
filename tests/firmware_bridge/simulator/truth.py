"""Thresholds on noise-free motion, for the simulator's own tests."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from firmware_bridge.simulator import Trace

Floats = NDArray[np.float64]


def low_pass(values: Floats, hz: float) -> Floats:
    """A second-order Butterworth filter, forwards and backwards, for a column at 1 kHz."""
    padded = np.pad(values, 2000, mode="edge")
    spectrum = np.fft.rfft(padded) / (1 + (np.fft.rfftfreq(len(padded), 0.001) / hz) ** 4)
    return np.fft.irfft(spectrum, len(padded))[2000:-2000]


def longest_s(mask: NDArray[np.bool_]) -> float:
    """The longest stretch of true rows."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False]))))
    return float((edges[1::2] - edges[::2]).max(initial=0)) * 0.001


class Motion(NamedTuple):
    """The true signals of a trace: EVENTS.md 1.1."""

    x_m: Floats
    v_m_s: Floats
    a_m_s2: Floats
    tension: Floats  # of the load
    relative: Floats  # w': without friction
    jerk_m_s2: float  # a_jerk
    rest_m_s: float  # v_rest
    inside: NDArray[np.bool_]  # between the first lift-off and the last landing

    @classmethod
    def of(cls, trace: Trace, positive_s: float, negative_s: float) -> "Motion":
        machine = trace.machine
        x_m = low_pass(trace.x_m, 6)
        v_m_s = np.gradient(x_m, 0.001)
        tension = low_pass(trace.tension_n, 8) / machine.working_load_n
        jerk_m_s2 = float(np.clip(11.5 * machine.range_m / positive_s**2, 0.08 * G, 0.25 * G))
        rest_m_s = max(0.003, 0.1 * machine.range_m / max(positive_s, negative_s))
        off = tension - 1
        stuck = np.sign(off) * np.maximum(np.abs(off) - machine.friction, 0)
        relative = 1 + np.where(np.abs(v_m_s) < rest_m_s, stuck, off - machine.friction * np.tanh(v_m_s / 0.004))
        lifted = np.flatnonzero(trace.x_m > 0.003)
        rows = np.arange(len(trace))
        inside = (rows > lifted[0] + 300) & (rows < lifted[-1] - 400)
        return cls(x_m, v_m_s, np.gradient(v_m_s, 0.001), tension, relative, jerk_m_s2, rest_m_s, inside)
