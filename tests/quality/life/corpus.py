"""Draws sessions from the life of a gym by kind and seed: what happens, how it is measured, how much is known.

    life_case("drop_set", seed_of(HELD_BACK, 3))      a LifeCase; tuning and held-back seeds differ
    clean_cases(seed)                                 one clean session, as each of eight kits measures it

Tempo, kit, faults and what the profile knows are spread evenly over neighbouring seeds; the rest is random.
"""

from dataclasses import dataclass, replace
from itertools import product

import msgspec
import numpy as np

from firmware_bridge.samples import Samples
from firmware_bridge.simulator import Kit, Trace, measure
from firmware_bridge.simulator import faults as sensor
from firmware_bridge.simulator.gym import KINDS, drawn_session
from firmware_bridge.simulator.resistance import CONSTANT
from firmware_bridge.simulator.session import Session
from monitor.profile.profile import Profile
from monitor.profile.settings import CellSettings
from tests.quality import kept
from tests.quality.corpus import FAST_HZ, RATES_HZ, SLOWEST_FAST_CELL_HZ, TEMPI, profile_of
from tests.quality.signals import Floats, Loads, Signals

CLEAN = "clean"
LIFE_KINDS = tuple(KINDS)
SENSORS = tuple(product((True, False), (0.0001, 0.0005), (True, False)))  # slow cell, encoder step, [calibration]
DEALT = (0, 3, 5, 6, 2, 1, 7, 4)  # an order in which neighbours differ in more than one of them
KNOWN = ("nothing", "friction", "plates", "friction and plates")  # of the machine
PLATES_KG = tuple(5.0 * number for number in range(1, 41))
FINE_PLATES_KG = tuple(2.5 * number for number in range(1, 49))
FINE = ("light", "pulley")  # kinds whose loads stand between the usual plates
NO_PLATES = ("curve_mass", "curve_light", "hybrid", "machine_day")
COLUMNS = ("position_m", "velocity_m_s", "acceleration_m_s2", "tension_n", "contact_n", "loads_n")


@dataclass(frozen=True)
class LifeCase:
    """Everything that one session follows from."""

    kind: str
    seed: int
    session: Session
    kit: Kit
    true_profile: Profile  # range, friction and the first load as they are: for the labels
    given_profile: Profile  # what the detector knows
    tempo: str
    known: str
    calibrated: bool
    faulty: bool

    @property
    def name(self) -> str:
        return f"life-{self.kind}-{self.seed}"

    @property
    def slow_cell(self) -> bool:
        return self.kit.force_rate_hz < 200

    @property
    def varies(self) -> bool:
        """Whether the load differs along the way or by direction."""
        return self.session.machine.resistance != CONSTANT

    @property
    def friction_known(self) -> bool:
        return self.given_profile.machine.friction is not None

    @property
    def sensors(self) -> str:
        """The kit in a few words."""
        cell, without = "HX711" if self.slow_cell else "fast cell", "" if self.calibrated else ", no [calibration]"
        return f"{cell}, {self.kit.encoder_m * 1000:g} mm{without}"

    @property
    def leads(self) -> bool:
        """Whether the profile says that the cell is fast, so that its force leads the position."""
        return (self.given_profile.detect.cell.rate_hz or 0.0) >= FAST_HZ


def life_case(kind: str, seed: int) -> LifeCase:
    """The case of this kind with this seed."""
    index, deal = LIFE_KINDS.index(kind), seed // 2
    sensors = SENSORS[DEALT[(deal + 3 * index) % len(DEALT)]]
    rate_hz = tuple(RATES_HZ)[(deal + deal // 4 + index) % len(RATES_HZ)]
    known = KNOWN[(deal + deal // 4 + index // 4) % len(KNOWN)]
    tempo = tuple(TEMPI)[(deal + index) % len(TEMPI)]
    return _case(kind, seed, tempo, rate_hz, sensors, known, faulty=(deal // 2 + deal + index) % 2 == 1)


def clean_cases(seed: int) -> list[LifeCase]:
    """A clean session of this seed, once for each kit."""
    deal = seed // 2
    rate_hz, tempo = tuple(RATES_HZ)[(deal + deal // 4) % 4], tuple(TEMPI)[deal % 4]
    known = KNOWN[(deal // 2) % 4]
    return [_case(CLEAN, seed, tempo, rate_hz, sensors, known, faulty=False) for sensors in SENSORS]


def _case(
    kind: str, seed: int, tempo: str, rate_hz: int, sensors: tuple[bool, float, bool], known: str, faulty: bool
) -> LifeCase:
    positive_s, negative_s, _ = TEMPI[tempo]
    rng = np.random.default_rng([seed, LIFE_KINDS.index(kind), 7])
    session = drawn_session(rng, kind, positive_s, negative_s, faulty)
    slow_cell, encoder_m, calibrated = sensors
    kit = Kit(
        encoder_m=encoder_m,
        position_rate_hz=rate_hz,
        block=RATES_HZ[rate_hz],
        force_rate_hz=80.0 if slow_cell else float(max(rate_hz, SLOWEST_FAST_CELL_HZ)),
        settling=4.0 if slow_cell else 1.0,
        noise_n=float(rng.uniform(0.3, 1.5)),
        clock_ppm=float(rng.uniform(-50, 50)),
    )
    kit = replace(kit, faults=_of_sensors(session, kit))
    machine = replace(session.machine, rest_m=session.machine.rest_m - session.limiter_m)
    protocol: dict[str, object] = dict(zip(("positive_s", "negative_s"), session.tempo_s, strict=True))
    if session.pause_s:
        protocol["pause_s"] = session.pause_s
    true: dict[str, object] = {"working_load_n": machine.working_load_n, "friction": machine.friction}
    given: dict[str, object] = {"friction": machine.friction} if "friction" in known else {}
    if "plates" in known and kind not in NO_PLATES:
        given["plates_kg"] = FINE_PLATES_KG if kind in FINE else PLATES_KG
    given_profile = profile_of(machine, "stack", protocol, kit, given)
    return LifeCase(
        kind=kind,
        seed=seed,
        session=session,
        kit=kit,
        true_profile=profile_of(machine, "stack", protocol, kit, true),
        given_profile=_less(given_profile, calibrated, session.range_given),
        tempo=tempo,
        known=known,
        calibrated=calibrated,
        faulty=faulty,
    )


def _of_sensors(session: Session, kit: Kit) -> tuple[sensor.Fault, ...]:
    faults: list[sensor.Fault] = []
    if session.drift_n_per_min:
        newtons_per_count = kit.calibration(session.machine).newtons_per_count
        faults.append(sensor.CellDrift(0.0, session.drift_n_per_min / 60 / newtons_per_count))
    if session.spike_every:
        faults.append(sensor.CellGlitches(session.spike_every))
    return tuple(faults)


def _less(profile: Profile, calibrated: bool, range_given: bool) -> Profile:
    """The profile without what is not given in this case."""
    if not calibrated:
        detect = msgspec.structs.replace(profile.detect, cell=CellSettings())
        profile = msgspec.structs.replace(profile, calibration=None, detect=detect)
    if not range_given:
        bare = msgspec.structs.replace(profile.machine, bottom_m=None, top_m=None)
        profile = msgspec.structs.replace(profile, machine=bare)
    return profile


def performed(item: LifeCase) -> tuple[Signals, Samples]:
    """The true signals of a case, and what its kit made of them."""
    path = kept.path_of(repr(item.session))
    if not path.exists():
        kept.keep(path, _simulated(item.session))
    columns = kept.read(path)
    x, v, a, tension_n, contact_n, asked_n, selected_n, inertia_kg = columns
    trace = Trace(item.session.machine, x, v, a, tension_n, contact_n, load_n=asked_n)
    loads = Loads(asked_n, selected_n, inertia_kg)
    return Signals(trace.t_s, x, v, a, tension_n, contact_n, loads), measure(trace, item.kit, item.seed)


def _simulated(session: Session) -> list[Floats]:
    """The trace's columns, then load and inertia of the pin."""
    parts = [stretch.trace() for stretch in session.stretches]
    lengths = [len(part) for part in parts]
    machines = [stretch.machine for stretch in session.stretches]
    trace = Trace.joined(parts)
    return [
        *(getattr(trace, name) for name in COLUMNS),
        np.repeat([machine.working_load_n for machine in machines], lengths),
        np.repeat([machine.inertia_kg for machine in machines], lengths),
    ]


def named(name: str) -> LifeCase:
    """The case with a name of the form `life-<kind>-<seed>`. Raises ValueError for any other name."""
    _, _, rest = name.partition("-")
    kind, _, seed = rest.rpartition("-")
    if kind not in KINDS or not seed.isdigit():
        raise ValueError(f"{name} is not known: life-<kind>-<seed> is, of the kinds {', '.join(LIFE_KINDS)}")
    return life_case(kind, int(seed))
