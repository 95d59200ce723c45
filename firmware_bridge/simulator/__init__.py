"""Simulates a machine and a lifter that send real frames: the physics, the kit that measures it, and the board.

>>> machine = Machine(mass_kg=80, resonance_hz=8, friction=0.1, rest_m=0, bottom_m=0.03, top_m=0.53)
>>> trace = simulate(machine, clean_set(2, 4, reps=1), seed=1)          # Trace: noise-free truth at 1 kHz
>>> round(float(trace.x_m.max()), 2)                                    # the stack's highest place above its rest
0.53
>>> traces = simulate_many([Job(machine, clean_set(2, 4, reps=1), seed) for seed in (1, 2)])  # many at once are faster
>>> samples = measure(trace, Kit(encoder_m=0.0005, position_rate_hz=100), seed=1)             # Samples, as on the wire
>>> kit = Kit(lost_fraction=0.02)
>>> chunks = board_chunks(trace, kit, seed=1)                           # as bytes; kit.calibration turns them back

`Trace` has `t_s, position_m, velocity_m_s, acceleration_m_s2, tension_n, contact_n` (row k at k ms), `x_m` above the
rest, and `machine` with `working_load_n`, `friction`, `range_m`. Samples use the clock of the trace. `notes` say what
the lifter intends; labels must come from the columns, never from the notes.

    faulty_set                         a set in which some repetitions have a fault
    faults                             faults of sensors and wires
    Helper                             a person who calibrates a machine
    simulate_static, simulate_motor    machines without a stack
    gym.drawn_session                  what else happens in gyms: moved pins, helpers, hooks, curves, failure
    board.Board                        a live board, without a port
    device.SimulatedDevice             the same on a pseudo-terminal
    demo                               endless traces
"""

from firmware_bridge.simulator.effort import (
    MotorEffort,
    StaticEffort,
    StrengthEfforts,
    simulate_motor,
    simulate_static,
    simulate_strength,
)
from firmware_bridge.simulator.helper import Helper
from firmware_bridge.simulator.kit import Kit
from firmware_bridge.simulator.live import live
from firmware_bridge.simulator.machine import Machine
from firmware_bridge.simulator.readout import measure
from firmware_bridge.simulator.script import (
    Halt,
    Heave,
    HoldStill,
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
from firmware_bridge.simulator.sets import FAULTS, clean_set, drawn_lifter, drawn_machine, faulty_set
from firmware_bridge.simulator.simulation import Job, simulate, simulate_many
from firmware_bridge.simulator.trace import Trace
from firmware_bridge.simulator.wire import board_chunks, stream_chunks

__all__ = [
    "FAULTS",
    "Halt",
    "Heave",
    "Helper",
    "HoldStill",
    "Job",
    "Kit",
    "LetFall",
    "Lift",
    "Lifter",
    "Lower",
    "Machine",
    "MotorEffort",
    "Move",
    "Rest",
    "Script",
    "SetDown",
    "Snap",
    "StaticEffort",
    "StrengthEfforts",
    "Trace",
    "Tug",
    "Turn",
    "board_chunks",
    "clean_set",
    "drawn_lifter",
    "drawn_machine",
    "faulty_set",
    "live",
    "measure",
    "simulate",
    "simulate_many",
    "simulate_motor",
    "simulate_static",
    "simulate_strength",
    "stream_chunks",
]  # fmt: skip
