"""A machine and a lifter that write real frames: physics first, then a kit that measures it, then a board.

    from firmware_bridge.simulator import *

    machine = Machine(mass_kg=80, resonance_hz=8, friction=0.1, rest_m=0, bottom_m=0.03, top_m=0.53)
    trace = simulate(machine, clean_set(2, 4, reps=6), seed=1)         # Trace: noise-free truth at 1 kHz
    traces = simulate_many([Job(machine, script, seed), ...])          # hundreds of times faster than life
    samples = measure(trace, Kit(encoder_m=0.0005, position_rate_hz=100), seed=1)   # Samples, rows as on the wire
    chunks = board_chunks(trace, Kit(lost_fraction=0.02), seed=1)      # the same in bytes; calibration: kit.calibration
    script = faulty_set(rng, machine, 10, 10, reps=4, faults=("heave_mid", "lockout_rest"), share=0.6)

`Trace` has `t_s, position_m, velocity_m_s, acceleration_m_s2, tension_n, contact_n` (row k at k ms), `x_m` above the
rest, and `machine` with `working_load_n`, `friction`, `range_m`. Samples carry the trace's own clock. `notes` say
what the lifter set out to do; labels must come from the columns, never from the notes. What goes wrong with sensors and
wires stands in `faults`. Who calibrates a machine is a `Helper`. Without a stack: `simulate_static`, `simulate_motor`.
What else happens in gyms (moved pins, helpers, hooks, curves, lifters who fail): `gym.drawn_session`.
Live: `board.Board`, and `device.SimulatedDevice` on a pseudo-terminal; `demo` has traces without end.
"""

from firmware_bridge.simulator.effort import MotorEffort, StaticEffort, simulate_motor, simulate_static
from firmware_bridge.simulator.helper import Helper
from firmware_bridge.simulator.kit import Kit
from firmware_bridge.simulator.live import live
from firmware_bridge.simulator.machine import Machine
from firmware_bridge.simulator.readout import measure
from firmware_bridge.simulator.script import (
    Drop,
    Heave,
    Hold,
    Lift,
    Lifter,
    Lower,
    Move,
    Rest,
    Script,
    SetDown,
    Snap,
    Stall,
    Tug,
    Turn,
)
from firmware_bridge.simulator.sets import FAULTS, clean_set, drawn_lifter, drawn_machine, faulty_set
from firmware_bridge.simulator.simulation import Job, simulate, simulate_many
from firmware_bridge.simulator.trace import Trace
from firmware_bridge.simulator.wire import board_chunks

__all__ = [
    "FAULTS", "Drop", "Heave", "Helper", "Hold", "Job", "Kit", "Lift", "Lifter", "Lower", "Machine", "MotorEffort",
    "Move", "Rest", "Script", "SetDown", "Snap", "Stall", "StaticEffort", "Trace", "Tug", "Turn", "board_chunks",
    "clean_set", "drawn_lifter", "drawn_machine", "faulty_set", "live", "measure", "simulate", "simulate_many",
    "simulate_motor", "simulate_static",
]  # fmt: skip
