"""By the whole contract, the labeller counts what leaks, what counts, and clean repetitions."""

import numpy as np
import pytest

from tests.quality.analytic import BOTTOM_M, LEAD, LOAD_N, TAIL, TOP_M, Leg, profile, repetition, signals
from tests.quality.skill import leaked
from tests.quality.thresholds import Thresholds
from tests.quality.whole_contract import A_JERK_M_S2, kinds, one, summary, whole


def test_a_clean_set_has_full_skill_and_no_faults() -> None:
    truth = whole(signals(LEAD + repetition() * 3 + TAIL))
    assert kinds(truth) == {"set_start": 1, "rep": 3, "turnaround": 5, "stack_touch": 1, "bottom_rest": 1, "set_end": 1}
    own = summary(truth)
    assert own["skill"] == pytest.approx(1.0, abs=1e-9)
    assert own["clean_reps"] == {3}
    assert own["loads_n"] == [own["working_load_n"]] == [LOAD_N]
    assert own["set_s"] == pytest.approx(3 * 8.8 + 1.05 + 0.75, abs=0.1)


def test_rests_leak_their_length_once() -> None:
    truth = whole(signals(LEAD + repetition(upper_s=3.0) + repetition() + TAIL))
    own = summary(truth)
    assert own["leaked_s"] == pytest.approx(one(truth, "lockout_rest").duration_s, abs=0.01)
    assert own["skill"] == pytest.approx(1 - own["leaked_s"] / own["set_s"])
    assert own["clean_reps"] == {1}


def test_a_heave_spoils_the_rest_of_its_positive_four_seconds_at_most() -> None:
    def spoils_s(*legs: Leg) -> tuple[float, float]:
        """How long the heave spoils, and how long its positive still lasts."""
        truth = whole(signals([*LEAD, *legs, *repetition(), *TAIL], [(5.2, 0.25, 2 * A_JERK_M_S2)]))
        jerk, rep = one(truth, "jerk"), truth.of("rep")[0]
        mask = leaked(truth, Thresholds.of(profile(), whole=True))
        at = round(jerk.t_s * 1000)
        return float(np.argmin(mask[at:])) / 1000, rep.own["bounds_s"][1] - jerk.t_s

    spoilt_s, left_s = spoils_s(*repetition())
    assert spoilt_s == pytest.approx(left_s, abs=0.01)
    assert spoilt_s < 2.5
    spoilt_s, left_s = spoils_s(Leg(12.0, TOP_M), *repetition()[1:])
    assert spoilt_s == pytest.approx(4.0, abs=0.01)
    assert left_s == pytest.approx(9.5, abs=1.0)


def test_an_abrupt_turn_spoils_half_a_second_on_either_side() -> None:
    hard = [Leg(4.0, TOP_M), Leg(0.45, TOP_M - 0.06), Leg(4.0, BOTTOM_M), Leg(0.4, BOTTOM_M)]
    truth = whole(signals(LEAD + hard + repetition() + TAIL))
    turn = next(turn for turn in truth.of("turnaround") if turn.own["grade"] == "abrupt")
    mask, before_s = leaked(truth, Thresholds.of(profile(), whole=True)), turn.t_s - turn.own["dwell_s"] / 2
    assert [bool(mask[round(1000 * (before_s - early_s))]) for early_s in (0.45, 0.55)] == [True, False]


def test_planned_pauses_neither_leak_nor_count_and_do_not_end_the_set() -> None:
    legs = LEAD + repetition() + [Leg(0.8, 0.0), Leg(8.0, 0.0), Leg(1.0, BOTTOM_M)] + repetition() + TAIL
    legs += [Leg(10.0, 0.0)]
    planned = whole(signals(legs), pause_s=10.0)
    own = summary(planned)
    assert own["reps"] == 2
    assert own["leaked_s"] == pytest.approx(0.0, abs=1e-6)
    assert own["set_s"] == pytest.approx(2 * 8.8 + 1.05 + 1.3 + 0.8, abs=0.2)
    assert len(whole(signals(legs)).of("set_end")) == 2


def test_a_short_set_has_no_skill() -> None:
    assert summary(whole(signals(LEAD + repetition(2, 2) + TAIL, load_n=LOAD_N)))["skill"] is None


def test_a_fault_between_two_repetitions_may_count_for_either() -> None:
    legs = LEAD + repetition() + [Leg(0.8, 0.0), Leg(1.5, 0.0), Leg(1.0, BOTTOM_M)] + repetition() * 2 + TAIL
    own = summary(whole(signals(legs)))
    assert own["clean_reps"] == {2}
    assert own["leaked_s"] == pytest.approx(1.9, abs=0.3)
