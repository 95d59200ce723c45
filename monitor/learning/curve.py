"""Learns how the load varies along the way, from whole repetitions that no constant load fits.

    T = W(x) (1 + mu tanh(v / 4 mm/s)) + m a

W is a line through knots. The ways up and down share the curve, so a helper who comes and goes, or a motor that adds
load on the way down, fits no curve. Where knots and acceleration cannot be separated (as almost at an even tempo), the
mass of a stack is assumed.

A repetition that fits may still show less mass than a stack has: the handle of a pulley moves half the load by twice
the way, so its m a is half of a stack's.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.profile.limits import Limits
from monitor.profile.resistance import KNOTS, Resistance, mean
from monitor.signals.friction import direction
from monitor.signals.signal_window import SignalWindow

Column = NDArray[np.float64]
MOMENTS = 400  # of a repetition: more would not improve a curve
LEAST_MOMENTS = 60  # in either direction
CALM_G = 0.1  # a heave would look like a bend
BENT = 0.03  # of the load: a constant load that misses by more (root mean square) does not fit
BETTER = 0.4  # times that miss: a curve must miss by less
GOOD = 0.02  # and by no more than this
STRAIGHT = 0.04  # a curve that bends by less is a constant load
ALIKE = 0.06  # of the load: two curves this close are one
ALIKE_FRICTION = 0.04  # of the load: their friction may differ by this
LEAST_FRICTION, MOST_FRICTION = -0.01, 0.5  # beyond them, somebody else moves the stack
LIGHTER = 0.8  # of the mass that was assumed: less is believed once two repetitions show it
STEPS = 4  # of the fit, which is linear except for one product
SMOOTH, USUAL_MASS = 0.01, 0.02  # weights, where a moment has 1: against bends, and for the mass of a stack


class Moments(NamedTuple):
    """The moments of a movement: heights, directions (-1 to 1), accelerations, forces; arrays of shape (n,)."""

    x_m: Column
    c: Column
    a_m_s2: Column
    tension_n: Column

    def plus(self, other: "Moments") -> "Moments":
        return Moments(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))


class CurveFit(NamedTuple):
    """`miss`: the root of the mean squared residual, as a share of the load; `lighter`: less mass moves."""

    resistance: Resistance
    load_n: float
    friction: float
    miss: float
    lighter: bool = False

    @property
    def curve(self) -> Resistance | None:
        """None where a stack's load is the same along the whole way."""
        bends = max(abs(share - 1) for share in self.resistance.shares)
        return self.resistance if bends > STRAIGHT or self.lighter else None

    def like(self, other: "CurveFit") -> bool:
        ours, theirs = np.array(self.resistance.shares), other.resistance.at(self.resistance.places_m)
        bends = float(np.abs(ours - theirs).max())
        return bends <= ALIKE and abs(self.friction - other.friction) <= ALIKE_FRICTION


class CurveLearner:
    """Call `update` after each repetition; `fits`: whether the newest one fits the limits."""

    def __init__(self) -> None:
        self._last: tuple[Moments, CurveFit] | None = None  # the previous repetition, if it fitted a curve
        self._inertia: float | None = None  # that the previous repetition showed, if it was lighter than the limits'
        self.fits = False

    def update(
        self, signals: SignalWindow, limits: Limits, doubted: Iterable[tuple[int, int]], start: int, end: int
    ) -> CurveFit | None:
        """Learn from moments `start` up to `end`; a curve other than the limits' once two repetitions agree on it."""
        last, self._last, self.fits = self._last, None, False
        before, self._inertia = self._inertia, None
        moments = _moments(signals, limits, doubted, start, end)
        if moments is None:
            return None
        known = _known(moments, limits)
        self.fits = known.miss <= BENT and known.friction >= LEAST_FRICTION  # else somebody else lifted it
        if known.miss <= BENT:
            return self._lighter(known, moments, limits, before) if self.fits else None
        bottom_m, top_m = _ends_m(moments, limits)
        fit = fitted(moments, bottom_m, top_m)
        better = fit.miss <= min(GOOD, BETTER * known.miss)
        if not better or not LEAST_FRICTION <= fit.friction <= MOST_FRICTION:
            return None
        self._last = (moments, fit)
        if last is None or not fit.like(last[1]):
            return None
        return fitted(last[0].plus(moments), bottom_m, top_m)

    def _lighter(self, known: CurveFit, moments: Moments, limits: Limits, before: float | None) -> CurveFit | None:
        """The known curve with less mass, once two repetitions in a row show less."""
        inertia = _most_inertia(moments, limits)
        if limits.inertia_kg is not None or not 0 < inertia < LIGHTER * limits.inertia:
            return None
        self._inertia = inertia
        if before is None:
            return None
        shown = msgspec.structs.replace(known.resistance, inertia=(before + inertia) / 2)
        return known._replace(resistance=shown, lighter=True)

    @property
    def waits(self) -> bool:
        """Whether the newest repetition fits another curve, and a second one must agree."""
        return self._last is not None


def fitted(moments: Moments, bottom_m: float, top_m: float) -> CurveFit:
    """The curve that misses the forces least."""
    forces_n, friction, mass_kg, missed_n = _solved(moments, _hats(moments.x_m, bottom_m, top_m))
    load_n = mean(forces_n)
    return CurveFit(
        Resistance(bottom_m, top_m, tuple((forces_n / load_n).tolist()), max(0.0, mass_kg * G / load_n)),
        load_n,
        friction,
        missed_n / load_n,
    )


def _known(moments: Moments, limits: Limits) -> CurveFit:
    """The best load, friction and mass for the known curve."""
    share, (_, c, a_m_s2, tension_n) = np.broadcast_to(limits.share_at(moments.x_m), moments.x_m.shape), moments
    rows = np.stack((share, share * c, a_m_s2))  # of load, load times friction, and mass: linear in all three
    mass = np.array((-1 / G, 0.0, 1.0)) * USUAL_MASS
    solved = np.linalg.solve(rows @ rows.T + len(c) * np.outer(mass, mass), rows @ tension_n)
    load_n, friction_n, _ = solved.tolist()
    missed_n = tension_n - solved @ rows
    resistance = limits.resistance or Resistance(*_ends_m(moments, limits), (1.0, 1.0))
    return CurveFit(resistance, load_n, friction_n / load_n, float(np.sqrt(np.mean(missed_n**2))) / abs(load_n))


def _most_inertia(moments: Moments, limits: Limits) -> float:
    """The most mass that the movement allows, as a share of load/g; not above 0 where it shows none.

    The forces explain the accelerations here, which are noisier: the other way round, their noise would hide mass. What
    a load that grows a little along the way explains counts as no mass.
    """
    share, (x_m, c, a_m_s2, tension_n) = np.broadcast_to(limits.share_at(moments.x_m), moments.x_m.shape), moments
    rows = np.column_stack((tension_n, share, share * c, share * (x_m - x_m.mean())))
    per_newton, per_load = np.linalg.lstsq(rows, a_m_s2, rcond=None)[0][:2].tolist()
    return float(-G / per_load) if per_newton > 0 > per_load else 0.0


def _solved(moments: Moments, hats: Column) -> tuple[Column, float, float, float]:
    """Forces at the knots, friction, mass in kg, and the root of the mean squared residual in N."""
    knots, n = hats.shape[1], len(moments.x_m)
    wanted = np.zeros((knots + 2, knots + 2))  # what the curve should be like, beside fitting the moments
    bends = np.diff(np.eye(knots), 2, axis=0) * SMOOTH
    wanted[:knots, :knots] = bends.T @ bends
    mass = np.concatenate((np.full(knots, -1 / knots / G), (0.0, 1.0))) * USUAL_MASS
    wanted = n * (wanted + np.outer(mass, mass))
    forces_n, friction, mass_kg = np.full(knots, moments.tension_n.mean()), 0.0, 0.0
    for _ in range(STEPS):
        load_n = hats @ forces_n
        rows = np.column_stack((hats * (1 + friction * moments.c)[:, None], load_n * moments.c, moments.a_m_s2))
        aims = moments.tension_n + friction * load_n * moments.c
        solved = np.linalg.lstsq(rows.T @ rows + wanted, rows.T @ aims, rcond=None)[0]
        forces_n, friction, mass_kg = solved[:knots], float(solved[knots]), float(solved[knots + 1])
    missed_n = moments.tension_n - (hats @ forces_n) * (1 + friction * moments.c) - mass_kg * moments.a_m_s2
    return forces_n, friction, mass_kg, float(np.sqrt(np.mean(missed_n**2)))


def _hats(x_m: Column, bottom_m: float, top_m: float) -> Column:
    """How much of each knot's value is that of a place: shape (n, knots)."""
    places_m = np.linspace(bottom_m, top_m, KNOTS)
    return np.column_stack([np.interp(x_m, places_m, row) for row in np.eye(KNOTS)])


def _ends_m(moments: Moments, limits: Limits) -> tuple[float, float]:
    if limits.range_known:
        return limits.bottom_m, limits.top_m
    return float(moments.x_m.min()), float(moments.x_m.max())


def _moments(
    signals: SignalWindow, limits: Limits, doubted: Iterable[tuple[int, int]], start: int, end: int
) -> Moments | None:
    """The moments at which the stack moves without a jolt."""
    columns = (signals.x, signals.v, signals.a, signals.tension)
    x_m, v_m_s, a_m_s2, tension_n = (signals.part(column, start, end) for column in columns)
    good = (np.abs(v_m_s) > limits.v_move_m_s) & (np.abs(a_m_s2) < CALM_G * G) & ~np.isnan(tension_n)
    good &= x_m > limits.detect.set.off_rest_m
    for since, until in doubted:
        good[max(0, since - start) : max(0, until - start)] = False
    rising = int((good & (v_m_s > 0)).sum())
    if min(rising, int(good.sum()) - rising) < LEAST_MOMENTS:
        return None
    some = np.flatnonzero(good)
    some = some[:: max(1, len(some) // MOMENTS)]
    return Moments(x_m[some], direction(v_m_s[some]), a_m_s2[some], tension_n[some])
