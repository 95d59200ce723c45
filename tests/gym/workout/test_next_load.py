"""The next load and its reason, case by case."""

import pytest

from monitor.gym.workout.next_load import suggest
from monitor.gym.workout.visits import VisitSet
from tests.gym.workout.floor_rows import KG, visit_set

PLATES_N = [kg * KG for kg in (80, 90, 100, 110, 120)]


@pytest.mark.parametrize(
    ("last", "before", "load_kg", "change", "reason"),
    [
        (visit_set(97, True), None, 110, "up", "97 s under load, above the window of 60 to 90 s, at failure: one"),
        (visit_set(97, True, skill=None), None, 110, "up", "one plate up"),
        (visit_set(97, True, skill=0.8), None, 110, "up", "one plate up"),
        (visit_set(97, True, skill=0.79), None, 100, "same", "with a skill of 0.79: 0.8 comes first"),
        (visit_set(97, False), None, 100, "same", "above the window of 60 to 90 s, but not to failure: go to failure"),
        (visit_set(97, True, skill=0.7999), None, 100, "same", "with a skill of 0.79: 0.8 comes first"),
        (visit_set(90.4, True), None, 100, "same", "90 s under load, in the window"),
        (visit_set(90.6, True), None, 110, "up", "91 s under load, above the window"),
        (visit_set(60, True), None, 100, "same", "60 s under load, in the window"),
        (visit_set(90, True), None, 100, "same", "in the window"),
        (visit_set(75, False), None, 100, "same", "in the window"),
        (visit_set(50, False), None, 100, "same", "below the window of 60 to 90 s, but not to failure"),
        (visit_set(50, True), None, 100, "same", "for the first time with this load: once more"),
        (visit_set(50, True), visit_set(97, True), 100, "same", "for the first time"),
        (visit_set(50, True), visit_set(50, False), 100, "same", "for the first time"),
        (visit_set(50, True), visit_set(55, True, 110 * KG), 100, "same", "for the first time"),
        (visit_set(50, True), visit_set(55, True, None), 100, "same", "for the first time"),
        (visit_set(50, True), visit_set(55, True), 90, "down", "at failure, as in the set before: one plate down."),
        (visit_set(50, True), visit_set(55, True, 103 * KG), 90, "down", "as in the set before"),
        (visit_set(97, True, 98.6 * KG), None, 110, "up", "one plate up"),  # the load was learned
        (visit_set(75, True, 98.6 * KG), None, 100, "same", "in the window"),
        (visit_set(97, True, 122 * KG), None, 120, "same", "it is the heaviest load of the machine"),
        (visit_set(50, True, 80 * KG), visit_set(50, True, 80 * KG), 80, "same", "it is the lightest load"),
        (visit_set(97, True, 140 * KG), None, None, "up", "the last load matches no plate of the machine"),
        (visit_set(97, True, None), None, None, None, "The load of the last set is not known."),
        (None, None, None, None, "No set on this machine yet."),
    ],
)  # fmt: skip
def test_the_next_load_has_its_reason(
    last: VisitSet | None, before: VisitSet | None, load_kg: float | None, change: str | None, reason: str
) -> None:
    found = suggest(last, 60, 90, PLATES_N[::-1], before)
    assert found.load_n == (None if load_kg is None else load_kg * KG)
    assert found.change == change
    assert reason in found.reason
    assert found.reason.endswith(".")


def test_without_plates_no_number_is_named() -> None:
    up = suggest(visit_set(97, True), 60, 90, [])
    assert (up.load_n, up.change) == (None, "up")
    assert "plates are not known" in up.reason
    assert suggest(visit_set(75, True), 60, 90, []).load_n == 100 * KG


def test_a_machine_with_one_load_has_no_other() -> None:
    assert suggest(visit_set(97, True), 60, 90, [100 * KG]).change == "same"
    assert suggest(visit_set(97, True), 60, 90, [120 * KG]).load_n is None
