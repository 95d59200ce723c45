"""Checks the reports about movements: turnarounds, repetitions, stalls, rests, range and speed."""

import pytest

from tests.detect.stories import EASE_S, END, LOW_S, REP, STARTED_S, UP, of, only, story
from tests.movements import BOTTOM_M, REST_M, TOP_M, Act, Down, Leg, Still, Tug


def a_dwell_is_as_long_as_the_stillness() -> None:
    (upper, lower) = of("turnaround", [Leg(1.0, 2.0), Still(0.9), Leg(0.0, 2.0), Still(0.5), *UP])
    assert upper.dwell_s == pytest.approx(0.9 + 2 * EASE_S, abs=0.03)
    assert upper.t_s == pytest.approx(STARTED_S + 2.0 + 0.45, abs=0.02)
    assert lower.dwell_s == pytest.approx(0.5 + 2 * EASE_S, abs=0.03)


def a_set_lasts_until_the_stack_stands_for_good() -> None:
    acts: list[Act] = [*REP, Down(3.0), *REP, Down(3.0), *REP, *END]
    end = only(of("set_end", acts))
    assert end.t_s == pytest.approx(STARTED_S + 3 * 4.8 + 2 * 3.4 + 0.4, abs=0.1)
    assert end.reps == 3


def a_set_ends_with_its_landing_though_that_bounces() -> None:
    """The stack is 10 mm up again for 0.2 s; with a longer bounce it is a contact of its own."""
    up = Leg((REST_M + 0.010 - BOTTOM_M) / (TOP_M - BOTTOM_M), 0.1)
    landed_s = STARTED_S + 4.8 + 0.4
    for still_s, off_s in ((0.0, 0.0), (0.4, 0.4 + 0.2 + 0.4)):
        end = only(of("set_end", [*REP, Down(0.4), up, Still(still_s), Down(6.0, 0.1)]))
        assert end.t_s == pytest.approx(landed_s + off_s, abs=0.15)


def what_counts_as_a_repetition() -> None:
    some: list[Act] = [Leg(0.35, 1.5), Still(0.3), Leg(0.0, 1.5), Still(0.3)]
    hardly: list[Act] = [Leg(0.15, 1.0), Still(0.3), Leg(0.0, 1.0), Still(0.3)]
    reps = of("rep", [*REP, *some, *hardly, *REP, *END])
    assert [rep.partial for rep in reps] == [False, True, False]
    assert [rep.rom_m for rep in reps] == pytest.approx([0.5, 0.175, 0.5], abs=0.035)


def a_squat_set_down_is_not_of_the_next_set() -> None:
    squat: list[Act] = [Leg(0.0, 2.0), Still(0.4), *UP]
    acts: list[Act] = [*UP, *squat, *squat, Down(7.0, 2.0)]
    reps = of("rep", [*acts, *acts], "squat")
    assert [(rep.set, rep.rep) for rep in reps] == [(1, 1), (1, 2), (2, 1), (2, 2)]


STALL: list[Act] = [Leg(0.5, 1.5), Still(2.4)]


def a_repetition_at_the_bottom_is_reported_in_time() -> None:
    """Within 0.6 s of its end, which a coarse encoder shows up to 40 ms late, and in superslow up to 80 ms more."""
    for name, phase_s, room_s in (("stack", 2.0, 0.04), ("superslow", 10.0, 0.12)):
        rep = only(of("rep", [Leg(1.0, phase_s), Still(0.4), Leg(0.0, phase_s), Still(2.0)], name))
        assert rep.found_s - (rep.t_s + rep.duration_s) <= 0.6 - room_s


def a_slow_grind_is_no_stall_until_it_stays_within_a_centimetre() -> None:
    """14 mm in 1.4 s are slower than v_rest, but travel: the stall begins behind the first centimetre."""
    grind: list[Act] = [Leg(0.4, 1.5), *[Leg(0.4 + 0.004 * i, 0.2) for i in range(1, 8)], Still(2.4)]
    stall = only(of("stall", [*REP, *REP, *grind, Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), *END]))
    assert stall.t_s == pytest.approx(STARTED_S + 2 * 4.8 + 1.5 + 1.0, abs=0.25)


def a_stall_that_sinks_is_failure_but_not_in_the_first_repetition() -> None:
    sinks: list[Act] = [*STALL, Leg(0.0, 1.5), Still(0.4)]
    for acts, failures in (([*sinks, *REP, *END], 0), ([*REP, *sinks, *END], 1), ([*REP, *STALL, *UP, *END], 0)):
        events, _ = story(acts)
        stall = only([event for event in events if event.kind == "stall"])
        assert stall.duration_s == pytest.approx(2.4 + 2 * 0.15, abs=0.1)
        assert [event.kind for event in events].count("failure") == failures


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
    stands: list[Act] = [*UP, Leg(0.0, 2.0), Still(0.6), Leg(0.12, 0.35)]
    assert [turn.grade for turn in of("turnaround", [*REP, *stands, *UP, *END]) if turn.at == "lower"][1] == "abrupt"


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


def a_failure_says_how_long_the_lifter_kept_pushing() -> None:
    """The lifter holds the stack for the 5 s of the stall, and on until somebody takes it."""
    acts: list[Act] = [*REP, Leg(0.5, 1.5), Still(6.5), Tug(0.3, 1.0), Leg(0.0, 2.0), *END]
    failure = only(of("failure", acts))
    assert failure.held_s == pytest.approx(6.5 - 5.0, abs=0.2)
    lowers: list[Act] = [*REP, *STALL, Leg(0.0, 1.5), *END]
    failure = only(of("failure", lowers))
    assert failure.held_s == pytest.approx(STARTED_S + 4.8 + 1.5 + 2.4 + 1.5 + 0.4 - failure.t_s, abs=0.5)


def the_range_is_what_three_repetitions_show() -> None:
    events, spine = story([*REP, *REP, *REP, *UP, Still(2.0), Leg(0.0, 2.0), *END], "unranged")
    limits = spine.limits
    assert limits.range_agreed
    assert (limits.bottom_m, limits.top_m) == pytest.approx((BOTTOM_M - REST_M, TOP_M - REST_M), abs=0.003)
    rest = only([event for event in events if event.kind == "lockout_rest"])
    assert rest.found_s < rest.t_s + 2.0


def until_some_agree_each_repetition_is_judged_after_it() -> None:
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


def half_repetitions_at_first_do_not_make_a_range() -> None:
    half: list[Act] = [Leg(0.5, 1.4), Still(0.3), Leg(0.0, 1.4), Still(0.3)]
    events, spine = story([*half, *half, *REP, *half, *REP, *REP, *END], "unranged")
    reps = [event for event in events if event.kind == "rep"]
    assert [rep.partial for rep in reps] == [False, False, False, True, False, False]
    assert not [event for event in events if event.kind == "speed_over"]
    assert spine.limits.top_m == pytest.approx(TOP_M - REST_M, abs=0.003)
    assert spine.limits.range_agreed
    limits = story([*half, *half, *REP, *half, Still(1.0)], "unranged")[1].limits
    assert limits.top_m == pytest.approx(TOP_M - REST_M, abs=0.003), "three agree, but not on the widest"


def full_repetitions_after_half_ones_are_not_too_fast() -> None:
    """Three half repetitions agree on a range, and the next one goes on beyond it; the last one is too fast indeed."""
    half: list[Act] = [Leg(0.5, 2.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    fast: list[Act] = [Leg(1.0, 1.7), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    events, spine = story([*half, *half, *half, *REP, *REP, *REP, *fast, *END], "unranged")
    assert spine.limits.top_m == pytest.approx(TOP_M - REST_M, abs=0.003)
    over = only([event for event in events if event.kind == "speed_over"])
    assert (over.rep, over.phase) == (7, "positive")
    assert over.duration_s == pytest.approx(0.37, abs=0.05)


def a_range_that_is_exceeded_widens() -> None:
    most: list[Act] = [Leg(0.8, 1.8), Still(0.3), Leg(0.0, 1.8), Still(0.3)]
    limits = story([*most, *most, *most, *UP, Leg(0.9, 0.6)], "unranged")[1].limits  # before the repetition is over
    assert (limits.bottom_m, limits.top_m) == pytest.approx((BOTTOM_M - REST_M, TOP_M - REST_M), abs=0.003)


def a_range_of_a_few_centimetres_is_too_short() -> None:
    little: list[Act] = [Leg(0.03, 0.7), Still(0.5), Leg(0.0, 0.7), Still(0.5)]
    limits = story([*little, *little, *little, *little, *little, *END], "unranged")[1].limits
    assert not limits.range_known
    assert limits.short_range_m == pytest.approx(0.03 * (TOP_M - BOTTOM_M), abs=0.002)
    assert story([*REP, *REP, *END], "unranged")[1].limits.short_range_m is None
