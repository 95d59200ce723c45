"""By the whole contract, the labeller describes repetitions: start, dips, sticking, failure, dwell."""

from typing import Any

import numpy as np
import pytest

from tests.quality.analytic import BOTTOM_M, LEAD, LOAD_N, TAIL, TOP_M, Leg, profile, repetition, signals
from tests.quality.judge import judge
from tests.quality.whole_contract import A_JERK_M_S2, FIRST_S, HALF_M, during, one, whole


def grade_of(lead: list[Leg], pulses: list[tuple[float, float, float]] | None = None, upload_s: float = 1.0) -> Any:
    given = signals([*lead, *repetition()[1:], *repetition(), *TAIL], pulses)
    moves_s = float(given.t_s[np.argmax(given.position_m > 0.0006)])
    ramp = np.clip((given.t_s - moves_s + upload_s) / upload_s, 0, 1)
    loading = given.t_s <= moves_s
    return whole(given._replace(tension_n=np.where(loading, ramp * LOAD_N, given.tension_n))).of("rep")[0].own


def test_a_squeezed_start_is_slow_in_force_and_way() -> None:
    slow = [Leg(3.0, 0.0), Leg(5.0, TOP_M)]
    own = grade_of(slow)
    assert own["start_grade"] == "squeezed"
    assert own["start"]["upload_s"] == pytest.approx(0.9 + 0.2, abs=0.1)  # until it is 3 mm high
    assert own["start"]["first_25_mm_s"] == pytest.approx(0.5, abs=0.1)
    assert grade_of(slow, upload_s=0.15)["start_grade"] == "fair"
    assert grade_of([Leg(3.0, 0.0), Leg(2.0, TOP_M)])["start_grade"] == "fair"
    assert grade_of(slow, [(3.55, 0.2, 2.5 * A_JERK_M_S2)])["start_grade"] == "jerked"
    second = whole(signals(LEAD + repetition() * 2 + TAIL)).of("rep")[1]
    assert second.own["start"] is None


def test_dips_are_stops_within_a_phase_not_its_ends() -> None:
    def dips(*legs: Leg) -> tuple[int, int]:
        own = whole(signals([*LEAD, *repetition(), *legs, *repetition(), *TAIL])).of("rep")[1].own
        return own["dips_positive"], own["dips_negative"]

    assert dips(*repetition()) == (0, 0)
    segmented = [Leg(1.3, 0.2), Leg(0.3, 0.2), Leg(1.3, 0.37), Leg(0.3, 0.37), Leg(1.3, TOP_M), *repetition()[1:]]
    assert dips(*segmented) == (2, 0)


def test_a_standstill_counts_as_sticking_and_a_jerk_after_it_as_a_shove() -> None:
    legs = [Leg(2.0, HALF_M), Leg(0.5, HALF_M), Leg(2.0, TOP_M), *repetition()[1:]]
    stuck_s = FIRST_S + 2.0 + 0.5
    truth = whole(signals(LEAD + repetition() + legs + TAIL, [(stuck_s + 8.85, 0.25, 2 * A_JERK_M_S2)]))
    assert [rep.own["sticking"] for rep in truth.of("rep")] == [False, True]
    assert one(truth, "jerk").own["cause"] == "shove"
    smooth = whole(signals(LEAD + repetition() * 2 + TAIL, [(5.2, 0.25, 2 * A_JERK_M_S2)]))
    assert one(smooth, "jerk").own["cause"] == "mid"


def test_a_failure_says_how_long_the_lifter_kept_pushing() -> None:
    fails = [Leg(2.0, HALF_M), Leg(8.0, HALF_M), Leg(3.0, BOTTOM_M)]
    given = signals(LEAD + repetition() + fails + TAIL)
    stall_s = FIRST_S + 8.8 + 2.0 - 0.12
    given = during(given, stall_s + 5.0 + 2.5, stall_s + 8.1, 0.7 * LOAD_N)
    failure = one(whole(given), "failure")
    assert failure.t_s == pytest.approx(stall_s + 5.0, abs=0.1)
    assert failure.own["held_s"] == pytest.approx(2.5, abs=0.15)


def test_a_failure_is_met_at_the_same_time_however_strict_its_limit_is() -> None:
    """A stall of 4.5 s: whether it is a failure depends on that, but not when."""
    fails = [Leg(2.0, HALF_M), Leg(4.5, HALF_M), Leg(3.0, TOP_M), Leg(3.0, BOTTOM_M)]
    judged = judge(signals(LEAD + repetition() + fails + TAIL), profile(), whole=True)
    assert not judged.nominal.of("failure")
    assert one(judged.loose, "failure").t_s == pytest.approx(one(judged.loose, "stall").t_s + 5.0, abs=0.01)


def test_a_descent_counts_from_the_place_of_the_stall() -> None:
    creeps = [Leg(2.0, HALF_M), Leg(2.4, HALF_M), Leg(1.0, HALF_M + 0.04), Leg(1.0, HALF_M), Leg(2.0, BOTTOM_M), *TAIL]
    given = signals(LEAD + repetition() + creeps)
    sunk_m = HALF_M - one(whole(given), "failure").position_m
    assert sunk_m == pytest.approx(0.05, abs=0.005)


def test_the_first_failure_counts_whichever_stall_shows_it() -> None:
    """A first stall of 3 s shows it only when the stack sinks below its place, a second one above it before that."""
    fails = [Leg(2.0, HALF_M), Leg(3.0, HALF_M), Leg(1.0, HALF_M + 0.02), Leg(8.0, HALF_M + 0.02), Leg(4.0, BOTTOM_M)]
    truth = whole(signals(LEAD + repetition() + fails + TAIL))
    assert len(truth.of("stall")) == 2
    second_s = FIRST_S + 8.8 + 6.0 - 0.2
    assert one(truth, "failure").t_s == pytest.approx(second_s + 5.0, abs=0.2)


def test_of_two_dwells_of_almost_one_length_either_is_right() -> None:
    sways = [Leg(4.0, TOP_M), Leg(0.5, TOP_M), Leg(0.3, TOP_M - 0.003), Leg(0.45, TOP_M - 0.003), Leg(4.0, BOTTOM_M)]
    upper = whole(signals(LEAD + sways + [Leg(0.4, BOTTOM_M)] + repetition() + TAIL)).of("turnaround")[0]
    assert upper.own["to_s"] - upper.own["from_s"] == pytest.approx(0.9, abs=0.1)
    assert upper.t_s == pytest.approx(upper.own["from_s"], abs=0.02)


@pytest.mark.parametrize(("sinks_m", "apart"), [(0.0022, False), (0.0030, True)])
def test_a_dwell_that_is_left_hardly_too_fast_may_last(sinks_m: float, apart: bool) -> None:
    """It sinks at 1.1 times the speed that ends a dwell, or at 1.5 times."""
    place_m = TOP_M - sinks_m
    sways = [Leg(4.0, TOP_M), Leg(0.8, TOP_M), Leg(0.3, place_m), Leg(0.4, place_m), Leg(4.0, BOTTOM_M)]
    upper = whole(signals(LEAD + sways + [Leg(0.4, BOTTOM_M)] + repetition() + TAIL)).of("turnaround")[0]
    assert (upper.own["to_s"] - upper.t_s < 0.05) == apart


def test_a_dwell_is_within_a_hundredth_of_the_range() -> None:
    drifts = [Leg(4.0, TOP_M - 0.0045), Leg(1.2, TOP_M), Leg(4.0, BOTTOM_M), Leg(0.4, BOTTOM_M)]
    given = signals(LEAD + drifts + repetition() + TAIL)
    truth = whole(given)
    upper = truth.of("turnaround")[0]
    from_s = upper.t_s - upper.own["dwell_s"] / 2
    place_m = truth.filtered.x_m[round(from_s * 1000)]
    assert place_m == pytest.approx(TOP_M - 0.005, abs=0.0005)
