"""Draws sets in which the lowering comes first, by seed: on a stack machine, or with a barbell from a rack.

A stack is lifted to the top before the set and lowered after it: the movements are the same as in any other set, only
counted differently. A barbell is taken over at the top; its samples begin when the lifter stands.
"""

from dataclasses import replace

import numpy as np

from firmware_bridge.simulator import (
    FAULTS,
    Lift,
    Lower,
    Machine,
    Move,
    Rest,
    Script,
    SetDown,
    Trace,
    Tug,
    Turn,
    drawn_machine,
    faulty_set,
)

OF_A_STACK = {"yank", "bounce", "touch", "slam", "bottom_rest"}  # possible only with a rest
FREE_FAULTS = tuple(fault for fault in FAULTS if fault not in OF_A_STACK)
RACK_M = 0.08  # below the lowest position that the lifter intends to reach
STAND_S = 8.0


def barbell(rng: np.random.Generator) -> Machine:
    """A mass without guides; only the limb yields."""
    drawn = drawn_machine(rng)
    return replace(drawn, friction=0.0, viscous_per_s=0.0, rest_m=drawn.bottom_m - RACK_M)


def squats(
    rng: np.random.Generator, machine: Machine, positive_s: float, negative_s: float, reps: int, free: bool
) -> Script:
    """A set with faults as in every other group; `free`: a barbell, else a stack."""
    if not free:
        return faulty_set(rng, machine, positive_s, negative_s, reps + 1, share=0.6)
    drawn = faulty_set(rng, machine, positive_s, negative_s, reps, FREE_FAULTS, share=0.6)
    body = [move for move in drawn.moves if not isinstance(move, Rest | Tug | SetDown)]
    if body[0] == Lift(to=0.0):
        body = body[2:]
    if isinstance(last := body[-1], Lift) and last.stall:  # failed at it; 5 s of stillness would have ended the set
        body[-1] = replace(last, stall=replace(last.stall, hold_s=min(last.stall.hold_s, 4.0), then="lower"))
        end: list[Move] = [SetDown(STAND_S)]
    else:
        end = [*([Turn()] if isinstance(body[-1], Lower) else []), Lift(), Turn(STAND_S)]
    return replace(drawn, moves=(Rest(1.0), Lift(), Turn(3.0), *body[2:], *end))


def standing(trace: Trace) -> Trace:
    """The trace from the moment when the barbell has left the rack and the lifter stands."""
    machine = trace.machine
    high = trace.x_m > machine.bottom_m - machine.rest_m + 0.35 * machine.range_m
    still = np.abs(trace.velocity_m_s) < 0.002
    return trace.part(int(np.argmax(high & still)) + 300, len(trace))
