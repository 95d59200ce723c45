"""A machine whose load varies along the way: recognised after two repetitions, kept, and judged by its curve."""

from typing import Any

import numpy as np
import pytest

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from firmware_bridge.samples import Samples
from monitor.detect.spine import Spine
from monitor.learning.curve import MEAN, _hats, fitted
from monitor.learning.machine import LearnedMachine
from monitor.learning.mass import Moments, less_inertia
from monitor.profile.profile import Profile
from monitor.profile.resistance import Resistance
from tests.movements import (
    BOTTOM_M,
    FRICTION,
    LOAD_N,
    REST_M,
    TOP_M,
    Act,
    Down,
    Floats,
    Helped,
    Leg,
    Movement,
    Pin,
    Still,
    Trouble,
    profile,
)

REP: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
HELPED: list[Act] = [Leg(1.0, 2.0), Still(0.4), Helped(0.0, 2.0, 1.3), Still(0.4)]
END: list[Act] = [Down(6.0)]
PLACES = np.linspace(0.0, 1.0, 12)
COMPARED = ("unload", "slack", "tension_out", "force_ceiling", "assist", "sensor_fault")


def cam(u: Floats) -> Floats:
    share: Floats = (1 + 0.3 * np.sin(np.pi * np.clip(u, 0.0, 1.0))) / (1 + 0.6 / np.pi)
    return share


def band(u: Floats) -> Floats:
    share: Floats = 0.6 + 0.8 * np.clip(u, 0.0, 1.0)
    return share


CURVES = {"cam": cam, "band": band}


def session(
    curve: Any, acts: list[Act], machine: LearnedMachine | None = None, of: Profile | None = None, mass: float = 1.0
) -> tuple[list[Any], Spine]:
    movement = Movement((Leg(0.0, 0.5), Still(0.4), *acts))
    spine = Spine(of or profile(working_load_n=None, friction=None), "s", machine=machine)
    events = spine.update(movement.samples(curve=curve, mass=mass)).events + spine.finish().events
    return list({event.id: event for event in events}.values()), spine


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("friction", [None, FRICTION])
def test_two_repetitions_show_the_curve(name: str, friction: float | None) -> None:
    of = profile(working_load_n=None, friction=friction)
    events, spine = session(CURVES[name], [*REP] * 6 + END, of=of)
    limits = spine.limits
    assert limits.resistance is not None
    assert limits.resistance.shares == pytest.approx(CURVES[name](PLACES), abs=0.03)
    assert limits.selected_n == pytest.approx(LOAD_N, rel=0.01)
    assert limits.friction == pytest.approx(FRICTION, abs=0.01)
    assert not [event for event in events if event.kind in COMPARED]
    reps = [event for event in events if event.kind == "rep"]
    assert [rep.load_n is not None for rep in reps] == [False, False, True, True, True, True]
    (end,) = [event for event in events if event.kind == "set_end"]
    assert end.skill == pytest.approx(1.0, abs=0.01)
    assert end.working_load_n == pytest.approx(LOAD_N, rel=0.01)


def test_a_knot_that_no_moment_reaches_does_not_spoil_the_others() -> None:
    """The lifter moves in the lower half: least squares alone would have no single solution."""
    x_m = np.tile(np.linspace(0.0, 0.2, 100), 2)
    c = np.repeat((1.0, -1.0), 100)
    none = np.zeros(len(x_m))
    moments = Moments(x_m, c, none, LOAD_N * (1 + FRICTION * c), none)
    fit = fitted(moments, 0.0, 0.4)
    assert (fit.load_n, fit.friction, fit.miss) == pytest.approx((LOAD_N, FRICTION, 0.0), abs=1e-3)
    assert less_inertia(moments, _hats(x_m, 0.0, 0.4).T, np.full(len(x_m), LOAD_N), MEAN) is None


def test_beyond_what_the_repetitions_passed_the_end_value_holds() -> None:
    """The range reaches down to the rest, and only the first repetition passes it there, and only on its way up."""
    x_m = np.tile(np.linspace(0.1, 0.4, 100), 2)
    c = np.repeat((1.0, -1.0), 100)
    pulled_n = LOAD_N * band(x_m / 0.4) * (1 + FRICTION * c)
    fit = fitted(Moments(x_m, c, np.zeros(len(x_m)), pulled_n, np.zeros(len(x_m))), 0.0, 0.4)
    lowest_m = fit.resistance.places_m[2]  # the next knot below 0.1 m
    known_n = LOAD_N * band(np.maximum(fit.resistance.places_m, lowest_m) / 0.4)
    assert np.array(fit.resistance.shares) * fit.load_n == pytest.approx(known_n, rel=0.01)


def test_a_constant_load_does_not_make_a_curve() -> None:
    spine = session(None, [*REP] * 3 + END)[1]
    assert spine.limits.resistance is None
    assert spine.limits.resistance_known


def test_the_next_session_knows_the_curve() -> None:
    machine = session(cam, [*REP] * 3 + END)[1].machine
    events, spine = session(cam, [*REP, *HELPED, *REP, *END], machine)
    assert spine.limits.selected_n == pytest.approx(LOAD_N, rel=0.01)
    assert [event.load_n for event in events if event.kind == "rep"] == pytest.approx([LOAD_N] * 3, rel=0.01)
    (help_,) = [event for event in events if event.kind == "assist"]
    assert help_.side == "heavier"
    assert not [event for event in events if event.kind in COMPARED and event.part_of is None and event is not help_]


@pytest.mark.parametrize("pin", [1.0, 0.8])
def test_a_load_that_only_a_repetition_teaches_judges_what_was_before_it_too(pin: float) -> None:
    """A heave is too uneven to confirm the load within a second, and too short to teach it."""
    machine = session(cam, [*REP] * 3 + END)[1].machine
    heave: list[Act] = [Leg(0.0, 0.4), Leg(0.32, 0.3), Leg(0.0, 0.3)]
    events, spine = session(cam, [*REP, Down(2.0), Pin(pin), *heave, *REP, *REP, *END], machine)
    assert [event.rep for event in events if event.kind == "jerk"] == [2]
    assert [event.rep for event in events if event.kind == "force_ceiling"] == [2, 2]
    changes = [(event.from_n, event.to_n) for event in events if event.kind == "load_change"]
    assert changes == ([] if pin == 1.0 else [pytest.approx((LOAD_N, pin * LOAD_N), rel=0.02)])
    assert spine.limits.selected_n == pytest.approx(pin * LOAD_N, rel=0.01)


def test_a_helper_does_not_make_a_curve() -> None:
    helped: list[Act] = [Helped(1.0, 2.0, 0.7), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    spine = session(None, [*helped, *helped, *HELPED, *HELPED, *END])[1]
    assert spine.limits.resistance is None


def test_a_curve_in_the_profile_counts_from_the_first_moment() -> None:
    places_m = BOTTOM_M + PLACES * (TOP_M - BOTTOM_M)
    curve: dict[str, Any] = {
        "resistance": "curve",
        "curve_m": places_m.tolist(),
        "curve_n": (LOAD_N * cam(PLACES)).tolist(),
    }
    events, spine = session(cam, [*REP, *REP, *END], of=profile(working_load_n=None, **curve))
    assert spine.limits.load_from == "given"
    assert not [event for event in events if event.kind in COMPARED]
    assert spine.limits.resistance is not None
    assert spine.limits.resistance.bottom_m == pytest.approx(BOTTOM_M - REST_M)
    assert [event.load_n for event in events if event.kind == "rep"] == pytest.approx([LOAD_N] * 2, rel=0.01)


def test_a_load_that_the_profile_calls_constant_stays_constant() -> None:
    spine = session(cam, [*REP] * 3 + END, of=profile(working_load_n=None, friction=None, resistance="constant"))[1]
    assert spine.limits.resistance is None


BRISK: list[Act] = [Leg(1.0, 1.3), Still(0.4), Leg(0.0, 1.3), Still(0.4)]


@pytest.mark.parametrize("seconds", [1.3, 2.0, 4.0])
def test_a_cam_moves_the_mass_of_its_stack_even_where_the_movement_hardly_shows_it(seconds: float) -> None:
    rep: list[Act] = [Leg(1.0, seconds), Still(0.4), Leg(0.0, seconds), Still(0.4)]
    assert session(cam, [*rep] * 3 + END)[1].limits.inertia == 1.0


def test_a_band_moves_less_mass() -> None:
    """Ways up and down at different speeds tell mass from place."""
    rep: list[Act] = [Leg(1.0, 1.3), Still(0.4), Leg(0.0, 2.6), Still(0.4)]
    assert session(band, [*rep] * 3 + END, mass=0.05)[1].limits.inertia == pytest.approx(0.05, abs=0.05)
    assert session(band, [*rep] * 3 + END)[1].limits.inertia == 1.0


@pytest.mark.parametrize(("mass", "learned"), [(0.5, 0.5), (1.0, 1.0), (0.9, 1.0)])
def test_two_repetitions_show_that_a_pulley_moves_less_mass_than_a_stack(mass: float, learned: float) -> None:
    events, spine = session(None, [*BRISK] * 3 + END, mass=mass)
    assert spine.limits.inertia == pytest.approx(learned, abs=0.03)
    assert spine.limits.selected_n == pytest.approx(LOAD_N, rel=0.01)
    assert not [event for event in events if event.kind in ("assist", "sensor_fault")]


def test_neither_one_repetition_nor_a_load_that_grows_a_little_shows_less_mass() -> None:
    assert session(None, [*BRISK, *END], mass=0.5)[1].limits.inertia == 1.0
    assert session(lambda u: 0.97 + 0.06 * u, [*REP] * 3 + END)[1].limits.inertia == 1.0


def test_the_load_of_a_pulley_is_confirmed_within_a_second_once_its_mass_is_known() -> None:
    machine = session(None, [*BRISK] * 3 + END, mass=0.5)[1].machine
    events, spine = session(None, [*BRISK, Down(2.0), Pin(0.8), *BRISK, *BRISK, *END], machine, mass=0.5)
    (change,) = [event for event in events if event.kind == "load_change"]
    assert (change.from_n, change.to_n) == pytest.approx((LOAD_N, 0.8 * LOAD_N), rel=0.01)
    assert change.found_s < change.t_s + 1.1
    assert not [event for event in events if event.kind in COMPARED]
    assert spine.limits.resistance is not None
    assert not spine.limits.resistance.varies


def swung(up_s: float, down_s: float, of: Profile) -> Spine:
    """A band that moves no mass, up and down eight times as evenly as a swing, without a stop."""
    t_s = np.arange(0.0, 2.0 + 8 * (up_s + down_s) + 6.0, 0.002)
    turns_s = 2.0 + np.cumsum([0.0] + [up_s, down_s] * 8)
    u = (1 - np.cos(np.pi * np.interp(t_s, turns_s, np.arange(17.0)))) / 2
    x_m = BOTTOM_M + (TOP_M - BOTTOM_M) * u
    force_n = LOAD_N * band(u) * (1 + FRICTION * np.tanh(np.gradient(x_m, t_s) / 0.004)) * (u > 0)
    force_n += np.random.default_rng(0).normal(0.0, 0.025 * LOAD_N, len(t_s))
    spine = Spine(of, "s")
    spine.update(Samples(t_s, np.round(x_m, 4), force_n, np.zeros(len(t_s), np.uint8)))
    return spine


def test_a_band_that_is_swung_evenly_is_not_taken_for_a_constant_load() -> None:
    """In a swing the acceleration is proportional to the height, so a negative mass would explain the band."""
    resistance = swung(2.0, 2.0, profile(rest_m=BOTTOM_M, working_load_n=None)).limits.resistance
    assert resistance is not None
    assert resistance.shares == pytest.approx(band(PLACES), abs=0.1)


@pytest.mark.parametrize("given", [{}, {"resistance": "learned", "inertia_kg": 0.0}])
def test_a_band_is_recognised_though_it_moves_no_mass(given: dict[str, Any]) -> None:
    """With the mass of a stack no curve would fit, and the movement does not show how little it is."""
    limits = swung(1.6, 4.0, profile(rest_m=BOTTOM_M, working_load_n=None, positive_s=1.6, **given)).limits
    assert limits.resistance is not None
    assert limits.resistance.shares == pytest.approx(band(PLACES), abs=0.05 if given else 0.1)


def test_what_is_pulled_beyond_the_range_shapes_neither_the_curve_nor_the_load() -> None:
    """A band pulls less below the bottom of the range, too: a set begins there, and a pin is looked for there."""

    def lower(u: Floats) -> Floats:
        share: Floats = 0.6 + 0.8 * u
        return share

    of = profile(working_load_n=None, bottom_m=BOTTOM_M + 0.125)
    slow: list[Act] = [Leg(1.0, 6.0), Still(0.4), Leg(0.0, 6.0), Still(0.4)]
    events, spine = session(lower, [*slow] * 3 + END + [*slow] * 2 + END, of=of)
    resistance = spine.limits.resistance
    assert resistance is not None
    u = (resistance.places_m + REST_M - BOTTOM_M) / (TOP_M - BOTTOM_M)
    assert np.array(resistance.shares) * (spine.limits.selected_n or 0.0) == pytest.approx(LOAD_N * lower(u), rel=0.01)
    assert not [event for event in events if event.kind in ("load_change", "sensor_fault")]


@pytest.mark.parametrize(("mass", "cause"), [(1.0, "frozen"), (0.05, "encoder_slip")])
@pytest.mark.parametrize("given", [False, True])
def test_a_session_judges_counts_that_stop_dead_by_the_mass_that_moves(mass: float, cause: str, given: bool) -> None:
    """A carriage of next to no mass may have stopped as dead: that its counts were lost shows once it rests."""
    stopped = Movement((Leg(0.0, 0.5), Still(0.4), *REP, *REP, *END), (Trouble("frozen", 0.4, 0.05),))
    rows = stopped.samples(curve=band, mass=mass)
    known = Resistance(BOTTOM_M - REST_M, TOP_M - REST_M, tuple(band(PLACES).tolist()), inertia=mass)
    machine = LearnedMachine(friction=FRICTION, resistance=known)
    curve: dict[str, Any] = {
        "resistance": "curve",
        "curve_m": (BOTTOM_M + PLACES * (TOP_M - BOTTOM_M)).tolist(),
        "curve_n": (LOAD_N * band(PLACES)).tolist(),
        "inertia_kg": mass * LOAD_N / G,
    }
    of = profile(working_load_n=None, **curve) if given else profile(working_load_n=None, friction=None)
    spine = Spine(of, "s", machine=None if given else machine)
    events: list[Any] = [*spine.update(rows).events, *spine.finish().events]
    assert list({event.id: event.cause for event in events if event.kind == "sensor_fault"}.values()) == [cause]
