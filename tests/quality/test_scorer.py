"""The scorer gives the right scores for known answers."""

from collections import Counter
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from monitor import events as records
from monitor.events import AnyEvent
from tests.quality.acts import creep
from tests.quality.analytic import (
    LEAD,
    TAIL,
    profile,
    repetition,
    signals,
)
from tests.quality.circumstances import Blind, Circumstances
from tests.quality.judge import judge, shown
from tests.quality.labels import Label, Truth
from tests.quality.scorer import SetScore, pair, pair_spans, score

A_JERK_M_S2 = 0.08 * STANDARD_GRAVITY_M_S2  # at 4/4 over 0.5 m
SLOW = Circumstances(tempo_s=4.0)


def as_reported(labels: list[Label], late_s: float = 0.06) -> list[AnyEvent]:
    """The reports of a perfect detector."""
    structs: dict[str, Any] = {str(kind.__struct_config__.tag): kind for kind in AnyEvent.__args__}
    reports: list[AnyEvent] = []
    for number, event in enumerate(labels, 1):
        struct = structs[event.kind]
        own = {name: event.own[name] for name in struct.__struct_fields__ if name in event.own and name != "rep"}
        if event.kind == "set_end":
            own |= {"counts": {}, "skill": None, "strength_n": None}
            own |= {"working_load_from": "given", "friction_from": "given", "leak": records.Leak(**event.own["leak"])}
        reports.append(
            struct(
                id=number,
                session="perfect",
                set=event.set,
                t_s=event.t_s,
                found_s=event.true_s + late_s,
                duration_s=event.duration_s,
                rep=event.rep,
                phase=event.phase,
                position_m=event.position_m,
                part_of=None if event.part_of is None else event.part_of + 1,
                **own,
            )
        )
    return reports


def outcomes(result: SetScore, kind: str) -> Counter[str]:
    return Counter(row.outcome for row in result.rows if row.kind == kind)


@pytest.fixture(scope="module")
def heaved() -> Any:
    legs = LEAD + repetition(upper_s=2.5) + repetition() + TAIL
    return judge(signals(legs, [(4.9, 0.3, 2 * A_JERK_M_S2), (13.9, 0.3, 1.1 * A_JERK_M_S2)]), profile())


def test_a_perfect_detector_is_perfect(heaved: Any) -> None:
    result = score(heaved, as_reported(heaved.nominal.events), SLOW)
    assert {row.outcome for row in result.rows} <= {"hit", "neutral"}
    assert outcomes(result, "jerk") == {"hit": 1, "neutral": 1}
    assert result.sets_exact == [True]
    assert result.bound_errors_s == pytest.approx([0.0] * len(result.bound_errors_s), abs=1e-6)
    assert all(right for _, right in result.attributes)
    assert all(true == reports for true, reports in result.grades)
    (jerk,) = [row for row in result.rows if row.kind == "jerk" and row.outcome == "hit"]
    assert jerk.known_after_s == pytest.approx(0.06)
    assert jerk.found_after_s == pytest.approx(0.12)


def test_without_reports_only_required_events_are_missed(heaved: Any) -> None:
    result = score(heaved, [], SLOW)
    assert outcomes(result, "jerk") == {"missed": 1, "neutral": 1}
    assert outcomes(result, "lockout_rest") == {"missed": 1}
    assert result.sets_exact == [False]


@pytest.mark.parametrize(
    ("events", "strict", "required"),
    [
        ([(5.0, 0.05), (5.15, 0.03)], [(5.0, 0.04)], [True, False]),  # a cable rings: the second swing is weaker
        ([(5.0, 2.0), (7.0, 4.0)], [(5.9, 5.0)], [False, True]),  # a creeping stack: which stall is it?
        ([(5.0, 0.3)], [(5.0, 0.1), (5.2, 0.1)], [True]),
        ([(5.0, 0.0), (5.2, 0.0)], [(5.15, 0.0), (5.05, 0.0)], [True, True]),
        ([(5.0, 1.0)], [(6.4, 1.0)], [False]),
    ],
)
def test_a_strict_event_makes_one_event_required(
    events: list[tuple[float, float]], strict: list[tuple[float, float]], required: list[bool]
) -> None:
    def stalls(some: list[tuple[float, float]]) -> list[Label]:
        return [Label("stall", t_s, for_s, 1, 1, "positive", 0.2) for t_s, for_s in some]

    assert shown(stalls(events), stalls(strict)) == required


def test_the_stalls_of_a_stack_that_creeps_are_one(heaved: Any) -> None:
    """It may begin anywhere in the first of them, and be divided elsewhere; a stall after a pause is another one."""

    def of(*stalls: tuple[float, float]) -> Truth:
        labels = [Label("stall", t_s, for_s, 1, 1, "positive", 0.2, true_s=t_s + 1.5) for t_s, for_s in stalls]
        truth: Truth = replace(heaved.nominal, events=labels)
        return truth

    def scored(*stalls: tuple[float, float]) -> Counter[str]:
        views = [
            of((5.0, 2.0), (7.0, 4.0), (13.0, 2.0)),
            of((5.1, 5.0), (13.1, 1.9)),
            of((4.9, 2.5), (7.4, 4.0), (13.0, 2.0)),
        ]
        judged = replace(heaved, nominal=views[0], strict=views[1], loose=views[2])
        return outcomes(score(judged, as_reported(of(*stalls).events), SLOW), "stall")

    assert scored((5.1, 5.9), (13.0, 2.0)) == {"hit": 2}
    assert scored((6.9, 1.8), (8.705, 2.3), (13.0, 2.0)) == {"hit": 2}
    assert scored((4.5, 6.5), (13.0, 2.0)) == {"missed": 1, "false": 1, "hit": 1}
    assert scored((5.1, 5.9)) == {"hit": 1, "missed": 1}


def test_where_a_creeping_stack_stalls_first_is_in_the_first_stall() -> None:
    links = [Label("stall", t_s, 2.0, 1, 1, "positive", 0.2) for t_s in (9.0, 5.0, 7.0)]
    (one,) = creep(links)
    assert (one.t_s, one.end_s, one.own) == (5.0, 11.0, {"from_s": 5.0, "to_s": 7.0})


def test_a_force_that_hovers_at_its_ceiling_exceeds_it_once(heaved: Any) -> None:
    """How often it dips below is neither right nor wrong; where it swings back to the load, it exceeds it again."""

    def of(*ceilings: tuple[float, float]) -> Truth:
        own = {"peak_tension_n": 1200.0}
        labels = [Label("force_ceiling", t_s, for_s, 1, 1, "positive", 0.2, own, true_s=t_s) for t_s, for_s in ceilings]
        truth: Truth = replace(heaved.nominal, events=labels)
        return truth

    strict, loose = of((5.1, 0.05), (5.3, 0.1), (6.0, 0.1)), of((5.0, 0.6), (6.0, 0.1))
    judged = replace(heaved, nominal=of((5.01, 0.2), (5.22, 0.3), (6.0, 0.1)), strict=strict, loose=loose)
    for reports in (((5.0, 0.5), (6.0, 0.1)), ((5.02, 0.1), (5.14, 0.1), (5.3, 0.2), (6.0, 0.1))):
        assert outcomes(score(judged, as_reported(of(*reports).events), SLOW), "force_ceiling") == {"hit": 2}
    assert outcomes(score(judged, as_reported(of((5.0, 0.5)).events), SLOW), "force_ceiling") == {"hit": 1, "missed": 1}
    once = replace(judged, nominal=of((5.01, 0.5), (6.0, 0.1)))
    parts = as_reported(of((5.02, 0.1), (5.24, 0.1), (5.4, 0.1), (6.0, 0.1)).events)
    assert outcomes(score(once, parts, SLOW), "force_ceiling") == {"hit": 2, "neutral": 1, "false": 1}


def test_what_only_the_nominal_labels_have_beside_a_strict_event_is_not_missed(heaved: Any) -> None:
    jerk = next(event for event in heaved.nominal.events if event.kind == "jerk")
    weaker = replace(jerk, t_s=jerk.end_s + 0.2, duration_s=0.05)
    nominal, loose = (replace(truth, events=[*truth.events, weaker]) for truth in (heaved.nominal, heaved.loose))
    result = score(replace(heaved, nominal=nominal, loose=loose), as_reported(heaved.nominal.events), SLOW)
    assert outcomes(result, "jerk") == {"hit": 1, "neutral": 2}


@pytest.mark.parametrize(("shift_s", "expected"), [(0.14, {"hit": 1}), (0.16, {"missed": 1, "false": 1})])
def test_tolerances_are_kept(heaved: Any, shift_s: float, expected: dict[str, int]) -> None:
    reports = [event for event in as_reported(heaved.nominal.events) if event.kind == "jerk"][:1]
    shifted = [msgspec.structs.replace(event, t_s=event.t_s - shift_s) for event in reports]
    found = outcomes(score(heaved, shifted, SLOW), "jerk")
    found.subtract({"neutral": found["neutral"]})
    assert +found == expected


def test_a_slow_cell_is_given_40_ms_more() -> None:
    assert Circumstances(4.0, slow_cell=True).tolerance_s("slack") == pytest.approx(0.09)
    assert Circumstances(4.0).tolerance_s("slack") == pytest.approx(0.05)
    assert Circumstances(10.0).tolerance_s("fault_turn") == pytest.approx(0.30)


def test_a_second_report_of_an_event_is_false(heaved: Any) -> None:
    (jerk, *_) = [event for event in as_reported(heaved.nominal.events) if event.kind == "jerk"]
    again = msgspec.structs.replace(jerk, id=999, t_s=jerk.t_s + 0.05)
    assert outcomes(score(heaved, [jerk, again], SLOW), "jerk")["false"] == 1


def test_the_first_record_counts_and_a_moved_one_is_noticed(heaved: Any) -> None:
    (jerk, *_) = [event for event in as_reported(heaved.nominal.events) if event.kind == "jerk"]
    opening = msgspec.structs.replace(jerk, t_s=jerk.t_s + 1.0, duration_s=None)
    result = score(heaved, [opening, jerk], SLOW)
    assert result.moved == 1
    assert outcomes(result, "jerk")["missed"] == 1


def test_the_nearest_pair_comes_first_and_each_once() -> None:
    assert sorted(pair([1.0, 1.1], [1.08, 1.3], lambda i, j: True, 0.25)) == [(1, 0)]
    assert sorted(pair([1.0, 1.3], [1.08, 1.25], lambda i, j: True, 0.25)) == [(0, 0), (1, 1)]
    assert pair([1.0], [1.1], lambda i, j: False, 0.25) == []


def test_a_report_is_paired_with_the_nearest_event_even_if_others_would_do() -> None:
    """The second event may have begun when the first did."""
    pairs = pair_spans([1.0, 3.0], [(1.0, 1.0), (1.0, 3.0)], [1.001, 3.01], lambda i, j: True, 0.3)
    assert pairs == [(0, 0), (1, 1)]


def test_blind_stretches_excuse_what_they_cover(heaved: Any) -> None:
    jerk = next(event for event in heaved.nominal.events if event.kind == "jerk")
    blind = Blind("LineCut", jerk.t_s - 0.1, jerk.t_s + 0.2, required=True)
    result = score(heaved, [], Circumstances(4.0, blind=(blind,)))
    assert outcomes(result, "jerk")["missed"] == 0
    assert outcomes(result, "sensor_fault") == {"missed": 1}
