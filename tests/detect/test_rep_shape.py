"""Repetitions in known movements report how they left the rest and how evenly they moved."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from monitor.detect.spine import Spine
from monitor.events import Rep
from tests.movements import LEAD_S, LOAD_N, PROFILES, Act, Down, Leg, Movement, Still

DOWN: list[Act] = [Still(0.4), Leg(0.0, 2.0), Still(0.4)]
END: list[Act] = [Down(6.0)]


def reps(acts: list[Act], name: str = "stack", upload_s: float = 0.8) -> list[Rep]:
    """The repetitions; the tension rises for `upload_s` before the stack leaves the rest."""
    samples = Movement(tuple(acts), force_hz=250.0).samples()
    rising_n = LOAD_N * np.clip((samples.t_s - LEAD_S + upload_s) / upload_s, 0.0, 1.0)
    lifting = (samples.t_s > LEAD_S - upload_s) & (samples.t_s < LEAD_S + 1.0)
    samples.force_n[lifting] = np.maximum(samples.force_n, rising_n)[lifting]
    spine = Spine(PROFILES[name], "s", feedback=False)
    events: list[Any] = spine.update(samples).events + spine.finish().events
    newest = {event.id: event for event in events}  # a repetition that goes on is sent again
    return [event for event in newest.values() if isinstance(event, Rep)]


def test_only_a_repetition_that_begins_on_the_rest_has_a_start() -> None:
    first, second = reps([Leg(1.0, 3.0), *DOWN, Leg(1.0, 2.0), *DOWN, *END])
    assert first.start is not None
    assert second.start is None


@pytest.mark.parametrize(("up_s", "grade"), [(6.0, "squeezed"), (1.6, "fair"), (0.7, "jerked")])
def test_a_start_is_graded_by_its_way_and_its_heave(up_s: float, grade: str) -> None:
    start = reps([Leg(1.0, up_s), *DOWN, Leg(1.0, 2.0), *DOWN, *END])[0].start
    assert start is not None
    assert start.grade == grade
    assert start.upload_s >= 0
    # minimum jerk over 0.53 m reaches 3 mm and 25 mm after these shares of its time
    assert start.first_25_mm_s == pytest.approx((0.182 - 0.084) * up_s, abs=0.12 * up_s)


def test_a_steep_upload_is_not_squeezed() -> None:
    acts: list[Act] = [Leg(1.0, 6.0), *DOWN, *END]
    squeezed, steep = (reps(acts, upload_s=upload_s)[0].start for upload_s in (0.8, 0.1))
    assert squeezed is not None
    assert steep is not None
    assert (squeezed.grade, steep.grade) == ("squeezed", "fair")
    assert squeezed.upload_s - steep.upload_s == pytest.approx(0.9 * (0.8 - 0.1), abs=0.1)


def test_dips_are_stops_within_a_movement() -> None:
    two_stops: list[Act] = [Leg(0.3, 1.0), Still(0.3), Leg(0.6, 1.0), Still(0.3), Leg(1.0, 1.2)]
    one_stop: list[Act] = [Still(0.4), Leg(0.5, 1.0), Still(0.3), Leg(0.0, 1.0), Still(0.4)]
    first, second, _ = reps([Leg(1.0, 2.0), *DOWN, *two_stops, *one_stop, Leg(1.0, 2.0), *DOWN, *END])
    assert first.segmented is not None
    assert (first.segmented.positive, first.segmented.negative) == (0, 0)
    assert second.segmented is not None
    assert (second.segmented.positive, second.segmented.negative) == (2, 1)


def test_a_start_after_a_long_rest_does_not_depend_on_how_much_is_kept() -> None:
    once: list[Act] = [Leg(1.0, 2.0), *DOWN]
    samples = Movement((*once, Down(98.0), *once, Down(80.0), *once, *END), position_hz=100.0).samples()
    pieces = np.searchsorted(samples.t_s, np.arange(0.5, float(samples.t_s.max()), 0.5)).tolist()
    starts = []
    for edges in ([0, len(samples)], [0, *pieces, len(samples)]):
        spine = Spine(PROFILES["stack"], "s", feedback=False)
        events = [event for a, b in pairwise(edges) for event in spine.update(samples.rows(slice(a, b))).events]
        starts.append([event.start for event in events if isinstance(event, Rep)])
    assert starts[0][-1] is not None
    assert starts[0] == starts[1]
