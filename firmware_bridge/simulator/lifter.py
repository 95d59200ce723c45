"""The lifter: turns the moves of a script into legs of the hand's path; at each leg's end it knows where the stack is.

The hand aims at the stack's place plus the cable's stretch under the load. Friction makes this stretch differ between
up and down; a practised lifter takes the difference over gently while turning.
"""

from collections.abc import Generator

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from firmware_bridge.simulator.legs import LOOSE, Leg, Now, Segment, quintic
from firmware_bridge.simulator.machine import Machine
from firmware_bridge.simulator.outside import Outside
from firmware_bridge.simulator.script import (
    GymMove,
    Halt,
    Heave,
    HoldStill,
    LetFall,
    Lift,
    Lower,
    Move,
    Rest,
    Script,
    SetDown,
    Snap,
    Tug,
    Turn,
)
from firmware_bridge.simulator.sway import Sway

RAMP = 0.38  # of a short phase: the time to reach the speed, and the time to stop
RAMP_MAX_S = 1.2  # in a slow phase the speed is nearly constant
SQUEEZE_S = 0.9
GIVE_S = 0.06  # how fast a muscle lets go


class Performer:
    """Performs a script on a machine, leg by leg; `segment` returns None at the end."""

    def __init__(self, machine: Machine, script: Script, seed: int) -> None:
        self._machine, self._script, self._rng = machine, script, np.random.default_rng(seed)
        self._lifter = script.lifter
        self.sway = Sway(self._rng)
        self.notes: list[tuple[float, str]] = []
        self._bottom_m = machine.bottom_m - machine.rest_m
        self.loose = min(LOOSE, -script.lifter.sag_m / machine.stretch_m)  # lean of a loose cable
        self._now = Now(0.0, 0.0, 0.0, self.loose * machine.stretch_m, 0.0)
        self._x_m, self._speed_m_s, self._lean = 0.0, 0.0, self.loose  # planned, at the end of the last leg
        self._limit = script.lifter.strength
        self._hands, self._motor, self._grip = 0.0, 1.0, 0.0  # from others, at the end of the last leg
        self._done = 0.0  # share of the moves that are done
        self._legs = self._perform()

    def segment(self, now: Now) -> Segment | None:
        """The next leg, from what the lifter feels now. It begins where the hand is, so earlier slip has no effect."""
        self._now = now
        self._x_m += now.slip_m
        leg = next(self._legs, None)
        if leg is None:
            return None
        stretch_m = self._machine.stretch_m
        if leg.from_stack:
            start_m, start_m_s = now.hand_m, now.v_m_s
        else:
            start_m, start_m_s = self._x_m + self._pulls(self._lean) * stretch_m, self._speed_m_s
        others = Outside((self._hands, leg.hands), (self._motor, leg.motor), leg.stop_m, (self._grip, leg.grip))
        self._hands, self._motor, self._grip = leg.hands, leg.motor, leg.grip
        limit = self._lifter.strength if leg.share is None else leg.share
        first = limit if leg.from_stack else self._limit
        self._x_m, self._speed_m_s, self._lean, self._limit = leg.to_m, leg.speed_m_s, leg.lean, limit
        end_m = leg.to_m + self._pulls(leg.lean) * stretch_m
        return Segment(
            coefficients=quintic(leg.duration_s, start_m, start_m_s, end_m, leg.speed_m_s),
            duration_s=leg.duration_s,
            limit_m_s2=first * STANDARD_GRAVITY_M_S2,
            limit_slope_m_s3=(limit - first) * STANDARD_GRAVITY_M_S2 / leg.duration_s,
            tremor_m=0.0 if leg.calm else self._lifter.tremor * self._tired(4) * stretch_m,
            begins_now=leg.from_stack,
            outside=others,
        )

    def _pulls(self, lean: float) -> float:
        """The stretch of the cable, given what others carry and what a motor adds."""
        return lean - self._hands + (self._motor - 1.0) if lean > 0 else lean

    def _tired(self, gain: float = 1.0) -> float:
        return 1.0 + gain * self._lifter.fatigue * self._done**2

    def _perform(self) -> Generator[Leg, None, None]:
        moves = self._script.moves
        for i, move in enumerate(moves):
            self._done = i / len(moves)
            self.notes.append((self._now.t_s, repr(move)))
            yield from self._act(move, moves[i + 1] if i + 1 < len(moves) else None)

    def _act(self, move: Move | GymMove, following: Move | GymMove | None) -> Generator[Leg, None, None]:
        match move:
            case Rest(duration_s):
                yield Leg(duration_s, 0.0, lean=self.loose)
            case Tug(share, duration_s):
                yield Leg(duration_s / 2, 0.0, lean=share)
                yield Leg(duration_s / 2, 0.0, lean=self.loose)
            case Lift():
                yield from self._lift(move, following)
            case Lower():
                yield from self._lower(move, following)
            case Turn(dwell_s):
                yield from self._turn(dwell_s)
            case Snap(turn_s, speed_m_s):
                away = -self._speed_m_s if abs(self._speed_m_s) > speed_m_s else -np.sign(self._speed_m_s) * speed_m_s
                yield self._glide(turn_s, float(away))
            case SetDown():
                yield from self._set_down(move)
            case HoldStill(duration_s, settle_s):
                yield Leg(settle_s, self._x_m, lean=1.0)
                yield Leg(duration_s, self._x_m, lean=1.0)
            case _:
                raise ValueError(f"{move!r} needs a GymPerformer, because others have a part in it")

    def _glide(self, duration_s: float, speed_m_s: float, share: float | None = None) -> Leg:
        """Go from the present speed to another."""
        lean = self._leaning(speed_m_s) if speed_m_s else self._lean
        to_m = self._x_m + (self._speed_m_s + speed_m_s) / 2 * duration_s
        return Leg(duration_s, to_m, speed_m_s, lean=lean, share=share)

    def _regrip(self, duration_s: float, speed_m_s: float) -> Leg:
        """Catch a stack that moves by itself, and bring it to a speed."""
        now = self._now
        to_m = now.x_m + (now.v_m_s + speed_m_s) / 2 * duration_s
        return Leg(duration_s, to_m, speed_m_s, lean=self._leaning(speed_m_s), from_stack=True)

    def _leaning(self, direction: float) -> float:
        return 1.0 + self._lifter.ease * self._machine.friction * float(np.sign(direction))

    def _phase(self, nominal_s: float, factor: float) -> tuple[float, float]:
        """The constant speed, and the time to reach it."""
        spread = float(self._rng.normal(1.0, self._lifter.tempo_spread))
        duration_s = nominal_s * self._lifter.tempo * min(max(spread, 0.85), 1.2) / factor
        ramp_s = min(RAMP * duration_s, RAMP_MAX_S)
        return self._machine.range_m / (duration_s - ramp_s), ramp_s

    def _place_m(self, share: float) -> float:
        """Where the lifter really turns, aiming at this share of the range."""
        spread = float(np.clip(self._rng.normal(0.0, self._lifter.range_spread), -0.03, 0.03))
        return max(self._bottom_m + (share + spread) * self._machine.range_m, 0.3 * self._bottom_m)

    def _go(
        self, to_m: float, cruise_m_s: float, ramp_s: float, following: Move | GymMove | None
    ) -> Generator[Leg, None, None]:
        """Reach the speed, keep it, and stop; before a snap, arrive at full speed instead."""
        sign = 1.0 if to_m > self._x_m else -1.0
        snap = following if isinstance(following, Snap) else None
        if snap:
            cruise_m_s = max(cruise_m_s, snap.speed_m_s)
            to_m -= snap.below_m if sign < 0 else 0.0
            to_m -= sign * cruise_m_s * snap.turn_s * 0.25  # the stack runs on while it turns
        way_m = (to_m - self._x_m) * sign
        ends = 0.5 if snap else 1.0
        start_m = (cruise_m_s + abs(self._speed_m_s)) / 2 * ramp_s
        stop_m = 0.0 if snap else cruise_m_s / 2 * ramp_s
        if way_m < start_m + stop_m + 0.02 * self._machine.range_m:  # too short to reach the speed
            duration_s = max(2 * ends * ramp_s, 1.9 * way_m / cruise_m_s, 0.2)
            yield Leg(duration_s, to_m, sign * cruise_m_s if snap else 0.0, lean=self._leaning(sign))
            return
        yield self._glide(ramp_s, sign * cruise_m_s)
        pieces = 3
        piece_m = (way_m - start_m - stop_m) / pieces
        for i in range(pieces):  # no lifter has an exactly constant speed
            pace = 1.0 if i == pieces - 1 else float(np.clip(self._rng.normal(1.0, 0.05), 0.88, 1.12))
            end_m_s = sign * cruise_m_s * pace
            duration_s = piece_m / (abs(self._speed_m_s + end_m_s) / 2)
            yield self._glide(duration_s, end_m_s)
        if not snap:
            yield Leg(ramp_s, to_m, 0.0, lean=self._leaning(sign))

    def _lift(self, move: Lift, following: Move | GymMove | None) -> Generator[Leg, None, None]:
        to_m = self._place_m(move.to)
        cruise_m_s, ramp_s = self._phase(self._script.positive_s * self._tired(), move.speed)
        if self._lean < 0.5 and move.squeeze:
            yield Leg(SQUEEZE_S * float(self._rng.uniform(0.8, 1.3)), 0.0, lean=0.97)
        if move.heave:
            yield from self._heave(move.heave, cruise_m_s, ramp_s)
        if move.stall:
            yield from self._stall(move.stall, cruise_m_s, ramp_s)
            if move.stall.then in ("lower", "still"):
                return
        if to_m - self._x_m > 0.01:
            yield from self._go(to_m, cruise_m_s, ramp_s, following)
        else:  # thrown beyond the aim
            yield Leg(0.3, max(self._x_m, to_m), 0.0, lean=1.0)

    def _heave(self, heave: Heave, cruise_m_s: float, ramp_s: float) -> Generator[Leg, None, None]:
        at_m = self._bottom_m + heave.at * self._machine.range_m
        if at_m - self._x_m > cruise_m_s * ramp_s / 2 + 0.01:
            yield self._glide(ramp_s, cruise_m_s)
            yield self._glide(max((at_m - self._x_m) / cruise_m_s, 0.02), cruise_m_s)
        peak_m_s = self._speed_m_s + heave.peak_m_s2 * heave.rise_s / 1.5
        yield self._glide(heave.rise_s, peak_m_s)
        if heave.coast_s > 0:
            yield self._glide(GIVE_S, peak_m_s, share=heave.share)
            slows_m_s2 = (1 - heave.share + self._machine.friction) * STANDARD_GRAVITY_M_S2
            flies_s = max(self._now.v_m_s, 0.0) / max(slows_m_s2, 1.0)  # the lifter feels when the stack stops rising
            yield self._glide(max(min(heave.coast_s, flies_s), 0.03), peak_m_s, share=heave.share)
        then_m_s = min(cruise_m_s, max(self._now.v_m_s, 0.3 * cruise_m_s))
        room_m = self._bottom_m + self._machine.range_m - self._now.x_m  # until the joints are locked
        if room_m < 0.35 * (self._now.v_m_s + then_m_s) / 2:
            then_m_s = 0.0
        duration_s = 1.8 * room_m / max(self._now.v_m_s + then_m_s, 0.01)
        yield self._regrip(min(max(duration_s, 0.12), 0.35), then_m_s)

    def _stall(self, stall: Halt, cruise_m_s: float, ramp_s: float) -> Generator[Leg, None, None]:
        at_m = self._bottom_m + stall.at * self._machine.range_m
        yield from self._go(max(at_m, self._x_m + 0.02), cruise_m_s, max(ramp_s, 0.8), None)
        creep_m = float(self._rng.uniform(0.0, 0.002))
        yield Leg(stall.hold_s, self._x_m + creep_m, 0.0, lean=1.0)
        if stall.then == "shove":
            yield from self._heave(Heave(at=0.0, peak_m_s2=stall.shove_m_s2, share=0.7), cruise_m_s, ramp_s)
        elif stall.then == "lower":
            yield from self._go(0.02 * self._machine.range_m + self._bottom_m, 0.7 * cruise_m_s, ramp_s + 0.3, None)
        elif stall.then == "still":
            yield from self._go(self._bottom_m, 0.7 * cruise_m_s, ramp_s + 0.3, None)

    def _lower(self, move: Lower, following: Move | GymMove | None) -> Generator[Leg, None, None]:
        to_m = self._place_m(move.to)
        cruise_m_s, ramp_s = self._phase(self._script.negative_s, move.speed)
        if move.drop:
            yield from self._drop(move.drop, cruise_m_s, ramp_s)
        if self._x_m - to_m > 0.01:
            yield from self._go(to_m, cruise_m_s, ramp_s, following)
        elif self._x_m > 0.0:
            yield Leg(0.4, max(self._x_m - 0.005, 0.0), 0.0, lean=1.0)

    def _drop(self, drop: LetFall, cruise_m_s: float, ramp_s: float) -> Generator[Leg, None, None]:
        at_m = self._bottom_m + drop.at * self._machine.range_m
        if self._x_m - at_m > cruise_m_s * ramp_s / 2 + 0.01:
            yield self._glide(ramp_s, -cruise_m_s)
            yield self._glide(max((self._x_m - at_m) / cruise_m_s, 0.02), -cruise_m_s)
        yield Leg(GIVE_S, self._x_m, 0.0, share=drop.share)
        yield Leg(drop.for_s, self._x_m, 0.0, share=drop.share)
        yield self._regrip(drop.catch_s, -cruise_m_s)

    def _turn(self, dwell_s: float | None) -> Generator[Leg, None, None]:
        at_top = self._x_m > self._bottom_m + 0.5 * self._machine.range_m
        lean = self._leaning(-1 if at_top else 1)
        if dwell_s is None:
            dwell_s = float(np.clip(self._rng.normal(self._lifter.dwell_s, self._lifter.dwell_spread), 0.15, 0.55))
        if dwell_s > 1.0:
            yield Leg(dwell_s - 0.5, self._x_m, 0.0, lean=1.0)
            dwell_s = 0.5
        yield Leg(dwell_s, self._x_m, 0.0, lean=lean)

    def _set_down(self, move: SetDown) -> Generator[Leg, None, None]:
        fast = move.speed_m_s or min(self._machine.range_m / self._script.negative_s, 0.06)
        if self._x_m > 0:
            way_m = self._x_m
            ramp_s = min(0.5, way_m / fast)
            yield Leg(ramp_s, self._x_m - fast * ramp_s / 2, -fast, lean=self._lean)
            if self._x_m > 0.001:
                yield Leg(self._x_m / fast, 0.0, -fast, lean=self._lean)
        lean = self.loose if move.loose else 0.33
        loosen_s = min(0.35, 1.5 * self._machine.stretch_m / fast)
        yield Leg(loosen_s, 0.0, 0.0, lean=lean)
        yield Leg(max(move.rest_s - loosen_s, 0.05), 0.0, lean=lean)
