"""Skill and leak follow EVENTS.md 15: each second counts once, by the order of primaries, and only in faults."""

from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from monitor.detect.spine import Spine
from monitor.events import Leak, SetEnd
from monitor.profile.profile import Profile
from tests.movements import (
    FRICTION,
    PROFILES,
    Act,
    Down,
    Helped,
    Leg,
    Movement,
    Pin,
    Still,
    Trouble,
    Tug,
    movements,
    profile,
)
from tests.soak import long, soak

LEAKING = ("lockout_rest", "bottom_rest", "stack_touch", "unload", "slack", "tension_out", "speed_over")
EXPLAINED = ("unload", "slack", "tension_out")  # by an assist
ON_REST = ("bottom_rest", "stack_touch")
SPOILING = ("jerk", "drop", "abrupt", "bounce")
UP: list[Act] = [Leg(1.0, 2.0), Still(0.4)]
DOWN: list[Act] = [Leg(0.0, 2.0), Still(0.4)]
REP: list[Act] = [*UP, *DOWN]
REPS: list[Act] = [*REP, *REP, *REP]
END: list[Act] = [Down(8.0)]
LONG_END: list[Act] = [Down(16.0)]


def story(acts: list[Act], of: Profile = PROFILES["stack"], troubles: tuple[Trouble, ...] = ()) -> list[Any]:
    """The last record of each event."""
    spine = Spine(of, "s", feedback=False)
    movement = Movement((Leg(0.0, 0.5), Still(0.4), *acts), troubles)
    events = spine.update(movement.samples()).events + spine.finish().events
    return list({event.id: event for event in events}.values())


def summary(acts: list[Act], of: Profile = PROFILES["stack"], troubles: tuple[Trouble, ...] = ()) -> SetEnd:
    (end,) = [event for event in story(acts, of, troubles) if isinstance(event, SetEnd)]
    return end


def lost_s(leak: Leak) -> float:
    seconds: list[float] = [getattr(leak, key) for key in Leak.__struct_fields__ if key != "unjudged_s"]
    return sum(seconds)


def union_s(spans: list[tuple[float, float]]) -> float:
    total_s, reached_s = 0.0, float("-inf")
    for start_s, end_s in sorted(spans):
        total_s += max(0.0, end_s - max(start_s, reached_s))
        reached_s = max(reached_s, end_s)
    return total_s


@soak
@settings(
    max_examples=long(100, 10),
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
@example(  # a rest before a load change, which is free
    "misread",
    Movement(
        (
            Still(6.0), Leg(1.0, 1.8), Still(0.4), Leg(0.0, 2.0), Still(0.4), Leg(0.55, 1.5), Still(2.4), Leg(0.1, 1.0),
            Down(1.5, 0.4), Pin(0.6), Leg(1.0, 1.8), Leg(0.0, 2.0), Helped(1.0, 2.0, 0.7), Still(1.0),
            Helped(0.0, 2.0, 1.25), Down(6.0, 0.1),
        ),
        (Trouble("position gap", 0.54, 1.0),),
        500.0, 250.0, 0, False, 1.0,
    ),
)  # fmt: skip
@example(  # an encoder that jumps twice prolongs the last repetition beyond the end of the set
    "misread",
    Movement(
        (
            Leg(1.0, 0.8), Down(0.1, 0.1), Leg(0.0, 2.0), Leg(0.3, 1.0), Leg(0.7, 0.5), Leg(0.35, 0.35), Tug(0.5, 0.05),
            Down(1.0, 0.1), Down(1.5, 0.4), Pin(1.0), Down(0.1, 0.5), Down(6.0, 0.4),
        ),
        (Trouble("SATURATED", 0.6171109954474583, 0.03), Trouble("jump", 0.5498023809773018, 0.03)), 100.0, 82.0, 3,
    ),
)  # fmt: skip
@given(
    st.binary(min_size=4, max_size=4).map(lambda some: sorted(PROFILES)[crc32(some) % len(PROFILES)]),
    movements(troubles=2),
)
def test_seconds_by_cause_add_up_and_leak_only_where_faults_were(name: str, movement: Movement) -> None:
    spine = Spine(PROFILES[name], "s", feedback=False)
    records = spine.update(movement.samples()).events + spine.finish().events
    last: dict[int, Any] = {event.id: event for event in records}
    events = list(last.values())
    explaining = ("assist", "load_step")
    helping = [event for event in events if event.kind in explaining or getattr(event, "cause", None) == "mismatch"]
    helped = {number for event in helping for number in (event.id, event.part_of)} - {None}
    for end in [event for event in events if isinstance(event, SetEnd)]:
        assert end.set_s is not None
        assert end.clean_reps is not None
        assert 0 <= end.clean_reps <= end.reps
        if end.leak is None:
            continue
        judged_s, leaked_s = end.set_s - end.leak.unjudged_s, lost_s(end.leak)
        assert -1e-6 <= leaked_s <= judged_s + 1e-6
        assert (end.skill is None) == (judged_s < 10.0)
        if end.skill is not None:
            assert end.skill == pytest.approx(1 - leaked_s / judged_s, abs=6e-5)
        (start,) = [event for event in events if event.kind == "set_start" and event.set == end.set]
        until_s = max([event.t_s + event.duration_s for event in events if event.kind == "rep" and event.set == end.set]
                      or [start.t_s])  # fmt: skip
        until_s = end.t_s if PROFILES[name].machine.kind == "static" else min(until_s, end.t_s)
        within = [event for event in events if event.t_s < until_s and event.set in (None, end.set)]
        changes_s = [event.t_s for event in events if event.kind == "load_change"]  # the pause before is free
        lasting = [
            (max(start.t_s, event.t_s), min(until_s, event.t_s + event.duration_s))
            for event in within
            if event.kind in LEAKING and not getattr(event, "ended_set", False)
            if event.part_of not in helped or event.kind not in EXPLAINED
            if event.t_s + event.duration_s > start.t_s
            if event.kind not in ON_REST
            or not any(-0.01 <= at_s - event.t_s - event.duration_s <= 1.0 for at_s in changes_s)
        ]
        least_s = union_s(lasting)
        # A turn just after the last repetition spoils the movement before it, too.
        own = [event for event in events if event.t_s < end.t_s and event.set in (None, end.set)]
        thrown = sum(event.kind in SPOILING or getattr(event, "grade", None) in SPOILING for event in own)
        assert leaked_s >= least_s - end.leak.unjudged_s - 1e-6
        assert leaked_s <= least_s + 14.0 * thrown + 1e-6


def test_a_clean_set_has_all_of_its_skill() -> None:
    end = summary([*REPS, *END])
    assert end.set_s == pytest.approx(3 * 4.8 + 0.9, abs=0.4)  # the acts begin with 0.9 s off the rest
    assert (end.skill, end.clean_reps, end.reps) == (1.0, 3, 3)
    assert end.leak is not None
    assert lost_s(end.leak) == 0


def test_below_ten_judged_seconds_skill_is_not_known() -> None:
    end = summary([*REP, *UP, *END])
    assert end.skill is None
    assert end.leak is not None


def test_a_rest_leaks_once_though_two_events_report_it() -> None:
    end = summary([*REP, Down(3.0), *REP, *END])
    assert end.counts["stack_touch"] == end.counts["bottom_rest"] == 1
    assert end.leak is not None
    assert end.leak.bottom_s == pytest.approx(3.1, abs=0.2)
    assert end.skill is not None
    assert end.skill < 0.9


def test_a_planned_pause_neither_leaks_nor_counts() -> None:
    acts: list[Act] = [*REPS, Down(3.5), *REP, *REP, *LONG_END]
    leaks, planned, short = (summary(acts, profile(pause_s=pause_s)) for pause_s in (0.0, 10.0, 2.0))
    assert leaks.leak
    assert planned.leak
    assert leaks.set_s
    assert planned.set_s
    assert short.leak
    assert leaks.leak.bottom_s > 3.0
    assert planned.leak.bottom_s == 0
    assert leaks.set_s - planned.set_s == pytest.approx(lost_s(leaks.leak) - lost_s(planned.leak), abs=0.3)
    assert leaks.leak.bottom_s - short.leak.bottom_s == pytest.approx(2.0, abs=0.1)  # the rest of a longer pause leaks
    assert leaks.clean_reps is not None
    assert planned.clean_reps is not None
    assert planned.clean_reps >= leaks.clean_reps


def test_a_planned_pause_does_not_end_the_set() -> None:
    acts: list[Act] = [*REPS, Down(8.0), *REP, *LONG_END]
    ends = [event for event in story(acts, profile(pause_s=10.0)) if isinstance(event, SetEnd)]
    assert [end.reps for end in ends] == [4]
    assert len([event for event in story(acts) if isinstance(event, SetEnd)]) == 2


def test_a_pause_for_another_load_neither_leaks_nor_counts() -> None:
    learned = profile(working_load_n=None, friction=FRICTION)
    acts: list[Act] = [*REPS, Down(3.5), Pin(0.7), *REPS, *END]
    end = summary(acts, learned)
    assert [stretch.reps for stretch in end.loads] == [3, 3]
    assert end.leak is not None
    assert end.leak.bottom_s == 0
    assert end.leak.unjudged_s <= 2.0
    assert end.set_s == pytest.approx(2 * 3 * 4.8 + 0.9, abs=0.6)


def test_each_load_of_a_set_has_the_skill_of_its_own_stretch() -> None:
    learned = profile(working_load_n=None, friction=FRICTION)
    heave: list[Act] = [Leg(1.0, 0.9), Still(0.4), *DOWN]
    end = summary([*REPS, Down(3.5), Pin(0.7), *REP, *heave, *REP, *END], learned)
    first, second = (stretch.skill for stretch in end.loads)
    assert first is not None
    assert second is not None
    assert end.skill is not None
    assert first == 1.0
    assert second < end.skill < 1.0


def test_a_heave_spoils_its_positive_and_a_drop_its_negative() -> None:
    heave = summary([*REP, Leg(0.3, 1.5), Leg(1.0, 0.9), Still(0.4), *DOWN, *REP, *END])
    assert heave.leak is not None
    assert heave.counts.get("jerk", 0) + heave.counts.get("force_ceiling", 0) >= 1
    assert heave.leak.jerk_s == pytest.approx(0.9, abs=0.35)
    assert heave.clean_reps == 2
    drop = summary([*REP, *UP, Leg(0.4, 0.6), Still(0.4), Leg(0.0, 1.5), Still(0.4), *REP, *REP, *END])
    assert drop.leak is not None
    assert drop.leak.drop_s == pytest.approx(0.6 + 0.4 + 1.5, abs=1.0)  # without what ranks above it


def test_a_throw_spoils_four_seconds_at_most() -> None:
    longer: list[Act] = [
        Leg(0.4, 0.4),
        Still(1.0),
        Leg(0.5, 1.0),
        Still(1.0),
        Leg(0.6, 1.0),
        Still(1.0),
        Leg(1.0, 3.0),
        Still(0.4),
    ]
    end = summary([*REP, *longer, *DOWN, *REP, *END])
    assert end.leak is not None
    assert end.leak.jerk_s <= 4.0
    assert end.leak.jerk_s + end.leak.unload_s > 3.0


def test_events_that_spoil_nothing_do_not_leak() -> None:
    stalled: list[Act] = [Leg(0.5, 2.0), Still(3.5), Leg(1.0, 2.0), Still(0.4)]
    end = summary([*REP, *stalled, *DOWN, *REP, *END])
    assert end.counts["stall"] == 1
    assert end.skill == 1.0


def test_unjudged_time_neither_leaks_nor_counts() -> None:
    """The cell is silent for 3 s, while the second repetition is heaved."""
    heave: list[Act] = [Leg(0.3, 1.5), Leg(1.0, 0.9), Still(0.4), *DOWN]
    silence = Trouble("force gap", 0.25, 3.0)
    end = summary([*REP, *heave, *REP, *END], troubles=(silence,))
    assert end.leak is not None
    assert end.leak.unjudged_s == pytest.approx(3.0, abs=0.2)
    assert lost_s(end.leak) < 0.2


def test_the_repetition_that_teaches_the_load_is_judged_by_it() -> None:
    """Nothing is known about the machine, so the load is learned from the first repetition, which is heaved."""
    heave: list[Act] = [Leg(0.3, 1.5), Leg(1.0, 0.9), Still(0.4), *DOWN]
    end = summary([*heave, *REPS, *END], PROFILES["learned"])
    given = summary([*heave, *REPS, *END])
    assert end.leak is not None
    assert end.leak.unjudged_s == 0
    assert end.skill == pytest.approx(given.skill, abs=0.002)
    assert end.clean_reps == given.clean_reps == 3


def test_help_by_somebody_else_is_not_the_lifters_leak() -> None:
    events = story([*REP, *UP, Leg(0.5, 1.0), Tug(0.6, 1.5), Leg(0.0, 1.5), Still(0.4), *REP, *END])
    (end,) = [event for event in events if isinstance(event, SetEnd)]
    helped = [event.id for event in events if event.kind == "assist"]
    assert any(event.part_of in helped and event.kind in EXPLAINED for event in events)
    assert end.leak is not None
    assert end.leak.unload_s + end.leak.low_tension_s == 0


@pytest.mark.parametrize("gap_s", [0.1, 0.5])
def test_help_that_a_silence_interrupts_still_explains_what_it_takes(gap_s: float) -> None:
    """After the silence the help is a part of that fault, and so is the tension that it takes away."""
    helped: list[Act] = [Helped(1.0, 4.0, 0.6), Still(0.4), *DOWN]
    acts_s = 0.9 + 2 * 4.8 + 4.4 + 2.4 + 8.0
    silence = Trouble("force gap", (0.9 + 2 * 4.8 + 1.5) / acts_s, gap_s)
    end = summary([*REP, *REP, *helped, *END], troubles=(silence,))
    assert end.skill == 1.0
    assert end.leak is not None
    assert lost_s(end.leak) == 0.0


@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_plates_that_move_while_the_lifter_pulls_are_not_the_lifters_leak(factor: float) -> None:
    """Somebody puts a plate on the stack, or one falls off: a `sensor_fault` of which the `assist` is a part."""
    acts: list[Act] = [*REPS, Pin(factor), *REPS, *END]
    (end,) = [event for event in story(acts, PROFILES["learned"]) if isinstance(event, SetEnd)]
    assert end.counts["sensor_fault"] == 1
    assert end.leak is not None
    assert lost_s(end.leak) == 0


def test_each_repetition_with_a_fault_counts_once() -> None:
    heave: list[Act] = [Leg(0.3, 1.5), Leg(1.0, 0.9), Still(0.4), *DOWN]
    assert summary([*heave, *REP, *heave, *REP, *END]).clean_reps == 2
