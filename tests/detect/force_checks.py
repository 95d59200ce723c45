"""Checks the reports about forces: tension, loads, helpers, motors and static contractions."""

from typing import Any

import pytest

from monitor.detect.spine import Spine
from tests.detect.stories import END, REP, STARTED_S, UP, of, only, story
from tests.movements import (
    BOTTOM_M,
    FRICTION,
    LOAD_N,
    PROFILES,
    REST_M,
    TOP_M,
    Act,
    Down,
    Helped,
    Leg,
    Movement,
    Pin,
    Still,
    Tug,
    profile,
)


def a_load_that_is_held_high_is_not_on_a_stop() -> None:
    """However still somebody holds it."""
    assert only(of("set_end", [*REP, *UP, Still(7.0), Leg(0.0, 2.0), *REP, *END])).reps == 3


def tension_has_two_sides() -> None:
    """A heaved stack pulls too hard, a thrown one too little."""
    events, _ = story([*REP, Leg(1.0, 0.9), Still(0.4), Leg(0.0, 2.0), *END])
    assert [event.side for event in events if event.kind == "tension_out"] == ["high", "low"]
    unload = only([event for event in events if event.kind == "unload"])
    assert unload.duration_s == pytest.approx(0.35, abs=0.1)


def no_event_where_the_stack_did_not_accelerate() -> None:
    """Tension that comes and goes while the motion of the stack does not change is an error of the cell."""
    brief = [act for factor in (0.0, 0.5, 1.6) for act in (Tug(factor, 0.1), Still(0.5))]
    acts = [*UP, *brief, Tug(0.6, 0.4), Still(0.4), Leg(0.2, 2.0), *brief, *UP, Leg(0.0, 2.0), *END]
    kinds = [event.kind for event in story(acts)[0]]
    assert not {"unload", "slack", "tension_out", "force_ceiling"} & set(kinds)
    assert "rep" in kinds


def a_stack_at_its_stop_can_be_pulled_too_hard() -> None:
    ceiling = only(of("force_ceiling", [*UP, Tug(1.6, 0.4), Still(0.4), Leg(0.0, 2.0), *END]))
    assert ceiling.duration_s == pytest.approx(0.4, abs=0.05)


def a_stack_that_hangs_without_tension_is_held() -> None:
    """A stack on a hook is not a fault; another 5 s on it end the set."""
    hook: list[Act] = [Tug(0.0, 3.0), Still(0.5), Leg(0.0, 2.0), Still(0.4)]
    events, spine = story([*REP, *UP, *hook, *REP, *END])
    kinds = [event.kind for event in events]
    faults = {"sensor_fault", "lockout_rest", "slack", "unload", "tension_out"}
    assert not faults & set(kinds)
    assert kinds.count("stack_touch") == 1
    assert (kinds.count("rep"), kinds.count("set_end")) == (3, 1)
    assert spine.limits.doubt_m == 0.0


def share(of_peak: float, for_s: float) -> Tug:
    return Tug(of_peak * 1000.0 / LOAD_N, for_s)


def the_target_follows_the_stages() -> None:
    events, _ = story([share(0.5, 4.1), share(0.75, 5.0), share(1.0, 5.0), share(0.0, 6.0)], "static")
    stages = [event for event in events if event.kind == "stage"]
    assert [stage.target_n for stage in stages] == [500.0, 750.0, 1000.0]
    assert [stage.in_band_s for stage in stages] == pytest.approx([4.0, 5.0, 5.0], abs=0.2)
    assert not [event for event in events if event.kind == "failure"]


def giving_way_is_failure_only_after_a_hold() -> None:
    early = [share(0.5, 2.0), share(0.4, 2.6), share(0.75, 5.0), share(1.0, 5.0), share(0.0, 6.0)]
    late = [share(0.5, 4.1), share(0.75, 5.0), share(1.0, 2.0), share(0.8, 3.0), share(0.0, 6.0)]
    assert not of("failure", [*early], "static")
    failure = only(of("failure", [*late], "static"))
    assert failure.t_s == pytest.approx(STARTED_S + 11.1 + 2.0, abs=0.1)


def load_and_friction_are_what_two_repetitions_show() -> None:
    limits = story([*REP, *REP, *END], "learned")[1].limits
    assert limits.selected_n == pytest.approx(LOAD_N, rel=0.01)
    assert limits.friction == pytest.approx(FRICTION, abs=0.01)


def another_pin_is_another_load() -> None:
    acts: list[Act] = [*REP, *REP, Down(2.0), Pin(0.6), *REP, *REP, Down(2.0), *REP, *END]
    change = only(of("load_change", acts, "learned"))
    assert (change.from_n, change.to_n) == pytest.approx((LOAD_N, 0.6 * LOAD_N), rel=0.02)
    assert change.found_s - change.t_s < 1.0
    end = only(of("set_end", acts, "learned"))
    assert [part.reps for part in end.loads] == [2, 3]
    assert end.working_load_n == pytest.approx(LOAD_N, rel=0.01)
    assert not of("force_ceiling", acts, "learned")
    assert not of("sensor_fault", acts, "learned")


def a_stack_that_only_twitches_is_weighed_when_it_moves() -> None:
    """Another pin: the stack is off its rest for a moment, and stands for longer than a load takes to be confirmed."""
    twitch: list[Act] = [Leg((REST_M + 0.012 - BOTTOM_M) / (TOP_M - BOTTOM_M), 0.1), Still(2.0)]
    change = only(of("load_change", [*REP, *REP, Down(2.0), Pin(0.7), *twitch, *REP, *END], "learned"))
    assert change.to_n == pytest.approx(0.7 * LOAD_N, rel=0.01)
    assert change.found_s == pytest.approx(STARTED_S + 2 * 4.8 + 2.4 + 2.1, abs=1.0)


def what_a_trainer_who_lifts_leaves_on_the_cable_is_no_load() -> None:
    """It is a fifth of the load, and another pin; the load is known soon after the lifter lowers it."""
    lifted: list[Act] = [Helped(1.0, 1.5, 0.2), Still(1.0), Leg(0.0, 2.0), Still(0.4)]
    change = only(of("load_change", [*REP, *REP, Down(2.0), Pin(0.6), *lifted, *REP, *END], "learned"))
    assert change.to_n == pytest.approx(0.6 * LOAD_N, rel=0.01)
    assert change.found_s == pytest.approx(STARTED_S + 2 * 4.8 + 2.4 + 2.5, abs=1.0)


def a_helper_is_not_a_fault_and_teaches_nothing() -> None:
    helped: list[Act] = [Helped(1.0, 2.0, 0.6), Still(0.4), Helped(0.0, 2.0, 1.3), Still(0.4)]
    for name in ("stack", "learned"):
        events, spine = story([*REP, *REP, *helped, *helped, *REP, *END], name)
        helps = [event for event in events if event.kind == "assist"]
        assert [help.side for help in helps] == ["lighter", "heavier"] * 2
        assert helps[0].t_s == pytest.approx(STARTED_S + 2 * 4.8, abs=0.15)
        assert helps[0].duration_s == pytest.approx(2.0, abs=0.3)
        explained = [event for event in events if event.kind in ("unload", "tension_out", "force_ceiling")]
        assert explained
        assert {event.part_of for event in explained} <= {help.id for help in helps}
        assert not [event for event in events if event.kind == "sensor_fault"]
        assert spine.limits.selected_n == pytest.approx(LOAD_N, rel=0.01)
        assert spine.limits.friction == pytest.approx(FRICTION, abs=0.01)


def a_press_teaches_nothing() -> None:
    pressed: list[Act] = [*UP, Helped(0.0, 2.0, 1.13), Still(0.4)]
    events, spine = story([*REP, *REP, *pressed, *pressed, *END], "learned")
    assert [event.side for event in events if event.kind == "assist"] == ["heavier"] * 2
    assert spine.limits.selected_n == pytest.approx(LOAD_N, rel=0.01)


def help_is_known_in_hindsight() -> None:
    """Nothing is known of the machine: the third repetition teaches the load, by which the others are judged, too."""
    helped: list[Act] = [Leg(0.3, 1.2), Helped(1.0, 2.0, 0.7), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    events, spine = story([*helped, *helped, *REP, *REP, *END], "learned")
    assert spine.limits.selected_n == pytest.approx(LOAD_N, rel=0.01)
    assists = [event for event in events if event.kind == "assist"]
    assert [(event.side, event.rep) for event in assists] == [("lighter", 1), ("lighter", 2)]
    assert assists[0].t_s == pytest.approx(STARTED_S + 1.2, abs=0.2)
    assert assists[0].found_s > STARTED_S + 15.0
    for kind in ("unload", "tension_out"):
        assert [event.part_of for event in events if event.kind == kind] == [event.id for event in assists]
    assert only([event for event in events if event.kind == "set_end"]).leak.unjudged_s == 0.0


def help_from_the_first_moment_teaches_for_two_repetitions() -> None:
    """Such help is like a smaller load with a smaller friction; two repetitions without it are believed instead."""
    acts: list[Act] = [Helped(1.0, 2.0, 0.87), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    spine = Spine(PROFILES["learned"], "s")
    events = spine.update(Movement((*acts, *REP, *REP, *REP, *END)).samples(friction=0.12)).events
    assert spine.limits.selected_n == pytest.approx(LOAD_N, rel=0.01)
    assert spine.limits.friction == pytest.approx(0.12, abs=0.01)
    assert not [event for event in events if event.kind == "sensor_fault"]


def what_hung_on_a_hook_or_a_block_is_not_judged_in_hindsight() -> None:
    """The block is 12 mm high; somebody lifts the resting stack by hand and puts it there before the next set."""
    hook: list[Act] = [*UP, Leg(0.4, 1.0), Tug(0.0, 0.7), Still(0.4), Leg(0.0, 1.0), Still(0.4)]
    block: list[Act] = [Helped(0.0575, 0.5, 0.0), Helped(-0.0385, 0.5, 0.0), Tug(0.0, 6.0), Tug(0.6, 0.15), Still(0.3)]
    for acts in ([*hook, *REP, *END], [*REP, *REP, *END, *block, *REP, *REP, *END]):
        events, _ = story(acts, "learned")
        assert not [event for event in events if event.kind in ("assist", "unload", "tension_out")]


def nothing_is_reported_twice_in_hindsight() -> None:
    """A cable without any tension is slack whatever the load is."""
    thrown: list[Act] = [*UP, Helped(0.5, 1.0, 0.0), Leg(0.0, 1.0), Still(0.4)]
    twice: list[Act] = [*UP, Helped(0.7, 0.5, 0.0), Leg(0.5, 0.5), Helped(0.3, 0.5, 0.0), Leg(0.0, 1.0), Still(0.4)]
    for acts, slacks in (([*thrown, *REP, *REP, *END], 1), ([*thrown, *END], 1), ([*twice, *REP, *REP, *END], 2)):
        assert len([event for event in story(acts, "learned")[0] if event.kind == "slack"]) == slacks


def a_trainer_who_lifts_does_not_teach_a_load() -> None:
    """The trainer leaves 120 of 600 N to the cable. Lowering alone shows the help, but not load and friction apart."""
    lifted: list[Act] = [Helped(1.0, 2.5, 0.2), Still(0.8), Leg(0.0, 4.0), Down(1.5)]
    for friction, load_n, first in ((FRICTION, pytest.approx(LOAD_N, rel=0.02), 1), (None, None, 2)):
        spine = Spine(profile(working_load_n=None, friction=friction), "s")
        records = spine.update(Movement((*lifted, *lifted, *lifted, *END)).samples()).events + spine.finish().events
        events: list[Any] = list({event.id: event for event in records}.values())
        assert spine.limits.selected_n == load_n
        assert [event.rep for event in events if event.kind == "assist"] == list(range(first, 4))
        assert {event.side for event in events if event.kind == "assist"} == {"lighter"}
        assert not [event for event in events if event.kind in ("force_ceiling", "load_step", "sensor_fault")]
        helps = {event.id for event in events if event.kind == "assist"}
        for kind in ("unload", "tension_out"):
            low = [event for event in events if event.kind == kind]
            assert [event.rep for event in low] == list(range(first, 4))
            assert {event.part_of for event in low} <= helps


def a_trainer_who_takes_over_at_the_bottom_makes_no_fault() -> None:
    """The stack stands while its load goes from the lifter to the trainer, who leaves 1 % of it to the cable."""
    over: list[Act] = [Tug(0.75, 0.05), Tug(0.5, 0.06), Tug(0.3, 0.05), Tug(0.01, 1.5)]
    lifted: list[Act] = [Helped(1.0, 2.0, 0.01), Tug(0.01, 0.8), Still(0.4), Leg(0.0, 6.0), Still(0.4), *over]
    for friction, load_n in ((FRICTION, LOAD_N), (None, None)):
        spine = Spine(profile(working_load_n=None, friction=friction, negative_s=6.0), "s")
        acts = (Helped(0.0, 0.5, 0.01), *lifted, *lifted, *lifted, Leg(0.0, 0.1), *END)
        records = spine.update(Movement(acts).samples()).events + spine.finish().events
        events: list[Any] = list({event.id: event for event in records}.values())
        reps = [event for event in events if event.kind == "rep"]
        assert len(reps) == 3
        assert [rep.load_n for rep in reps] == [load_n and pytest.approx(load_n, rel=0.02)] * 3
        helps = {event.id for event in events if event.kind == "assist"}
        faults = [event for event in events if event.kind in ("slack", "unload", "tension_out")]
        assert {event.part_of for event in faults if event.rep in (2, 3)} <= helps


def a_cable_that_a_trainer_leaves_loose_is_slack() -> None:
    lifted: list[Act] = [Helped(1.0, 2.5, 0.03), Still(0.8), Leg(0.0, 4.0), Down(1.5)]
    loose = of("slack", [*lifted, *lifted, *END], "learned")
    assert [event.rep for event in loose if event.duration_s > 1.0] == [2]


def a_positive_by_somebody_else_counts_as_assisted() -> None:
    lifted: list[Act] = [Helped(1.0, 2.0, 0.04), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    for name in ("stack", "learned"):
        reps = of("rep", [*REP, *REP, *lifted, *END], name)
        assert [rep.assisted for rep in reps] == [False, False, True]


def a_helper_who_always_takes_the_same_is_no_load_step() -> None:
    """A motor would have added to the first repetitions, too."""
    helped: list[Act] = [Helped(1.0, 2.0, 0.7), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    for name in ("stack", "learned"):
        events, spine = story([*REP, *REP, *helped, *helped, *helped, *helped, *END], name)
        assert [event.rep for event in events if event.kind == "assist" and event.part_of is None] == [3, 4, 5, 6]
        assert not [event for event in events if event.kind == "load_step"]
        assert spine.limits.selected_n == pytest.approx(LOAD_N, rel=0.01)


def a_motor_that_adds_on_the_way_down_is_a_load_step() -> None:
    movement = Movement((Leg(0.0, 0.5), Still(0.4), *[*REP] * 5, Down(8.0), *[*REP] * 4, *END), down=1.4)
    spine = Spine(PROFILES["stack"], "s")
    records = spine.update(movement.samples()).events + spine.finish().events
    events: list[Any] = list({event.id: event for event in records}.values())
    found = [event for event in events if event.kind == "load_step"]
    assert [event.set for event in found] == [1, 2]
    for event in found:
        assert (event.load_up_n, event.load_down_n) == pytest.approx((LOAD_N, 1.4 * LOAD_N), rel=0.01)
        reps = [rep for rep in events if rep.kind == "rep" and rep.set == event.set]
        assert event.t_s == pytest.approx(reps[2].t_s + reps[2].duration_s, abs=1.5)
    explained = [event for event in events if event.kind in ("assist", "tension_out", "force_ceiling")]
    assert explained
    assert {event.part_of for event in explained} <= {event.id for event in found}
    ends = [event for event in events if event.kind == "set_end"]
    assert [end.working_load_n for end in ends] == pytest.approx([LOAD_N] * 2, rel=0.01)
    assert [end.skill for end in ends] == pytest.approx([1.0] * 2, abs=0.01)
