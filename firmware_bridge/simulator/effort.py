"""Simulates effort without a stack: against a fixed handle, and against a motor that sets the movement.

static   nothing moves; the lifter ramps up to each stage and holds it until their strength is used up
strength the handle is locked at one place after another; the lifter pushes once at each
motor    the motor moves the platform; the force is the lifter's, a few newtons while the platform is only positioned
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.simulator.machine import STEP_S, Machine
from firmware_bridge.simulator.trace import Trace

Floats = NDArray[np.float64]
RAMP_S = 2.0  # of a static effort, on and off
RELEASE_S = 0.5  # until a lifter who lets go pushes no more
TURN_S = 0.3  # until a motor reaches its speed


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticEffort:
    """A set of stages, as shares of the tested peak."""

    stages: tuple[float, ...] = (0.5, 0.75, 1.0)
    stages_s: tuple[float, ...] = (30.0, 30.0, 30.0)
    strength: float = 1.03  # of the peak, at the beginning
    inroad_per_s: float = 0.004  # share of the strength that a second at full force uses
    wobble: float = 0.015  # rms, below 1.5 Hz
    tremor: float = 0.006  # rms, 8 to 12 Hz; grows as the strength falls
    moves: bool = False  # slowly up and down meanwhile, without load
    lead_s: float = 2.5
    tail_s: float = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MotorEffort:
    """Repetitions with a motor, after the platform was positioned."""

    positive_s: float
    negative_s: float
    reps: int = 6
    positionings: int = 2  # movements before the set, without a push
    negative_share: float = 0.8  # of the force in the positive; 0: the platform returns by itself
    fatigue: float = 0.25  # how much weaker the last push is than the first
    dwell_s: float = 0.4
    wobble: float = 0.04
    idle_n: float = 8.0  # on the cell while nobody pushes
    lead_s: float = 2.5
    tail_s: float = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StrengthEfforts:
    """A strength test: the machine is locked at some shares of its range, and the lifter pushes once at each."""

    places: tuple[float, ...] = (0.1, 0.5, 0.9)
    peaks: tuple[float, ...] = (1.2, 1.6, 1.3)  # shares of the load
    rise_s: float = 2.0
    hold_s: float = 3.5
    rest_s: float = 2.0  # after each effort, before the handle is moved on
    move_s: float = 1.5
    gives_m: float = 0.002  # by so much cable and frame give way under the load
    tremor: float = 0.01  # rms, 8 to 12 Hz
    lead_s: float = 2.5


def simulate_static(machine: Machine, effort: StaticEffort, seed: int) -> Trace:
    """A static set; the machine's load is the lifter's tested peak."""
    rng = np.random.default_rng(seed)
    edges_s = effort.lead_s + np.cumsum([0.0, *effort.stages_s])
    n = round((edges_s[-1] + RAMP_S + effort.tail_s) / STEP_S)
    t_s = np.arange(n, dtype=np.float64) * STEP_S
    target = np.zeros(n)
    for begin_s, step in zip(edges_s, np.diff([0.0, *effort.stages, 0.0]), strict=True):
        target += step * _smooth((t_s - begin_s) / RAMP_S)
    target *= 1 + effort.wobble * _sway(rng, t_s, 0.1, 1.5)
    share, strength = _held(target, effort)
    share *= 1 + effort.tremor * (1 + 3 * (1 - strength)) * _sway(rng, t_s, 8.0, 12.0)
    x_m = np.full(n, machine.bottom_m - machine.rest_m)
    if effort.moves:
        x_m += machine.range_m * (1 - np.cos(2 * np.pi * np.clip(t_s - effort.lead_s, 0, None) / 20.0)) / 2
    notes = tuple((float(s), f"stage {share:g}") for s, share in zip(edges_s, effort.stages, strict=False))
    return _trace(machine, x_m, np.maximum(share, 0.0) * machine.working_load_n, notes)


def simulate_strength(machine: Machine, efforts: StrengthEfforts, seed: int) -> Trace:
    """The whole strength test."""
    rng = np.random.default_rng(seed)
    places, shares, notes = [np.zeros(round(efforts.lead_s / STEP_S))], [np.zeros(round(efforts.lead_s / STEP_S))], []
    here, begin_s = 0.0, efforts.lead_s
    for to, peak in zip(efforts.places, efforts.peaks, strict=True):
        moved_s = begin_s + efforts.move_s
        n = round((efforts.move_s + efforts.rise_s + efforts.hold_s + RELEASE_S + efforts.rest_s) / STEP_S)
        t_s = begin_s + np.arange(n, dtype=np.float64) * STEP_S
        places.append(here + (to - here) * _smooth((t_s - begin_s) / efforts.move_s))
        falls_s = moved_s + efforts.rise_s + efforts.hold_s
        shares.append(peak * (_smooth((t_s - moved_s) / efforts.rise_s) - _smooth((t_s - falls_s) / RELEASE_S)))
        notes.append((moved_s, f"effort at {to:g}"))
        here, begin_s = to, begin_s + n * STEP_S
    share = np.concatenate(shares)
    share *= 1 + efforts.tremor * _sway(rng, np.arange(len(share), dtype=np.float64) * STEP_S, 8.0, 12.0)
    x_m = machine.bottom_m - machine.rest_m + machine.range_m * np.concatenate(places) + efforts.gives_m * share
    return _trace(machine, x_m, share * machine.working_load_n, tuple(notes))


def simulate_motor(machine: Machine, effort: MotorEffort, seed: int) -> Trace:
    """A set with a motor; the machine's load is about the lifter's force."""
    rng = np.random.default_rng(seed)
    way: list[tuple[float, float, float]] = [(effort.lead_s, 0.0, 0.0)]  # duration, place at the end, force
    for _ in range(effort.positionings):
        to = float(rng.uniform(0.3, 0.9))
        way += [(to * effort.positive_s * 1.5, to, 0.0), (0.8, to, 0.0), (to * effort.negative_s * 1.5, 0.0, 0.0)]
        way += [(float(rng.uniform(1.0, 3.0)), 0.0, 0.0)]
    for rep in range(effort.reps):
        force = (1 - effort.fatigue * rep / effort.reps) * float(rng.normal(1.0, 0.04))
        way += [(effort.positive_s, 1.0, force), (effort.dwell_s, 1.0, 0.0)]
        way += [(effort.negative_s, 0.0, force * effort.negative_share), (effort.dwell_s, 0.0, 0.0)]
    way += [(effort.tail_s, 0.0, 0.0)]
    places, pushes, notes = [], [], []
    here, begin_s = 0.0, 0.0
    for duration_s, to, force in way:
        u = np.arange(round(duration_s / STEP_S), dtype=np.float64) * STEP_S
        places.append(here + (to - here) * _trapezoid(u, duration_s))
        pushes.append(force * _push(u / duration_s))
        if force:
            notes.append((begin_s, f"push {force:.2f}"))
        here, begin_s = to, begin_s + duration_s
    share = np.concatenate(pushes)
    t_s = np.arange(len(share), dtype=np.float64) * STEP_S
    share *= 1 + effort.wobble * _sway(rng, t_s, 0.3, 2.0) + 0.3 * effort.wobble * _sway(rng, t_s, 8.0, 12.0)
    x_m = machine.bottom_m - machine.rest_m + machine.range_m * np.concatenate(places)
    tension_n = effort.idle_n + share * machine.working_load_n
    return _trace(machine, x_m, tension_n, tuple(notes))


def _trace(machine: Machine, x_m: Floats, tension_n: Floats, notes: tuple[tuple[float, str], ...]) -> Trace:
    velocity_m_s = np.gradient(x_m, STEP_S)
    acceleration_m_s2 = np.gradient(velocity_m_s, STEP_S)
    position_m = machine.rest_m + x_m
    return Trace(machine, position_m, velocity_m_s, acceleration_m_s2, tension_n, np.zeros(len(x_m)), notes)


def _held(target: Floats, effort: StaticEffort) -> tuple[Floats, Floats]:
    """The part of the target that can be held, and the strength that is left, row by row."""
    held, left = np.empty(len(target)), np.empty(len(target))
    strength = effort.strength
    for i, wanted in enumerate(target.tolist()):
        held[i] = given = min(wanted, strength)
        left[i] = strength
        strength -= strength * effort.inroad_per_s * max(given, 0.0) ** 2 * STEP_S
    return held, left


def _sway(rng: np.random.Generator, t_s: Floats, low_hz: float, high_hz: float, waves: int = 6) -> Floats:
    """Noise of rms 1 within a band."""
    omega = 2 * np.pi * rng.uniform(low_hz, high_hz, waves)
    phase = rng.uniform(0, 2 * np.pi, waves)
    total = np.zeros(len(t_s))
    for w, p in zip(omega, phase, strict=True):
        total += np.sin(w * t_s + p)
    total *= float(np.sqrt(2 / waves))
    return total


def _smooth(u: Floats) -> Floats:
    u = np.clip(u, 0.0, 1.0)
    return u * u * u * (10 - 15 * u + 6 * u * u)


def _trapezoid(u_s: Floats, duration_s: float) -> Floats:
    """From 0 to 1 at constant speed, with a short ramp at both ends."""
    turn_s = min(TURN_S, duration_s / 2)
    rising = np.clip(u_s / turn_s, 0, 1)
    falling = np.clip((duration_s - u_s) / turn_s, 0, 1)
    speed = np.minimum(rising * rising * (3 - 2 * rising), falling * falling * (3 - 2 * falling))
    way: Floats = np.cumsum(speed)
    way /= way[-1]
    return way


def _push(u: Floats) -> Floats:
    """Force over a phase: it rises quickly, is highest after the middle, and is gone before the end."""
    return _smooth(u / 0.12) * (0.6 + 0.4 * np.sin(np.pi * np.clip(u, 0, 0.95))) * _smooth((0.97 - u) / 0.15)
