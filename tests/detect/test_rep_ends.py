"""Which movements end as a repetition, and when that is known (EVENTS.md 1.3 and 5)."""

from typing import Any

import numpy as np
import pytest

from firmware_bridge.samples import Samples
from monitor.detect.spine import Spine
from tests.detect.stories import EASE_S, END, STARTED_S, of, only, story
from tests.movements import BOTTOM_M, LOAD_N, PROFILES, REST_M, TOP_M, Act, Helped, Leg, Movement, Still, Tug

ON_REST = (REST_M - BOTTOM_M) / (TOP_M - BOTTOM_M)
TOSSED: list[Act] = [Helped(0.6, 1.0, 0.0), Tug(0.0, 1.0), Helped(ON_REST, 0.4, 0.0), Tug(0.0, 8.0)]


@pytest.mark.parametrize("name", ["stack", "learned", "unranged"])
def test_a_pull_at_the_rest_makes_no_repetition_of_a_stack_that_was_lifted_and_dropped(name: str) -> None:
    """Rubber that decompresses moves the stack by a millimetre, and it stands again."""
    rows = Movement(tuple(TOSSED)).samples()
    pulled = (rows.t_s > 6.0) & (rows.t_s < 10.0)
    force_n = np.where(pulled & ~np.isnan(rows.force_n), 0.8 * LOAD_N, rows.force_n)
    higher_m = 0.0015 * np.clip((rows.t_s - 7.0) / 0.02, 0.0, 1.0)
    spine = Spine(PROFILES[name], "s")
    events: list[Any] = spine.update(Samples(rows.t_s, rows.position_m + higher_m, force_n, rows.flags)).events
    assert not [event for event in events if event.kind == "rep"]


@pytest.mark.parametrize("bottom", [0.0, 0.15])
def test_the_first_repetition_is_reported_soon_though_the_range_is_not_known(bottom: float) -> None:
    """A lifter who waits at the bottom waits at the lowest turn that the set has had."""
    acts: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(bottom, 2.0), Still(12.0), Leg(1.0, 2.0), Leg(0.0, 2.0), *END]
    first = only([rep for rep in of("rep", acts, "unranged") if rep.rep == 1])
    assert first.found_s < first.t_s + first.duration_s + 0.65


@pytest.mark.parametrize(("pause", "way_s"), [(0.5, 2.0), (0.15, 2.4)])
def test_a_pause_on_the_way_down_does_not_end_the_range(pause: float, way_s: float) -> None:
    """If it did, the lifter would be too fast for it, and wait on a stop below it."""
    up: list[Act] = [Leg(1.0, way_s), Still(0.4)]
    first: list[Act] = [*up, Leg(pause, way_s), Still(1.0), Leg(0.0, way_s), Still(1.0)]
    later: list[Act] = [*up, Leg(0.0, way_s), Still(8.0), *up, Leg(0.0, way_s)]
    events, _ = story([Leg(0.0, 0.5), Still(0.4), *first, *later, *END], "unranged")
    assert not [event for event in events if event.kind == "speed_over"]
    assert [event.reps for event in events if event.kind == "set_end"] == [3]


def test_one_and_a_half_repetitions_show_the_whole_range() -> None:
    """Each half repetition turns in the middle, and each whole one begins or ends there."""
    pair: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.5, 2.0), Still(0.4), Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0)]
    events, spine = story([Leg(0.0, 0.5), Still(0.4), *[*pair, Still(0.4)] * 5, *END], "unranged")
    limits = spine.limits
    assert (limits.bottom_m, limits.top_m) == pytest.approx((BOTTOM_M - REST_M, TOP_M - REST_M), abs=0.01)
    assert not [event for event in events if event.kind == "speed_over" and event.rep > 2]  # until it is seen


@pytest.mark.parametrize("tremors", [1, 2, 3])
def test_a_hand_that_trembles_at_the_bottom_does_not_delay_a_repetition(tremors: int) -> None:
    """The stack stands for a quarter of a second, is moved by 2 mm as fast as a turn allows, and stands again."""
    trembles: list[Act] = [Still(0.25)]
    for number in range(1, tremors + 1):
        trembles += [Leg(0.004 * (number % 2), 0.12), Still(0.25)]
    acts: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), *trembles]
    first = only([rep for rep in of("rep", [*acts, *acts, *END], "stack") if rep.rep == 1])
    assert first.found_s <= STARTED_S + 4.4 - EASE_S + 0.6
