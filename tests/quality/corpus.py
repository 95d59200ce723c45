"""Draws widely varied sets by seed, deterministically: lifter, load, machine, and sensors.

    case("faulty", seed_of(HELD_BACK, 3))       a Case; the seeds of TUNING and HELD_BACK never meet: even and odd
    for case, signals, samples in performed(cases): ...

Groups: `faulty` (every fault of a lifter), `clean` (none), `broken` (a clean set, sensors at fault), `static` (force
alone), `unknown` (the profile knows neither range nor load; two clean repetitions, then faults), `motor` (a motor sets
the speed; half of them with a load to hold), `squat` (the lowering comes first; on a stack, or with a barbell). Kits,
tempi and what the profile knows of the load are spread evenly over neighbouring seeds; the rest is random.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from firmware_bridge.samples import Samples
from firmware_bridge.simulator import (
    FAULTS,
    Job,
    Kit,
    Machine,
    Rest,
    Script,
    Trace,
    Tug,
    Turn,
    clean_set,
    drawn_lifter,
    drawn_machine,
    faulty_set,
    measure,
    simulate_many,
)
from firmware_bridge.simulator import faults as sensor
from monitor.profile.profile import Profile
from monitor.profile.reading import profile_from_builtins
from monitor.profile.settings import CellSettings
from tests.quality import kept
from tests.quality.contraction import drawn_contraction
from tests.quality.presses import drawn_presses
from tests.quality.signals import Signals
from tests.quality.squats import barbell, squats, standing

Group = Literal["faulty", "clean", "broken", "static", "unknown", "motor", "squat"]
GROUPS: tuple[Group, ...] = ("faulty", "clean", "broken", "static", "unknown", "motor", "squat")
Split = Literal["tuning", "held-back"]
TUNING: Split = "tuning"
HELD_BACK: Split = "held-back"

TEMPI = {"2/4": (2.0, 4.0, 6), "4/4": (4.0, 4.0, 5), "5/5": (5.0, 5.0, 5), "10/10": (10.0, 10.0, 4)}
RATES_HZ = {100: 2, 250: 5, 500: 5, 1000: 10}  # to the samples in a frame: 10 to 20 ms
ENCODERS_M = (0.0001, 0.0005)
FAST_HZ = 330.0  # of a cell that is called fast: EVENTS.md 18
SLOWEST_FAST_CELL_HZ = 250  # a converter at full rate keeps up with the encoder, and is never as slow as 100 Hz
KNOWN = ("given", "given", "learned", "misread")  # of the load
PLATE_KG = 5.0
PLATES_KG = tuple(PLATE_KG * number for number in range(1, 41))
# Faults that matter most, and faults that others rarely bring along, are drawn twice as often.
FAULT_WEIGHTS = (
    *FAULTS,
    "heave_start",
    "heave_mid",
    "drop",
    "snap_upper",
    "lockout_rest",
    "lockout_rest",
    "heave_slack",
)
FAULT_SHARE = 0.65
BATCH = 32  # sets simulated together


@dataclass(frozen=True)
class Case:
    """Everything that one set follows from."""

    group: Group
    seed: int
    machine: Machine
    script: Script | None  # None: nothing was simulated, the trace is drawn
    kit: Kit
    true_profile: Profile  # range, load and friction as they are: for the labels
    given_profile: Profile  # what the detector knows
    tempo: str
    known: str

    @property
    def name(self) -> str:
        return f"{self.group}-{self.seed}"

    @property
    def tempo_s(self) -> float:
        """The slower phase; 0 where nothing moves."""
        protocol = self.true_profile.protocol
        return max(protocol.positive_s or 0.0, protocol.negative_s or 0.0)

    @property
    def free(self) -> bool:
        """Whether it is a barbell: its part of the simulation begins when the lifter stands."""
        return self.script is not None and self.true_profile.machine.kind == "motor"

    @property
    def slow_cell(self) -> bool:
        return self.kit.force_rate_hz < 200

    @property
    def fast_cell(self) -> bool:
        """Whether its force leads the position."""
        return self.kit.force_rate_hz >= FAST_HZ

    @property
    def strata(self) -> dict[str, str]:
        """Its stratum in each table."""
        friction, mass_kg = self.machine.friction, self.machine.mass_kg
        return {
            "tempo": self.tempo,
            "friction": "2..5 %" if friction < 0.05 else "5..10 %" if friction < 0.10 else "10..20 %",
            "rate": f"{self.kit.position_rate_hz} Hz",
            "encoder": f"{self.kit.encoder_m * 1000:g} mm",
            "cell": "80 Hz" if self.slow_cell else "330 Hz or more" if self.fast_cell else "250 Hz",
            "coarsest": "100 Hz, 0.5 mm"
            if (self.kit.position_rate_hz, self.kit.encoder_m) == (100, 0.0005)
            else "any other",
            "load": "25..70 kg" if mass_kg <= 70 else "75..125 kg" if mass_kg <= 125 else "130..180 kg",
            "known": self.known,
            "lost": "2 %" if self.kit.lost_fraction else "none",
            "resonance": "5..8 Hz" if self.machine.resonance_hz < 8 else "8..12 Hz",
            "kind": self.true_profile.machine.kind,
        }


def seed_of(split: Split, index: int) -> int:
    """The seed of a split; the two splits have no seed in common."""
    return 2 * index + (split == HELD_BACK)


def case(group: Group, seed: int) -> Case:
    """The case with this seed."""
    rng = np.random.default_rng([seed, GROUPS.index(group)])
    deal = seed // 2
    tempo = tuple(TEMPI)[deal % 4]
    rate_hz = tuple(RATES_HZ)[deal // 4 % 4]
    encoder_m = ENCODERS_M[deal // 16 % 2]
    slow_cell = (deal // 32 + deal) % 2 == 0
    known = KNOWN[(deal // 4 + deal // 16) % 4]
    if group == "static":
        return _static_case(seed, rng, slow_cell)
    other = (deal + deal // 4) % 2 == 1
    free = group == "squat" and other
    machine = barbell(rng) if free else drawn_machine(rng)
    if group == "motor":
        machine = replace(machine, kind="motor", rest_m=machine.bottom_m, friction=0.0)
    positive_s, negative_s, reps = TEMPI[tempo]
    script = _script(rng, group, machine, tempo, free)
    if group == "unknown":
        known = "learned"
    elif group == "motor" or free:
        known = "given" if other else "unknown"
    length_s = reps * (positive_s + negative_s)
    kit = Kit(
        encoder_m=encoder_m,
        position_rate_hz=rate_hz,
        block=RATES_HZ[rate_hz],
        force_rate_hz=80.0 if slow_cell else float(max(rate_hz, SLOWEST_FAST_CELL_HZ)),
        settling=4.0 if slow_cell else 1.0,
        noise_n=float(rng.uniform(0.3, 1.5)),
        lost_fraction=0.02 if rng.random() < 0.3 else 0.0,
        clock_ppm=float(rng.uniform(-50, 50)),
        faults=_sensor_faults(rng, length_s, encoder_m) if group == "broken" else (),
    )
    true: dict[str, object] = {"working_load_n": machine.working_load_n, "friction": machine.friction}
    if group == "motor":
        true = {"force_ceiling_n": 1.5 * machine.working_load_n} | (true if known == "given" else {})
    given = true
    if known == "learned":
        given = {"plates_kg": PLATES_KG}
    elif known == "misread":
        given = {
            "working_load_n": machine.working_load_n + STANDARD_GRAVITY_M_S2 * PLATE_KG * float(rng.choice([-1, 1]))
        }
    way: dict[str, object] = {"positive_s": positive_s, "negative_s": negative_s}
    way |= {"starts_with": "negative"} if group == "squat" else {}
    kind = "motor" if free else machine.kind
    given_profile = profile_of(machine, kind, way, kit, given)
    if group == "unknown":
        bare = msgspec.structs.replace(given_profile.machine, bottom_m=None, top_m=None)
        given_profile = msgspec.structs.replace(given_profile, machine=bare)
    return Case(
        group=group,
        seed=seed,
        machine=machine,
        script=script,
        kit=kit,
        true_profile=profile_of(machine, kind, way, kit, true),
        given_profile=given_profile,
        tempo=tempo,
        known=known,
    )


def _script(rng: np.random.Generator, group: Group, machine: Machine, tempo: str, free: bool) -> Script | None:
    positive_s, negative_s, reps = TEMPI[tempo]
    if group == "motor":
        return None
    if group == "squat":
        return squats(rng, machine, positive_s, negative_s, reps, free)
    if group not in ("faulty", "unknown"):
        return clean_set(positive_s, negative_s, reps, drawn_lifter(rng))
    script = faulty_set(rng, machine, positive_s, negative_s, reps, FAULT_WEIGHTS, FAULT_SHARE)
    if group == "faulty":
        return script
    shown = clean_set(positive_s, negative_s, 2, script.lifter).moves[:-1]
    return replace(script, moves=(*shown, Turn(), *(move for move in script.moves if not isinstance(move, Rest | Tug))))


def _static_case(seed: int, rng: np.random.Generator, slow_cell: bool) -> Case:
    _, drawn = drawn_contraction(_drawing(seed))
    kit = Kit(
        force_rate_hz=80.0 if slow_cell else 500.0,
        settling=4.0 if slow_cell else 1.0,
        noise_n=float(rng.uniform(0.3, 1.5)),
        lost_fraction=0.02 if rng.random() < 0.3 else 0.0,
    )
    profile = msgspec.structs.replace(drawn, detect=msgspec.structs.replace(drawn.detect, cell=cell_of(kit)))
    return Case("static", seed, Machine(), None, kit, profile, profile, "static", "given")


def _drawing(seed: int) -> np.random.Generator:
    """The generator for a trace that is drawn, not simulated."""
    return np.random.default_rng([seed, 5])


def profile_of(
    machine: Machine, kind: str, protocol: Mapping[str, object], kit: Kit, load: Mapping[str, object]
) -> Profile:
    table: dict[str, object] = {
        "machine": {
            "id": "quality",
            "kind": kind,
            "rest_m": machine.rest_m,
            "bottom_m": machine.bottom_m,
            "top_m": machine.top_m,
            **load,
        },
        "protocol": protocol,
        "serial": {"rate_hz": kit.position_rate_hz, "block": kit.block},
        "calibration": {"metres_per_count": kit.encoder_m, "newtons_per_count": kit.full_scale_n / 2**23},
        "detect": {"cell": msgspec.to_builtins(cell_of(kit))},
    }
    return profile_from_builtins(table, "the corpus")


def cell_of(kit: Kit) -> CellSettings:
    """What a board reports about its converter."""
    return CellSettings(rate_hz=kit.force_rate_hz, settling=kit.settling if kit.force_block == 1 else 1.0)


def _sensor_faults(rng: np.random.Generator, length_s: float, encoder_m: float) -> tuple[sensor.Fault, ...]:
    """One fault in each half of the set."""
    found = []
    for half in range(2):
        at_s = 6.0 + length_s * (0.1 + 0.5 * half + 0.25 * float(rng.random()))
        for_s = float(rng.uniform(0.5, 3.0))
        found.append(
            (
                sensor.CellStuck(at_s, for_s),
                sensor.CellSaturated(at_s, for_s),
                sensor.CellSpikes(at_s, for_s, 0.05, noticed=bool(rng.random() < 0.5)),
                sensor.CellSilent(at_s, for_s),
                sensor.EncoderJump(at_s, round(float(rng.choice([-1, 1])) * 0.02 / encoder_m)),
                sensor.EncoderFrozen(at_s, for_s),
                sensor.LineCut(at_s, for_s),
            )[int(rng.integers(7))]
        )
    return tuple(found)


def performed(some: Sequence[Case]) -> Iterator[tuple[Case, Signals, Samples]]:
    """The cases with their true signals and measured samples; a batch is simulated at once, or read from the cache."""
    for start in range(0, len(some), BATCH):
        batch = some[start : start + BATCH]
        missing = [item for item in batch if item.script and not _kept(item).exists()]
        if missing:
            traces = simulate_many([Job(item.machine, item.script, item.seed) for item in missing if item.script])
            for item, trace in zip(missing, traces, strict=True):
                kept.keep(_kept(item), [getattr(trace, name) for name in COLUMNS])
        for item in batch:
            if item.script:
                trace = Trace(item.machine, *kept.read(_kept(item)))
                trace = standing(trace) if item.free else trace
            elif item.group == "static":
                trace, _ = drawn_contraction(_drawing(item.seed))
            else:
                trace = drawn_presses(_drawing(item.seed), item.machine, *TEMPI[item.tempo], item.known == "given")
            signals = Signals(
                trace.t_s,
                trace.position_m,
                trace.velocity_m_s,
                trace.acceleration_m_s2,
                trace.tension_n,
                trace.contact_n,
            )
            yield item, signals, measure(trace, item.kit, item.seed)


COLUMNS = ("position_m", "velocity_m_s", "acceleration_m_s2", "tension_n", "contact_n")


def _kept(item: Case) -> Path:
    return kept.path_of(repr((item.machine, item.script, item.seed)))
