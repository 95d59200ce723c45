"""Learns how much mass moves with a load: a stack's, unless the movement surely shows less.

    T = W(x) (1 + mu tanh(v / 4 mm/s)) + m a

Bands and air move little, and the handle of a pulley moves half the load by twice the way, so its m a is half of a
stack's. What forces and accelerations have in common, beside place and direction, is m a. The accelerations of a coarse
encoder are mostly noise, so the slow ones, over a quarter of a second, choose what counts: their noise is small
and independent of it.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.profile.limits import Limits
from monitor.signals.friction import direction
from monitor.signals.grid import STEP_S
from monitor.signals.signal_window import SignalWindow
from monitor.signals.stretches import Stretches, outside

Column = NDArray[np.float64]
MOMENTS = 400  # of a repetition: more would not improve a curve
LEAST_MOMENTS = 60  # in either direction
CALM_G = 0.1  # a heave would look like a bend
SLOW_STEPS = 25  # before and after: the speeds whose difference is a slow acceleration
LIGHTER = 0.8  # of the mass that was assumed: less is believed
LEAST_SLOW_G = 0.001  # of slow accelerations: less is the noise of a coarse encoder
SEEN = 0.3  # of the slow accelerations, in the others: less is noise, too
SURE = 24.0  # standard errors: what a curve misses is not random, and lasts for many moments
NO_FACTOR = 1e-9  # weight for a factor of 0: it decides only where no moment does


class Moments(NamedTuple):
    """The moments of a movement: heights, directions (-1 to 1), accelerations, forces; arrays of shape (n,)."""

    x_m: Column
    c: Column
    a_m_s2: Column
    tension_n: Column
    slow_a_m_s2: Column  # NaN where not known: beside a jolt

    def plus(self, other: "Moments") -> "Moments":
        return Moments(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))


class MassLearner:
    """Call `update` after each repetition that fits the known load."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._last: Moments | None = None  # the previous repetition; its forces are shares of their mean

    def update(self, moments: Moments, limits: Limits) -> float | None:
        """The mass as a share of load/g, where two repetitions in a row show less than the limits assume."""
        if limits.inertia_kg is not None:
            return None
        last, self._last = self._last, moments._replace(tension_n=moments.tension_n / moments.tension_n.mean())
        if last is None:
            return None
        both = last.plus(self._last)
        share = np.broadcast_to(limits.share_at(both.x_m), both.x_m.shape)
        grows = np.stack((share, share * (both.x_m - both.x_m.mean())))  # a little along the way: no mass
        return less_inertia(both, grows, share, np.array((1.0, 0.0)), limits.inertia)


def less_inertia(
    moments: Moments, parts: Column, load_n: Column, weights: Column, assumed: float = 1.0
) -> float | None:
    """The mass that moves, as a share of load/g, where it is surely less than assumed; else None.

    The load is a sum of `parts`, shape (k, n), and its mean the sum of their factors times `weights`; `load_n` is
    about what it is.
    """
    rows = np.vstack((parts, load_n * moments.c, moments.slow_a_m_s2, moments.a_m_s2, moments.tension_n))
    known = ~np.isnan(moments.slow_a_m_s2)
    found = _chosen_by_slow(*_left(rows[:, known], weights), int(np.count_nonzero(known)))
    rows[-3] = 0.0
    if found >= LIGHTER * assumed:
        found = _bounded_by_forces(*_left(rows, weights))
    return found if found < LIGHTER * assumed else None


def _left(rows: Column, weights: Column) -> tuple[NDArray[np.floating[Any]], float]:
    """The products of slow accelerations, accelerations and forces that the rows before do not explain; load/g."""
    products = rows @ rows.T
    explaining, explained = products[:-3, :-3], products[:-3, -3:]
    factors = least_squares(explaining, explained)
    return products[-3:, -3:] - explained.T @ factors, float(weights @ factors[:-1, 2]) / G


def _chosen_by_slow(left: NDArray[np.floating[Any]], load_g: float, n: int) -> float:
    """The mass, as a share of load/g, if that is sure; infinity if the movement does not show it."""
    (slow, common, of_force), (_, of_a, both), (*_, force) = left.tolist()
    if slow < n * (LEAST_SLOW_G * G) ** 2 or common < SEEN * slow or not n:
        return np.inf
    mass = of_force / common
    missed = max(0.0, force - 2 * mass * both + mass * mass * of_a) / n
    error = SURE * float(np.sqrt(missed * slow)) / common
    return max(0.0, mass / load_g) if abs(mass) + error < LIGHTER * load_g else np.inf


def _bounded_by_forces(left: NDArray[np.floating[Any]], load_g: float) -> float:
    """At most this mass moves: accelerations are noisier than forces, so they are explained by them."""
    both, force = float(left[-2, -1]), float(left[-1, -1])
    return force / both / load_g if both > 0 else np.inf


def least_squares(products: Column, aims: Column) -> NDArray[np.floating[Any]]:
    """The factors with the least squares, from their normal equations; 0 for a knot that no moment reaches.

    `lstsq` does the same, but loads 1 MB of its library's pages at the first repetition.
    """
    return np.linalg.solve(products + NO_FACTOR * np.eye(len(products)), aims)


def moments_of(signals: SignalWindow, limits: Limits, doubted: Stretches, start: int, end: int) -> Moments | None:
    """The moments at which the stack moves without a jolt, where its range is known only those within it."""
    start = max(start, signals.oldest)
    columns = (signals.x, signals.v, signals.a, signals.tension)
    x_m, v_m_s, a_m_s2, tension_n = (signals.part(column, start, end) for column in columns)
    good = (np.abs(v_m_s) > limits.v_move_m_s) & (np.abs(a_m_s2) < CALM_G * G) & ~np.isnan(tension_n)
    good &= x_m > limits.detect.set.off_rest_m
    if limits.range_known:  # what is pulled beyond must not shape the values at its ends
        good &= (x_m >= limits.bottom_m) & (x_m <= limits.top_m)
    good &= outside(doubted, start, len(good))
    some = np.flatnonzero(good)
    rising = int(np.count_nonzero(v_m_s[some] > 0))
    if min(rising, len(some) - rising) < LEAST_MOMENTS:
        return None
    some = some[:: max(1, len(some) // MOMENTS)]
    slow_a_m_s2 = _slow_accelerations(signals, start, len(v_m_s))
    return Moments(x_m[some], direction(v_m_s[some]), a_m_s2[some], tension_n[some], slow_a_m_s2[some])


def _slow_accelerations(signals: SignalWindow, start: int, n: int) -> Column:
    """Of `n` moments from `start` on."""
    first = max(signals.oldest, start - SLOW_STEPS)
    span = first, min(signals.now + 1, start + n + SLOW_STEPS)
    v_m_s, a_m_s2 = (signals.part(column, *span) for column in (signals.v, signals.a))
    v_m_s = np.where(np.abs(a_m_s2) < CALM_G * G, v_m_s, np.nan)
    slow_a_m_s2 = (v_m_s[2 * SLOW_STEPS :] - v_m_s[: -2 * SLOW_STEPS]) / (2 * SLOW_STEPS * STEP_S)
    known = np.full(n, np.nan)
    low = first + SLOW_STEPS - start
    known[low : low + len(slow_a_m_s2)] = slow_a_m_s2[: n - low]
    return known
