"""Detection of sets with less common protocols, from the simulator through the spine."""

from typing import Any

import msgspec
import pytest

from firmware_bridge.simulator import (
    Kit,
    Lift,
    Lifter,
    Lower,
    Machine,
    Rest,
    Script,
    SetDown,
    StaticEffort,
    Trace,
    Turn,
    measure,
    simulate,
    simulate_static,
)
from monitor.detect.spine import Spine
from monitor.profile.reading import profile_from_builtins

KIT = Kit(position_rate_hz=250, block=5)
STACK = Machine(mass_kg=70, friction=0.08, bottom_m=0.03, top_m=0.53)
STATIC = Machine(kind="static", mass_kg=120, rest_m=0.0, bottom_m=0.0, top_m=0.1)
STEADY = Lifter(tempo_spread=0.0, range_spread=0.0, fatigue=0.0)


def detected(trace: Trace, machine: dict[str, Any], protocol: dict[str, Any]) -> list[Any]:
    """The last record of each event."""
    profile = profile_from_builtins({"machine": {"id": "protocols", **machine}, "protocol": protocol})
    spine = Spine(profile, "s")
    events = spine.update(measure(trace, KIT, seed=1)).events + spine.finish().events
    return list({event.id: event for event in events}.values())


def test_30_30_30_is_one_repetition_and_a_negative() -> None:
    """After a lift by somebody else: a negative, a positive and a negative of half a minute each, without a fault."""
    moves = (Rest(2.0), Lift(speed=10.0), Turn(), Lower(), Turn(), Lift(), Turn(), Lower(), SetDown(7.0))
    trace = simulate(STACK, Script(positive_s=30.0, negative_s=30.0, moves=moves, lifter=STEADY), seed=1)
    place = {"rest_m": STACK.rest_m, "bottom_m": STACK.bottom_m, "top_m": STACK.top_m}
    load = {"working_load_n": STACK.working_load_n, "friction": STACK.friction}
    events = detected(trace, {"kind": "stack", **place, **load}, {"name": "30-30-30"})
    (rep,) = (event for event in events if event.kind == "rep")
    assert (rep.positive_s, rep.negative_s) == pytest.approx((30.0, 30.0), abs=2.0)
    assert not rep.partial
    ends = [event for event in events if event.kind == "set_end"]
    assert [(end.reps, end.outcome) for end in ends] == [(1, "ended")]
    after_s = rep.t_s  # the lift before it was hurried, which is not a fault
    wrong = [event for event in events if event.t_s > after_s and event.kind not in ("rep", "turnaround", "set_end")]
    assert {event.kind for event in wrong} == {"stack_touch", "bottom_rest"}
    assert all(event.ended_set for event in wrong)
    turns = [event.grade for event in events if event.kind == "turnaround" and event.t_s > after_s]
    assert turns == ["smooth", "smooth"]


def test_movement_without_load_is_judged_by_force_alone() -> None:
    """The limb moves slowly up and down against the resistance of the other limb only."""
    stages_s = (10.0, 10.0, 10.0)
    protocol = {"stages_s": stages_s}

    def events(moves: bool) -> list[Any]:
        trace = simulate_static(STATIC, StaticEffort(stages_s=stages_s, moves=moves), seed=3)
        return detected(trace, {"kind": "static", "peak_n": STATIC.working_load_n}, protocol)

    moving, still = events(True), events(False)
    assert [event.kind for event in moving if event.kind in ("set_start", "stage", "set_end")] == [
        *("set_start", "stage", "stage", "stage", "set_end")
    ]
    assert [event.target_n for event in moving if event.kind == "stage"] == pytest.approx(
        [STATIC.working_load_n * share for share in (0.5, 0.75, 1.0)], abs=0.1
    )
    assert not {event.kind for event in moving} & {"rep", "turnaround", "jerk", "drop", "stall", "lockout_rest"}
    force_only = {"position_m": None}
    assert [msgspec.structs.replace(event, **force_only) for event in moving] == [
        msgspec.structs.replace(event, **force_only) for event in still
    ]
