"""Makes the machine of a drawn session another one than a plain stack on a straight cable."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from firmware_bridge.simulator.gym_draw import Draw
from firmware_bridge.simulator.pad import rubber
from firmware_bridge.simulator.resistance import ResistanceCurve, cam, chain, lever


def put_on_curve(draw: Draw, some: Sequence[Callable[[], ResistanceCurve]]) -> None:
    """One of these curves, and rubber to land on."""
    resistance = some[int(draw.rng.integers(len(some)))]()
    pad = rubber(draw.u(0.001, 0.0025), 0.3)
    draw.machine = replace(draw.machine, resistance=resistance, pad=pad, friction=min(draw.machine.friction, 0.12))


def make_stick(draw: Draw) -> None:
    """It takes more force to start sliding than to slide."""
    draw.machine = replace(draw.machine, friction=draw.u(0.06, 0.18), stiction=draw.u(0.2, 0.6))


def put_pulley(draw: Draw) -> None:
    """Half the load at the handle."""
    draw.machine = replace(draw.machine, pulley=2)


def put_on_other_machine(draw: Draw) -> bool:
    """One of these, or none of them: then False."""
    match int(draw.rng.integers(4)):
        case 0:
            put_on_curve(draw, (cam, lever, chain))
        case 1:
            put_pulley(draw)
        case 2:
            make_stick(draw)
        case _:
            return False
    return True
