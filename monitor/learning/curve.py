"""Learns how the load varies along the way, from whole repetitions that no constant load fits.

    T = W(x) (1 + mu tanh(v / 4 mm/s)) + m a

W is a line through knots. The ways up and down share the curve, so a helper who comes and goes, or a motor that adds
load on the way down, fits no curve. The mass is that of a stack unless the movement excludes it (mass.py).
"""

from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.learning.mass import MassLearner, Moments, least_squares, less_inertia, moments_of
from monitor.profile.limits import Limits
from monitor.profile.resistance import KNOTS, Resistance, mean
from monitor.signals.signal_window import SignalWindow
from monitor.signals.stretches import Stretches

Column = NDArray[np.float64]
BENT = 0.03  # of the load: a constant load that misses by more (root mean square) does not fit
BETTER = 0.4  # times that miss: a curve must miss by less
GOOD = 0.02  # and by no more than this
STRAIGHT = 0.04  # a curve that bends by less is a constant load
ALIKE = 0.06  # of the load: two curves this close are one
ALIKE_FRICTION = 0.04  # of the load: their friction may differ by this
LEAST_FRICTION, MOST_FRICTION = -0.01, 0.5  # beyond them, somebody else moves the stack
MOST_MASS = 3.0  # times that of a stack: beyond it, and below 0, a curve looks like a mass
STEPS = 4  # of the fit, which is linear except for one product
SMOOTH, USUAL_MASS = 0.01, 0.02  # weights, where a moment has 1: against bends, and for the mass of a stack
MEAN = np.array([mean(row) for row in np.eye(KNOTS)])  # weights of the knots in it


class Solved(NamedTuple):
    """Forces at the knots, friction, and the root of the mean squared residual in N."""

    forces_n: Column
    friction: float
    missed_n: float


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

    def moving(self, inertia: float) -> "CurveFit":
        """The same curve with this mass."""
        return self._replace(resistance=replace(self.resistance, inertia=inertia), lighter=True)

    def like(self, other: "CurveFit") -> bool:
        ours, theirs = np.array(self.resistance.shares), other.resistance.at(self.resistance.places_m)
        bends = float(np.abs(ours - theirs).max())
        return bends <= ALIKE and abs(self.friction - other.friction) <= ALIKE_FRICTION


class CurveLearner:
    """Call `update` after each repetition; `fits`: whether the newest one fits the limits.

    `curve_known`: by the profile, so that only the mass is learned.
    """

    def __init__(self, *, curve_known: bool = False) -> None:
        self._curve_known = curve_known
        self._last: tuple[Moments, CurveFit] | None = None  # the previous repetition, if it fitted a curve
        self._masses = MassLearner()
        self.fits = False

    def update(
        self, signals: SignalWindow, limits: Limits, doubted: Stretches, start: int, end: int
    ) -> CurveFit | None:
        """Learn from moments `start` up to `end`; a curve other than the limits' once two repetitions agree on it."""
        last, self._last, self.fits = self._last, None, False
        moments = moments_of(signals, limits, doubted, start, end)
        if moments is None:
            return None
        known = _known(moments, limits)
        self.fits = known.miss <= BENT and known.friction >= LEAST_FRICTION  # else somebody else lifted it
        if self.fits:
            inertia = self._masses.update(moments, limits)
            return None if inertia is None else known.moving(inertia)
        self._masses.forget()
        if known.miss <= BENT or self._curve_known:
            return None
        bottom_m, top_m = _ends_m(moments, limits)
        fit = fitted(moments, bottom_m, top_m, limits.inertia_kg)
        better = fit.miss <= min(GOOD, BETTER * known.miss)
        if not better or not LEAST_FRICTION <= fit.friction <= MOST_FRICTION:
            return None
        self._last = (moments, fit)
        if last is None or not fit.like(last[1]):
            return None
        return fitted(last[0].plus(moments), bottom_m, top_m, limits.inertia_kg)


def fitted(moments: Moments, bottom_m: float, top_m: float, inertia_kg: float | None = None) -> CurveFit:
    """The curve that misses the forces least, with the given mass, or that of a stack unless the movement excludes it.

    How well a curve fits is judged without that choice: what the movement hardly shows must not hide a curve.
    """
    hats = _hats(moments.x_m, bottom_m, top_m)
    nearest = min((_solved(moments, hats, inertia) for inertia in (1.0, 0.0)), key=lambda solved: solved.missed_n)
    if inertia_kg is not None:
        inertia = inertia_kg * G / mean(nearest.forces_n)
    else:
        less = less_inertia(moments, hats.T, hats @ nearest.forces_n, MEAN)
        inertia = 1.0 if less is None else less
    chosen = _solved(moments, hats, inertia)
    reached = np.flatnonzero(hats.any(axis=0))  # beyond these knots, the end value holds
    forces_n = chosen.forces_n[np.clip(np.arange(KNOTS), reached[0], reached[-1])]
    load_n = mean(forces_n)
    resistance = Resistance(bottom_m, top_m, tuple((forces_n / load_n).tolist()), inertia)
    missed_n = min(nearest.missed_n, chosen.missed_n)
    return CurveFit(resistance, load_n, chosen.friction, missed_n / load_n)


def _known(moments: Moments, limits: Limits) -> CurveFit:
    """The best load, friction and mass for the known curve."""
    share = np.broadcast_to(limits.share_at(moments.x_m), moments.x_m.shape)
    c, a_m_s2, tension_n = moments.c, moments.a_m_s2, moments.tension_n
    rows = np.stack((share, share * c, a_m_s2))  # of load, load times friction, and mass: linear in all three
    mass = np.array((-1 / G, 0.0, 1.0)) * USUAL_MASS
    solved = np.linalg.solve(rows @ rows.T + len(c) * np.outer(mass, mass), rows @ tension_n)
    moves = solved[2] * G / solved[0]  # this share of the mass of a stack
    if not 0 <= moves <= MOST_MASS:
        rows = np.stack((share + min(max(moves, 0.0), MOST_MASS) * a_m_s2 / G, share * c))
        solved = np.linalg.solve(rows @ rows.T, rows @ tension_n)
    load_n, friction_n = solved[:2].tolist()
    missed_n = tension_n - solved @ rows
    resistance = limits.resistance or Resistance(*_ends_m(moments, limits), (1.0, 1.0))
    return CurveFit(resistance, load_n, friction_n / load_n, float(np.sqrt(np.mean(missed_n**2))) / abs(load_n))


def _solved(moments: Moments, hats: Column, inertia: float) -> Solved:
    """The curve and the friction that miss the forces least, for this mass as a share of that of a stack."""
    knots, n = hats.shape[1], len(moments.x_m)
    bends = np.diff(np.eye(knots), 2, axis=0) * SMOOTH
    wanted = np.zeros((knots + 1, knots + 1))
    wanted[:knots, :knots] = n * bends.T @ bends
    moved = np.outer(moments.a_m_s2 * (inertia / G), MEAN)  # m a, as a share of the mean load
    forces_n, friction = np.full(knots, moments.tension_n.mean()), 0.0
    for _ in range(STEPS):
        load_n = hats @ forces_n
        rows = np.column_stack((hats * (1 + friction * moments.c)[:, None] + moved, load_n * moments.c))
        aims = moments.tension_n + friction * load_n * moments.c
        solved = least_squares(rows.T @ rows + wanted, rows.T @ aims)
        forces_n, friction = solved[:knots], float(solved[knots])
    missed_n = moments.tension_n - (hats @ forces_n) * (1 + friction * moments.c) - moved @ forces_n
    return Solved(forces_n, friction, float(np.sqrt(np.mean(missed_n**2))))


def _hats(x_m: Column, bottom_m: float, top_m: float) -> Column:
    """How much of each knot's value is that of a place: shape (n, knots)."""
    places_m = np.linspace(bottom_m, top_m, KNOTS)
    return np.column_stack([np.interp(x_m, places_m, row) for row in np.eye(KNOTS)])


def _ends_m(moments: Moments, limits: Limits) -> tuple[float, float]:
    if limits.range_known:
        return limits.bottom_m, limits.top_m
    return float(moments.x_m.min()), float(moments.x_m.max())
