"""The numbers that detectors compare with, derived from machine, protocol and settings.

EVENTS.md 1.2 defines each of them. A new load, friction or range gives a new `Limits`.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.profile.profile import Profile
from monitor.profile.resistance import Resistance, moving_like, resistance_of
from monitor.profile.settings import DetectSettings

BAND, SUPERSLOW_BAND = 0.10, 0.08  # EVENTS.md 1.2
ASSUMED_RANGE_M = 0.4  # until it is learned from two repetitions
WIDEST_RANGE_M = 0.6  # of the machines that are measured: EVENTS.md 18
ASSUMED_PHASE_S = 4.0  # a static machine has no tempo
SUPERSLOW_S, SHORT_PHASE_S = 8.0, 4.0  # the longer phase of a superslow tempo, the longest with `factor_short`
LONG_GAP_S, LONGEST_GAP_S = 3.0, 10.0  # bounds of a gap that may hide a whole phase
Level = NDArray[np.float64] | float
KNOWN_FROM = Literal["given", "learned", "unknown"]
LOAD_FROM = Literal["given", "learned", "presumed", "unknown"]


@dataclass(frozen=True)
class Limits:
    """Heights x are measured from the rest, up positive. `load_n` is W; None until it is known."""

    kind: Literal["stack", "motor", "static"]
    starts_up: bool
    detect: DetectSettings
    positive_s: float
    negative_s: float
    pause_s: float  # planned pauses on the rest
    rest_m: float  # raw coordinate of x = 0
    doubt_m: float  # the possible error of x
    bottom_m: float  # x
    top_m: float
    lockout_m: float
    range_known: bool  # given, or shown by a repetition
    range_agreed: bool  # given, or shown alike by enough repetitions: what depends on it is judged at once
    lift_off_n: float
    ceiling_given_n: float | None
    band_given: float | None
    load_n: float | None
    friction: float | None
    load_from: LOAD_FROM
    friction_from: KNOWN_FROM
    short_range_m: float | None = None  # the way of movements that are too short to teach a range
    range_given: bool = False  # by the profile
    zero_n: float = 0.0  # what the cell reads while nothing pulls
    resistance: Resistance | None = None  # None: the same load along the whole way
    resistance_known: bool = False  # whether that was given, or shown by repetitions
    inertia_kg: float | None = None  # given
    down: float = 1.0  # the load on the way down, as a share of `load_n`
    presumed_n: float | None = None  # the load before this lift-off, until the one that is selected now is confirmed
    lowered_n: float | None = None  # while no load is known: what was lowered after somebody else had lifted it

    @cached_property
    def range_m(self) -> float:
        """L. Until repetitions agree on it, at least the assumed one: a longer way may still follow."""
        return self.span_m if self.range_agreed else max(self.span_m, ASSUMED_RANGE_M)

    @property
    def span_m(self) -> float:
        """From the bottom to the top as far as they are known."""
        return self.top_m - self.bottom_m

    @cached_property
    def excursion_m(self) -> float:
        """A shorter movement does not count as a repetition."""
        share = self.detect.rep.excursion
        if self.range_agreed:
            return share * self.range_m
        return max(self.detect.range.least_m, share * self.span_m if self.range_known else 0.0)

    @property
    def driven(self) -> bool:
        """A motor sets the speed, so movement without a pull only positions it. False for a barbell."""
        return self.kind == "motor" and self.starts_up

    @property
    def free(self) -> bool:
        """A free bar, without guide or rest: its set begins with the first movement."""
        return self.kind == "motor" and not self.starts_up

    @cached_property
    def v_up_m_s(self) -> float:
        return self.range_m / self.positive_s

    @cached_property
    def v_down_m_s(self) -> float:
        return self.range_m / self.negative_s

    @cached_property
    def v_rest_m_s(self) -> float:
        motion = self.detect.motion
        return max(motion.rest_min_m_s, motion.rest_fraction * min(self.v_up_m_s, self.v_down_m_s))

    @cached_property
    def v_move_m_s(self) -> float:
        return self.detect.motion.move_factor * self.v_rest_m_s

    @cached_property
    def reversal_m(self) -> float:
        return max(self.detect.motion.reversal_min_m, self.detect.motion.reversal_fraction * self.range_m)

    @cached_property
    def extreme_m(self) -> float:
        """A dwell lies within this of its extreme."""
        return max(self.detect.motion.extreme_m, self.detect.motion.extreme_fraction * self.range_m)

    @cached_property
    def a_jerk_m_s2(self) -> float:
        jerk = self.detect.jerk
        return min(max(jerk.size * self.range_m / self.positive_s**2, jerk.min_g * G), jerk.max_g * G)

    @cached_property
    def a_turn_m_s2(self) -> float:
        return self.detect.turnaround.smooth * self.a_jerk_m_s2

    @cached_property
    def superslow(self) -> bool:
        return max(self.positive_s, self.negative_s) >= SUPERSLOW_S

    @cached_property
    def band(self) -> float:
        usual = SUPERSLOW_BAND if self.superslow else BAND
        given = usual if self.band_given is None else self.band_given
        return max(given, self.a_jerk_m_s2 / G)

    @cached_property
    def fast_up_m_s(self) -> float:
        return self._kappa(self.positive_s) * self.v_up_m_s

    @cached_property
    def fast_down_m_s(self) -> float:
        return self._kappa(self.negative_s) * self.v_down_m_s

    @cached_property
    def surely_fast_up_m_s(self) -> float:
        """Too fast even if a learned range turns out to be as wide as ranges are."""
        return self.fast_up_m_s * (1.0 if self.range_given else max(1.0, WIDEST_RANGE_M / self.range_m))

    def _kappa(self, phase_s: float) -> float:
        return self.detect.speed_over.factor_short if phase_s <= SHORT_PHASE_S else self.detect.speed_over.factor_long

    @cached_property
    def slam_m_s(self) -> float:
        return max(self.detect.stack_touch.slam_m_s, self.fast_down_m_s)

    @cached_property
    def lockout_zone_m(self) -> float:
        lockout = self.detect.lockout_rest
        return self.lockout_m - max(lockout.zone_min_m, lockout.zone_fraction * self.range_m)

    @cached_property
    def lockout_dwell_s(self) -> float:
        return self.detect.lockout_rest.dwell_superslow_s if self.superslow else self.detect.lockout_rest.dwell_s

    @cached_property
    def long_gap_s(self) -> float:
        """A silence this long may hide the end of one phase and the start of the next."""
        return min(max(LONG_GAP_S, min(self.positive_s, self.negative_s)), LONGEST_GAP_S)

    @cached_property
    def end_rest_s(self) -> float:
        """A rest of this length ends a set."""
        end = self.detect.set
        return end.end_rest_s if self.pause_s <= end.end_rest_s else self.pause_s + end.pause_margin_s

    @cached_property
    def smooth_dwell_s(self) -> float:
        turn = self.detect.turnaround
        return turn.dwell_superslow_s if self.superslow else turn.dwell_s

    @cached_property
    def turn_window_s(self) -> float:
        turn = self.detect.turnaround
        return max(turn.window_s, turn.window_fraction * min(self.positive_s, self.negative_s))

    def share_at(self, x_m: Level, v_m_s: Level | None = None) -> Level:
        """The load at heights above the rest, as shares of its mean; the load of the way up without velocities."""
        share = 1.0 if self.resistance is None else self.resistance.at(x_m)
        return share if v_m_s is None or self.down == 1.0 else np.where(v_m_s < 0, self.down * share, share)

    @property
    def inertia(self) -> float:
        """The mass that moves, as a share of load/g."""
        if self.inertia_kg is not None and self.selected_n:
            return self.inertia_kg * G / self.selected_n
        return 1.0 if self.resistance is None else self.resistance.inertia

    @cached_property
    def half_load_n(self) -> float:
        """0.5 W; the lift-off force until W is known."""
        return self.lift_off_n if self.load_n is None else self.detect.stack_touch.tension * self.load_n

    @cached_property
    def slack_n(self) -> float:
        return 2 * self.detect.slack.tension * self.half_load_n

    @cached_property
    def empty_n(self) -> float:
        return self.detect.set.end_tension * (self.selected_n or 2 * self.half_load_n)

    @cached_property
    def held_n(self) -> float:
        """A stack that stands still with less tension than this is held by something other than the cable."""
        held = self.detect.held
        return held.unknown_n if self.selected_n is None else held.tension * self.selected_n

    @cached_property
    def unload_below(self) -> float:
        """The muscle counts as unloaded while w' is below this."""
        unload = self.detect.unload
        return 1 - max(unload.low, unload.factor * self.a_jerk_m_s2 / G)

    @cached_property
    def foreign(self) -> float:
        """A share of W: a force that differs by more from what the movement explains is not the lifter's."""
        assist = self.detect.assist
        return max(assist.size, assist.size_min_n / self.load_n) if self.load_n else float("inf")

    @cached_property
    def lifted_n(self) -> float:
        """With less tension than this, somebody else lifts the stack."""
        if self.selected_n is None:
            return self.detect.held.unknown_n
        return min(self.lift_off_n, self.detect.assist.lifted * self.selected_n)

    def ceiling_n_at(self, share: Level) -> Level:
        """At shares of the load; infinity if neither the load nor an absolute limit is known."""
        given_n = float("inf") if self.ceiling_given_n is None else self.ceiling_given_n
        if self.load_n is None:
            return given_n
        heavy_n = self.detect.force_ceiling.factor * (1 + (self.friction or 0.0)) * self.load_n
        return np.minimum(given_n, heavy_n * max(1.0, self.down) * share)

    def with_load(self, load_n: float, friction: float, *, load_from: LOAD_FROM, friction_from: KNOWN_FROM) -> "Limits":
        sources: dict[str, Any] = {"load_from": load_from, "friction_from": friction_from}
        return replace(self, load_n=load_n, friction=friction, presumed_n=None, lowered_n=None, **sources)

    def corrected(self, load_n: float | None) -> "Limits":
        """The limits with another value of the learned load, which is confirmed or presumed as before."""
        return replace(self, presumed_n=load_n) if self.load_n is None else replace(self, load_n=load_n)

    @property
    def selected_n(self) -> float | None:
        """The confirmed load, else the presumed one, else None."""
        return self.presumed_n if self.load_n is None else self.load_n

    def presuming(self) -> "Limits":
        """After a pause the pin may be elsewhere: nothing is compared with the load until it is confirmed."""
        return replace(self, load_n=None, load_from="presumed", presumed_n=self.load_n)

    def with_rest(self, drift_m: float) -> "Limits":
        """The stack rests `drift_m` higher than assumed; all other heights above the rest stay the same."""
        return replace(self, rest_m=self.rest_m + drift_m, doubt_m=0.0)

    def with_machine(self, friction: float | None, zero_n: float, resistance: Resistance | None) -> "Limits":
        """The limits with what earlier sessions learned; what the profile gives stays."""
        limits = replace(self, zero_n=zero_n)
        if friction is None:
            return limits
        given = moving_like(self.resistance, resistance) if self.resistance_known else resistance
        limits = limits.with_resistance(given)  # a repetition that taught friction fitted it
        return limits if self.friction is not None else replace(limits, friction=friction, friction_from="learned")

    def with_resistance(self, resistance: Resistance | None) -> "Limits":
        """The limits once it is known how the load varies along the way."""
        return replace(self, resistance=resistance, resistance_known=True)

    def with_step(self, down: float) -> "Limits":
        """The limits with a load on the way down that is `down` times the one on the way up."""
        apart = down != 1.0 or self.friction_from != "unknown"  # else friction was only a part of the step
        return replace(self if apart else replace(self.unconfirmed(), friction=None), down=down)

    def unconfirmed(self) -> "Limits":
        """The limits without the load that seemed to be selected: it is wrong, or varies along the way."""
        return replace(self, load_n=None, load_from="unknown", presumed_n=None)

    def with_lowered(self, lowered_n: float | None) -> "Limits":
        """The limits with what the last repetition lowered, where somebody else had lifted it."""
        return self if lowered_n == self.lowered_n else replace(self, lowered_n=lowered_n)

    def with_zero(self, zero_n: float) -> "Limits":
        return replace(self, zero_n=zero_n)

    def with_doubt(self, doubt_m: float) -> "Limits":
        """The limits with a possible error of x that is larger by `doubt_m`."""
        return replace(self, doubt_m=self.doubt_m + doubt_m)

    def including(self, bottom_m: float, top_m: float) -> "Limits":
        """The limits to judge a repetition by: until repetitions agree on a range, with one that includes this one."""
        if self.range_agreed:
            return self
        if self.range_known:
            bottom_m, top_m = min(bottom_m, self.bottom_m), max(top_m, self.top_m)
        return self.with_range(bottom_m, top_m, agreed=True)

    def with_short_range(self, way_m: float | None) -> "Limits":
        return self if way_m == self.short_range_m else replace(self, short_range_m=way_m)

    def with_range(self, bottom_m: float, top_m: float, *, agreed: bool) -> "Limits":
        """The limits with a learned range, in m above the rest."""
        return replace(self, bottom_m=bottom_m, top_m=top_m, lockout_m=top_m, range_known=True, range_agreed=agreed)


def limits_of(profile: Profile) -> Limits:
    """The limits before the first sample."""
    machine, protocol = profile.machine, profile.protocol
    bottom_m = machine.bottom_m if machine.bottom_m is not None else machine.rest_m or 0.0
    top_m = machine.top_m if machine.top_m is not None else bottom_m + ASSUMED_RANGE_M
    rest_m = machine.rest_m if machine.rest_m is not None else bottom_m
    load_n, resistance, ends_m = machine.working_load_n, None, (machine.bottom_m, machine.top_m)
    if machine.curve_m is not None and machine.curve_n is not None:
        resistance, mean_n = resistance_of(machine.curve_m, machine.curve_n, ends_m, rest_m)
        load_n = load_n or mean_n
    return Limits(
        kind=machine.kind,
        starts_up=protocol.starts_with == "positive",
        detect=profile.detect,
        positive_s=protocol.positive_s or ASSUMED_PHASE_S,
        negative_s=protocol.negative_s or ASSUMED_PHASE_S,
        pause_s=protocol.pause_s,
        rest_m=rest_m,
        doubt_m=0.0,
        bottom_m=bottom_m - rest_m,
        top_m=top_m - rest_m,
        lockout_m=(machine.lockout_m if machine.lockout_m is not None else top_m) - rest_m,
        range_known=machine.top_m is not None,
        range_agreed=machine.top_m is not None,
        range_given=machine.top_m is not None,
        lift_off_n=machine.lift_off_n,
        ceiling_given_n=machine.force_ceiling_n,
        band_given=protocol.band,
        load_n=load_n,
        friction=machine.friction,
        load_from="unknown" if load_n is None else "given",
        friction_from="unknown" if machine.friction is None else "given",
        resistance=resistance,
        inertia_kg=machine.inertia_kg,
        resistance_known=machine.resistance in ("constant", "curve"),
    )
