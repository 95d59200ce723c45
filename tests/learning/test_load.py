"""Load and friction are learned from the first repetition, whoever lifts it and however (EVENTS.md 10)."""

from typing import Any

import numpy as np
import pytest

from firmware_bridge.samples import Samples
from monitor.detect.spine import Spine
from monitor.events import LoadChange, Rep, SetEnd
from monitor.learning.load import lowered
from monitor.profile.limits import limits_of
from monitor.signals.signal_window import SignalWindow
from tests.movements import (
    FRICTION,
    LOAD_N,
    PROFILES,
    REST_M,
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


@pytest.mark.parametrize(("up_s", "down_s"), [(2.0, 2.0), (1.0, 2.0), (1.0, 1.0), (2.0, 1.0), (0.7, 2.0)])
def test_one_repetition_teaches_load_and_friction_though_it_is_thrown(up_s: float, down_s: float) -> None:
    rep: list[Act] = [Leg(1.0, up_s), Still(0.4), Leg(0.0, down_s), Still(1.0)]
    spine = Spine(PROFILES["learned"], "s")
    spine.update(Movement((Leg(0.0, 0.5), Still(0.4), *rep)).samples())
    assert spine.limits.load_n == pytest.approx(LOAD_N, rel=0.005)
    assert spine.limits.friction == pytest.approx(FRICTION, abs=0.01)


@pytest.mark.parametrize(("up_s", "down_s", "late_s"), [(0.8, 0.8, 0.018), (0.6, 2.0, 0.012)])
def test_a_late_cell_does_not_spoil_the_load_of_a_violent_repetition(up_s: float, down_s: float, late_s: float) -> None:
    rep: list[Act] = [Leg(1.0, up_s), Still(0.1), Leg(0.0, down_s), Still(1.0)]
    rows = Movement((Leg(0.0, 0.5), Still(0.4), *rep)).samples()
    t_s = rows.t_s + np.where(np.isnan(rows.force_n), 0.0, late_s)
    order = np.argsort(t_s, kind="stable")
    spine = Spine(PROFILES["learned"], "s")
    spine.update(Samples(t_s[order], rows.position_m[order], rows.force_n[order], rows.flags[order]))
    assert spine.limits.load_n == pytest.approx(LOAD_N, rel=0.005)


def test_many_violent_repetitions_teach_no_friction_that_each_of_them_contradicts() -> None:
    """A few moments of each are even, and those of many together would be enough."""
    violent: list[Act] = [Leg(0.8, 0.5), Still(0.1), Leg(0.0, 0.5), Still(0.1)]
    spine = Spine(profile(working_load_n=None, friction=None, positive_s=1.0, negative_s=1.0), "s")
    spine.update(Movement((Leg(0.0, 0.5), Still(0.4), *violent * 40)).samples())
    assert spine.limits.friction is None or spine.limits.friction == pytest.approx(FRICTION, abs=0.02)


def test_a_load_that_a_trainer_lifts_unevenly_is_learned_from_its_way_down() -> None:
    lifted: list[Act] = [Helped(0.3, 0.8, 0.05), Helped(0.6, 0.8, 0.2), Helped(1.0, 0.9, 0.08), Still(0.8)]
    spine = Spine(profile(working_load_n=None), "s")
    spine.update(Movement((Helped(0.0, 0.5, 0.05), *lifted, Leg(0.0, 4.0), Still(1.0))).samples())
    assert spine.limits.load_n == pytest.approx(LOAD_N, rel=0.01)


def test_a_long_rest_before_the_lift_is_no_trainer() -> None:
    """The turn before the lift may lie where the stack last sank into its rubber, seconds before."""
    rest, way = 1000, 400  # moments
    signals = SignalWindow()
    signals.first = 0
    signals.v[: rest + 2 * way] = np.repeat((0.0, 0.2, -0.2), (rest, way, way))
    signals.tension[: rest + 2 * way] = np.repeat((0.0, 640.0, 560.0), (rest, way, way))
    up, down = (0, rest + way), (rest + way, rest + 2 * way)
    assert lowered(signals, limits_of(profile()), (), up, down) is None
    signals.tension[rest : rest + way] = 30.0  # that somebody else leaves to the cable
    assert lowered(signals, limits_of(profile()), (), up, down) == 560.0


def test_a_silence_in_the_lowering_leaves_what_else_was_carried() -> None:
    way = 400  # moments
    signals = SignalWindow()
    signals.first = 0
    signals.v[: 2 * way] = np.repeat((0.2, -0.2), way)
    signals.tension[: 2 * way] = np.repeat((30.0, 560.0), way)
    signals.tension[500:600] = np.nan
    signals.tension[700:750] = 5000.0
    up, down, doubted = (0, way), (way, 2 * way), [(20, 60), (480, 610), (700, 750)]
    assert lowered(signals, limits_of(profile()), doubted, up, down) == 560.0
    assert lowered(signals, limits_of(profile()), [(way, 2 * way - 20)], up, down) is None


def test_a_stack_that_bounces_as_it_leaves_its_rest_does_not_confirm_the_load_before() -> None:
    rep: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    bounce: list[Act] = [Leg(-0.04, 0.2), Leg(-0.0625, 0.1), Leg(0.0, 0.5), Still(0.4)]
    acts = (Leg(0.0, 0.5), Still(0.4), *rep, Down(2.0), Pin(0.8), *bounce, *rep, Down(6.0))
    spine = Spine(profile(working_load_n=None), "s")
    events: list[Any] = list(spine.update(Movement(acts).samples()).events)
    changes = [(event.from_n, event.to_n) for event in events if event.kind == "load_change"]
    assert changes == [pytest.approx((LOAD_N, 0.8 * LOAD_N), rel=0.01)]
    assert spine.limits.selected_n == pytest.approx(0.8 * LOAD_N, rel=0.01)


@pytest.mark.parametrize("rest_s", [0.2, 0.6])
def test_a_stack_that_hops_off_its_rest_confirms_no_load_and_is_lifted_after_it(rest_s: float) -> None:
    """Nobody moves a pin between a hop of a sticking stack and its lift, nor is a hop the lift."""
    rep: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    hop: list[Act] = [Leg(-0.04, 0.1), Leg(-0.0625, 0.1), Down(rest_s, 0.02)]
    acts = (Leg(0.0, 0.5), Still(0.4), *rep, Down(1.2), Pin(2.0), *hop, *rep, Down(6.0))
    spine = Spine(profile(working_load_n=None), "s")
    events: list[Any] = list(spine.update(Movement(acts).samples()).events)
    [change] = [event for event in events if event.kind == "load_change"]
    assert (change.from_n, change.to_n) == pytest.approx((LOAD_N, 2 * LOAD_N), rel=0.01)
    _, rep_s = {event.id: event.t_s for event in events if event.kind == "rep"}.values()
    assert change.t_s == pytest.approx(rep_s, abs=0.1)
    assert not [event for event in events if event.kind in ("force_ceiling", "assist", "sensor_fault")]


@pytest.mark.parametrize(("pause", "sent"), [([Still(0.4)], [LOAD_N] * 2), ([Down(1.5)], [None, LOAD_N])])
def test_repetitions_are_sent_again_with_the_load_that_is_learned_later(
    pause: list[Act], sent: list[float | None]
) -> None:
    """Somebody helps in the first one, so no load fits it. While the stack rests, somebody may move the pin."""
    helped: list[Act] = [Helped(0.4, 1.0, 0.8), Leg(1.0, 1.2), Still(0.4), Leg(0.0, 2.0), *pause]
    rep: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), Still(1.0)]
    spine = Spine(PROFILES["learned"], "s")
    events = spine.update(Movement((Leg(0.0, 0.5), Still(0.4), *helped, *rep)).samples()).events
    reps = list({event.id: event for event in events if isinstance(event, Rep)}.values())
    assert [rep.load_n for rep in reps] == [load_n and pytest.approx(load_n, rel=0.01) for load_n in sent]
    assert [rep.in_band_s is not None for rep in reps] == [load_n is not None for load_n in sent]


def test_a_repetition_that_ends_lower_than_reported_keeps_its_load() -> None:
    """It touches the rest, stands there until the next load is only presumed, and sinks a little further."""
    rep: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    touch: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(-0.0573, 2.0), Tug(0.0, 1.5), Down(3.0, 0.1)]
    spine = Spine(PROFILES["learned"], "s")
    events = spine.update(Movement((Leg(0.0, 0.5), Still(0.4), *rep, *touch)).samples()).events
    sent = [event for event in events if isinstance(event, Rep) and event.rep == 2]
    assert len(sent) == 2
    assert [rep.load_n for rep in sent] == [pytest.approx(LOAD_N, rel=0.01)] * 2
    assert sent[1].in_band_s is not None


@pytest.mark.parametrize("friction", [FRICTION, None])
def test_another_load_begins_where_the_cable_carries_it(friction: float | None) -> None:
    """Somebody lifts the stack off its rest, leaves a fifth of the new load to the cable and hands it over."""
    rep: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    before: list[Act] = [Leg(0.0, 0.5), Still(0.4), *rep, *rep, Down(2.0)]
    handed: list[Act] = [Pin(0.7), Helped(0.0, 0.5, 0.2), Tug(0.2, 1.5)]
    spine = Spine(profile(working_load_n=None, friction=friction), "s")
    events = spine.update(Movement((*before, *handed, Still(0.4), *rep, *rep, Down(7.0))).samples()).events
    (change,) = (event for event in events if isinstance(event, LoadChange))
    assert change.t_s == pytest.approx(1.0 + 0.9 + 2 * 4.8 + 2.4 + 0.5 + 1.5, abs=0.05)


def test_a_load_that_is_only_presumed_is_not_the_working_load() -> None:
    """Another pin, and somebody who pulls at the stack again and again: the load cannot be confirmed."""
    rep: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    first: list[Act] = [Leg(0.0, 0.5), Still(0.4), *rep, *rep, Down(7.0)]
    rows = Movement((*first, Pin(0.7), *rep, *rep, Down(7.0))).samples()
    pulls = (rows.t_s > 18.0) & (rows.t_s % 0.4 < 0.2)
    force_n = np.where(pulls, 0.5, 1.0) * rows.force_n
    events = Spine(PROFILES["learned"], "s").update(Samples(rows.t_s, rows.position_m, force_n, rows.flags)).events
    ends = [event for event in events if isinstance(event, SetEnd)]
    assert [end.reps for end in ends] == [2, 2]
    assert [end.working_load_n for end in ends] == [pytest.approx(LOAD_N, rel=0.01), None]
    assert [end.working_load_from for end in ends] == ["learned", "unknown"]
    assert [stretch.load_n for end in ends for stretch in end.loads][1] is None


@pytest.mark.parametrize("name", ["stack", "learned"])
def test_a_blow_that_lifts_the_stack_begins_on_its_rest_whether_the_load_is_known_or_learned_later(name: str) -> None:
    rep: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    heave: list[Act] = [Leg(0.6, 0.5), Leg(1.0, 1.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    rows = Movement((Leg(0.0, 0.5), Still(0.4), *rep, Down(3.0), *heave, *rep, Down(6.0))).samples()
    leaves_s = rows.t_s[(rows.t_s > 9.0) & (rows.position_m > REST_M + 0.003)][0]
    pulled = (rows.t_s > leaves_s - 0.05) & (rows.t_s <= leaves_s) & ~np.isnan(rows.force_n)
    force_n = np.where(pulled, 1.9 * LOAD_N, rows.force_n)
    events = Spine(PROFILES[name], "s").update(Samples(rows.t_s, rows.position_m, force_n, rows.flags)).events
    begun_s = [event.t_s for event in events if event.kind == "force_ceiling"]
    assert begun_s == pytest.approx([leaves_s - 0.04] * 2, abs=0.01), "when it opens and when it closes"
