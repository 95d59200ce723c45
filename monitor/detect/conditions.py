"""What holds at each moment, as bits: the vectorised half of detection.

A detector does not look at every moment. It is woken when a bit that it watches changes, or when a time that
it asked for has come (`due`). Bits are plain comparisons of signals with limits, so they are computed for whole blocks.
The slow bits (from UP on) speak of the moment `slow_lag` earlier.
"""

from enum import IntFlag, auto

import numpy as np
from numpy.typing import NDArray

from monitor.detect.limits import Limits
from monitor.detect.settings import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.track import Track

STICTION_M_S = 0.004  # EVENTS.md: friction follows tanh(v / 4 mm/s)


class Bit(IntFlag):
    """Conditions of one moment."""

    KNOWN_X = auto()
    KNOWN_T = auto()
    CONTACT = auto()  # on the rest: low and unloaded
    OFF = auto()  # off the rest and loaded
    EMPTY = auto()  # hardly any tension
    JERK = auto()
    DROP = auto()
    HARD = auto()  # |a| > a_jerk, any direction
    UNLOAD = auto()
    SLACK = auto()
    LOW = auto()
    HIGH = auto()
    CEILING = auto()
    FAST = auto()
    PULL = auto()  # T >= lift_off_n
    FROZEN = auto()  # the very same reading as a moment ago
    MISFIT = auto()  # the force does not fit load, friction and acceleration
    UP = auto()
    DOWN = auto()
    MOVE = auto()
    TOP = auto()  # in the lockout zone
    MID = auto()  # between 10 and 90 % of the range
    SLOW = auto()  # creeping upward: 0 < v < a quarter of the target


def evaluate(track: Track, limits: Limits, start: int, end: int, slow_lag: int) -> NDArray[np.int32]:
    """Bits of moments `start` to `end`; writes their w' and running counts into the track."""
    rows = slice(track.at(start), track.at(end))
    detect = limits.detect
    x, v, a = track.x[rows], track.v[rows], track.a[rows]
    tension, fast_tension, slow_v = track.tension[rows], track.fast_tension[rows], track.slow_v[rows]
    slow_x = track.x[max(0, rows.start - slow_lag) : rows.stop - slow_lag] if slow_lag else x
    if len(slow_x) < len(x):
        slow_x = np.concatenate((np.full(len(x) - len(slow_x), np.nan), slow_x))

    known_x, known_t = ~np.isnan(a), ~np.isnan(tension)
    off = x > detect.set.off_rest_m if limits.kind == "stack" else known_x
    half = limits.half_load_n
    bits = np.zeros(len(x), np.int32)

    def put(bit: Bit, condition: NDArray[np.bool_]) -> None:
        np.bitwise_or(bits, condition * np.int32(bit), out=bits)

    put(Bit.KNOWN_X, known_x)
    put(Bit.KNOWN_T, known_t)
    if limits.kind == "stack":
        put(Bit.CONTACT, ~off & (fast_tension < half))
        put(Bit.OFF, off & (fast_tension > half))
        put(Bit.SLACK, off & (fast_tension < limits.slack_n))
        put(Bit.EMPTY, fast_tension < limits.empty_n)
    else:
        put(Bit.EMPTY, fast_tension < limits.lift_off_n)
    put(Bit.PULL, fast_tension >= limits.lift_off_n)
    put(Bit.JERK, off & (v > 0) & (a > limits.a_jerk_m_s2))
    put(Bit.DROP, off & (v < 0) & (a < -limits.a_jerk_m_s2))
    put(Bit.HARD, np.abs(a) > limits.a_jerk_m_s2)
    put(Bit.CEILING, fast_tension > limits.ceiling_n)
    put(Bit.FAST, (v > limits.fast_up_m_s) | (v < -limits.fast_down_m_s))

    loaded = tension >= half
    relative = np.full(len(x), np.nan)
    unloaded = in_band = low = np.zeros(len(x), bool)
    if limits.load_n is not None:
        friction = limits.friction or 0.0
        ratio = tension / limits.load_n
        moving = np.abs(v) >= limits.v_rest_m_s
        relative = np.where(
            moving, ratio - friction * np.tanh(v / STICTION_M_S), np.clip(1.0, ratio - friction, ratio + friction)
        )
        unloaded = off & (relative < limits.unload_below)
        low = off & (relative < 1 - limits.band)
        high = off & (relative > 1 + limits.band)
        in_band = loaded & ~low & ~high & known_t
        put(Bit.UNLOAD, unloaded)
        put(Bit.LOW, low)
        put(Bit.HIGH, high)
        misfit = np.abs(relative - 1 - a / G) > detect.sensor_fault.mismatch
        put(Bit.MISFIT, misfit & off & (np.abs(v) > limits.v_move_m_s))
    track.relative[rows] = relative

    raw = track.raw_tension[rows]
    before = track.raw_tension[rows.start - 1] if rows.start else np.nan
    put(
        Bit.FROZEN, (raw == np.concatenate(([before], raw[:-1]))) & (raw != 0)
    )  # an exact 0 is a clipped force, no cell

    put(Bit.UP, slow_v > limits.v_rest_m_s)
    put(Bit.DOWN, slow_v < -limits.v_rest_m_s)
    put(Bit.MOVE, np.abs(slow_v) > limits.v_move_m_s)
    if limits.range_known:
        put(Bit.TOP, slow_x >= limits.lockout_zone_m)
        stall = detect.stall
        share = (slow_x - limits.bottom_m) / limits.range_m
        mid = (share >= stall.low) & (share <= stall.high)
        put(Bit.MID, mid)
        put(Bit.SLOW, mid & (slow_v > 0) & (slow_v < detect.rep.sticking_speed * limits.v_up_m_s))

    _count(track.loaded, rows, loaded)
    _count(track.in_band, rows, in_band)
    _count(track.unloaded, rows, loaded & unloaded)
    _count(track.low, rows, loaded & low & ~unloaded)
    return bits


def _count(column: NDArray[np.int64], rows: slice, condition: NDArray[np.bool_]) -> None:
    before = column[rows.start - 1] if rows.start else 0
    np.cumsum(condition, out=column[rows])
    column[rows] += before
