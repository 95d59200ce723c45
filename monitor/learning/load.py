"""Learns load and friction from the cruise of the first repetitions.

Between the turnarounds the cable carries W (1 + a/g) + mu W tanh(v / 4 mm/s): a line in tanh(v / 4 mm/s) whose level is
the load and whose slope is the friction, fitted over all moments of a repetition with little acceleration.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.profile.limits import Limits
from monitor.signals.friction import direction
from monitor.signals.median import median
from monitor.signals.signal_window import SignalWindow
from monitor.signals.stretches import Stretch, Stretches, outside

CRUISE_G = 0.03  # below it a repetition moves almost evenly
LEAST_MOMENTS = 60  # 0.3 s in either direction: a fit over less is noise
SNAP = 0.02  # a learned load this close to a plate is that plate
TRUSTED_REPS = 2  # one repetition may be pulled unevenly
ALIEN = 0.04  # a given load this far from the fit is not the selected one
SAME = 0.03  # closer than this, the load is the one before: friction is known to about 1 % of the load
ODD_FRICTION = 0.03  # further from what is known, up and down were not pulled alike
LEAST_FRICTION = -0.01  # below, somebody else carries the stack: friction is never negative
MOST_RESIDUAL = 0.035  # above, no load and friction fit: somebody else pulls for a part of the way
LATE_SHARE = 0.1  # of the acceleration in g: so much more where it is large, because a cell shows it late
EARLY_MOMENTS, EARLY_SPREAD = 60, 0.02  # enough to confirm a load at once
LATE_MOMENTS, LATE_SPREAD = 30, 0.10  # enough when no more time is left


class LoadFit(NamedTuple):
    """What one or more repetitions pulled, before it is snapped to a plate."""

    load_n: float
    friction: float
    reps: int
    shorter_way: int  # moments of the way, up or down, with fewer of them
    odd_since: int | None = None  # since then, another load is pulled than before in this set


class LoadEstimate(NamedTuple):
    """A load from a short stretch of movement; `spread` is half the middle 68 % of its moments, as a share of it."""

    load_n: float
    spread: float
    n: int

    def enough(self, *, last_chance: bool) -> bool:
        if last_chance:
            return self.n >= LATE_MOMENTS and self.spread <= LATE_SPREAD
        return self.n >= EARLY_MOMENTS and self.spread <= EARLY_SPREAD


def estimate(
    signals: SignalWindow,
    limits: Limits,
    doubted: Stretches,
    start: int,
    end: int,
    *,
    beyond: bool = True,
) -> LoadEstimate | None:
    """The load from moments `start` up to but not including `end`, with a known friction.

    T = W (1 + a/g + mu tanh(v / 4 mm/s)) is solved for W at each moment that moves and pulls. Moments at which the
    cable carries almost nothing are left out: somebody else moves the stack. So are those beyond the ends of a
    curve unless `beyond`: what is pulled there is only assumed.
    """
    columns = (signals.x, signals.v, signals.a, signals.tension)
    x, v, a, tension = (signals.part(column, start, end) for column in columns)
    good = (np.abs(v) > limits.v_move_m_s) & (tension >= limits.lifted_n) & ~np.isnan(a)
    if limits.resistance is not None and not beyond:
        good &= limits.resistance.covers(x)
    good &= outside(doubted, start, len(good))
    if not good.any():
        return None
    friction = (limits.friction or 0.0) * direction(v)
    loads_n = (tension / (limits.share_at(x, v) * (1 + friction) + a * (limits.inertia / G)))[good]
    loads_n.sort()  # what is not known comes last
    if loads_n[-1] != loads_n[-1]:
        return None
    low_n, load_n, high_n = (_quantile(loads_n, share) for share in (0.16, 0.5, 0.84))
    if not load_n > 0:
        return None
    return LoadEstimate(load_n, (high_n - low_n) / 2 / load_n, len(loads_n))


def _quantile(ordered: NDArray[np.float64], share: float) -> float:
    """As `np.quantile` of values in order, without its checks: ten times faster."""
    place = (len(ordered) - 1) * share
    i = int(place)
    low, high, part = float(ordered[i]), float(ordered[min(i + 1, len(ordered) - 1)]), place - i
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)


def lowered(signals: SignalWindow, limits: Limits, doubted: Stretches, up: Stretch, down: Stretch) -> float | None:
    """What the cable carried, N, on the way `down` of a stack that somebody else had lifted; None where it was not so.

    It is the load less friction. Which part of it is friction a way down alone does not show.
    """
    # The way up may begin long before, on the rest.
    raised_n, lowered_n = (_carried(signals, limits, doubted, *way) for way in ((*up, 1.0), (*down, -1.0)))
    if len(lowered_n) < LEAST_MOMENTS or not len(raised_n):
        return None
    carried_n = median(lowered_n)
    return carried_n if median(raised_n) < limits.detect.assist.lifted * carried_n else None


def _carried(
    signals: SignalWindow, limits: Limits, doubted: Stretches, start: int, end: int, sign: float
) -> NDArray[np.float64]:
    """The believed tension, N, of the moments on a way that move in the direction of `sign`."""
    tension_n = signals.part(signals.tension, start, end)
    good = (sign * signals.part(signals.v, start, end) > limits.v_move_m_s) & ~np.isnan(tension_n)
    good &= outside(doubted, start, len(good))
    return tension_n[good]


class CruiseLine(NamedTuple):
    """Tension over direction: its level, its slope, and the root of its mean squared residual."""

    load_n: float
    friction_n: float
    residual_n: float

    @property
    def friction(self) -> float:
        return self.friction_n / self.load_n

    @property
    def possible(self) -> bool:
        """Whether a lifter alone can have pulled it: friction is never negative."""
        return self.load_n > 0 and self.friction >= LEAST_FRICTION


class Cruise(NamedTuple):
    """Sums over moments of steady movement: what a line of tension over direction is fitted to."""

    n: float = 0.0  # how many
    c: float = 0.0  # of the directions, -1 to 1
    cc: float = 0.0
    t: float = 0.0  # of the tensions, N, without what acceleration and place add
    ct: float = 0.0
    tt: float = 0.0
    up: float = 0.0  # how many on the way up
    at: float = 0.0  # of the moments' numbers
    aa: float = 0.0  # of the squared accelerations, g

    def plus(self, other: "Cruise") -> "Cruise":
        return Cruise(*(one + two for one, two in zip(self, other, strict=True)))

    def less(self, by_n: float) -> "Cruise":
        """The same sums with every tension smaller by `by_n`."""
        n, c, t = self.n, self.c, self.t
        return self._replace(t=t - by_n * n, ct=self.ct - by_n * c, tt=self.tt - 2 * by_n * t + by_n * by_n * n)

    @property
    def most_residual(self) -> float:
        """Of the load: above, somebody else pulls for a part of the way."""
        return MOST_RESIDUAL + LATE_SHARE * float(np.sqrt(self.aa / self.n))

    def line(self) -> CruiseLine | None:
        """The line that fits best; None where a direction is missing."""
        spread = self.n * self.cc - self.c * self.c
        if min(self.up, self.n - self.up) < LEAST_MOMENTS or spread <= 0:
            return None
        slope = (self.n * self.ct - self.c * self.t) / spread
        level = (self.t - slope * self.c) / self.n
        square = (self.tt - level * self.t - slope * self.ct) / self.n
        return CruiseLine(level, slope, max(0.0, square) ** 0.5)


class LoadLearner:
    """Call `update` after each repetition; it returns None until there is something to learn from.

    Nothing is learned from a repetition in which somebody else seems to move the stack: the cable carries more on the
    way down than on the way up, or no load and friction fit, or another load fits than the known one. Another load is
    accepted once two repetitions in a row agree on it.
    """

    def __init__(self, plates_kg: tuple[float, ...] | None) -> None:
        self.loads_n = None if plates_kg is None else np.array(plates_kg) * G
        self.forget()

    def forget(self) -> None:
        """Forget the load: the next one may be different."""
        self._sums, self._reps = Cruise(), 0
        self._odd_since: int | None = None
        self._odd: tuple[float, float, Cruise, int] | None = None  # the last repetition, if another load fitted it

    def correct_zero(self, by_n: float, since: int, now: int) -> float:
        """By how much the learned load is too high, N, after the cell's zero drifted up evenly between two moments."""
        if not self._sums.n:
            return 0.0
        share = min(1.0, max(0.0, (self._sums.at / self._sums.n - since) / (now - since)))
        self._sums = self._sums.less(by_n * share)
        return by_n * share

    def update(
        self,
        signals: SignalWindow,
        limits: Limits,
        doubted: Stretches,
        start: int,
        end: int,
    ) -> LoadFit | None:
        """Learn from moments `start` up to but not including `end`, without the stretches of doubted force."""
        one = cruise(signals, limits, doubted, start, end)
        line = None if one is None else one.line()
        if one is None or (line is None and limits.load_from == "presumed"):  # what earlier ones pulled is no answer
            return None
        self._odd_since = None
        if line is not None and not self._believed(one, line, limits, start):
            return None
        self._sums, self._reps = self._sums.plus(one), self._reps + 1
        line = self._sums.line()
        if line is None:
            return None
        if not line.possible:  # several too short to be doubted one by one
            self._sums, self._reps = Cruise(), 0
            return None
        sums = self._sums
        shorter_way = int(min(sums.up, sums.n - sums.up))
        return LoadFit(line.load_n, max(0.0, line.friction), self._reps, shorter_way, self._odd_since)

    def _believed(self, one: Cruise, line: CruiseLine, limits: Limits, start: int) -> bool:
        """Whether a repetition teaches something."""
        if not line.possible or line.residual_n > one.most_residual * line.load_n:
            return False
        load_n, friction = line.load_n, line.friction
        alike = limits.friction is None or abs(friction - limits.friction) <= ODD_FRICTION
        known_n = limits.selected_n if limits.load_from in ("learned", "presumed") else self._shown_n()
        same = known_n is None or abs(load_n / known_n - 1) <= ALIEN
        if same and alike:
            self._odd = None
            return True
        if alike and limits.load_from == "presumed":  # the pin is elsewhere
            self.forget()
            return True
        helped = limits.friction is not None and friction < limits.friction  # one who lifts, or presses the stack down
        if not same and not alike and helped:
            return False
        odd, self._odd = self._odd, (load_n, friction, one, start)
        if odd is None or abs(load_n / odd[0] - 1) > SNAP or abs(friction - odd[1]) > ODD_FRICTION:
            return False
        self._sums, self._reps, self._odd, self._odd_since = odd[2], 1, None, odd[3] if alike else None
        return True

    def _shown_n(self) -> float | None:
        """What the repetitions of this set have pulled, where the load is given or nothing is known of it."""
        line = self._sums.line()
        return None if line is None or line.load_n <= 0 else line.load_n

    def is_listed(self, load_n: float) -> bool:
        """Whether it is exactly one of the loads that the pin can select."""
        return self.loads_n is not None and load_n in self.loads_n

    def snapped(self, load_n: float) -> float:
        """The nearest load that the pin can select, where the profile lists the plates and one is near."""
        if self.loads_n is None:
            return load_n
        nearest = float(self.loads_n[int(np.abs(self.loads_n - load_n).argmin())])
        return nearest if abs(nearest - load_n) <= SNAP * load_n else load_n


def cruise(signals: SignalWindow, limits: Limits, doubted: Stretches, start: int, end: int) -> Cruise | None:
    """Sums over the moments with little acceleration, or over the whole movement up and down if there are too few.

    Over a whole movement what the cable carries beside load and friction adds up to nothing, however it was thrown.
    """
    columns = (signals.x, signals.tension, signals.v, signals.a)
    x, tension, v, a = (signals.part(column, start, end) for column in columns)
    slow_v = signals.slow_part(start, end)
    n = min(len(tension), len(slow_v))
    x, tension, v, a, slow_v = x[:n], tension[:n], v[:n], a[:n], slow_v[:n]
    moving = np.abs(slow_v) > limits.v_move_m_s
    moving &= (x > limits.detect.set.off_rest_m) & (tension >= limits.lifted_n)  # else something else carries it
    moving &= outside(doubted, start, n)
    steady = moving & (np.abs(a) < CRUISE_G * G)
    uneven = _shorter_way(v[steady]) < LEAST_MOMENTS
    if uneven:
        uneven = _shorter_way(v[moving]) >= LEAST_MOMENTS
        steady = moving if uneven else steady
    if not steady.any():
        return None
    x, tension, v, a = x[steady], tension[steady], v[steady], a[steady]
    carried = limits.share_at(x, v) + a * (limits.inertia / G)
    c, t = direction(v), tension / carried
    if uneven:
        for way in (v > 0, v <= 0):  # the mean of each is what the whole way shows
            t[way] += tension[way].sum() / carried[way].sum() - t[way].mean()
    sums = (len(c), c.sum(), (c * c).sum(), t.sum(), (c * t).sum(), (t * t).sum(), np.count_nonzero(c > 0))
    at = np.flatnonzero(steady).sum() + start * len(c)
    aa = ((a / G) ** 2).sum()
    return Cruise(*(float(one) for one in (*sums, at, aa)))


def _shorter_way(v_m_s: NDArray[np.float64]) -> int:
    """The moments of the way, up or down, with fewer of them."""
    up = int(np.count_nonzero(v_m_s > 0))
    return min(up, len(v_m_s) - up)
