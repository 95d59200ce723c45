"""Sensors that are off by an even amount make no fault of the lifter's."""

from typing import Any

import numpy as np
import pytest

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from firmware_bridge.samples import Flag, Samples
from monitor.detect.spine import Spine
from monitor.profile.profile import Profile
from tests.detect.stories import END, REP, UP
from tests.movements import LEAD_S, LOAD_N, PROFILES, Act, Down, Leg, Movement, Still, profile

BRISK: list[Act] = [Leg(1.0, 1.8), Still(0.4), Leg(0.0, 1.8), Still(0.4)]  # 0.09 g: in the band
OF_TENSION = {"tension_out", "unload", "slack", "force_ceiling"}


def records(samples: Samples, machine: str | Profile = "stack") -> list[Any]:
    """The last record of each event."""
    spine = Spine(PROFILES[machine] if isinstance(machine, str) else machine, "s", feedback=False)
    events: list[Any] = [*spine.update(samples).events, *spine.finish().events]
    return list({event.id: event for event in events}.values())


def samples_of(acts: list[Act]) -> Samples:
    return Movement((Leg(0.0, 0.5), Still(0.4), *acts)).samples()


def test_a_cell_with_another_zero_invents_nothing_and_its_load_is_said_to_be_wrong() -> None:
    sound = samples_of([*REP, *(3 * BRISK), *END])
    force_n = np.where(sound.t_s > 8.5, sound.force_n + 0.08 * LOAD_N, sound.force_n)
    found = records(Samples(sound.t_s, sound.position_m, force_n, sound.flags))
    assert not OF_TENSION & {event.kind for event in found}
    assert [event.cause for event in found if event.kind == "sensor_fault"] == ["load"]


def test_a_gentle_pull_is_not_taken_for_the_zero() -> None:
    """It takes 0.6 s from nothing to a small load, and begins around a look at the zero."""
    load_n = 50.0
    for begin_s in np.arange(1.9, 2.1, 0.02):
        lifts_s = begin_s + 0.6
        sound = Movement((Still(lifts_s - LEAD_S), *REP, *REP, *END)).samples(load_n)
        pulled = (sound.t_s > begin_s) & (sound.t_s < lifts_s + 0.15) & ~np.isnan(sound.force_n)
        pull_n = np.minimum((sound.t_s - begin_s) / 0.6, 1.0) * load_n
        force_n = np.where(pulled, np.fmax(sound.force_n, pull_n), sound.force_n)
        found = records(Samples(sound.t_s, sound.position_m, force_n, sound.flags), "learned")
        loads_n = [event.load_n for event in found if event.kind == "rep" and event.load_n]
        assert loads_n == pytest.approx([load_n] * len(loads_n), rel=0.005), begin_s
        assert loads_n


@pytest.mark.parametrize(("pull_n", "pulled_s", "zero_n"), [(9.0, 40.0, 0.0), (9.0, 80.0, 9.0), (4.0, 20.0, 4.0)])
def test_arms_on_the_handle_are_not_taken_for_the_zero(pull_n: float, pulled_s: float, zero_n: float) -> None:
    """They hang there from the end of a set of 48 s on; what lasts for longer than a minute, or is little, is drift."""
    sound = samples_of([*(10 * REP), Down(pulled_s + 20.0), *REP, *END])
    down_s = LEAD_S + 0.9 + 10 * 4.8
    pulls = (sound.t_s > down_s) & (sound.t_s < down_s + pulled_s)
    force_n = sound.force_n + np.where(pulls, pull_n, 0.0)
    seen = sound.t_s < down_s + pulled_s - 1
    spine = Spine(PROFILES["learned"], "s")
    spine.update(Samples(sound.t_s[seen], sound.position_m[seen], force_n[seen], sound.flags[seen]))
    assert spine.limits.zero_n == pytest.approx(zero_n, abs=0.5)
    assert spine.limits.selected_n == pytest.approx(LOAD_N, rel=0.005)


def test_a_zero_that_drifted_during_a_set_is_found_before_the_set_ends() -> None:
    """By 12 N a minute, over 48 s. The set's summary follows 5 s after its end."""
    sound = samples_of([*(10 * REP), Down(4.8)])
    spine = Spine(PROFILES["learned"], "s")
    spine.update(Samples(sound.t_s, sound.position_m, sound.force_n + 0.2 * sound.t_s, sound.flags))
    assert spine.limits.zero_n == pytest.approx(0.2 * sound.t_s[-1], abs=1.0)
    assert spine.limits.selected_n == pytest.approx(LOAD_N, rel=0.01)


@pytest.mark.parametrize(("plate_kg", "drift_n_s", "arms_n"), [(15.0, 0.2, 0.0), (60.0, 0.2, 0.0), (10.0, 0.0, 4.5)])
def test_a_load_that_the_profile_lists_stays_on_the_list(plate_kg: float, drift_n_s: float, arms_n: float) -> None:
    """A drift makes a light load seem 5 % heavier at the end of its set; arms on the handle are taken for a drift."""
    sound = Movement((Leg(0.0, 0.5), Still(0.4), *(10 * REP), Down(45.0), *REP, *REP, *END)).samples(plate_kg * G)
    down_s = LEAD_S + 0.9 + 10 * 4.8
    arms = np.where((sound.t_s > down_s) & (sound.t_s < down_s + 15.0), arms_n, 0.0)
    listed = profile(working_load_n=None, friction=None, plates_kg=tuple(5.0 * n for n in range(1, 41)))
    force_n = sound.force_n + drift_n_s * sound.t_s + arms
    found = records(Samples(sound.t_s, sound.position_m, force_n, sound.flags), listed)
    loads_n = [load.load_n for event in found if event.kind == "set_end" for load in event.loads]
    assert loads_n == [round(plate_kg * G, 1)] * 2
    assert not [event for event in found if event.kind == "load_change"]


def test_counts_that_the_device_says_are_lost_put_the_stack_on_its_rest() -> None:
    """It stands 6 mm too high; without a word of the device it would hang there."""
    sound = samples_of([*REP, *UP, Leg(0.0, 2.0), Down(1.0), *REP, *END])
    slipping = (sound.t_s > 6) & (sound.t_s < 9)
    position_m = sound.position_m + 0.002 * np.clip(sound.t_s - 6, 0, 3)
    flags = np.where(slipping & (sound.t_s % 1 < 0.02), sound.flags | np.uint8(Flag.SLIPPED), sound.flags)
    found = records(Samples(sound.t_s, position_m, sound.force_n, flags.astype(np.uint8)))
    kinds = [event.kind for event in found]
    assert (kinds.count("rep"), kinds.count("stack_touch"), kinds.count("bottom_rest")) == (3, 2, 2)
    unsaid = [event.kind for event in records(Samples(sound.t_s, position_m, sound.force_n, sound.flags))]
    assert unsaid.count("stack_touch") == 1, "until it has stood at that height twice"


def test_a_hard_landing_on_a_hook_is_no_turn_of_the_lifter() -> None:
    sound = samples_of([*REP, *UP, Leg(0.1, 2.0), Leg(0.06, 0.2), Still(1.5), *UP, Leg(0.0, 2.0), *END])
    lands_s = 1.9 + 4.8 + 2.4 + 2.2
    force_n = np.where((sound.t_s > lands_s) & (sound.t_s < lands_s + 1.4), 0.0, sound.force_n)
    found = records(Samples(sound.t_s, sound.position_m, force_n, sound.flags))
    turns = [event.grade for event in found if event.kind == "turnaround" and event.at == "lower"]
    assert "abrupt" not in turns
    assert "bounce" not in turns


@pytest.mark.parametrize("stuck_s", [0.4, 0.8, 1.2])
def test_readings_that_were_doubted_are_not_judged_in_hindsight(stuck_s: float) -> None:
    """The cell repeats what it read at the rest while the stack is lifted; the load is confirmed after that."""
    sound = samples_of([*REP, *REP, *END, *REP, *REP, *END])
    lifted_s = LEAD_S + 0.9 + 2 * 4.8 + 6.4 + 0.2
    stuck = (sound.t_s > lifted_s - 1.0) & (sound.t_s < lifted_s + stuck_s) & ~np.isnan(sound.force_n)
    force_n = np.where(stuck, sound.force_n[stuck][0] + 0.3 * LOAD_N, sound.force_n)
    found = records(Samples(sound.t_s, sound.position_m, force_n, sound.flags), profile(working_load_n=None))
    assert not {*OF_TENSION, "assist"} & {event.kind for event in found}
    assert "frozen" in {event.cause for event in found if event.kind == "sensor_fault"}
