"""Conditions of each moment as bits: the vectorised half of detection.

A detector does not look at every moment. It is woken when a bit that it watches changes, or at its `due`. Bits are
plain comparisons of signals with limits, so they are computed for whole blocks. The slow bits (UP, DOWN, STILL, MOVE,
TOP, MID, SLOW) describe the moment `slow_lag` earlier.
"""

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.profile.limits import Limits
from monitor.signals.friction import relative_tension
from monitor.signals.signal_window import SignalWindow
from monitor.signals.stretches import Stretches, outside, runs_of

NEARLY = 0.8  # of a_jerk: from here on the force may show that it will be exceeded
USUAL_FRICTION = 0.1  # of machines it is 0.02 to 0.2, so a load that was only lowered is known to a tenth
SURE_M = 0.01  # a position in greater doubt than this is not called the lockout

Column = NDArray[np.float64]
Conditions = dict[int, NDArray[np.bool_]]  # by bit


class Bit:
    """Conditions of one moment. Plain integers: they are tested a hundred thousand times a second."""

    KNOWN_X = 1 << 0
    KNOWN_T = 1 << 1
    FROZEN = 1 << 2  # the same force, bit for bit, as a moment ago
    ODD = 1 << 3  # the encoder may have stopped or started without the stack: not known yet
    CONTACT = 1 << 4  # on the rest, by position alone
    OFF = 1 << 5  # off the rest and loaded
    LIGHT = 1 << 6  # less tension than half the load
    EMPTY = 1 << 7  # almost no tension
    HANGS = 1 << 8  # off the rest without tension: held, where it stands still for long enough
    PULL = 1 << 9  # T >= lift_off_n
    RISING = 1 << 10  # accelerated upwards, by NEARLY a_jerk or more
    DROP = 1 << 11
    HARD = 1 << 12  # |a| > a_jerk, any direction
    FAST = 1 << 13
    JUDGED = 1 << 14  # the load is confirmed: what is compared with it can be judged
    UNLOAD = 1 << 15
    SLACK = 1 << 16
    LOW = 1 << 17
    HIGH = 1 << 18
    CEILING = 1 << 19
    BELOW = 1 << 20  # static: under the share of the target that still counts as holding it
    LIGHTER = 1 << 21  # less force than load, friction and acceleration explain: somebody lifts
    HEAVIER = 1 << 22  # more
    BENT = 1 << 23  # either, on a machine whose load may vary along the way
    UP = 1 << 24
    DOWN = 1 << 25
    STILL = 1 << 26  # neither up nor down, and known
    MOVE = 1 << 27
    TOP = 1 << 28  # in the lockout zone
    MID = 1 << 29  # between 10 and 90 % of the range
    SLOW = 1 << 30  # |v| less than a quarter of the positive's target


OF_TENSION = Bit.UNLOAD | Bit.SLACK | Bit.LOW | Bit.HIGH | Bit.CEILING | Bit.LIGHTER | Bit.HEAVIER | Bit.BENT


def evaluate(
    window: SignalWindow, limits: Limits, start: int, end: int, *, looking_back: bool = False
) -> NDArray[np.int32]:
    """Bits of moments `start` to `end`; writes their w' and running counts into the window.

    `looking_back` at a repetition nothing is written, and its range is used though it is not agreed on.
    """
    rows = slice(window.row(start), window.row(end))
    ranged = limits.range_known and (limits.range_agreed or looking_back)
    block = _Block(window, limits, rows)
    held: Conditions = {
        Bit.KNOWN_X: block.known_x,
        Bit.KNOWN_T: block.known_t,
        Bit.ODD: window.odd[rows],
        Bit.FROZEN: window.repeated[rows] & (block.tension != 0),  # an exact 0 is a clipped force, not a reading
    }
    _put_cable(held, block, limits)
    _put_motion(held, block, limits, ranged=ranged, looking_back=looking_back)
    _put_slow_motion(held, block, limits, ranged=ranged)
    relative = _put_load(held, block, limits)
    if not looking_back:
        loaded = block.tension >= block.half_n
        in_band = np.zeros_like(loaded) if limits.load_n is None else loaded & ~(held[Bit.LOW] | held[Bit.HIGH])
        window.relative[rows] = relative
        _count(window.loaded, rows, loaded)
        _count(window.in_band, rows, in_band)
    named = np.fromiter(held, np.int32, len(held))  # their sum: the bits are distinct
    bits: NDArray[np.int32] = np.einsum("i,ij", named, np.concatenate(list(held.values())).reshape(len(held), -1))
    return bits


def loaded_since(window: SignalWindow, limits: Limits, since: int, end: int, hold: int) -> int:
    """When, from moment `since` on, the cable first carried half of the load, off the rest, for `hold` steps."""
    loaded = evaluate(window, limits, since, end, looking_back=True) & Bit.OFF != 0
    return next((start for start, until in runs_of(loaded, since) if until - start >= hold), since)


def believed(bits: NDArray[np.int32], start: int, doubted: Stretches) -> NDArray[np.int32]:
    """The bits of moments from `start` on without those of a tension that was doubted."""
    return np.where(outside(doubted, start, len(bits)), bits, bits & ~OF_TENSION)


class _Block:
    """The signals of some moments, and what several conditions have in common."""

    def __init__(self, window: SignalWindow, limits: Limits, rows: slice) -> None:
        off_rest_m, doubt_m = limits.detect.set.off_rest_m, limits.doubt_m
        self.x, self.v, self.a = window.x[rows], window.v[rows], window.a[rows]
        self.tension, self.fast_tension = window.tension[rows], window.fast_tension[rows]
        self.slow_v, self.slow_x = window.slow_v[rows], _earlier(window.x, rows, window.slow_lag)
        self.known_x, self.known_t = self.a == self.a, self.tension == self.tension
        self.share = limits.share_at(self.x)  # the load here, as a share of its mean
        self.half_n = limits.half_load_n * self.share
        if limits.kind != "stack":
            self.off = self.carried = self.known_x if limits.kind == "motor" else self.known_t
            return
        self.off = self.x > off_rest_m - doubt_m
        self.contact = self.x <= off_rest_m + doubt_m
        self.carried = self.off
        if limits.presumed_n is not None and not doubt_m:  # another load can only begin with a lift
            half_n = limits.detect.stack_touch.tension * limits.presumed_n
            self.half_n = np.where(self.contact, half_n * self.share, self.half_n)
        self.light = self.fast_tension < self.half_n
        if doubt_m:  # then the position alone does not show it
            may_rest = self.contact & (np.abs(self.v) < limits.v_move_m_s)
            self.contact = may_rest & self.light
            self.carried = self.off & ~may_rest  # a hand may keep pulling at a stack on its rest


def _put_cable(held: Conditions, block: _Block, limits: Limits) -> None:
    """Conditions of the rest, and of how much the cable carries."""
    fast_tension = block.fast_tension
    if limits.kind == "stack":
        held[Bit.CONTACT] = block.contact
        held[Bit.LIGHT] = block.light
        held[Bit.OFF] = block.off & (fast_tension > block.half_n)
        held[Bit.HANGS] = block.carried & (fast_tension < limits.held_n * block.share)
        held[Bit.SLACK] = block.carried & (fast_tension < limits.slack_n * block.share)
        held[Bit.EMPTY] = fast_tension < limits.empty_n
    else:
        held[Bit.EMPTY] = fast_tension < limits.lift_off_n
    held[Bit.PULL] = fast_tension >= limits.lift_off_n
    held[Bit.CEILING] = fast_tension > limits.ceiling_n_at(block.share)


def _put_motion(held: Conditions, block: _Block, limits: Limits, *, ranged: bool, looking_back: bool) -> None:
    """Conditions of acceleration and speed at the moment itself."""
    v, a, a_jerk_m_s2 = block.v, block.a, limits.a_jerk_m_s2
    held[Bit.RISING] = block.off & (v > 0) & (a > NEARLY * a_jerk_m_s2)
    held[Bit.DROP] = block.off & (v < 0) & (a < -a_jerk_m_s2)
    held[Bit.HARD] = np.abs(a) > a_jerk_m_s2
    if ranged:
        fast_up_m_s = limits.fast_up_m_s if looking_back else limits.surely_fast_up_m_s
        held[Bit.FAST] = (v > fast_up_m_s) | (v < -limits.fast_down_m_s)


def _put_slow_motion(held: Conditions, block: _Block, limits: Limits, *, ranged: bool) -> None:
    """Conditions of movement and height at the moment `slow_lag` earlier."""
    slow_v, detect = block.slow_v, limits.detect
    speed = np.abs(slow_v)
    held[Bit.STILL] = block.known_x & (speed <= limits.v_rest_m_s)
    held[Bit.UP] = slow_v > limits.v_rest_m_s
    held[Bit.DOWN] = slow_v < -limits.v_rest_m_s
    held[Bit.MOVE] = speed > limits.v_move_m_s
    if not limits.range_known:
        return
    if limits.doubt_m <= SURE_M and ranged:
        held[Bit.TOP] = block.slow_x >= limits.lockout_zone_m
    place, doubt = (block.slow_x - limits.bottom_m) / limits.span_m, limits.doubt_m / limits.span_m
    mid = (place >= detect.stall.low + doubt) & (place <= detect.stall.high - doubt)
    held[Bit.MID] = mid
    held[Bit.SLOW] = mid & (speed < detect.rep.sticking_speed * limits.v_up_m_s)


def _put_load(held: Conditions, block: _Block, limits: Limits) -> Column:
    """Conditions of the tension against the load. Returns w', NaN while no load is known."""
    if limits.load_n is None:
        return _put_lifted(held, block, limits.lowered_n, limits)
    ratio = block.tension / (limits.load_n * block.share)
    relative = relative_tension(ratio, limits.friction or 0.0, block.v, limits.v_rest_m_s, limits.down)
    held[Bit.JUDGED] = block.known_t
    held[Bit.UNLOAD] = block.carried & (relative < limits.unload_below) & block.known_x
    held[Bit.BELOW] = ratio < limits.detect.failure.static_level
    held[Bit.LOW] = block.carried & (relative < 1 - limits.band)
    held[Bit.HIGH] = block.carried & (relative > 1 + limits.band)
    if limits.kind == "stack":  # nothing else has a known weight
        _put_foreign(held, block, limits, relative)
    return relative


def _put_lifted(held: Conditions, block: _Block, lowered_n: float | None, limits: Limits) -> Column:
    """Conditions of a load that was only lowered. Returns w' where somebody lifts it, with the usual friction."""
    if lowered_n is None:
        return np.full(len(block.x), np.nan)
    lifted = block.carried & (block.tension < limits.detect.assist.lifted * lowered_n)
    held[Bit.LIGHTER] = held[Bit.UNLOAD] = held[Bit.LOW] = lifted
    load_n = lowered_n / (1 - USUAL_FRICTION)
    held[Bit.SLACK] = block.carried & (block.fast_tension < limits.detect.slack.tension * load_n)
    return np.where(lifted, block.tension / load_n, np.nan)


def _put_foreign(held: Conditions, block: _Block, limits: Limits, relative: Column) -> None:
    """Conditions of force that load, inertia and friction together do not explain."""
    foreign = relative - 1 - block.a * (limits.inertia / G) / block.share
    lighter, heavier = block.carried & (foreign < -limits.foreign), block.carried & (foreign > limits.foreign)
    if limits.resistance_known:
        held[Bit.LIGHTER], held[Bit.HEAVIER] = lighter, heavier
        return
    lifted = block.carried & (relative < limits.detect.assist.lifted)
    held[Bit.LIGHTER] = lifted  # the load itself may vary along the way, but not to next to nothing
    held[Bit.BENT] = (lighter | heavier) & ~lifted


def _earlier(column: Column, rows: slice, lag: int) -> Column:
    """The rows `lag` earlier; NaN where the window does not reach back that far."""
    part = column[max(0, rows.start - lag) : max(0, rows.stop - lag)]
    missing = rows.stop - rows.start - len(part)
    return np.concatenate((np.full(missing, np.nan), part)) if missing else part


def _count(column: NDArray[np.int64], rows: slice, condition: NDArray[np.bool_]) -> None:
    column[rows] = condition.cumsum() + (column[rows.start - 1] if rows.start else 0)
