"""Draws presses against a motor that sets the speed, by seed: with positioning movements and faults."""

from dataclasses import dataclass, field

import numpy as np

from firmware_bridge.simulator import Machine, Trace
from tests.quality.signals import Floats, low_pass

STEP_S = 0.001
MUSCLE_HZ = 3.0  # the force of a leg changes no faster
FAULTS = (
    "rest_upper", "rest_lower", "dip", "let_go", "surge", "aborted", "passive", "stall", "late", "fast", "snap",
)  # fmt: skip
FAULT_SHARE = 0.55
TAIL_S = 8.0


@dataclass
class _Way:
    """Pieces of the platform's movement; position in shares of the range, push in shares of the nominal force."""

    pieces: list[tuple[float, float, float, float]] = field(default_factory=list)  # duration, target, ramp, push
    pushes: list[tuple[float, float, float]] = field(default_factory=list)  # start, duration, factor of the push
    length_s: float = 0.0

    def go(self, duration_s: float, to: float, push: float = 0.0, ramp_s: float | None = None) -> None:
        ramp = min(0.4 * duration_s, 1.0) if ramp_s is None else ramp_s
        self.pieces.append((duration_s, to, ramp, push))
        self.length_s += duration_s

    def during_last(self, rng: np.random.Generator, for_s: float, times: float) -> None:
        """Change the push somewhere in the last piece."""
        duration_s = self.pieces[-1][0]
        for_s = min(for_s, 0.6 * duration_s)
        at_s = self.length_s - duration_s + float(rng.uniform(0.15 * duration_s, 0.85 * duration_s - for_s))
        self.pushes.append((at_s, for_s, times))


def drawn_presses(
    rng: np.random.Generator, machine: Machine, positive_s: float, negative_s: float, reps: int, steady: bool
) -> Trace:
    """`steady`: the push is meant to equal the machine's load throughout; else it comes and goes with each movement."""
    way = _Way()
    way.go(float(rng.uniform(1.5, 4.0)), 0.0)
    for _ in range(int(rng.integers(0, 3))):
        _position(rng, way, positive_s, negative_s)
    for _ in range(reps):
        fault = str(rng.choice(FAULTS)) if rng.random() < FAULT_SHARE else ""
        _press(rng, way, positive_s, negative_s, fault, 1.0 if steady else 0.0)
    if rng.random() < 0.3:
        at = float(rng.uniform(0.3, 0.7))
        way.go(at * positive_s, at, 1.0)
        way.go(float(rng.uniform(2.3, 6.5)), at, 1.0)
        way.go(at * negative_s, 0.0, 0.7)
    way.go(TAIL_S, 0.0)
    if rng.random() < 0.3:
        _position(rng, way, positive_s, negative_s)
    return _performed(rng, machine, way, steady)


def _position(rng: np.random.Generator, way: _Way, positive_s: float, negative_s: float) -> None:
    """Move the platform without a push: not a repetition, however far."""
    to = float(rng.uniform(0.2, 1.0))
    way.go(to * positive_s * float(rng.uniform(0.8, 1.5)), to)
    way.go(float(rng.uniform(0.3, 2.0)), to)
    way.go(to * negative_s * float(rng.uniform(0.8, 1.5)), 0.0)
    way.go(float(rng.uniform(0.4, 3.0)), 0.0)


def _press(
    rng: np.random.Generator, way: _Way, positive_s: float, negative_s: float, fault: str, between: float
) -> None:
    """Add one repetition; `between`: the share of the push that is held while the platform stands."""
    u = rng.uniform
    up_s, down_s = positive_s * float(u(0.93, 1.07)), negative_s * float(u(0.93, 1.07))
    upper_s, lower_s = float(u(0.2, 0.45)), float(u(0.2, 0.45))
    push, top = float(u(0.95, 1.05)), float(u(0.97, 1.01))
    negative = 1.0 if between else float(u(0.6, 1.1))
    ramp_s: float | None = None
    match fault:
        case "rest_upper":
            upper_s = float(u(1.8, 4.5))
        case "rest_lower":
            lower_s = float(u(1.0, 4.5))
        case "aborted":
            top = float(u(0.1, 0.8))
            up_s, down_s = up_s * top, down_s * top
        case "passive":
            push = negative = between = 0.0
        case "late":
            push = 0.0
        case "fast":
            up_s = up_s / float(u(2.1, 3.0))
        case "snap":
            ramp_s, upper_s = float(u(0.08, 0.16)), 0.02
    if fault == "stall":
        at = float(u(0.25, 0.75))
        way.go(at * up_s, at, push)
        way.go(float(u(1.7, 4.0)), at, push)
        way.go((top - at) * up_s, top, push)
    else:
        way.go(up_s, top, push, ramp_s)
    if fault == "dip":
        way.during_last(rng, float(u(0.1, 0.8)), float(u(0.3, 0.85)))
    elif fault == "let_go":
        way.during_last(rng, float(u(0.2, 1.0)), 0.0)
    elif fault == "surge":
        way.during_last(rng, float(u(0.15, 0.6)), float(u(1.2, 1.9)))
    way.go(upper_s, top, between)
    way.go(down_s, 0.0, push * negative if fault != "late" else 1.0, ramp_s)
    way.go(lower_s, 0.0, between)


def _performed(rng: np.random.Generator, machine: Machine, way: _Way, steady: bool) -> Trace:
    places: list[Floats] = []
    pushes: list[Floats] = []
    here = 0.0
    for duration_s, to, ramp_s, push in way.pieces:
        u_s = np.arange(round(duration_s / STEP_S), dtype=np.float64) * STEP_S
        places.append(here + (to - here) * _along(u_s, duration_s, ramp_s))
        pushes.append(np.full(len(u_s), push))
        here = to
    share = np.concatenate(pushes)
    t_s = np.arange(len(share), dtype=np.float64) * STEP_S
    for at_s, for_s, times in way.pushes:
        share[(t_s >= at_s) & (t_s < at_s + for_s)] *= times
    share = low_pass(share, MUSCLE_HZ, STEP_S)
    wave = 0.02 if steady else 0.05
    share *= 1 + _waves(rng, t_s, float(rng.uniform(0.0, wave)), (0.3, 1.5))
    share *= 1 + _waves(rng, t_s, float(rng.uniform(0.0, 0.01)), (8.0, 12.0))
    idle_n = float(rng.uniform(4.0, 25.0))  # of a foot at rest
    position_m = machine.bottom_m + machine.range_m * np.concatenate(places)
    velocity_m_s = np.gradient(position_m, STEP_S)
    return Trace(
        machine,
        position_m,
        velocity_m_s,
        np.gradient(velocity_m_s, STEP_S),
        np.maximum(idle_n + share * (machine.working_load_n - idle_n), 0.0),
        np.zeros(len(t_s)),
    )


def _along(u_s: Floats, duration_s: float, ramp_s: float) -> Floats:
    """The way from 0 to 1; the speed rises and falls within a ramp."""
    rising, falling = np.clip(u_s / ramp_s, 0, 1), np.clip((duration_s - u_s) / ramp_s, 0, 1)
    speed = np.minimum(rising * rising * (3 - 2 * rising), falling * falling * (3 - 2 * falling))
    way: Floats = np.cumsum(speed)
    way /= way[-1]
    return way


def _waves(rng: np.random.Generator, t_s: Floats, amplitude: float, band_hz: tuple[float, float]) -> Floats:
    wave: Floats = amplitude * np.sin(2 * np.pi * (rng.uniform(*band_hz) * t_s + rng.random()))
    return wave
