"""Static efforts in a stream of samples, and the course that leads from place to place."""

import re

import numpy as np
import pytest

from firmware_bridge.samples import Samples
from monitor.profile.limits import limits_of
from monitor.profile.strength import Effort
from monitor.profile.weights import shown_in
from monitor.strength.efforts import EffortFinder, Moved
from monitor.strength.guided import StrengthCourse
from tests.movements import profile

REST_M = 0.25


def push(force_n: float, place_m: float, hold_s: float = 3.0, moves_m: float = 0.0) -> Samples:
    """Two seconds of nothing, a rise of one second, the effort, the fall, two seconds of nothing; at 100 Hz."""
    times_s = np.array([0.0, 2.0, 3.0, 3.0 + hold_s, 3.5 + hold_s, 6.0 + hold_s])
    t_s = np.arange(0.0, times_s[-1], 0.01)
    force = np.interp(t_s, times_s, [0.0, 0.0, force_n, force_n, 0.0, 0.0])
    force += np.random.default_rng(1).normal(0.0, 2.0, len(t_s))
    place = np.interp(t_s, times_s, [0.0, 0.0, moves_m, moves_m, 0.0, 0.0]) + REST_M + place_m
    return Samples(t_s, place, force, np.zeros(len(t_s), np.uint8))


def after(earlier_s: float, samples: Samples) -> Samples:
    return Samples(samples.t_s + earlier_s, samples.position_m, samples.force_n, samples.flags)


def found(*pushes: Samples, size: int = 10_000) -> list[Effort | Moved]:
    finder, all_, begun_s = EffortFinder(50.0, REST_M), [], 0.0
    for one in pushes:
        rows = after(begun_s, one)
        begun_s += float(one.t_s[-1]) + 0.01
        for at in range(0, len(rows), size):
            part = slice(at, at + size)
            all_ += finder.add(Samples(rows.t_s[part], rows.position_m[part], rows.force_n[part], rows.flags[part]))
    return all_


def test_an_effort_has_its_highest_second_and_its_place() -> None:
    (effort,) = found(push(800.0, 0.10))
    assert isinstance(effort, Effort)
    assert effort.force_n == pytest.approx(800.0, abs=3.0)
    assert effort.position_m == pytest.approx(0.10, abs=0.001)


def test_the_pieces_do_not_matter() -> None:
    pushes = (push(800.0, 0.10), push(900.0, 0.20))
    assert found(*pushes) == found(*pushes, size=7)


def test_a_short_push_is_not_an_effort() -> None:
    assert found(push(800.0, 0.10, hold_s=0.3)) == []


def test_a_movement_is_not_a_static_effort() -> None:
    (moved,) = found(push(800.0, 0.10, moves_m=0.08))
    assert isinstance(moved, Moved)
    assert moved.by_m == pytest.approx(0.08, abs=0.045)


def test_the_course_asks_for_other_places_until_there_are_enough() -> None:
    said: list[str] = []
    course = StrengthCourse(limits_of(profile()), 3, said.append)
    course.begin()
    begun_s = 0.0
    pushes = (push(700.0, 0.05), push(750.0, 0.06), push(900.0, 0.25, moves_m=0.1), push(900.0, 0.25), push(600.0, 0.5))
    for one in pushes:
        assert not course.complete
        course.add(after(begun_s, one))
        begun_s += float(one.t_s[-1]) + 0.01
    assert course.complete
    assert [round(one.force_n, -1) for one in course.efforts] == [750.0, 900.0, 600.0]
    with shown_in("lb"):
        course.efforts.clear()
        course.add(after(begun_s, push(700.0, 0.05)))
    text = " ".join(said)
    assert re.search(r"[67]\d\d N \(15\d\.\d lb\) at 5\.0 cm", text)
    asked = ("Place 1 of 3: a place near the bottom", "Place 3 of 3: another place")
    for words in ("3 places", *asked, "the same place", "lock it"):
        assert words in text
