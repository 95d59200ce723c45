"""Each detector of its own: what it must tell of a movement that is known, and a defect that this notices.

A mutant is one detector with one plausible defect, made from its own text: a wrong sign, a hold left out, a reset
forgotten. Its check must pass on the detector as it is and fail on the mutant; else the check says nothing.
"""

import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from firmware_bridge.samples import Samples
from monitor.detect.assists import AssistDetector
from monitor.detect.holds import HoldFinder, StopFinder
from monitor.detect.jerks import SurgeDetector
from monitor.detect.lessons import LessonDetector
from monitor.detect.load_steps import LoadStepDetector
from monitor.detect.loads import LoadDetector
from monitor.detect.repetitions import RepDetector
from monitor.detect.rest_finder import RestFinder
from monitor.detect.rests import ContactDetector, LockoutDetector
from monitor.detect.sensor_faults import FaultDetector
from monitor.detect.sets import SetDetector
from monitor.detect.speed_over import SpeedDetector
from monitor.detect.spine import Spine
from monitor.detect.stalls import StallDetector
from monitor.detect.static import StageDetector
from monitor.detect.tension import TensionDetector
from monitor.detect.turnarounds import TurnaroundDetector, TurnFinder
from monitor.detect.zero_finder import ZeroFinder
from monitor.learning.load import Cruise, LoadLearner
from monitor.learning.range import RangeLearner
from tests.movements import (
    BOTTOM_M,
    FRICTION,
    LEAD_S,
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
    Trouble,
    Tug,
)

EASE_S = 0.12  # so long is either end of a reach over the range in 2 s slower than v_rest
LOW_S = 0.13  # so long before and after it lies on its rest the stack is lower than 3 mm
UP: list[Act] = [Leg(1.0, 2.0), Still(0.4)]
REP: list[Act] = [*UP, Leg(0.0, 2.0), Still(0.4)]
END: list[Act] = [Down(6.0)]


def story(
    acts: list[Act], name: str = "stack", troubles: tuple[Trouble, ...] = (), higher_m: float = 0.0
) -> tuple[list[Any], Spine]:
    """What stands of each event in the end; `higher_m`: the encoder has slipped by so much before the session."""
    movement = Movement((Leg(0.0, 0.5), Still(0.4), *acts), troubles)
    rows = movement.samples()
    spine = Spine(PROFILES[name], "s")
    events = spine.update(Samples(rows.t_s, rows.position_m + higher_m, rows.force_n, rows.flags)).events
    events += spine.finish().events
    return list({event.id: event for event in events}.values()), spine


def of(kind: str, acts: list[Act], name: str = "stack", **how: Any) -> list[Any]:
    return [event for event in story(acts, name, **how)[0] if event.kind == kind]


def only(events: list[Any]) -> Any:
    assert len(events) == 1, events
    return events[0]


STARTED_S = LEAD_S + 0.5 + 0.4  # the acts begin


def a_dwell_is_as_long_as_the_stillness() -> None:
    (upper, lower) = of("turnaround", [Leg(1.0, 2.0), Still(0.9), Leg(0.0, 2.0), Still(0.5), *UP])
    assert upper.dwell_s == pytest.approx(0.9 + 2 * EASE_S, abs=0.03)
    assert upper.t_s == pytest.approx(STARTED_S + 2.0 + 0.45, abs=0.02)
    assert lower.dwell_s == pytest.approx(0.5 + 2 * EASE_S, abs=0.03)


def a_rest_elsewhere_moves_the_zero() -> None:
    """Nothing can stand below the rest; what stands a little above it, and again, rests there."""
    acts = [*REP, Down(1.0), *REP, *END]
    for higher_m, first_off_m in ((0.008, 0.008), (-0.008, 0.0)):
        events, _ = story(acts, higher_m=higher_m)
        slip = only([event for event in events if event.kind == "sensor_fault"])
        assert (slip.cause, slip.detail) == ("encoder_slip", f"{higher_m * 1000:.1f} mm")
        assert [event.kind for event in events].count("stack_touch") == 2
        assert [event.kind for event in events].count("set_end") == 1
        tops = [event.position_m for event in events if event.kind == "turnaround" and event.at == "upper"]
        assert tops == pytest.approx([TOP_M - REST_M + first_off_m, TOP_M - REST_M], abs=0.002)


def a_loose_cable_is_no_rest() -> None:
    """For less than the hold, where a slipped encoder could have put the rest."""
    low = (0.008 - (BOTTOM_M - REST_M)) / (TOP_M - BOTTOM_M)
    loose: list[Act] = [*UP, Leg(low, 2.0), Still(0.5), Tug(0.0, 0.3), Still(0.5)]
    events, _ = story([*loose, *loose, *REP, *END])
    assert not [event for event in events if event.kind == "sensor_fault"]
    assert [event.position_m for event in events if event.kind == "turnaround" and event.at == "upper"] == (
        pytest.approx([TOP_M - REST_M] * 3, abs=0.002)
    )


def a_gap_is_as_long_as_the_silence() -> None:
    gap = only(of("sensor_fault", [*REP, *REP], troubles=(Trouble("force gap", 0.5, 0.5),)))
    assert gap.cause == "gap"
    assert gap.duration_s == pytest.approx(0.52, abs=0.03)


def a_load_that_is_held_high_is_on_no_stop() -> None:
    """However still somebody holds it."""
    assert only(of("set_end", [*REP, *UP, Still(7.0), Leg(0.0, 2.0), *REP, *END])).reps == 3


def a_set_lasts_until_the_stack_stands_for_good() -> None:
    acts: list[Act] = [*REP, Down(3.0), *REP, Down(3.0), *REP, *END]
    end = only(of("set_end", acts))
    assert end.t_s == pytest.approx(STARTED_S + 3 * 4.8 + 2 * 3.4 + 0.4, abs=0.1)
    assert end.reps == 3


def what_counts_as_a_repetition() -> None:
    some: list[Act] = [Leg(0.35, 1.5), Still(0.3), Leg(0.0, 1.5), Still(0.3)]
    hardly: list[Act] = [Leg(0.15, 1.0), Still(0.3), Leg(0.0, 1.0), Still(0.3)]
    reps = of("rep", [*REP, *some, *hardly, *REP, *END])
    assert [rep.partial for rep in reps] == [False, True, False]
    assert [rep.rom_m for rep in reps] == pytest.approx([0.5, 0.175, 0.5], abs=0.035)


STALL: list[Act] = [Leg(0.5, 1.5), Still(2.4)]


def a_stall_that_sinks_is_failure_but_not_in_the_first_repetition() -> None:
    sinks: list[Act] = [*STALL, Leg(0.0, 1.5), Still(0.4)]
    for acts, failures in (([*sinks, *REP, *END], 0), ([*REP, *sinks, *END], 1), ([*REP, *STALL, *UP, *END], 0)):
        events, _ = story(acts)
        stall = only([event for event in events if event.kind == "stall"])
        assert stall.duration_s == pytest.approx(2.4 + 2 * 0.15, abs=0.1)
        assert [event.kind for event in events].count("failure") == failures


def tension_has_two_sides() -> None:
    """Heaved, the stack pulls too hard; thrown, too little."""
    events, _ = story([*REP, Leg(1.0, 0.9), Still(0.4), Leg(0.0, 2.0), *END])
    assert [event.side for event in events if event.kind == "tension_out"] == ["high", "low"]
    unload = only([event for event in events if event.kind == "unload"])
    assert unload.duration_s == pytest.approx(0.35, abs=0.1)


def no_event_where_the_stack_did_not_accelerate() -> None:
    """Tension that comes and goes while the stack stands, or moves as it did, is the cell's own doing."""
    brief = [act for factor in (0.0, 0.5, 1.6) for act in (Tug(factor, 0.1), Still(0.5))]
    acts = [*UP, *brief, Tug(0.6, 0.4), Still(0.4), Leg(0.2, 2.0), *brief, *UP, Leg(0.0, 2.0), *END]
    kinds = [event.kind for event in story(acts)[0]]
    assert not {"unload", "slack", "tension_out", "force_ceiling"} & set(kinds)
    assert "rep" in kinds


def a_stack_at_its_stop_can_be_pulled_too_hard() -> None:
    ceiling = only(of("force_ceiling", [*UP, Tug(1.6, 0.4), Still(0.4), Leg(0.0, 2.0), *END]))
    assert ceiling.duration_s == pytest.approx(0.4, abs=0.05)


def a_landing_is_seen_by_the_cell_where_the_encoder_is_dead() -> None:
    acts_s = 0.5 + 0.4 + 4.8 + 0.4 + 6.0
    dead = Trouble("position gap", (acts_s - 6.2) / acts_s, 3.0)
    touch = only(of("stack_touch", [*REP, *END], troubles=(dead,)))
    assert touch.t_s == pytest.approx(LEAD_S + acts_s - 6.0, abs=0.08)
    assert touch.found_s < touch.t_s + 0.9  # it waits for the encoder, then for the longest throw


def a_stack_that_hangs_without_tension_is_held() -> None:
    """On a hook: no fault of anybody's, and another 5 s of it end the set."""
    hook: list[Act] = [Tug(0.0, 3.0), Still(0.5), Leg(0.0, 2.0), Still(0.4)]
    events, spine = story([*REP, *UP, *hook, *REP, *END])
    kinds = [event.kind for event in events]
    faults = {"sensor_fault", "lockout_rest", "slack", "unload", "tension_out"}
    assert not faults & set(kinds)
    assert kinds.count("stack_touch") == 1
    assert (kinds.count("rep"), kinds.count("set_end")) == (3, 1)
    assert spine.limits.doubt_m == 0.0


def a_dwell_goes_on_over_a_silence() -> None:
    acts_s = 0.5 + 0.4 + 4.8 + 2.0 + 4.8 + 6.4
    silence = Trouble("gap", 6.8 / acts_s, 0.3)
    _, second = of("rep", [*REP, Still(2.0), *REP, *END], troubles=(silence,))
    assert second.t_s == pytest.approx(LEAD_S + 0.9 + 4.8 + 2.0 + EASE_S, abs=0.05)


def a_heave_is_a_jerk_and_a_let_go_negative_a_drop() -> None:
    heave: list[Act] = [Leg(0.3, 1.0), Leg(0.9, 0.6), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    drop: list[Act] = [*UP, Leg(0.7, 1.0), Leg(0.2, 0.6), Still(0.2), Leg(0.0, 0.8), Still(0.4)]
    start: list[Act] = [Leg(0.8, 0.8), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    events, _ = story([*REP, *heave, *drop, *start, *END])
    assert [event.cause for event in events if event.kind == "jerk"] == ["mid", "start"]
    found = only([event for event in events if event.kind == "drop"])
    assert found.t_s == pytest.approx(STARTED_S + 4.8 + 4.4 + 2.4 + 1.0, abs=0.06)
    assert not [event for event in story([*REP, *REP, *END])[0] if event.kind in ("jerk", "drop")]


def a_hard_reversal_is_abrupt_above_and_a_bounce_below() -> None:
    hard: list[Act] = [Leg(1.0, 2.0), Leg(0.85, 0.35), Leg(0.0, 2.0), Leg(0.12, 0.35)]
    grades = [(turn.at, turn.grade) for turn in of("turnaround", [*REP, *hard, *UP, *END])]
    assert grades[:4] == [("upper", "smooth"), ("lower", "smooth"), ("upper", "abrupt"), ("lower", "bounce")]


def a_touch_is_brief_and_a_rest_is_long() -> None:
    events, _ = story([*REP, Down(0.4), *REP, Down(1.5), *REP, *END])
    touches = [event for event in events if event.kind == "stack_touch"]
    rests = [event for event in events if event.kind == "bottom_rest"]
    assert [touch.ended_set is True for touch in touches] == [False, False, True]
    assert [rest.ended_set is True for rest in rests] == [False, True]
    assert touches[0].duration_s == pytest.approx(0.4 + 2 * LOW_S, abs=0.1)
    assert rests[0].t_s == touches[1].t_s


def a_rest_at_lockout_is_long_and_at_the_top() -> None:
    long, brief = Still(2.0), Still(0.4)
    rest = only(of("lockout_rest", [Leg(0.5, 2.0), long, Leg(1.0, 2.0), long, Leg(0.0, 2.0), long, *UP, brief, *END]))
    assert rest.t_s == pytest.approx(STARTED_S + 6.0 - 0.17, abs=0.05)
    assert rest.duration_s == pytest.approx(2.0 + 0.17 + EASE_S, abs=0.05)


def speed_counts_when_it_lasts() -> None:
    brief: list[Act] = [Leg(0.35, 1.0), Leg(0.65, 0.3), Leg(1.0, 1.0), Still(0.3), Leg(0.0, 2.0), Still(0.3)]
    fast = only(of("speed_over", [*brief, *UP, Leg(0.0, 0.9), Still(0.5), *REP, *END]))
    assert fast.duration_s == pytest.approx(0.5, abs=0.1)
    assert fast.phase == "negative"


def share(of_peak: float, for_s: float) -> Tug:
    return Tug(of_peak * 1000.0 / LOAD_N, for_s)


def the_target_follows_the_stages() -> None:
    events, _ = story([share(0.5, 4.1), share(0.75, 5.0), share(1.0, 5.0), share(0.0, 6.0)], "static")
    stages = [event for event in events if event.kind == "stage"]
    assert [stage.target_n for stage in stages] == [500.0, 750.0, 1000.0]
    assert [stage.in_band_s for stage in stages] == pytest.approx([4.0, 5.0, 5.0], abs=0.2)
    assert not [event for event in events if event.kind == "failure"]


def a_failure_says_how_long_he_went_on_pushing() -> None:
    """He holds the stack for 5 s of stall, then until somebody takes it from him."""
    acts: list[Act] = [*REP, Leg(0.5, 1.5), Still(6.5), Tug(0.3, 1.0), Leg(0.0, 2.0), *END]
    failure = only(of("failure", acts))
    assert failure.held_s == pytest.approx(6.5 - 5.0, abs=0.2)
    lowers: list[Act] = [*REP, *STALL, Leg(0.0, 1.5), *END]
    failure = only(of("failure", lowers))
    assert failure.held_s == pytest.approx(STARTED_S + 4.8 + 1.5 + 2.4 + 1.5 + 0.4 - failure.t_s, abs=0.5)


def giving_way_is_failure_only_after_a_hold() -> None:
    early = [share(0.5, 2.0), share(0.4, 2.6), share(0.75, 5.0), share(1.0, 5.0), share(0.0, 6.0)]
    late = [share(0.5, 4.1), share(0.75, 5.0), share(1.0, 2.0), share(0.8, 3.0), share(0.0, 6.0)]
    assert not of("failure", [*early], "static")
    failure = only(of("failure", [*late], "static"))
    assert failure.t_s == pytest.approx(STARTED_S + 11.1 + 2.0, abs=0.1)


def the_range_is_what_three_repetitions_show() -> None:
    events, spine = story([*REP, *REP, *REP, *UP, Still(2.0), Leg(0.0, 2.0), *END], "unranged")
    limits = spine.limits
    assert limits.range_agreed
    assert (limits.bottom_m, limits.top_m) == pytest.approx((BOTTOM_M - REST_M, TOP_M - REST_M), abs=0.003)
    rest = only([event for event in events if event.kind == "lockout_rest"])
    assert rest.found_s < rest.t_s + 2.0


def until_some_agree_each_repetition_is_judged_when_it_is_over() -> None:
    events, spine = story([*UP, Still(2.0), Leg(0.0, 0.8), Still(0.4), *REP, *END], "unranged")
    assert spine.limits.range_known
    assert not spine.limits.range_agreed
    rest = only([event for event in events if event.kind == "lockout_rest"])
    assert (rest.rep, rest.t_s, rest.duration_s) == (
        1,
        pytest.approx(STARTED_S + 2.0, abs=0.2),
        pytest.approx(2.4, abs=0.3),
    )
    fast = only([event for event in events if event.kind == "speed_over"])
    (first, _) = [event for event in events if event.kind == "rep"]
    assert fast.rep == 1
    assert rest.found_s == fast.found_s == first.found_s


def half_repetitions_first_are_no_range() -> None:
    half: list[Act] = [Leg(0.5, 1.4), Still(0.3), Leg(0.0, 1.4), Still(0.3)]
    events, spine = story([*half, *half, *REP, *half, *REP, *REP, *END], "unranged")
    reps = [event for event in events if event.kind == "rep"]
    assert [rep.partial for rep in reps] == [False, False, False, True, False, False]
    assert not [event for event in events if event.kind == "speed_over"]
    assert spine.limits.top_m == pytest.approx(TOP_M - REST_M, abs=0.003)
    assert spine.limits.range_agreed


def a_range_that_is_exceeded_widens() -> None:
    most: list[Act] = [Leg(0.8, 1.8), Still(0.3), Leg(0.0, 1.8), Still(0.3)]
    limits = story([*most, *most, *most, *UP, Leg(0.9, 0.6)], "unranged")[1].limits  # before the repetition is over
    assert (limits.bottom_m, limits.top_m) == pytest.approx((BOTTOM_M - REST_M, TOP_M - REST_M), abs=0.003)


def a_way_of_a_few_centimetres_is_too_short() -> None:
    little: list[Act] = [Leg(0.03, 0.7), Still(0.5), Leg(0.0, 0.7), Still(0.5)]
    limits = story([*little, *little, *little, *little, *little, *END], "unranged")[1].limits
    assert not limits.range_known
    assert limits.short_range_m == pytest.approx(0.03 * (TOP_M - BOTTOM_M), abs=0.002)
    assert story([*REP, *REP, *END], "unranged")[1].limits.short_range_m is None


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


def a_given_load_that_nobody_pulls_is_reported() -> None:
    faults = of("sensor_fault", [*REP, *REP, *REP, *END], "misread")
    assert "load" in [fault.cause for fault in faults]


def a_walking_zero_is_followed() -> None:
    acts: list[Act] = [*REP, *REP, Down(30.0), *REP, *REP, *END]
    rows = Movement((Leg(0.0, 0.5), Still(0.4), *acts)).samples()
    spine = Spine(PROFILES["learned"], "s")
    spine.update(Samples(rows.t_s, rows.position_m, rows.force_n + 0.2 * rows.t_s, rows.flags))  # 12 N a minute
    assert spine.limits.selected_n == pytest.approx(LOAD_N, rel=0.01)
    assert spine.limits.zero_n == pytest.approx(0.2 * rows.t_s[-1], abs=1.0)


def a_helper_is_no_fault_and_teaches_nothing() -> None:
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


def a_positive_that_somebody_else_did_counts_as_assisted() -> None:
    lifted: list[Act] = [Helped(1.0, 2.0, 0.04), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    for name in ("stack", "learned"):
        reps = of("rep", [*REP, *REP, *lifted, *END], name)
        assert [rep.assisted for rep in reps] == [False, False, True]


def a_force_that_leaves_its_load_is_the_cells() -> None:
    """Two repetitions up and down alike 10 % heavier, and the stack never rested."""
    heavier: list[Act] = [Helped(1.0, 2.0, 1.1), Tug(1.1, 0.4), Helped(0.0, 2.0, 1.1), Tug(1.1, 0.4)]
    events, _ = story([*REP, *REP, *heavier, *heavier, *REP, *END], "learned")
    fault = only([event for event in events if event.kind == "sensor_fault"])
    assert fault.cause == "mismatch"
    assert fault.t_s == pytest.approx(STARTED_S + 2 * 4.8, abs=0.3)
    assert fault.duration_s == pytest.approx(2 * 4.8, abs=0.7)
    early = [event for event in events if event.kind == "assist" and event.t_s < fault.t_s + 2 * 4.0]
    assert len(early) == 4
    assert {event.part_of for event in early} == {fault.id}


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


class Mutant(NamedTuple):
    """The detector's text with `right` (there once) made `wrong`."""

    detector: type[Any]
    right: str
    wrong: str
    check: Callable[[], None]


MUTANTS = (
    Mutant(TurnFinder, "[*self._runs[-KEPT_RUNS:], last]", "[]", a_dwell_is_as_long_as_the_stillness),
    Mutant(RestFinder, "RestFound(off_m)", "RestFound(-off_m)", a_rest_elsewhere_moves_the_zero),
    Mutant(RestFinder, "steps(STILL_S)", "1", a_loose_cable_is_no_rest),
    Mutant(FaultDetector, "moment.now - self.lag)", "moment.now)", a_gap_is_as_long_as_the_silence),
    Mutant(
        SetDetector,
        "if not over:\n            self._over_since = None",
        "if not over:",
        a_set_lasts_until_the_stack_stands_for_good,
    ),
    Mutant(RepDetector, ">= moment.limits.excursion_m", ">= 0.0", what_counts_as_a_repetition),
    Mutant(RepDetector, "- top.reversal.x_m > ", "- top.reversal.x_m < ", what_counts_as_a_repetition),
    Mutant(
        StallDetector,
        "not again and bool(moment.reps.full)",
        "not again",
        a_stall_that_sinks_is_failure_but_not_in_the_first_repetition,
    ),
    Mutant(
        StallDetector,
        "self._x_m - self.failure.descent",
        "self._x_m + self.failure.descent",
        a_stall_that_sinks_is_failure_but_not_in_the_first_repetition,
    ),
    Mutant(TensionDetector, "(self._unload, Bit.UNLOAD)", "(self._unload, Bit.SLACK)", tension_has_two_sides),
    Mutant(ContactDetector, "landed is not None or ", "", a_landing_is_seen_by_the_cell_where_the_encoder_is_dead),
    Mutant(HoldFinder, "moment.still and (", "(False and ", a_stack_that_hangs_without_tension_is_held),
    Mutant(StopFinder, "x_m < lowest_m - margin_m", "True", a_load_that_is_held_high_is_on_no_stop),
    Mutant(TurnFinder, "_joined(moment, stretches)", "stretches", a_dwell_goes_on_over_a_silence),
    Mutant(TensionDetector, "_lowest, believe=_fell", "_lowest", no_event_where_the_stack_did_not_accelerate),
    Mutant(TensionDetector, "_rose_or_held", "_rose", a_stack_at_its_stop_can_be_pulled_too_hard),
    Mutant(TensionDetector, "(self._low, Bit.LOW)", "(self._low, Bit.HIGH)", tension_has_two_sides),
    Mutant(SurgeDetector, "moment.on(Bit.DROP)", "moment.on(Bit.JERK)", a_heave_is_a_jerk_and_a_let_go_negative_a_drop),
    Mutant(
        SurgeDetector,
        "<= self.settings.start * limits.range_m",
        ">= self.settings.start * limits.range_m",
        a_heave_is_a_jerk_and_a_let_go_negative_a_drop,
    ),
    Mutant(
        TurnaroundDetector,
        'lower = turn.reversal.at == "lower"',
        'lower = turn.reversal.at == "upper"',
        a_hard_reversal_is_abrupt_above_and_a_bounce_below,
    ),
    Mutant(ContactDetector, "now - since + 1 >= self.rest_hold", "True", a_touch_is_brief_and_a_rest_is_long),
    Mutant(LockoutDetector, "and moment.on(Bit.TOP)", "", a_rest_at_lockout_is_long_and_at_the_top),
    Mutant(SpeedDetector, "steps(settings.hold_s)", "1", speed_counts_when_it_lasts),
    Mutant(
        StageDetector,
        "self._aim(moment, peak_n, self._stage)",
        "self._aim(moment, peak_n, 0)",
        the_target_follows_the_stages,
    ),
    Mutant(StageDetector, "if held and now", "if now", giving_way_is_failure_only_after_a_hold),
    Mutant(StallDetector, "self._pushing.follow(failure)", "pass", a_failure_says_how_long_he_went_on_pushing),
    Mutant(
        LessonDetector,
        "learn_range(limits, rep.shown)",
        "widen_range(limits, rep.shown)",
        the_range_is_what_three_repetitions_show,
    ),
    Mutant(
        LessonDetector, "[RangeShown(since, rep.end)]", "[]", until_some_agree_each_repetition_is_judged_when_it_is_over
    ),
    Mutant(LessonDetector, ">= limits.detect.range.reps", "< 0", a_way_of_a_few_centimetres_is_too_short),
    Mutant(
        LessonDetector,
        "LearnedRange(limits.bottom_m, turn.reversal.x_m)",
        "LearnedRange(limits.bottom_m, limits.top_m)",
        a_range_that_is_exceeded_widens,
    ),
    Mutant(RangeLearner, "widest.top_m - one.top_m <= near_m", "True", half_repetitions_first_are_no_range),
    Mutant(RangeLearner, "self.seen.including(shown)", "shown", half_repetitions_first_are_no_range),
    Mutant(Cruise, "- self.c * self.t)", "+ self.c * self.t)", load_and_friction_are_what_two_repetitions_show),
    Mutant(LoadDetector, ">= PIN_STEPS\n        if paused", "< 0\n        if paused", another_pin_is_another_load),
    Mutant(LoadDetector, "<= SAME", "<= 1.0", another_pin_is_another_load),
    Mutant(LoadLearner, "self._reps + 1", "self._reps", a_given_load_that_nobody_pulls_is_reported),
    Mutant(
        AssistDetector,
        "(self._lighter, Bit.LIGHTER)",
        "(self._lighter, Bit.HEAVIER)",
        a_helper_is_no_fault_and_teaches_nothing,
    ),
    Mutant(
        LoadLearner,
        "if not same and not alike:\n            return False",
        "",
        a_press_teaches_nothing,
    ),
    Mutant(
        RepDetector, "assisted=_lifted(moment, up, down),", "", a_positive_that_somebody_else_did_counts_as_assisted
    ),
    Mutant(LoadDetector, "fit.odd_since is None", "True", a_force_that_leaves_its_load_is_the_cells),
    Mutant(LoadStepDetector, "self._teacher.forget_step()", "pass", a_motor_that_adds_on_the_way_down_is_a_load_step),
    Mutant(ZeroFinder, "ZeroFound(off_n, since)", "ZeroFound(-off_n, since)", a_walking_zero_is_followed),
)


def _mutated(mutant: Mutant) -> type[Any]:
    text = textwrap.dedent(inspect.getsource(mutant.detector))
    assert text.count(mutant.right) == 1, f"{mutant.right!r} is not in {mutant.detector.__name__} once: mutate it anew"
    names = dict(vars(sys.modules[mutant.detector.__module__]))
    exec(compile(text.replace(mutant.right, mutant.wrong), "mutant", "exec"), names)
    made: type[Any] = names[mutant.detector.__name__]
    return made


@pytest.mark.parametrize("check", dict.fromkeys(mutant.check for mutant in MUTANTS), ids=lambda check: check.__name__)
def test_what_it_must_tell(check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.detector.__name__}: {mutant.wrong}")
def test_a_defect_is_noticed(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    made, name = _mutated(mutant), mutant.detector.__name__
    for module_name, module in list(sys.modules.items()):
        if (
            module_name.startswith(("monitor.detect.", "monitor.learning."))
            and vars(module).get(name) is mutant.detector
        ):
            monkeypatch.setattr(module, name, made)
    with pytest.raises(AssertionError):
        mutant.check()


def test_no_detector_is_without_a_mutant() -> None:
    """All that the spine wakes, and what learns."""
    mutated = {mutant.detector for mutant in MUTANTS}
    woken: set[type[Any]] = {RangeLearner, LoadLearner, Cruise}
    for profile in PROFILES.values():
        spine = Spine(profile, "s")
        woken |= {type(detector) for detector in (*spine._panel.before, *spine._panel.after)}
    assert woken == mutated
