"""Ready scripts: clean sets of a practised lifter, and sets with faults at random places."""

from collections.abc import Sequence

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from firmware_bridge.simulator.machine import Machine
from firmware_bridge.simulator.script import (
    Halt,
    Heave,
    LetFall,
    Lift,
    Lifter,
    Lower,
    Move,
    Rest,
    Script,
    SetDown,
    Snap,
    Tug,
    Turn,
)

FAULTS = (
    "heave_start", "heave_mid", "heave_slack", "yank", "drop", "drop_slack", "snap_upper", "snap_lower", "bounce",
    "lockout_rest", "touch", "slam", "bottom_rest", "stall_grind", "stall_shove", "sticking", "partial", "fidget",
    "fast_positive", "fast_negative",
)  # fmt: skip
ENDINGS = ("set_down", "fail_lower", "fail_still")
LEAD_S, TAIL_S = 2.5, 7.0  # on the rest, before and after; a set ends after 5 s on the rest


def drawn_lifter(rng: np.random.Generator) -> Lifter:
    """A random person: everyone has another sense of time and another steadiness."""
    return Lifter(
        tempo=float(rng.uniform(0.95, 1.10)),
        wobble=float(rng.uniform(0.02, 0.055)),
        tremor=float(rng.uniform(0.002, 0.007)),
        range_spread=float(rng.uniform(0.005, 0.015)),
        dwell_s=float(rng.uniform(0.22, 0.4)),
        fatigue=float(rng.uniform(0.0, 0.3)),
    )


def drawn_machine(rng: np.random.Generator) -> Machine:
    """A random machine as in gyms: 25 to 180 kg, 0.25 to 0.6 m, friction 2 to 20 %, 5 to 12 Hz."""
    rest_m = float(rng.uniform(-0.1, 0.1))
    bottom_m = rest_m + float(rng.uniform(0.02, 0.06))
    return Machine(
        mass_kg=float(5 * rng.integers(5, 37)),
        resonance_hz=float(rng.uniform(5.0, 12.0)),
        damping=float(rng.uniform(0.08, 0.2)),
        friction=float(np.exp(rng.uniform(np.log(0.02), np.log(0.20)))),
        viscous_per_s=float(rng.uniform(0.0, 0.05)),
        rest_m=rest_m,
        bottom_m=bottom_m,
        top_m=bottom_m + float(rng.uniform(0.25, 0.6)),
    )


def clean_set(
    positive_s: float,
    negative_s: float,
    reps: int,
    lifter: Lifter | None = None,
    tail_s: float = TAIL_S,
    negative_first: bool = False,
) -> Script:
    """A set without faults: lift smoothly, turn softly, lower, set down gently at the end.

    With `negative_first`, as in a squat, the stack is lifted to the top before the set, and lowered after it.
    """
    rep: list[Move] = [Lift(), Turn(), Lower(), Turn()]
    moves = [Rest(LEAD_S), *(rep[:2] if negative_first else []), *(rep[2:] + rep[:2] if negative_first else rep) * reps]
    moves = [*moves, Lower(), SetDown(tail_s)] if negative_first else [*moves[:-1], SetDown(tail_s)]
    return Script(positive_s=positive_s, negative_s=negative_s, moves=tuple(moves), lifter=lifter or Lifter())


def faulty_set(
    rng: np.random.Generator,
    machine: Machine,
    positive_s: float,
    negative_s: float,
    reps: int = 6,
    faults: Sequence[str] = FAULTS,
    share: float = 0.5,
    lifter: Lifter | None = None,
    tail_s: float = TAIL_S,
) -> Script:
    """Each repetition has one of `faults` with the probability `share`; some are too mild to count as faults."""
    draw = _Draw(rng, machine, positive_s, negative_s)
    moves: list[Move] = [Rest(float(rng.uniform(1.0, 4.0)))]
    if rng.random() < 0.3:
        moves += [Tug(float(rng.uniform(0.2, 0.7))), Rest(float(rng.uniform(0.5, 2.0)))]
    if rng.random() < 0.15:  # off the rest, but not lifting yet
        moves += [Lift(to=0.0), Turn(float(rng.uniform(0.5, 3.0)))]
    for _ in range(reps):
        fault = str(rng.choice(list(faults))) if len(faults) and rng.random() < share else ""
        moves += draw.rep(fault)
    ending = str(rng.choice(ENDINGS, p=(0.6, 0.25, 0.15)))
    if ending != "set_down":
        then, hold_s = ("lower", rng.uniform(2.3, 4.0)) if ending == "fail_lower" else ("still", rng.uniform(5.3, 6.5))
        moves += [Lift(stall=Halt(float(rng.uniform(0.25, 0.75)), float(hold_s), then))]
    elif isinstance(moves[-1], Turn):
        moves[-1:] = [Turn(float(rng.uniform(0.8, 3.0)))] if rng.random() < 0.15 else []
    moves.append(SetDown(tail_s))
    return Script(positive_s=positive_s, negative_s=negative_s, moves=tuple(moves), lifter=lifter or drawn_lifter(rng))


def drawn_rep(
    rng: np.random.Generator, machine: Machine, positive_s: float, negative_s: float, fault: str = ""
) -> list[Move]:
    """The moves of one repetition, from bottom to bottom, with one of `FAULTS` or none."""
    return _Draw(rng, machine, positive_s, negative_s).rep(fault)


class _Draw:
    """Draws repetitions with faults whose size fits the machine and the tempo."""

    def __init__(self, rng: np.random.Generator, machine: Machine, positive_s: float, negative_s: float) -> None:
        self._rng, self._machine = rng, machine
        self._positive_m_s, self._negative_m_s = machine.range_m / positive_s, machine.range_m / negative_s
        easy_m_s2 = 5.8 * machine.range_m / positive_s**2  # the most that a clean repetition needs
        self._brisk_m_s2 = min(max(2 * easy_m_s2, 0.08 * STANDARD_GRAVITY_M_S2), 0.25 * STANDARD_GRAVITY_M_S2)

    def rep(self, fault: str) -> list[Move]:
        """The moves of one repetition, from bottom to bottom."""
        u = self._rng.uniform
        lift, upper, lower, end = Lift(), Turn(), Lower(), Turn()
        moves: list[Move]
        match fault:
            case "":
                moves = [lift, upper, lower, end]
            case "heave_start":
                moves = [Lift(heave=self._heave(0.0, u(0.4, 0.95))), upper, lower, end]
            case "heave_mid":
                moves = [Lift(heave=self._heave(u(0.2, 0.5), u(0.5, 0.95))), upper, lower, end]
            case "heave_slack":
                moves = [Lift(heave=self._heave(u(0.0, 0.3), 0.0)), upper, lower, end]
            case "yank":
                moves = [SetDown(u(0.4, 1.2)), Lift(squeeze=False, heave=self._heave(0.0, 0.6)), upper, lower, end]
            case "drop":
                moves = [lift, upper, Lower(drop=self._drop(u(0.3, 0.8))), end]
            case "drop_slack":
                moves = [lift, upper, Lower(drop=self._drop(0.0)), end]
            case "snap_upper":
                moves = [lift, self._snap(self._positive_m_s), lower, end]
            case "snap_lower":
                moves = [lift, upper, lower, self._snap(self._negative_m_s)]
            case "bounce":
                down = self._machine.bottom_m - self._machine.rest_m + u(-0.005, 0.01)
                moves = [lift, upper, Lower(speed=u(1.0, 1.6)), self._snap(self._negative_m_s, down)]
            case "lockout_rest":
                moves = [lift, Turn(u(1.8, 6.0)), lower, end]
            case "touch":
                moves = [lift, upper, lower, SetDown(u(0.12, 0.6), loose=bool(u() < 0.6))]
            case "slam":
                moves = [lift, upper, lower, SetDown(u(0.3, 1.0), u(0.3, 0.6) + 2 * self._negative_m_s)]
            case "bottom_rest":
                moves = [lift, upper, lower, SetDown(u(0.9, 3.5))]
            case "stall_grind":
                moves = [Lift(stall=Halt(u(0.25, 0.75), u(1.8, 4.0))), upper, lower, end]
            case "stall_shove":
                shove = self._brisk_m_s2 * u(1.8, 3.0)
                moves = [Lift(stall=Halt(u(0.25, 0.7), u(1.8, 4.0), "shove", shove)), upper, lower, end]
            case "sticking":
                moves = [Lift(stall=Halt(u(0.3, 0.7), u(0.05, 0.4))), upper, lower, end]
            case "partial":
                moves = [Lift(to=u(0.4, 0.75)), upper, lower, end]
            case "fidget":
                moves = [Lift(to=u(0.06, 0.16)), Turn(), Lower(), Turn(), lift, upper, lower, end]
            case "fast_positive":
                moves = [Lift(speed=u(2.0, 2.8)), upper, lower, end]
            case "fast_negative":
                moves = [lift, upper, Lower(speed=u(2.2, 3.2)), end]
            case _:
                raise ValueError(f"unknown fault {fault!r}: the faults are {', '.join(FAULTS)}")
        return moves

    def _size(self) -> float:
        """A size in units of a brisk movement: mostly a clear fault, sometimes too mild to be one."""
        return float(self._rng.uniform(0.3, 0.6) if self._rng.random() < 0.12 else self._rng.uniform(1.8, 3.5))

    def _heave(self, at: float, share: float) -> Heave:
        rise_s, coast_s = float(self._rng.uniform(0.22, 0.35)), float(self._rng.uniform(0.05, 0.25))
        peak_m_s = self._brisk_m_s2 * self._size() * rise_s / 1.5
        room_m = (0.75 - at) * self._machine.range_m  # nobody throws the stack beyond the end of the legs
        peak_m_s = min(peak_m_s, room_m / (0.5 * rise_s + coast_s + 0.15))
        return Heave(float(at), 1.5 * peak_m_s / rise_s, rise_s, float(share), coast_s)

    def _drop(self, share: float) -> LetFall:
        at = float(self._rng.uniform(0.6, 0.9))
        room_m = 0.8 * at * self._machine.range_m  # and it is caught before it lands
        fall_m_s2 = (1 - share) * STANDARD_GRAVITY_M_S2
        for_s = min(float(self._rng.uniform(0.06, 0.16)), float(np.sqrt(room_m / fall_m_s2)) - 0.06)
        return LetFall(at, float(share), max(for_s, 0.04), float(self._rng.uniform(0.2, 0.35)))

    def _snap(self, speed_m_s: float, below_m: float = 0.0) -> Snap:
        turn_s = float(self._rng.uniform(0.15, 0.28))
        fast_m_s = self._brisk_m_s2 * self._size() * turn_s / 3.0
        return Snap(turn_s, max(fast_m_s, 0.8 * speed_m_s), below_m)
