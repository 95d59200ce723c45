"""Conditions of each moment as bits: the vectorised half of detection.

A detector does not look at every moment. It is woken when a bit that it watches changes, or at its `due`. Bits are
plain comparisons of signals with limits, so they are computed for whole blocks. The slow bits (UP, DOWN, MOVE, TOP,
MID, SLOW, STILL) describe the moment `slow_lag` earlier.
"""

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.profile.limits import Limits
from monitor.signals.friction import relative_tension
from monitor.signals.signal_window import SignalWindow

NEARLY = 0.8  # of a_jerk: from here on the force may show that it will be exceeded
SURE_M = 0.01  # a position in greater doubt than this is not called the lockout


class Bit:
    """Conditions of one moment. Plain integers: they are tested a hundred thousand times a second."""

    KNOWN_X = 1 << 0
    KNOWN_T = 1 << 1
    CONTACT = 1 << 2  # on the rest, by position alone
    OFF = 1 << 3  # off the rest and loaded
    EMPTY = 1 << 4  # hardly any tension
    RISING = 1 << 5  # accelerated upwards, by NEARLY a_jerk or more
    DROP = 1 << 6
    HARD = 1 << 7  # |a| > a_jerk, any direction
    UNLOAD = 1 << 8
    SLACK = 1 << 9
    LOW = 1 << 10
    HIGH = 1 << 11
    CEILING = 1 << 12
    FAST = 1 << 13
    PULL = 1 << 14  # T >= lift_off_n
    BELOW = 1 << 23  # static: under the share of the target that still counts as holding it
    FROZEN = 1 << 15  # the same force, bit for bit, as a moment ago
    LIGHTER = 1 << 16  # less force than load, friction and acceleration explain: somebody lifts
    HEAVIER = 1 << 28  # more
    BENT = 1 << 29  # either, on a machine whose load may vary along the way
    UP = 1 << 17
    DOWN = 1 << 18
    MOVE = 1 << 19
    TOP = 1 << 20  # in the lockout zone
    MID = 1 << 21  # between 10 and 90 % of the range
    SLOW = 1 << 22  # |v| less than a quarter of the positive's target
    STILL = 1 << 24  # neither, and known
    LIGHT = 1 << 26  # less tension than half the load
    HANGS = 1 << 30  # off the rest without tension: held, where it stands still for long enough
    JUDGED = 1 << 27  # the load is confirmed: what is compared with it can be judged
    ODD = 1 << 25  # the encoder may have stopped or started without the stack: not known yet


def evaluate(
    window: SignalWindow, limits: Limits, start: int, end: int, *, looking_back: bool = False
) -> NDArray[np.int32]:
    """Bits of moments `start` to `end`; writes their w' and running counts into the window.

    `looking_back` at a repetition nothing is written, and its range is used though it is not agreed on.
    """
    rows = slice(window.row(start), window.row(end))
    detect, slow_lag = limits.detect, window.slow_lag
    x, v, a = window.x[rows], window.v[rows], window.a[rows]
    tension, fast_tension, slow_v = window.tension[rows], window.fast_tension[rows], window.slow_v[rows]
    slow_x = window.x[max(0, rows.start - slow_lag) : max(0, rows.stop - slow_lag)] if slow_lag else x
    if len(slow_x) < len(x):
        slow_x = np.concatenate((np.full(len(x) - len(slow_x), np.nan), slow_x))

    known_x, known_t = ~np.isnan(a), ~np.isnan(tension)
    doubt_m = limits.doubt_m
    carried = off = {"stack": x > detect.set.off_rest_m - doubt_m, "motor": known_x, "static": known_t}[limits.kind]
    share = limits.share_at(x)
    half = limits.half_load_n * share
    named: list[int] = []
    held: list[NDArray[np.bool_]] = []

    def put(bit: int, condition: NDArray[np.bool_]) -> None:
        named.append(bit)
        held.append(condition)

    put(Bit.KNOWN_X, known_x)
    put(Bit.KNOWN_T, known_t)
    put(Bit.ODD, window.odd[rows] > 0)
    if limits.kind == "stack":
        light = fast_tension < half
        contact = x <= detect.set.off_rest_m + doubt_m
        if doubt_m:  # then the position alone does not show it
            contact &= light & (np.abs(v) < limits.v_move_m_s)
        put(Bit.CONTACT, contact)
        put(Bit.LIGHT, light)
        put(Bit.OFF, off & (fast_tension > half))
        carried = off & ~contact  # a stack that stands there without tension may be on its rest
        put(Bit.HANGS, carried & (fast_tension < limits.held_n * share))
        put(Bit.SLACK, carried & (fast_tension < limits.slack_n * share))
        put(Bit.EMPTY, fast_tension < limits.empty_n)
    else:
        put(Bit.EMPTY, fast_tension < limits.lift_off_n)
    put(Bit.PULL, fast_tension >= limits.lift_off_n)
    put(Bit.RISING, off & (v > 0) & (a > NEARLY * limits.a_jerk_m_s2))
    put(Bit.DROP, off & (v < 0) & (a < -limits.a_jerk_m_s2))
    put(Bit.HARD, np.abs(a) > limits.a_jerk_m_s2)
    put(Bit.CEILING, fast_tension > limits.ceiling_n_at(share))
    ranged = limits.range_known and (limits.range_agreed or looking_back)
    if ranged:
        fast_up_m_s = limits.fast_up_m_s if looking_back else limits.surely_fast_up_m_s
        put(Bit.FAST, (v > fast_up_m_s) | (v < -limits.fast_down_m_s))

    loaded = tension >= half
    relative = np.full(len(x), np.nan)
    in_band = np.zeros(len(x), bool)
    if limits.load_n is not None:
        put(Bit.JUDGED, known_t)
        friction = limits.friction or 0.0
        ratio = tension / (limits.load_n * share)
        relative = relative_tension(ratio, friction, v, limits.v_rest_m_s, limits.down)
        unloaded = carried & (relative < limits.unload_below)
        low = carried & (relative < 1 - limits.band)
        high = carried & (relative > 1 + limits.band)
        in_band = loaded & ~low & ~high & known_t
        put(Bit.UNLOAD, unloaded & known_x)
        put(Bit.BELOW, ratio < detect.failure.static_level)
        put(Bit.LOW, low)
        put(Bit.HIGH, high)
        if limits.kind == "stack":  # nothing else has a known weight
            foreign = relative - 1 - a * (limits.inertia / G) / share
            lighter, heavier = carried & (foreign < -limits.foreign), carried & (foreign > limits.foreign)
            if limits.resistance_known:
                put(Bit.LIGHTER, lighter)
                put(Bit.HEAVIER, heavier)
            else:  # the load itself may vary along the way, but not to next to nothing
                lifted = carried & (relative < detect.assist.lifted)
                put(Bit.LIGHTER, lifted)
                put(Bit.BENT, (lighter | heavier) & ~lifted)
    elif limits.lowered_n is not None:  # less its friction that is the load
        put(Bit.LIGHTER, carried & (tension < detect.assist.lifted * limits.lowered_n))
    if not looking_back:
        window.relative[rows] = relative

    put(Bit.FROZEN, (window.repeated[rows] > 0) & (tension != 0))  # an exact 0 is a clipped force, not a reading

    put(Bit.STILL, known_x & (np.abs(slow_v) <= limits.v_rest_m_s))
    put(Bit.UP, slow_v > limits.v_rest_m_s)
    put(Bit.DOWN, slow_v < -limits.v_rest_m_s)
    put(Bit.MOVE, np.abs(slow_v) > limits.v_move_m_s)
    if limits.range_known:
        if doubt_m <= SURE_M and ranged:
            put(Bit.TOP, slow_x >= limits.lockout_zone_m)
        stall = detect.stall
        share, doubt = (slow_x - limits.bottom_m) / limits.span_m, doubt_m / limits.span_m
        mid = (share >= stall.low + doubt) & (share <= stall.high - doubt)
        put(Bit.MID, mid)
        put(Bit.SLOW, mid & (np.abs(slow_v) < detect.rep.sticking_speed * limits.v_up_m_s))

    if not looking_back:
        _count(window.loaded, rows, loaded)
        _count(window.in_band, rows, in_band)
    bits: NDArray[np.int32] = np.einsum("i,ij", np.array(named, np.int32), np.array(held))  # a sum of distinct bits
    return bits


def _count(column: NDArray[np.int64], rows: slice, condition: NDArray[np.bool_]) -> None:
    before = column[rows.start - 1] if rows.start else 0
    counted = column[rows]
    condition.cumsum(out=counted)
    counted += before
