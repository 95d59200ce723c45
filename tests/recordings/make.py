"""Makes the recordings of this folder with the simulator: `python -m tests.recordings.make [NAME ...]`.

A committed recording never changes, so that the results of later detectors can be compared. Replace one only if the
format or the simulator was wrong; then bless its events, and give the reason in the commit.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

import firmware_bridge.simulator as simulator
from firmware_bridge.formats.messages import Hello
from firmware_bridge.simulator import (
    Halt,
    Heave,
    Kit,
    LetFall,
    Lift,
    Lifter,
    Lower,
    Machine,
    MotorEffort,
    Move,
    Rest,
    Script,
    SetDown,
    Snap,
    StaticEffort,
    Trace,
    Turn,
)  # fmt: skip
from firmware_bridge.simulator import faults as sensor
from firmware_bridge.simulator.wire import START_NS, hello
from monitor.profile.reading import profile_from_builtins, profile_to_builtins
from monitor.record.records import Header, wire_record
from monitor.record.session_file import SessionWriter

HERE = Path(__file__).parent
READ_S = 0.05
STEADY = Lifter(tempo_spread=0.0, wobble=0.0, tremor=0.0, range_spread=0.0, dwell_spread=0.0, fatigue=0.0)
THEORY = Kit(encoder_m=0.0001, position_rate_hz=250, block=15, noise_n=0.0, stamp_jitter_s=0.0, settling=1.0)
STACK = Machine(mass_kg=80, resonance_hz=8, friction=0.06, rest_m=0.0, bottom_m=0.03, top_m=0.48)


class Make(NamedTuple):
    """One recording: its movement, its sensors and its profile."""

    trace: Callable[[], Trace]
    kit: Kit
    machine: dict[str, Any]
    protocol: dict[str, Any]
    seed: int = 1


def stack(machine: Machine, **more: Any) -> dict[str, Any]:
    return {"rest_m": machine.rest_m, "bottom_m": machine.bottom_m, "top_m": machine.top_m} | more


def every_fault() -> Script:
    """At 2/4, with a fault in each repetition, and failure at the end."""
    reps: list[list[Move]] = [
        [Lift(), Turn(), Lower(), Turn()],
        [Lift(heave=Heave(0.0, 4.0)), Turn(), Lower(), Turn()],
        [Lift(heave=Heave(0.35, 4.0, share=0.0)), Turn(), Lower(), Turn()],
        [Lift(), Turn(2.6), Lower(drop=LetFall(0.8, 0.3)), Turn()],
        [Lift(), Snap(0.2, 0.35), Lower(), Snap(0.2, 0.3, 0.03)],
        [Lift(to=0.6), Turn(), Lower(), SetDown(0.3, 0.6)],
        [Lift(squeeze=False), Turn(), Lower(speed=2.6), SetDown(1.6)],
        [Lift(stall=Halt(0.5, 1.9, "shove", 4.0)), Turn(), Lower(), Turn()],
        [Lift(stall=Halt(0.6, 2.6, "lower")), SetDown(6.5)],
    ]
    moves = (Rest(2.0), *(move for rep in reps for move in rep))
    return Script(positive_s=2, negative_s=4, moves=moves, lifter=STEADY)


def clean(positive_s: float, negative_s: float, reps: int, lifter: Lifter | None = None) -> Script:
    return simulator.clean_set(positive_s, negative_s, reps, lifter, tail_s=6.0)


MOTOR = Machine(kind="motor", mass_kg=90, rest_m=0.29, bottom_m=0.29, top_m=0.58)
STATIC = Machine(kind="static", mass_kg=120, rest_m=0.0, bottom_m=0.0, top_m=0.1)
COARSE = Machine(mass_kg=45, resonance_hz=6, friction=0.14, rest_m=-0.02, bottom_m=0.02, top_m=0.32)
KNOWN = {"working_load_n": STACK.working_load_n, "friction": STACK.friction}

MADE = {
    "clean": Make(
        lambda: simulator.simulate(STACK, clean(4, 4, 5, STEADY), 1),
        THEORY,
        stack(STACK, **KNOWN),
        {"name": "4/4"},
    ),
    "faults": Make(
        lambda: simulator.simulate(STACK, every_fault(), 2),
        THEORY,
        stack(STACK, **KNOWN),
        {"name": "2/4"},
    ),
    "coarse": Make(
        lambda: simulator.simulate(COARSE, clean(5, 5, 4), 3),
        Kit(encoder_m=0.0005, position_rate_hz=100, block=2, noise_n=1.5, lost_fraction=0.02, clock_ppm=40),
        stack(COARSE, plates_kg=[5.0] * 20),
        {"name": "5/5"},
    ),
    "unplugged": Make(
        lambda: simulator.simulate(STACK, clean(2, 4, 7), 4),
        Kit(position_rate_hz=250, block=15, faults=(sensor.LineCut(14.0, 3.0), sensor.DeviceReset(29.0))),
        stack(STACK, **KNOWN),
        {"name": "2/4"},
    ),
    "static": Make(
        lambda: simulator.simulate_static(STATIC, StaticEffort(stages_s=(12.0, 12.0, 20.0), inroad_per_s=0.008), 5),
        Kit(position_rate_hz=100, block=15),
        {"peak_n": STATIC.working_load_n},
        {"stages_s": [12.0, 12.0, 20.0]},
    ),
    "motor": Make(
        lambda: simulator.simulate_motor(MOTOR, MotorEffort(positive_s=2.5, negative_s=2.5, reps=4, tail_s=6.0), 6),
        Kit(position_rate_hz=250, block=15),
        stack(MOTOR),
        {"positive_s": 2.5, "negative_s": 2.5},
    ),
}


def make(name: str) -> Path:
    """Writes NAME.mcap."""
    what = MADE[name]
    trace = what.trace()
    wiring = what.kit.calibration(trace.machine)
    calibration = {key: getattr(wiring, key) for key in ("metres_per_count", "newtons_per_count")}
    calibration |= {key: round(getattr(wiring, key)) for key in ("position_zero_counts", "force_zero_counts")}
    profile = profile_from_builtins(
        {
            "machine": {"id": name, "kind": trace.machine.kind, **what.machine},
            "protocol": what.protocol,
            "serial": {"rate_hz": what.kit.position_rate_hz, "block": what.kit.block},
            "calibration": calibration,
        }
    )
    said: Hello = hello(what.kit, what.seed, what.kit.clock_start_us)
    header = Header(
        session=name,
        machine=name,
        created_utc="2026-01-01T00:00:00Z",
        created_ns=START_NS,
        daemon_version="0.1.0",
        profile=profile_to_builtins(profile),
        calibration=msgspec.structs.asdict(profile.calibration) if profile.calibration else {},
        protocol_version=said.protocol,
        firmware_version=said.firmware,
        boot_id=said.boot_id,
        hello=said.to_bytes(0)[2:],
        provenance={"source": "simulator", "made_by": f"python -m tests.recordings.make {name}"},
    )
    path = HERE / f"{name}.mcap"
    path.unlink(missing_ok=True)
    with SessionWriter(path, header) as writer:
        for number, chunk in enumerate(simulator.board_chunks(trace, what.kit, what.seed, READ_S)):
            writer.add(wire_record(chunk))
            if number % round(1 / READ_S) == 0:
                writer.flush()  # every second, like the daemon
    return path


if __name__ == "__main__":
    for name in sys.argv[1:] or MADE:
        print(f"{(path := make(name)).stat().st_size / 1024:7.1f} KiB  {path.name}")
