"""Hooks, stops and hands that hold a stack, and how they end repetitions and sets (EVENTS.md 1.3, 4 and 5)."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from firmware_bridge.samples import Samples
from monitor.detect.spine import Spine
from monitor.events import AnyEvent, SetEnd
from tests.movements import (
    BOTTOM_M,
    ENCODER_M,
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
    Tug,
    profile,
)

UP: list[Act] = [Leg(1.0, 2.0), Still(0.4)]
REP: list[Act] = [*UP, Leg(0.0, 2.0), Still(0.4)]
LEAD: list[Act] = [Leg(0.0, 0.5), Still(0.4)]
END: list[Act] = [Down(6.0)]
RANGE_M = TOP_M - BOTTOM_M
HIGH_BOTTOM = profile(bottom_m=REST_M + 0.1)  # of a machine with a stop below its range

LIFTED = profile(working_load_n=None)
NO_REST = profile(bottom_m=REST_M + 0.1, rest_m=None)


def at(height_m: float) -> float:
    """The share of the range at this height above the rest."""
    return (height_m - (BOTTOM_M - REST_M)) / RANGE_M


def records(acts: list[Act], machine: Any = PROFILES["stack"], samples: Samples | None = None) -> list[AnyEvent]:
    rows = Movement(tuple(acts)).samples() if samples is None else samples
    spine = Spine(machine, "s")
    return spine.update(rows).events + spine.finish().events


def with_force(rows: Samples, force_n: Any) -> Samples:
    return Samples(rows.t_s, rows.position_m, force_n, rows.flags)


def of_all(events: list[AnyEvent]) -> list[Any]:
    """The newest record of each event, in the order in which the events were found."""
    return list({event.id: event for event in events}.values())


def last(events: list[AnyEvent], kind: str) -> list[Any]:
    """The newest record of each event of a kind."""
    return [event for event in of_all(events) if event.kind == kind]


@pytest.mark.parametrize("pause_s", [0.25, 2.0, 12.0])
@pytest.mark.parametrize("height_m", [BOTTOM_M - REST_M, BOTTOM_M - REST_M + 0.04])
def test_a_repetition_is_reported_soon_after_it_has_ended(pause_s: float, height_m: float) -> None:
    low: list[Act] = [Leg(at(height_m), 2.0), Still(pause_s)]
    events = records([*LEAD, *UP, *low, *UP, *low, *UP, *low, *END])
    first = {event.id: event for event in reversed(events) if event.kind == "rep"}
    assert len(first) == 3
    for rep in first.values():
        assert rep.duration_s is not None
        assert rep.found_s - (rep.t_s + rep.duration_s) <= 0.6


def test_a_repetition_that_goes_on_is_sent_again() -> None:
    halt: list[Act] = [*UP, Leg(0.08, 2.0), Still(1.0), Leg(0.0, 1.0), Still(1.0)]
    events = records([*LEAD, *REP, *halt, *REP, *END])
    sent = [event for event in events if event.kind == "rep" and event.rep == 2]
    assert len(sent) == 2
    assert (sent[1].duration_s or 0.0) - (sent[0].duration_s or 0.0) == pytest.approx(2.0, abs=0.1)
    assert (sent[0].t_s, sent[0].found_s) == (sent[1].t_s, sent[1].found_s)
    assert last(events, "set_end")[0].reps == 3


@pytest.mark.parametrize("load_n", [60.0, 75.0, 600.0])
def test_a_loaded_stack_above_its_rest_does_not_touch(load_n: float) -> None:
    """Even if its tension is below the limit that stands for half of a load that is not known yet."""
    acts = [*LEAD, *REP, *REP, *REP, *END]
    events = records([], PROFILES["learned"], Movement(tuple(acts)).samples(load_n=load_n))
    assert [touch.ended_set for touch in last(events, "stack_touch")] == [True]


@pytest.mark.parametrize("height_m", [0.02, 0.15, 0.5])
def test_a_stack_on_a_hook_is_held_and_that_is_not_a_fault(height_m: float) -> None:
    hung: list[Act] = [*UP, Leg(at(height_m), 2.0), Still(0.5), Tug(0.0, 3.0), Still(0.5), Leg(0.0, 2.0), Still(0.4)]
    events = records([*LEAD, *REP, *hung, *hung, *END])
    kinds = {event.kind for event in events}
    assert not kinds & {"sensor_fault", "slack", "unload", "tension_out", "lockout_rest"}
    assert [touch.ended_set for touch in last(events, "stack_touch")] == [True]
    feedback = Spine(PROFILES["stack"], "s").update(Movement((*LEAD, *REP, *hung)).samples()).feedback
    assert len([one for one in feedback if one.phase == "held"]) * 0.04 == pytest.approx(3.0 - 0.3, abs=0.1)


@pytest.mark.parametrize(("hangs_s", "helped_s"), [(3.0, []), (0.2, [0.8])])
def test_a_stack_that_is_hung_up_gradually_is_not_helped(hangs_s: float, helped_s: list[float]) -> None:
    """It takes a while to know that it hangs; where it hangs for less, somebody held it for a moment."""
    tension = ((0.6, 0.15), (0.3, 0.15), (0.0, hangs_s), (0.3, 0.15), (0.6, 0.15))
    hung: list[Act] = [*UP, Leg(0.4, 1.5), Still(0.4), *(Tug(share, for_s) for share, for_s in tension)]
    events = records([*LEAD, *REP, *REP, *hung, Still(0.5), Leg(0.0, 1.5), *END])
    assert [event.duration_s for event in last(events, "assist")] == pytest.approx(helped_s, abs=0.1)


def test_a_stack_on_a_hook_is_held_as_long_as_it_hangs() -> None:
    """Hands leave a part of the load on the cable, and after a second the load is only presumed."""
    acts = (*LEAD, *REP, *REP, Leg(0.4, 1.5), Still(0.4), Tug(0.06, 4.0), Still(0.4))
    feedback = Spine(PROFILES["learned"], "s").update(Movement(acts).samples()).feedback
    assert len([one for one in feedback if one.phase == "held"]) * 0.04 == pytest.approx(4.0 - 0.3, abs=0.1)


@pytest.mark.parametrize("name", ["stack", "learned"])
@pytest.mark.parametrize("left", [0.0, 0.06])
def test_five_seconds_on_a_hook_end_a_set_and_the_next_one_begins_there(name: str, left: float) -> None:
    """Hands may leave a part of the load on the cable; after a second the load is only presumed."""
    hook: list[Act] = [*UP, Leg(0.2, 2.0), Still(0.5), Tug(left, 8.0), Still(0.5)]
    events = records([*LEAD, *REP, *hook, *REP, *END], PROFILES[name])
    assert [end.reps for end in last(events, "set_end")] == [2, 1]
    assert not {"sensor_fault", "stall", "failure"} & {event.kind for event in events}


@pytest.mark.parametrize("share", [0.4, 0.65, 1.2])
def test_a_set_ends_on_the_rest_even_if_hands_still_pull(share: float) -> None:
    acts = (*LEAD, *REP, *REP, Leg(at(0.0), 0.6), Still(20.0), *UP, Leg(0.0, 2.0), *END)
    rows = Movement(acts).samples()
    grounded = (rows.t_s > 1.9 + 2 * 4.8 + 0.6) & (rows.t_s < 1.9 + 2 * 4.8 + 20.4)
    force_n = np.where(grounded & ~np.isnan(rows.force_n), share * LOAD_N, rows.force_n)
    events = records([], samples=with_force(rows, force_n))
    assert [end.reps for end in last(events, "set_end")] == [2, 1]
    assert len(last(events, "bottom_rest")) == 2


@pytest.mark.parametrize("height_m", [0.06, 0.3])
def test_a_stack_lifted_and_dropped_by_hand_makes_no_fault_and_no_repetition(height_m: float) -> None:
    drop_s = float(np.sqrt(2 * height_m / 9.81))
    rows = Movement((Leg(at(height_m), 1.0), Still(0.5), Down(3.0, drop_s), *LEAD, *REP, *REP, *END)).samples()
    carried = rows.t_s < 1.0 + 1.5 + drop_s + 2.5
    force_n = np.where(carried & ~np.isnan(rows.force_n), rows.force_n % 1.0, rows.force_n)
    events = records([], samples=with_force(rows, force_n))
    assert not last(events, "sensor_fault")
    assert not last(events, "slack"), "no lifter, no slack"
    assert len(last(events, "rep")) == 2
    assert len(last(events, "set_start")) == 1


@pytest.mark.parametrize("before_s", [1.0, 8.0, 30.0])
def test_a_stop_that_keeps_the_cable_loaded_ends_a_set(before_s: float) -> None:
    park: list[Act] = [Leg(at(0.06), 1.5), Still(before_s)]
    low = at(0.1)
    rep: list[Act] = [*UP, Leg(low, 2.0), Still(0.4)]
    begun: list[Act] = [Leg(at(0.06), 0.5), Still(before_s)]
    events = records([*begun, *rep, *rep, *park, Still(10.0), *rep, *rep, *rep, *park, Still(7.0)], HIGH_BOTTOM)
    starts, ends = last(events, "set_start"), last(events, "set_end")
    assert [end.reps for end in ends] == [2, 3]
    assert [start.set for start in starts] == [1, 2]
    if before_s > 5:
        assert starts[0].t_s == pytest.approx(1.0 + 0.5 + before_s, abs=0.2)
        assert last(events, "rep")[0].t_s == pytest.approx(1.0 + 0.5 + before_s, abs=0.2)
    assert max(rep.positive_s for rep in last(events, "rep")) < 2.5 or before_s < 5


@pytest.mark.parametrize("over_m", [0.07, 0.1])
def test_a_stop_ends_a_set_on_a_learned_range_even_if_the_way_to_it_seemed_a_repetition(over_m: float) -> None:
    """Nothing is known of the range yet when the stack is lifted off its rest and lowered onto the stop."""
    onto: list[Act] = [Leg(at(over_m), 1.0), Still(0.4), Leg(at(0.03), 1.0), Still(8.0)]
    reps: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(at(0.1), 2.0), Still(0.4)] * 4
    acts = [*onto, *reps, Leg(at(0.03), 1.0), Still(20.0), *END]
    (over,) = last(records(acts, PROFILES["unranged"]), "set_end")
    at_stop_s = (
        sum(act.duration_s for act in (*onto, *reps, Leg(at(0.03), 1.0)) if isinstance(act, Leg | Still)) + LEAD_S
    )
    assert over.t_s == pytest.approx(at_stop_s, abs=0.3)


def test_a_set_that_begins_on_a_hook_with_another_load_has_that_load_alone() -> None:
    """The cable is taken up by and by: a load is off its hook a little later than the set begins."""
    hung: list[Act] = [*UP, Leg(0.2, 2.0), Tug(0.04, 8.0), Pin(0.7), Tug(0.1, 0.05), Tug(0.2, 0.1), Tug(0.6, 0.15)]
    events = records([*LEAD, *REP, *REP, *hung, Still(0.3), *REP, *REP, *END], PROFILES["learned"])
    loads_n = [[stretch.load_n for stretch in end.loads] for end in last(events, "set_end")]
    assert loads_n == [[pytest.approx(LOAD_N, rel=0.01)], [pytest.approx(0.7 * LOAD_N, rel=0.01)]]


@pytest.mark.parametrize("machine", [HIGH_BOTTOM, NO_REST], ids=["with a rest", "without a rest"])
@pytest.mark.parametrize("share", [0.15, 0.4, 0.8, 1.0])
def test_a_stop_ends_a_set_whatever_it_leaves_on_the_cable(machine: Any, share: float) -> None:
    """Where the machine never rests, the profile may have no `rest_m`: the stop is below x = 0 then."""
    rep: list[Act] = [*UP, Leg(at(0.1), 2.0), Still(0.4)]
    park: list[Act] = [Leg(at(0.06), 1.5), Tug(share, 8.0), Still(0.5)]
    rows = Movement((Leg(at(0.06), 0.5), Still(1.0), *rep, *rep, *park, *rep, *rep, *rep, *park)).samples()
    events = records([], machine, rows.rows(rows.t_s > 1.6))
    assert [end.reps for end in last(events, "set_end")] == [2, 3]
    assert [start.set for start in last(events, "set_start")] == [1, 2]


@pytest.mark.parametrize(("tempo_s", "count_m"), [(2.0, 4 * ENCODER_M), (10.0, 0.0005)])
@pytest.mark.parametrize(("counts", "sinks_m"), [(121.5, -1e-4), (122.5, 1e-4)])
def test_a_stack_that_settles_by_one_count_has_arrived_before(
    tempo_s: float, count_m: float, counts: float, sinks_m: float
) -> None:
    """At these heights the difference of two decimal counts is rounded up."""
    edge = counts * count_m  # between two counts
    park: list[Act] = [Leg(at(edge + sinks_m), 1.0), Still(3.0), Leg(at(edge - sinks_m), 1.0), Still(8.0)]
    rep: list[Act] = [*UP, Leg(at(0.1), 2.0), Still(0.4)]
    acts = [*LEAD, *rep, *rep, *park]
    rows = Movement(tuple(acts)).samples()
    coarse = Samples(rows.t_s, np.round(rows.position_m / count_m) * count_m, rows.force_n, rows.flags)
    changes: dict[str, Any] = {"metres_per_count": count_m, "positive_s": tempo_s, "negative_s": tempo_s}
    high = profile(bottom_m=REST_M + 0.1, working_load_n=None, friction=None, **changes)
    (end,) = last(records([], high, coarse), "set_end")
    assert end.t_s == pytest.approx(1.0 + 0.9 + 2 * 4.8 + 1.0, abs=0.3)


def test_taking_a_stack_from_its_hook_is_not_an_assist() -> None:
    """The tension returns by and by while the stack still hangs: after the load is confirmed, that is no fault."""
    hung: list[Act] = [Leg(0.2, 2.0), Tug(0.0, 8.0), Tug(0.04, 0.5), Tug(0.6, 0.15), Still(0.3)]
    events = records([*LEAD, *REP, *REP, *UP, *hung, *REP, *REP, *END], PROFILES["learned"])
    assert len(last(events, "set_end")) == 2
    assert not {"assist", "slack", "unload", "tension_out"} & {event.kind for event in events}


def test_lowering_a_stack_from_a_stop_to_its_rest_is_not_a_set() -> None:
    park: list[Act] = [Leg(at(0.06), 1.5), Still(8.0)]
    rep: list[Act] = [*UP, Leg(at(0.1), 2.0), Still(0.4)]
    events = records([*park, *rep, *rep, *park, Down(7.0, 1.0), *rep, *rep, *END], HIGH_BOTTOM)
    assert [end.reps for end in last(events, "set_end")] == [2, 2]
    arrived_s = 1.0 + 1.5 + 8.0 + 2 * 4.8 + 1.5
    assert last(events, "set_end")[0].t_s == pytest.approx(arrived_s, abs=0.2)
    assert last(events, "set_start")[0].t_s == pytest.approx(1.0 + 1.5 + 8.0, abs=0.15)


@pytest.mark.parametrize("gap_s", [0.0, 0.3])
def test_a_set_from_a_stop_begins_with_the_first_count(gap_s: float) -> None:
    """However slowly the stack leaves it: at 10/10 it takes 0.28 s to 1 mm/s, and 0.41 s to 0.3 mm."""
    slow: list[Act] = [Leg(1.0, 10.0), Still(0.4), Leg(at(0.1), 10.0), Still(0.4)]
    rows = Movement((Leg(at(0.06), 0.5), Still(8.0), *slow, *slow, *END)).samples()
    leaves_s = LEAD_S + 0.5 + 8.0
    seen = (rows.t_s < leaves_s - 0.6) | (rows.t_s > leaves_s - 0.6 + gap_s)
    (start,) = last(records([], HIGH_BOTTOM, rows.rows(seen)), "set_start")
    assert start.t_s == pytest.approx(leaves_s + 0.28, abs=0.06)


def test_a_lifter_who_holds_the_load_low_does_not_end_the_set() -> None:
    low: list[Act] = [Leg(at(0.09), 2.0), Still(12.0)]  # a centimetre below the range, without a stop
    events = records([*LEAD, *UP, *low, *UP, *low, *UP, Leg(at(0.1), 2.0), *END], HIGH_BOTTOM)
    assert [end.reps for end in last(events, "set_end")] == [3]


SPIKY = [(force_hz, every, spike_n) for force_hz in (82.0, 330.0) for every in (47, 130) for spike_n in (8000.0, -70.0)]


def without_and_with_spikes(
    acts: list[Act], force_hz: float, every: int, spike_n: float
) -> tuple[list[AnyEvent], list[AnyEvent]]:
    rows = replace(Movement(tuple(acts)), force_hz=force_hz).samples()
    return records([], samples=rows), records([], samples=spiked(rows, every, spike_n))


def spiked(rows: Samples, every: int, spike_n: float) -> Samples:
    force_n = rows.force_n.copy()
    force_n[np.flatnonzero(~np.isnan(force_n))[::every]] = spike_n
    return with_force(rows, force_n)


@pytest.mark.parametrize(("force_hz", "every", "spike_n"), SPIKY)
def test_lone_spikes_change_nothing_but_are_reported(force_hz: float, every: int, spike_n: float) -> None:
    both = without_and_with_spikes([*LEAD, *REP, *REP, *REP, *END], force_hz, every, spike_n)
    clean, spoiled = (
        [event for event in of_all(events) if event.kind not in ("sensor_fault", "rep")] for events in both
    )
    assert [event.kind for event in spoiled] == [event.kind for event in clean]
    for one, other in zip(spoiled, clean, strict=True):
        assert one.t_s == pytest.approx(other.t_s, abs=0.02)
    assert {event.cause for event in last(both[1], "sensor_fault")} == {"spike"}


def test_a_spike_between_rows_that_are_30_ms_apart_is_one() -> None:
    """80 readings a second, each in the next of 100 rows: the neighbours of one are 20 or 30 ms apart, as rounded."""
    rows = replace(Movement((*LEAD, *REP, *REP, *REP, *END)), force_hz=80.0).samples()
    t_s = np.where(np.isnan(rows.force_n), rows.t_s, np.ceil(rows.t_s * 100) / 100)
    order = np.argsort(t_s, kind="stable")
    late = Samples(t_s[order], rows.position_m[order], rows.force_n[order], rows.flags[order])
    events = records([], samples=spiked(late, 61, 8000.0))
    assert {event.cause for event in last(events, "sensor_fault")} == {"spike"}
    assert not {"slack", "force_ceiling", "tension_out"} & {event.kind for event in events}
    assert all(rep.tension_max_n < 800.0 for rep in last(events, "rep"))


@pytest.mark.parametrize(("force_hz", "every", "spike_n"), SPIKY)
def test_lone_spikes_explain_nothing(force_hz: float, every: int, spike_n: float) -> None:
    """Their readings are left out: a fault of the lifter beside one is still the lifter's, and help remains one."""
    rested: list[Act] = [Leg(1.0, 2.0), Still(3.0), Leg(0.0, 2.0), Still(0.4)]
    helped: list[Act] = [*UP, Helped(0.0, 3.0, 1.25), Still(0.4)]
    heaved: list[Act] = [Leg(0.3, 0.55), Leg(1.0, 1.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    touched: list[Act] = [*UP, Down(1.5, 2.0)]
    acts = [*LEAD, *REP, *REP, *rested, *helped, *heaved, *touched, *REP, *END]
    without, with_spikes = without_and_with_spikes(acts, force_hz, every, spike_n)
    for one, other in zip(last(with_spikes, "set_end"), last(without, "set_end"), strict=True):
        assert one.counts | {"sensor_fault": 0} == other.counts | {"sensor_fault": 0}
        assert (one.reps, one.clean_reps) == (other.reps, other.clean_reps)
        assert one.skill == pytest.approx(other.skill, abs=0.01)
    assert {"lockout_rest", "assist", "jerk", "stack_touch"} <= set(last(without, "set_end")[0].counts)


@pytest.mark.parametrize(("force_hz", "every", "spike_n"), SPIKY)
def test_lone_spikes_do_not_blank_the_display(force_hz: float, every: int, spike_n: float) -> None:
    rows = replace(Movement((*LEAD, *REP, *REP, *END)), force_hz=force_hz).samples()
    feedback = Spine(PROFILES["stack"], "s").update(spiked(rows, every, spike_n)).feedback
    assert {one.fault for one in feedback} == {None}
    assert all(one.tension is not None for one in feedback if one.set is not None)


@pytest.mark.parametrize("silent_s", [0.0, 0.5, 1.5])
def test_a_stack_lifted_by_hand_is_no_repetition_though_the_cell_falls_silent(silent_s: float) -> None:
    by_hand: list[Act] = [Helped(1.0, 2.0, 0.0), Tug(0.0, 0.5), Helped(at(0.0), 2.0, 0.0), Down(3.0)]
    rows = Movement((Down(1.0), *by_hand, *LEAD, *REP, *REP, *END)).samples()
    begins_s = float(rows.t_s[np.flatnonzero(rows.position_m > REST_M + 0.1)[0]])
    silent = (rows.t_s > begins_s) & (rows.t_s < begins_s + silent_s)
    events = records([], samples=with_force(rows, np.where(silent, np.nan, rows.force_n)))
    assert len(last(events, "rep")) == 2
    assert len(last(events, "set_end")) == 1


@pytest.mark.parametrize("left", [0.05, 0.15])
def test_a_set_that_a_trainer_lifts_begins_in_the_hands_of_the_lifter(left: float) -> None:
    """Half of what the trainer leaves to the cable begins it too early: that is known once the load is."""
    lifted: list[Act] = [Helped(1.0, 2.5, left), Still(0.8), Leg(0.0, 4.0), Down(1.5)]
    reported = records([*lifted, *lifted, *END], LIFTED)
    starts = [event for event in reported if event.kind == "set_start"]
    assert [(event.id, event.set) for event in starts] == [(starts[0].id, 1)] * 2
    assert starts[0].t_s < LEAD_S + 1.0
    assert starts[1].t_s == pytest.approx(LEAD_S + 2.5, abs=0.05)
    [summary] = [event for event in of_all(reported) if event.kind == "set_end"]
    assert isinstance(summary, SetEnd)
    assert summary.reps == 2
    assert summary.set_s == pytest.approx(2 * (0.8 + 4.0 + 0.4) + 1.5 + 2.5, abs=0.1)


def test_a_tug_at_the_cable_that_a_trainer_lifts_is_no_beginning() -> None:
    lifted: list[Act] = [Helped(0.3, 1.0, 0.15), Tug(0.15, 0.2), Tug(1.0, 0.15), Tug(0.15, 0.2), Helped(1.0, 1.5, 0.15)]
    reported = records([*lifted, Still(0.8), Leg(0.0, 4.0), *END], LIFTED)
    assert of_all(reported)[0].kind == "set_start"
    assert of_all(reported)[0].t_s == pytest.approx(LEAD_S + 3.05, abs=0.05)


def test_a_set_that_the_lifter_lifts_keeps_its_beginning() -> None:
    """So does one that is quickly taken over from a hand, and one with a repetition before its load is known."""
    lower: list[Act] = [Still(0.8), Leg(0.0, 4.0), Down(1.5)]
    own, lifted = [*UP, *lower], [Helped(1.0, 2.5, 0.3), *lower]
    handed: list[Act] = [Helped(0.1, 1.0, 0.0), Tug(0.0, 2.0), Tug(0.3, 0.15), Still(0.4), *own]
    for acts, machine in (
        (own, LIFTED),
        (handed, LIFTED),
        ([*own, *lifted], LIFTED),
        ([*lifted, *own, *own], PROFILES["learned"]),
    ):
        reported = records([*acts, *END], machine)
        assert len([event for event in reported if event.kind == "set_start"]) == 1
        loads_n = [event.load_n for event in of_all(reported) if event.kind == "rep"]
        assert loads_n[-1] == pytest.approx(LOAD_N, rel=0.02)
