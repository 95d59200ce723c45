"""Performs the moves in which others have a part: helpers, hooks, stops, people who lift the stack itself."""

from collections.abc import Generator, Iterator
from dataclasses import replace

from firmware_bridge.simulator.legs import Leg
from firmware_bridge.simulator.lifter import GIVE_S, SQUEEZE_S, Performer
from firmware_bridge.simulator.script import (
    Brace,
    Carry,
    Clank,
    GymMove,
    Hang,
    Helped,
    Lift,
    Lifted,
    Lower,
    Move,
    Park,
    Slacken,
    Turn,
)

CLEAR_M = 0.006  # height above a hook from which the stack is let down onto it
GENTLY_M_S = 0.05
LOOSEN_S = 0.35
FALL_S = 0.8  # enough for a fall and its bounces


class GymPerformer(Performer):
    """A `Performer` that also knows the moves of `GymMove`."""

    def _act(self, move: Move | GymMove, following: Move | GymMove | None) -> Generator[Leg, None, None]:
        match move:
            case Helped():
                legs = self._helped(move, following)
            case Lifted():
                legs = self._lifted(move, following)
            case Brace(share, duration_s):
                legs = iter((Leg(0.4, 0.0, lean=share), Leg(duration_s, 0.0, lean=share)))
            case Slacken(by_m, duration_s):
                legs = iter((Leg(duration_s, 0.0, lean=-by_m / self._machine.stretch_m),))
            case Clank(speed_m_s):
                slack_m = max(-self._lean, 0.0) * self._machine.stretch_m
                legs = iter((Leg(2 * slack_m / speed_m_s, 0.0, speed_m_s, lean=0.0),))
            case Hang():
                legs = self._hang(move)
            case Park():
                legs = self._park(move)
            case Carry():
                legs = self._carry(move)
            case _:
                legs = super()._act(move, following)
        for leg in legs:
            yield self._driven(leg, move)

    def _driven(self, leg: Leg, move: Move | GymMove) -> Leg:
        """The leg with the motor's load: it adds on the way down, from the upper turn on."""
        down = self._machine.resistance.down
        if down == 1.0:
            return leg
        turns = isinstance(move, Turn) and self._x_m > self._bottom_m + 0.5 * self._machine.range_m
        sinks = leg.speed_m_s < 0 or leg.to_m < self._x_m - 1e-6
        return replace(leg, motor=down if turns or sinks else 1.0)

    def _helped(self, helped: Helped, following: Move | GymMove | None) -> Iterator[Leg]:
        machine, move = self._machine, helped.move
        for leg in super()._act(move, following):
            place = (leg.to_m - self._bottom_m) / machine.range_m
            begun = place >= helped.after if isinstance(move, Lift) else True
            if isinstance(move, Lower):
                begun = place <= 1 - helped.after
            yield replace(leg, hands=helped.share) if begun else leg

    def _lifted(self, lifted: Lifted, following: Move | GymMove | None) -> Iterator[Leg]:
        yield Leg(0.05, self._x_m, 0.0, lean=self._lean, grip=lifted.share)
        for leg in super()._act(lifted.move, following):
            yield replace(leg, grip=lifted.share)

    def _hang(self, hang: Hang) -> Iterator[Leg]:
        hook_m = self._bottom_m + hang.at * self._machine.range_m
        cruise_m_s, ramp_s = self._phase(self._script.negative_s, 1.0)
        yield from self._go(hook_m + CLEAR_M, cruise_m_s, ramp_s, None)
        yield Leg(0.3, self._x_m - GENTLY_M_S * 0.15 / 2, -GENTLY_M_S / 2, lean=self._lean, stop_m=hook_m)
        yield Leg(LOOSEN_S, hook_m, 0.0, lean=self.loose, stop_m=hook_m)
        yield Leg(hang.duration_s, hook_m, 0.0, lean=self.loose, stop_m=hook_m)
        yield Leg(SQUEEZE_S, hook_m, 0.0, lean=0.97, stop_m=hook_m)
        yield Leg(0.8, hook_m + hang.rise_m, 0.0, lean=self._leaning(1), stop_m=hook_m)
        yield Leg(0.4, hook_m + hang.rise_m, 0.0, lean=1.0, stop_m=hook_m)

    def _park(self, park: Park) -> Iterator[Leg]:
        stop_m = self._bottom_m - park.below_m
        yield from self._go(stop_m, GENTLY_M_S, 0.4, None)
        yield Leg(0.4, stop_m, 0.0, lean=1.0)
        yield Leg(park.duration_s, stop_m, 0.0, lean=1.0, calm=True)

    def _carry(self, carry: Carry) -> Iterator[Leg]:
        yield Leg(0.05, 0.0, 0.0, lean=self.loose, grip=1.0)
        yield Leg(0.3, 0.0, 0.0, lean=0.97, grip=1.0)
        yield Leg(max(carry.height_m / 0.1, 0.4), carry.height_m, 0.0, lean=1.0, grip=1.0)
        yield Leg(carry.duration_s, carry.height_m, 0.0, lean=1.0, grip=1.0)
        if carry.drops:
            yield Leg(GIVE_S, self._x_m, 0.0, share=0.0, grip=1.0)
            yield Leg(FALL_S, self._x_m, 0.0, share=0.0, grip=1.0)
        else:
            yield Leg(max(carry.height_m / 0.1, 0.4), 0.0, 0.0, lean=1.0, grip=1.0)
        yield Leg(0.3, 0.0, 0.0, lean=self.loose, grip=1.0)
