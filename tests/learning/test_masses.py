"""The mass that moves with a load: learned by what the movement surely shows, and used in the same session."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from firmware_bridge.samples import Samples
from monitor.detect.spine import Spine
from monitor.learning.machine import LearnedMachine
from monitor.profile.profile import Profile
from monitor.profile.resistance import Resistance
from tests.movements import (
    BOTTOM_M,
    FRICTION,
    LOAD_N,
    TOP_M,
    Act,
    Down,
    Floats,
    Leg,
    Movement,
    Still,
    Trouble,
    profile,
)

LIGHT = 0.05  # the mass of a band or an air cylinder, as a share of load/g
REP: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 3.0), Still(0.4)]
PLACES = np.linspace(0.0, 1.0, 12)
GIVEN: dict[str, dict[str, Any]] = {
    "curve": {
        "resistance": "curve",
        "curve_m": (BOTTOM_M + PLACES * (TOP_M - BOTTOM_M)).tolist(),
        "curve_n": (LOAD_N * (0.6 + 0.8 * PLACES)).tolist(),
    },
    "constant": {"resistance": "constant"},
}


def band(u: Floats) -> Floats:
    share: Floats = 0.6 + 0.8 * np.clip(u, 0.0, 1.0)
    return share


def rows_of(acts: list[Act], mass: float, *, frozen_in: int | None = None, **changes: Any) -> Samples:
    """`frozen_in`: of this repetition, half-way up, the encoder misses a tenth of a second."""
    movement = Movement((Leg(0.0, 0.5), Still(0.4), *acts, Down(6.0)))
    if frozen_in is not None:
        from_s, length_s = 1.9 + 5.8 * frozen_in, 1.9 + 5.8 * len(acts) / len(REP) + 6.0
        movement = replace(movement, troubles=(Trouble("frozen", from_s / length_s, 0.1),))
    return movement.samples(mass=mass, **changes)


def detected(spine: Spine, rows: Samples, size: int | None = None) -> list[Any]:
    """The events of rows that come in batches of a size, or all at once."""
    step = size or len(rows)
    events: list[Any] = []
    for low in range(0, len(rows), step):
        events += spine.update(rows.rows(slice(low, low + step))).events
    return [*events, *spine.finish().events]


def unknown(**changes: Any) -> Profile:
    return profile(**({"working_load_n": None, "friction": None} | changes))


@pytest.mark.parametrize("resistance", GIVEN)
@pytest.mark.parametrize("mass", [LIGHT, 1.0])
def test_the_mass_is_learned_whatever_the_profile_says_of_the_load(resistance: str, mass: float) -> None:
    curve = band if resistance == "curve" else None
    rows = rows_of(REP * 4, mass, curve=curve)
    spine = Spine(unknown(**GIVEN[resistance]), "s")
    events = detected(spine, rows)
    assert spine.limits.inertia == pytest.approx(mass, abs=0.05)
    assert spine.limits.selected_n == pytest.approx(LOAD_N, rel=0.01)
    wrong = [event for event in events if event.kind in ("sensor_fault", "tension_out", "assist", "load_change")]
    assert not [event for event in wrong if event.rep is None or event.rep > 2], "two repetitions teach it"
    later = Spine(unknown(**GIVEN[resistance]), "s", machine=spine.machine)
    assert later.limits.inertia == spine.limits.inertia
    assert (later.limits.resistance is not None and later.limits.resistance.varies) == (resistance == "curve")


def test_the_mass_in_the_profile_counts_where_the_load_is_constant() -> None:
    of = profile(resistance="constant", inertia_kg=0.1 * LOAD_N / G)
    machine = LearnedMachine(friction=FRICTION, resistance=Resistance(0.0, 0.4, (1.0, 1.0), inertia=0.5))
    assert Spine(of, "s").limits.inertia == pytest.approx(0.1)
    assert Spine(of, "s", machine=machine).limits.inertia == pytest.approx(0.1)


@pytest.mark.parametrize("size", [7, 1000, None])
@pytest.mark.parametrize(("mass", "causes"), [(LIGHT, ["encoder_slip"]), (1.0, ["frozen"])])
def test_a_session_judges_a_dead_stop_by_the_mass_that_it_has_learned(
    mass: float, causes: list[str], size: int | None
) -> None:
    spine = Spine(unknown(), "s")
    events = detected(spine, rows_of(REP * 8, mass, frozen_in=7, curve=band), size)
    assert list({event.id: event.cause for event in events if event.kind == "sensor_fault"}.values()) == causes


def test_an_encoder_that_freezes_in_the_first_repetition_of_an_unknown_machine_is_found() -> None:
    """Before a repetition shows less, the mass is a stack's: a light one would hide it."""
    events = detected(Spine(unknown(), "s"), rows_of(REP * 2, 1.0, frozen_in=0))
    assert list({event.id: event.cause for event in events if event.kind == "sensor_fault"}.values()) == ["frozen"]


@pytest.mark.parametrize("mass", [0.0, 1.0])
def test_slow_accelerations_show_the_mass_where_the_encoder_is_coarse(mass: float) -> None:
    """The accelerations of so few counts are mostly noise."""
    t_s, position_m, force_n, flags = rows_of(REP * 5, mass)
    spine = Spine(unknown(metres_per_count=5e-4), "s")
    detected(spine, Samples(t_s, np.round(position_m / 5e-4) * 5e-4, force_n, flags))
    assert spine.limits.inertia == pytest.approx(mass, abs=0.05)
