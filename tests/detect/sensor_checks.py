"""Checks the reports about sensors: gaps, a slipped encoder, a drifting zero, a wrong load."""

from typing import Any

import numpy as np
import pytest

from firmware_bridge.samples import Samples
from monitor.detect.spine import Spine
from tests.detect.feeding import feed, last_records
from tests.detect.stories import EASE_S, END, REP, STARTED_S, UP, of, only, story
from tests.movements import (
    BOTTOM_M,
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
    Still,
    Trouble,
    Tug,
)


def a_rest_elsewhere_moves_the_zero() -> None:
    """Nothing stands below the rest; a stack that stands a little above it twice rests there."""
    acts = [*REP, Down(1.0), *REP, *END]
    for higher_m, first_off_m in ((0.008, 0.008), (-0.008, 0.0)):
        events, _ = story(acts, higher_m=higher_m)
        slip = only([event for event in events if event.kind == "sensor_fault"])
        assert (slip.cause, slip.detail) == ("encoder_slip", f"{higher_m * 1000:.1f} mm")
        assert [event.kind for event in events].count("stack_touch") == 2
        assert [event.kind for event in events].count("set_end") == 1
        tops = [event.position_m for event in events if event.kind == "turnaround" and event.at == "upper"]
        assert tops == pytest.approx([TOP_M - REST_M + first_off_m, TOP_M - REST_M], abs=0.002)


def a_tug_at_a_stack_above_its_rest_is_no_second_contact() -> None:
    """Something low holds the stack: it was not lifted in between, so it has not come back to that height."""
    low = (REST_M + 0.008 - BOTTOM_M) / (TOP_M - BOTTOM_M)
    tugged: list[Act] = [Leg(low, 1.0), Tug(0.0, 2.0), Tug(0.3, 0.3), Tug(0.0, 2.0), Leg(0.0, 0.5), Still(0.4)]
    assert not of("sensor_fault", [*tugged, *REP, *REP, *END])


HOVER: list[Act] = [Leg((REST_M + 0.012 - BOTTOM_M) / (TOP_M - BOTTOM_M), 0.6), Still(1.2)]


def with_lost_counts(acts: list[Act], lost_m: float) -> list[Any]:
    """The last records of a set in whose second positive the encoder loses this way, unseen."""
    rows = Movement((Leg(0.0, 0.5), Still(0.4), *REP, *acts)).samples()
    lost = np.clip((rows.t_s - STARTED_S - 4.8) / 2.0, 0.0, 1.0)
    spoiled = Samples(rows.t_s, rows.position_m - lost_m * lost, rows.force_n, rows.flags)
    return last_records(feed(Spine(PROFILES["stack"], "s"), spoiled))


def nothing_is_below_a_rest() -> None:
    """The stack hovers at 12 mm, or sinks, where the encoder shows -8 mm: it does not rest until the cable lets go."""
    for hovers in (HOVER, []):
        acts: list[Act] = [*REP, *hovers, Down(6.0, 0.7)]
        events = with_lost_counts(acts, 0.02)
        touch = only([event for event in events if event.kind == "stack_touch"])
        rest = only([event for event in events if event.kind == "bottom_rest"])
        sound = only(of("stack_touch", [*REP, *acts]))
        assert touch.t_s == pytest.approx(sound.t_s, abs=0.05)
        assert rest.t_s == touch.t_s
        slip = only([event for event in events if event.kind == "sensor_fault"])
        assert (slip.cause, slip.detail) == ("encoder_slip", "-20.0 mm")


def a_rest_that_is_found_late_was_reached_early() -> None:
    """The stack rests at 6 mm, as the encoder shows it: the second contact at that height proves it."""
    acts: list[Act] = [*REP, Down(2.0), *REP, *END]
    events = with_lost_counts(acts, -0.006)
    touch = only([event for event in events if event.kind == "stack_touch"])
    end = only([event for event in events if event.kind == "set_end"])
    _, sound = of("stack_touch", [*REP, *acts])
    assert touch.t_s == pytest.approx(sound.t_s, abs=0.05)
    assert end.t_s == pytest.approx(sound.t_s, abs=0.2)


def a_loose_cable_is_not_a_rest() -> None:
    """Not if it is loose for less than the hold, at a height where a slipped encoder could show the rest."""
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


def the_cell_shows_a_landing_while_the_encoder_is_silent() -> None:
    acts_s = 0.5 + 0.4 + 4.8 + 0.4 + 6.0
    dead = Trouble("position gap", (acts_s - 6.2) / acts_s, 3.0)
    touch = only(of("stack_touch", [*REP, *END], troubles=(dead,)))
    assert touch.t_s == pytest.approx(LEAD_S + acts_s - 6.0, abs=0.08)
    assert touch.found_s < touch.t_s + 0.9  # it waits for the encoder, then for the longest throw


def a_silence_does_not_repeat_the_contact_before_it() -> None:
    acts_s = 0.5 + 0.4 + 4.8 + 0.4 + 6.0
    dead = Trouble("position gap", (acts_s - 3.0) / acts_s, 0.6)
    before, after = of("stack_touch", [*REP, *END], troubles=(dead,))
    assert after.t_s >= before.t_s + before.duration_s


def a_touch_in_doubt_begins_at_the_contact() -> None:
    """The encoder has jumped: until the stack has stood on its rest, only the standstill shows where that is."""
    acts: list[Act] = [*REP, *REP, Down(6.0, 1.2)]
    sound = only(of("stack_touch", acts))
    doubted = only(of("stack_touch", acts, troubles=(Trouble("jump", 0.4, 1.0),)))
    assert doubted.t_s == pytest.approx(sound.t_s, abs=0.05)


def a_dwell_goes_on_over_a_silence() -> None:
    acts_s = 0.5 + 0.4 + 4.8 + 2.0 + 4.8 + 6.4
    silence = Trouble("gap", 6.8 / acts_s, 0.3)
    _, second = of("rep", [*REP, Still(2.0), *REP, *END], troubles=(silence,))
    assert second.t_s == pytest.approx(LEAD_S + 0.9 + 4.8 + 2.0 + EASE_S, abs=0.05)


def a_given_load_that_nobody_pulls_is_reported() -> None:
    faults = of("sensor_fault", [*REP, *REP, *REP, *END], "misread")
    assert "load" in [fault.cause for fault in faults]


def a_drifting_zero_is_followed() -> None:
    acts: list[Act] = [*REP, *REP, Down(30.0), *REP, *REP, *END]
    rows = Movement((Leg(0.0, 0.5), Still(0.4), *acts)).samples()
    spine = Spine(PROFILES["learned"], "s")
    spine.update(Samples(rows.t_s, rows.position_m, rows.force_n + 0.2 * rows.t_s, rows.flags))  # 12 N a minute
    assert spine.limits.selected_n == pytest.approx(LOAD_N, rel=0.01)
    assert spine.limits.zero_n == pytest.approx(0.2 * rows.t_s[-1], abs=1.0)


def a_force_that_leaves_its_load_is_a_sensor_fault() -> None:
    """Two repetitions are 10 % heavier, up and down, and the stack never rested."""
    heavier: list[Act] = [Helped(1.0, 2.0, 1.1), Tug(1.1, 0.4), Helped(0.0, 2.0, 1.1), Tug(1.1, 0.4)]
    events, _ = story([*REP, *REP, *heavier, *heavier, *REP, *END], "learned")
    fault = only([event for event in events if event.kind == "sensor_fault"])
    assert fault.cause == "mismatch"
    assert fault.t_s == pytest.approx(STARTED_S + 2 * 4.8, abs=0.3)
    assert fault.duration_s == pytest.approx(2 * 4.8, abs=0.7)
    early = [event for event in events if event.kind == "assist" and event.t_s < fault.t_s + 2 * 4.0]
    assert len(early) == 4
    assert {event.part_of for event in early} == {fault.id}
