"""Another time, another load or a mirrored movement gives the same events at other times, forces or places."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.detect.spine import STEP_S
from monitor.events import Turnaround
from monitor.profile.profile import Profile
from monitor.profile.settings import ZeroSettings
from tests.detect.feeding import any_profile, last_records, later, repeated, run
from tests.movements import (
    LOAD_N,
    REST_M,
    Movement,
    movements,
    profile,
)
from tests.soak import soak

pytestmark = soak


def close(one: Any, other: Any, later_s: float = 0.0, forces: float = 1.0) -> bool:
    """Whether two records agree, the other one `later_s` later and with `forces` times the force."""
    for key in one.__struct_fields__:
        mine, its = getattr(one, key), getattr(other, key)
        if isinstance(mine, float) and isinstance(its, float):
            if key in ("t_s", "found_s", "closed_s"):
                mine, tolerance = mine + later_s, 2e-6
            elif key.endswith("_n"):
                mine, tolerance = mine * forces, 0.15 * forces
            else:
                tolerance = 0.0011  # the last digit
            if abs(mine - its) > tolerance:
                return False
        elif key == "detail" and forces != 1.0:
            continue  # a sentence with newtons in it
        elif key == "loads":
            if not all(close(part, its_part, later_s, forces) for part, its_part in zip(mine, its, strict=True)):
                return False
        elif not isinstance(mine, msgspec.Struct) and mine != its:
            return False
    return type(one) is type(other)


@repeated
@given(any_profile, movements(), st.sampled_from([8, 336, 200_000, 17_280_000]))
def test_shifted_time_shifts_events(name: str, movement: Movement, steps: int) -> None:
    samples = movement.samples()
    events, feedback = run(name, samples)
    later_events, later_feedback = run(name, later(samples, steps * STEP_S))
    assert (len(events), len(feedback)) == (len(later_events), len(later_feedback))
    for one, other in zip(events, later_events, strict=True):
        assert close(one, other, later_s=steps * STEP_S), f"{one}\n{other}"


@repeated
@given(
    st.sampled_from([{}, {"working_load_n": None, "friction": None}, {"force_ceiling_n": 700.0}]),
    movements(),
    st.sampled_from([0.5, 2.0]),
)
def test_scaled_load_scales_forces_and_nothing_else(changes: dict[str, Any], movement: Movement, scale: float) -> None:
    own = {"working_load_n": LOAD_N, "lift_off_n": 50.0} | changes
    scaled = {key: value * scale if key.endswith("_n") and value else value for key, value in own.items()}

    def walking(machine: Profile, scale: float) -> Profile:
        """Scale the drift that a zero may have, too; its noise must not lie on that limit."""
        zero = ZeroSettings(walk_n_per_minute=scale * 14.0)
        return msgspec.structs.replace(machine, detect=msgspec.structs.replace(machine.detect, zero=zero))

    events, _ = run(walking(profile(**own), 1.0), movement.samples(), feedback=False)
    heavier = movement.samples(load_n=LOAD_N * scale)
    scaled_events, _ = run(walking(profile(**scaled), scale), heavier, feedback=False)
    assert len(events) == len(scaled_events)
    for one, other in zip(events, scaled_events, strict=True):
        assert close(one, other, forces=scale), f"{one}\n{other}"


@repeated
@given(movements(troubles=0, floor=False))
def test_mirrored_motion_mirrors_turnarounds(movement: Movement) -> None:
    def turnarounds(mirrored: bool) -> list[Any]:
        deep = profile(rest_m=REST_M - 0.5, starts_with="negative" if mirrored else "positive")
        reported = run(deep, replace(movement, mirrored=mirrored).samples())
        return [event for event in last_records(reported) if isinstance(event, Turnaround)]

    plain, mirrored = turnarounds(False), turnarounds(True)
    assert len(plain) == len(mirrored)
    for one, other in zip(plain, mirrored, strict=True):
        assert {one.at, other.at} == {"upper", "lower"}
        assert one.t_s == pytest.approx(other.t_s, abs=0.0051)
        assert one.dwell_s == pytest.approx(other.dwell_s, abs=0.0051)
        assert {"bounce": "abrupt"}.get(str(one.grade), one.grade) == {"bounce": "abrupt"}.get(
            str(other.grade), other.grade
        )
