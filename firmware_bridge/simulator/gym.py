"""Draws sessions of the kinds that happen on machines in gyms, ready to be simulated.

    >>> session = drawn_session(np.random.default_rng(1), "drop_set", 4.0, 4.0)
    >>> [stretch.machine.mass_kg for stretch in session.stretches]
    [60.0, 45.0, 30.0]

`session.trace()` simulates it: a Trace, whose `loads_n` is the machine's load, row by row.
Between two stretches of a session, the stack rests and the cable is loose.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from firmware_bridge.simulator.gym_draw import LEAD_S, PLATE_KG, TAIL_S, Act, Draw
from firmware_bridge.simulator.gym_machines import make_stick, put_on_curve, put_on_other_machine, put_pulley
from firmware_bridge.simulator.muscle import Muscle
from firmware_bridge.simulator.pad import rubber
from firmware_bridge.simulator.resistance import ResistanceCurve, air, band, cam, chain, hybrid, lever
from firmware_bridge.simulator.script import (
    Brace,
    Carry,
    Clank,
    Halt,
    Hang,
    Helped,
    Lift,
    Lifted,
    Lower,
    Park,
    Rest,
    SetDown,
    Slacken,
    Turn,
)
from firmware_bridge.simulator.session import Session, Stretch
from firmware_bridge.simulator.sets import drawn_rep
from firmware_bridge.simulator.striving import Striving


def drawn_session(
    rng: np.random.Generator, kind: str, positive_s: float, negative_s: float, faulty: bool = False
) -> Session:
    """A session of one of `KINDS`. With `faulty`, a third of the repetitions has a fault, if the kind allows it."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}: the kinds are {', '.join(KINDS)}")
    return KINDS[kind](Draw(rng, positive_s, negative_s, faulty))


def _clean(draw: Draw) -> Session:
    return Session(stretches=(draw.stretch(draw.set_of(draw.reps())),))


def _pin_moved(draw: Draw) -> Session:
    loads = draw.loads_kg(3, falls=False)
    sets = [draw.stretch(draw.set_of(draw.reps(), draw.u(6.0, 12.0)), mass_kg=kg) for kg in loads]
    return Session(stretches=tuple(sets))


def _drop_set(draw: Draw) -> Session:
    stretches = []
    loads = draw.loads_kg(int(draw.rng.integers(3, 5)), falls=True)
    for number, kg in enumerate(loads):
        moves = draw.set_of(draw.reps(max(draw.count - 1, 2), share=0.2), draw.u(1.0, 2.0))
        if number:
            moves[0] = Rest(draw.u(0.8, 2.2))
        if number == len(loads) - 1:
            moves[-1] = SetDown(TAIL_S)
        stretches.append(draw.stretch(moves, mass_kg=kg))
    return Session(stretches=tuple(stretches))


def _forced(draw: Draw) -> Session:
    moves = draw.reps(max(draw.count - 2, 2), share=0.15)
    for _ in range(int(draw.rng.integers(1, 4))):
        at = draw.u(0.3, 0.6)
        lift = Lift(stall=Halt(at, draw.u(0.3, 1.5)))
        moves += [Helped(lift, draw.u(0.22, 0.45), at + 0.01), Turn(), Lower(), Turn()]
    return Session(stretches=(draw.stretch(draw.set_of(moves)),))


def _trainer_lifts(draw: Draw) -> Session:
    """The trainer lifts fast and the lifter lowers slowly."""
    draw.positive_s = min(draw.positive_s, 2.0)
    moves: list[Act] = [Rest(LEAD_S)]
    count = max(draw.count - 1, 3)
    for number in range(count):
        down = SetDown(draw.u(0.8, 2.0) if number < count - 1 else TAIL_S)
        moves += [Lifted(Lift(speed=draw.u(0.9, 1.3)), draw.u(0.9, 1.0)), Turn(draw.u(1.4, 2.0)), Lower(), down]
    return Session(stretches=(draw.stretch(moves),))


def _pressed_down(draw: Draw) -> Session:
    moves = draw.reps(2, share=0.15)
    for _ in range(max(draw.count - 1, 2)):
        moves += [Lift(), Turn(), Helped(Lower(), -draw.u(0.15, 0.4), draw.u(0.1, 0.3)), Turn()]
    return Session(stretches=(draw.stretch(draw.set_of(moves)),))


def _helped_first(draw: Draw) -> Session:
    """Somebody helps with a part of the first repetitions, so that a later one teaches load and friction."""
    share, at = draw.u(0.12, 0.4), draw.u(0.2, 0.5)
    lifts, lowers = (Helped(Lift(), share, at), Lower()), (Lift(), Helped(Lower(), -share, at))
    up, down = lifts if draw.rng.random() < 0.5 else lowers
    most = 3 if draw.positive_s + draw.negative_s < 14.0 else 1  # hindsight reaches a minute back
    moves: list[Act] = [up, Turn(), down, Turn()] * int(draw.rng.integers(1, most + 1))
    moves += draw.reps(3, share=0.15)
    return Session(stretches=(draw.stretch(draw.set_of(moves)),))


def _hook(draw: Draw) -> Session:
    """The stack is put on a hook for a moment within the set, then between two sets."""
    first, second = draw.reps(), draw.reps(2)
    while isinstance(second[-1], Turn | SetDown):
        second.pop()
    moves = [Rest(LEAD_S), *first[: len(first) // 8 * 4], Hang(draw.u(0.05, 0.3), draw.u(1.0, 3.5))]
    moves += [*first[len(first) // 8 * 4 :], Hang(draw.u(0.05, 0.3), draw.u(7.0, 12.0)), *second, SetDown(TAIL_S)]
    return Session(stretches=(draw.stretch(moves),))


def _limiter(draw: Draw) -> Session:
    """The stack hangs on a range limiter between the sets, and never reaches its rest."""
    sets = [draw.stretch(draw.set_of(draw.reps(), draw.u(6.5, 12.0))) for _ in range(2)]
    return Session(stretches=tuple(sets), limiter_m=draw.u(0.02, 0.08))


def _start_stop(draw: Draw) -> Session:
    """Between sets the handle is on a stop of the machine, below the range."""
    rest_m = draw.machine.rest_m
    bottom_m = rest_m + draw.u(0.06, 0.07)
    draw.machine = replace(draw.machine, bottom_m=bottom_m, top_m=bottom_m + max(draw.machine.range_m, 0.42))
    below_m = draw.u(0.04, 0.05)
    moves: list[Act] = [Rest(LEAD_S), Lift(to=0.0), Park(below_m, draw.u(7.0, 25.0))]
    for _ in range(2):
        moves += [*draw.reps(), Park(below_m, draw.u(7.0, 25.0))]
    return Session(stretches=(draw.stretch([*moves, SetDown(TAIL_S)]),))


def _hand_lifted(draw: Draw) -> Session:
    draw.machine = replace(draw.machine, pad=rubber(draw.u(0.001, 0.0025), draw.u(0.3, 0.5)))

    def carried() -> list[Act]:
        return [
            Carry(draw.u(0.03, 0.3), draw.u(0.3, 2.0), drops=bool(draw.rng.random() < 0.75)),
            Rest(draw.u(1.0, 4.0)),
        ]

    moves: list[Act] = [Rest(LEAD_S), *carried(), *carried()]
    moves += [*draw.set_of(draw.reps())[1:], *carried()]
    return Session(stretches=(draw.stretch(moves),))


def _curve(some: Sequence[Callable[[], ResistanceCurve]]) -> Callable[[Draw], Session]:
    def drawn(draw: Draw) -> Session:
        put_on_curve(draw, some)
        moves = [*draw.reps(2, share=0.0), *draw.reps(max(draw.count - 1, 3))]
        return Session(stretches=(draw.stretch(draw.set_of(moves)),))

    return drawn


def _hybrid(draw: Draw) -> Session:
    """The motor adds more than friction takes away: the cable carries more on the way down than on the way up."""
    draw.machine = replace(
        draw.machine, resistance=hybrid(draw.u(0.35, 0.6)), friction=min(draw.machine.friction, 0.05)
    )
    sets = [draw.stretch(draw.set_of(draw.reps(max(draw.count, 4), share=0.0))) for _ in range(2)]
    return Session(stretches=tuple(sets))


def _zero_walk(draw: Draw) -> Session:
    draw.machine = replace(draw.machine, mass_kg=PLATE_KG * int(draw.rng.integers(3, 9)))
    sets = [draw.stretch(draw.set_of(draw.reps(3), draw.u(40.0, 70.0))) for _ in range(3)]
    drift = draw.u(5.0, 13.0) * float(draw.rng.choice([-1, 1]))
    return Session(stretches=tuple(sets), drift_n_per_min=drift)


def _spikes(draw: Draw) -> Session:
    return replace(_clean(draw), spike_every=int(draw.rng.integers(90, 200)))


def _landings(draw: Draw) -> Session:
    """Landings on rubber: touched, slammed, set down, and a hard one at the end."""
    draw.machine = replace(draw.machine, pad=rubber(draw.u(0.0008, 0.0025), draw.u(0.25, 0.5)))
    moves: list[Act] = []
    for number in range(draw.count):
        fault = str(draw.rng.choice(("touch", "slam", "bottom_rest", ""))) if number else "slam"
        moves += drawn_rep(draw.rng, draw.machine, draw.positive_s, draw.negative_s, fault)
    hard = SetDown(TAIL_S, draw.u(0.3, 0.6) + draw.machine.range_m / draw.negative_s)
    return Session(stretches=(draw.stretch([*draw.set_of(moves)[:-1], hard]),))


def _stiction(draw: Draw) -> Session:
    make_stick(draw)
    return _clean(draw)


def _pulley(draw: Draw) -> Session:
    put_pulley(draw)
    return _pin_moved(draw) if draw.rng.random() < 0.3 else _clean(draw)


def _to_failure(draw: Draw) -> Session:
    """Stalls and failure come from the muscle."""
    muscle = Muscle(
        strength=draw.u(1.75, 2.3),
        weak_at=draw.u(0.3, 0.7),
        weak_by=draw.u(0.08, 0.25),
        tires_per_s=draw.u(0.012, 0.02),
    )
    striving = Striving(
        positive_s=draw.positive_s,
        negative_s=draw.negative_s,
        muscle=muscle,
        most_reps=10,
        patience_s=draw.u(3.0, 8.0),
        dwell_s=draw.u(0.2, 0.45),
        wobble=draw.lifter.wobble,
        tail_s=TAIL_S,
    )
    return Session(stretches=(Stretch(draw.machine, striving, int(draw.rng.integers(2**31))),))


def _half_first(draw: Draw) -> Session:
    """The range is not given, and the first repetitions are short."""
    moves: list[Act] = []
    for _ in range(int(draw.rng.integers(2, 4))):
        moves += [Lift(to=draw.u(0.45, 0.6)), Turn(), Lower(), Turn()]
    moves += draw.reps(4, share=0.2)
    return Session(stretches=(draw.stretch(draw.set_of(moves)),), range_given=False)


def _cluster(draw: Draw) -> Session:
    """Small groups of repetitions; between them the lifter holds the load low."""
    moves: list[Act] = []
    for _ in range(3):
        moves += draw.reps(2, share=0.25)
        while isinstance(moves[-1], Turn | SetDown):
            moves.pop()
        moves.append(Turn(draw.u(7.0, 15.0)))
    moves = moves[:-1]
    return Session(stretches=(draw.stretch(draw.set_of(moves)),))


def _rest_pause(draw: Draw) -> Session:
    """Small groups of repetitions; between them the stack is set down for the agreed pause."""
    pause_s = draw.u(8.0, 12.0)
    moves: list[Act] = []
    for _ in range(3):
        moves += draw.set_of(draw.reps(2, share=0.25))[1:-1]
        moves.append(SetDown(draw.u(0.5, 0.8) * pause_s))
    moves[-1] = SetDown(1.3 * pause_s + 4.0)
    return Session(stretches=(draw.stretch([Rest(LEAD_S), *moves]),), pause_s=pause_s)


def _braced(draw: Draw) -> Session:
    """Between two sets the lifter keeps pulling at the resting stack."""
    brace = Brace(draw.u(0.55, 0.75), draw.u(12.0, 30.0))
    first, second = draw.set_of(draw.reps(3)), draw.set_of(draw.reps(3))
    moves = [*first[:-1], SetDown(0.5, loose=False), brace, *second[1:]]
    return Session(stretches=(draw.stretch(moves),))


def _shoves(draw: Draw) -> Session:
    moves: list[Act] = draw.reps(1, share=0.0)
    for _ in range(max(draw.count, 3)):
        brisk = min(max(11.5 * draw.machine.range_m / draw.positive_s**2, 0.8), 2.5)
        stall = Halt(draw.u(0.3, 0.65), draw.u(0.1, 1.2), "shove", brisk * draw.u(1.8, 3.0))
        moves += [Lift(stall=stall), Turn(), Lower(), Turn()]
    return Session(stretches=(draw.stretch(draw.set_of(moves)),))


def _light(draw: Draw) -> Session:
    draw.machine = replace(draw.machine, mass_kg=float(draw.rng.choice([5.0, 7.5, 10.0])))
    moves = draw.set_of(draw.reps())
    if draw.rng.random() < 0.5:  # the hand moves before the set
        moves[:1] = [Rest(1.0), Slacken(0.02, 1.0), Rest(1.0)]
    return Session(stretches=(draw.stretch(moves),))


def _clank(draw: Draw) -> Session:
    take_up: list[Act] = [Slacken(draw.u(0.02, 0.05), 1.0), Clank(draw.u(0.12, 0.35)), Lift(squeeze=False)]
    moves: list[Act] = [*take_up, Turn(), Lower()]
    if draw.rng.random() < 0.5:
        moves += [SetDown(1.2), *take_up, Turn(), Lower(), Turn()]
    else:
        moves.append(Turn())
    moves += draw.reps(2, share=0.0)
    return Session(stretches=(draw.stretch(draw.set_of(moves)),))


def _day(draw: Draw) -> Session:
    """Several people, one after the other: what one has taught must not mislead the next."""
    order = draw.rng.permutation(len(OF_A_DAY))[:4]
    stretches = [stretch for number in order for stretch in OF_A_DAY[number](draw).stretches]
    return Session(stretches=tuple(stretches), drift_n_per_min=draw.u(-3.0, 3.0), spike_every=400)


def _machine_day(draw: Draw) -> Session:
    """Several people on a machine that is no plain stack; the first one's clean set shows what it is."""
    limited = not put_on_other_machine(draw)
    first = draw.stretch(draw.set_of(draw.reps(max(draw.count, 4), share=0.0)))
    order = draw.rng.permutation(len(OF_A_MACHINE))[:3]
    stretches = [stretch for number in order for stretch in OF_A_MACHINE[number](draw).stretches]
    return Session(stretches=(first, *stretches), limiter_m=draw.u(0.02, 0.08) if limited else 0.0)


OF_A_DAY = (
    _clean, _pin_moved, _drop_set, _forced, _trainer_lifts, _pressed_down, _hook, _hand_lifted, _landings, _to_failure,
    _cluster, _braced, _shoves, _clank,
)  # fmt: skip
OF_A_MACHINE = (
    _pin_moved, _drop_set, _forced, _pressed_down, _hook, _cluster, _braced, _shoves, _to_failure,
)  # fmt: skip
KINDS: dict[str, Callable[[Draw], Session]] = {
    "clean": _clean,
    "pin_moved": _pin_moved,
    "drop_set": _drop_set,
    "forced": _forced,
    "trainer_lifts": _trainer_lifts,
    "pressed_down": _pressed_down,
    "hook": _hook,
    "limiter": _limiter,
    "start_stop": _start_stop,
    "hand_lifted": _hand_lifted,
    "curve_mass": _curve((cam, lever, chain)),
    "curve_light": _curve((band, air)),
    "hybrid": _hybrid,
    "zero_walk": _zero_walk,
    "spikes": _spikes,
    "landings": _landings,
    "stiction": _stiction,
    "pulley": _pulley,
    "to_failure": _to_failure,
    "half_first": _half_first,
    "cluster": _cluster,
    "rest_pause": _rest_pause,
    "braced": _braced,
    "shoves": _shoves,
    "light": _light,
    "clank": _clank,
    "day": _day,
    "helped_first": _helped_first,
    "machine_day": _machine_day,
}
