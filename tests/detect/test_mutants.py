"""Each detector passes its checks on known movements, and each check notices a defect of its detector.

A mutant is one detector with one plausible defect, made from its own source: a wrong sign, a missing hold, a missing
reset. Its check must pass on the real detector and fail on the mutant; otherwise the check proves nothing.
"""

import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from monitor.detect.assists import AssistDetector
from monitor.detect.held_condition import HeldCondition
from monitor.detect.holds import HoldFinder, StopFinder
from monitor.detect.jerks import SurgeDetector
from monitor.detect.lessons import LessonDetector
from monitor.detect.load_steps import LoadStepDetector
from monitor.detect.loads import LoadDetector
from monitor.detect.repetitions import RepDetector
from monitor.detect.rest_finder import RestFinder
from monitor.detect.rests import ContactDetector, LockoutDetector
from monitor.detect.sensor_faults import FaultDetector
from monitor.detect.sets import SetDetector
from monitor.detect.speed_over import SpeedDetector
from monitor.detect.spine import Spine
from monitor.detect.stalls import StallDetector
from monitor.detect.static import StageDetector
from monitor.detect.tension import TensionDetector
from monitor.detect.turnarounds import TurnaroundDetector, TurnFinder
from monitor.detect.zero_finder import ZeroFinder
from monitor.learning.load import Cruise, LoadLearner
from monitor.learning.range import RangeLearner
from monitor.learning.step import StepLearner
from tests.detect.force_checks import (
    a_cable_that_a_trainer_leaves_loose_is_slack,
    a_helper_is_not_a_fault_and_teaches_nothing,
    a_helper_who_always_takes_the_same_is_no_load_step,
    a_load_that_is_held_high_is_not_on_a_stop,
    a_motor_that_adds_on_the_way_down_is_a_load_step,
    a_positive_by_somebody_else_counts_as_assisted,
    a_press_teaches_nothing,
    a_stack_at_its_stop_can_be_pulled_too_hard,
    a_stack_that_hangs_without_tension_is_held,
    a_stack_that_only_twitches_is_weighed_when_it_moves,
    a_trainer_who_lifts_does_not_teach_a_load,
    a_trainer_who_takes_over_at_the_bottom_makes_no_fault,
    another_pin_is_another_load,
    giving_way_is_failure_only_after_a_hold,
    help_from_the_first_moment_teaches_for_two_repetitions,
    help_is_known_in_hindsight,
    load_and_friction_are_what_two_repetitions_show,
    no_event_where_the_stack_did_not_accelerate,
    nothing_is_reported_twice_in_hindsight,
    tension_has_two_sides,
    the_target_follows_the_stages,
    what_a_trainer_who_lifts_leaves_on_the_cable_is_no_load,
    what_hung_on_a_hook_or_a_block_is_not_judged_in_hindsight,
)
from tests.detect.movement_checks import (
    a_dwell_is_as_long_as_the_stillness,
    a_failure_says_how_long_the_lifter_kept_pushing,
    a_hard_reversal_is_abrupt_above_and_a_bounce_below,
    a_heave_is_a_jerk_and_a_let_go_negative_a_drop,
    a_range_of_a_few_centimetres_is_too_short,
    a_range_that_is_exceeded_widens,
    a_repetition_at_the_bottom_is_reported_in_time,
    a_rest_at_lockout_is_long_and_at_the_top,
    a_set_ends_with_its_landing_though_that_bounces,
    a_set_lasts_until_the_stack_stands_for_good,
    a_slow_grind_is_no_stall_until_it_stays_within_a_centimetre,
    a_squat_set_down_is_not_of_the_next_set,
    a_stall_that_sinks_is_failure_but_not_in_the_first_repetition,
    a_touch_is_brief_and_a_rest_is_long,
    full_repetitions_after_half_ones_are_not_too_fast,
    half_repetitions_at_first_do_not_make_a_range,
    speed_counts_when_it_lasts,
    the_range_is_what_three_repetitions_show,
    until_some_agree_each_repetition_is_judged_after_it,
    what_counts_as_a_repetition,
)
from tests.detect.sensor_checks import (
    a_drifting_zero_is_followed,
    a_dwell_goes_on_over_a_silence,
    a_force_that_leaves_its_load_is_a_sensor_fault,
    a_gap_is_as_long_as_the_silence,
    a_given_load_that_nobody_pulls_is_reported,
    a_loose_cable_is_not_a_rest,
    a_rest_elsewhere_moves_the_zero,
    a_rest_that_is_found_late_was_reached_early,
    a_silence_does_not_repeat_the_contact_before_it,
    a_touch_in_doubt_begins_at_the_contact,
    a_tug_at_a_stack_above_its_rest_is_no_second_contact,
    nothing_is_below_a_rest,
    the_cell_shows_a_landing_while_the_encoder_is_silent,
)
from tests.movements import PROFILES


class Mutant(NamedTuple):
    """The detector's text with `right` (there once) made `wrong`."""

    detector: type[Any]
    right: str
    wrong: str
    check: Callable[[], None]


MUTANTS = (
    Mutant(TurnFinder, "[*self._runs[-KEPT_RUNS:], last]", "[]", a_dwell_is_as_long_as_the_stillness),
    Mutant(RestFinder, "PlaceFound(off_m,", "PlaceFound(-off_m,", a_rest_elsewhere_moves_the_zero),
    Mutant(RestFinder, "below_m > limits.doubt_m", "False", nothing_is_below_a_rest),
    Mutant(ContactDetector, "self._contradicted(moment)", "False", nothing_is_below_a_rest),
    Mutant(ContactDetector, "moment.rests_since is not None", "False", a_rest_that_is_found_late_was_reached_early),
    Mutant(SetDetector, "None if moment.rests_since", "None if None", a_rest_that_is_found_late_was_reached_early),
    Mutant(RestFinder, "lifted and off_m", "off_m", a_tug_at_a_stack_above_its_rest_is_no_second_contact),
    Mutant(RestFinder, "steps(STILL_S)", "1", a_loose_cable_is_not_a_rest),
    Mutant(FaultDetector, "moment.now - self.lag)", "moment.now)", a_gap_is_as_long_as_the_silence),
    Mutant(
        SetDetector,
        "if not over:\n            self._over_since = None",
        "if not over:",
        a_set_lasts_until_the_stack_stands_for_good,
    ),
    Mutant(
        SetDetector,
        "self._over_by, self._over_since = by, since",
        "pass",
        a_set_ends_with_its_landing_though_that_bounces,
    ),
    Mutant(SetDetector, "moment.now - self._left[2] <", "0 <", a_set_ends_with_its_landing_though_that_bounces),
    Mutant(RepDetector, ">= moment.limits.excursion_m", ">= 0.0", what_counts_as_a_repetition),
    Mutant(RepDetector, "and not moment.limits.starts_up:\n", "and False:\n", a_squat_set_down_is_not_of_the_next_set),
    Mutant(RepDetector, " - EDGE_STEPS", "", a_repetition_at_the_bottom_is_reported_in_time),
    Mutant(RepDetector, "- 2 * moment", "- moment", a_repetition_at_the_bottom_is_reported_in_time),
    Mutant(RepDetector, "- top.reversal.x_m > ", "- top.reversal.x_m < ", what_counts_as_a_repetition),
    Mutant(
        StallDetector,
        "> self.stall.travel_m",
        "> 1.0",
        a_slow_grind_is_no_stall_until_it_stays_within_a_centimetre,
    ),
    Mutant(
        StallDetector,
        "not again and bool(moment.reps.full)",
        "not again",
        a_stall_that_sinks_is_failure_but_not_in_the_first_repetition,
    ),
    Mutant(
        StallDetector,
        "self._x_m - self.failure.descent",
        "self._x_m + self.failure.descent",
        a_stall_that_sinks_is_failure_but_not_in_the_first_repetition,
    ),
    Mutant(TensionDetector, "(self._unload, Bit.UNLOAD)", "(self._unload, Bit.SLACK)", tension_has_two_sides),
    Mutant(ContactDetector, "landed is not None or ", "", the_cell_shows_a_landing_while_the_encoder_is_silent),
    Mutant(HoldFinder, "moment.still and (", "(False and ", a_stack_that_hangs_without_tension_is_held),
    Mutant(StopFinder, "x_m < lowest_m - margin_m", "True", a_load_that_is_held_high_is_not_on_a_stop),
    Mutant(TurnFinder, "_joined(moment, stretches)", "stretches", a_dwell_goes_on_over_a_silence),
    Mutant(TensionDetector, "_lowest, believe=_unloaded", "_lowest", no_event_where_the_stack_did_not_accelerate),
    Mutant(TensionDetector, "_rose_or_held", "_left_above", a_stack_at_its_stop_can_be_pulled_too_hard),
    Mutant(TensionDetector, "(self._low, Bit.LOW)", "(self._low, Bit.HIGH)", tension_has_two_sides),
    Mutant(
        SurgeDetector, "moment.on(Bit.DROP)", "moment.on(Bit.RISING)", a_heave_is_a_jerk_and_a_let_go_negative_a_drop
    ),
    Mutant(
        SurgeDetector,
        "<= self.settings.start * limits.range_m",
        ">= self.settings.start * limits.range_m",
        a_heave_is_a_jerk_and_a_let_go_negative_a_drop,
    ),
    Mutant(
        TurnaroundDetector,
        'lower = turn.reversal.at == "lower"',
        'lower = turn.reversal.at == "upper"',
        a_hard_reversal_is_abrupt_above_and_a_bounce_below,
    ),
    Mutant(ContactDetector, "now - since + 1 >= self.rest_hold", "True", a_touch_is_brief_and_a_rest_is_long),
    Mutant(LockoutDetector, "and moment.on(Bit.TOP)", "", a_rest_at_lockout_is_long_and_at_the_top),
    Mutant(SpeedDetector, "steps(settings.hold_s)", "1", speed_counts_when_it_lasts),
    Mutant(
        StageDetector,
        "self._aim(moment, peak_n, self._stage)",
        "self._aim(moment, peak_n, 0)",
        the_target_follows_the_stages,
    ),
    Mutant(StageDetector, "if held and now", "if now", giving_way_is_failure_only_after_a_hold),
    Mutant(StallDetector, "self._pushing.follow(failure)", "pass", a_failure_says_how_long_the_lifter_kept_pushing),
    Mutant(
        LessonDetector,
        "learn_range(limits, rep.shown)",
        "widen_range(limits, rep.shown)",
        the_range_is_what_three_repetitions_show,
    ),
    Mutant(LessonDetector, "[RangeShown(since, rep.end)]", "[]", until_some_agree_each_repetition_is_judged_after_it),
    Mutant(LessonDetector, ">= limits.detect.range.reps", "< 0", a_range_of_a_few_centimetres_is_too_short),
    Mutant(
        LessonDetector,
        "LearnedRange(limits.bottom_m, turn.reversal.x_m)",
        "LearnedRange(limits.bottom_m, limits.top_m)",
        a_range_that_is_exceeded_widens,
    ),
    Mutant(RangeLearner, "widest.top_m - one.top_m <= near_m", "True", half_repetitions_at_first_do_not_make_a_range),
    Mutant(RangeLearner, "self.seen.including(shown)", "shown", half_repetitions_at_first_do_not_make_a_range),
    Mutant(Cruise, "- self.c * self.t)", "+ self.c * self.t)", load_and_friction_are_what_two_repetitions_show),
    Mutant(LoadDetector, ">= PIN_STEPS\n        unseen", "< 0\n        unseen", another_pin_is_another_load),
    Mutant(LoadDetector, "<= SAME", "<= 1.0", another_pin_is_another_load),
    Mutant(
        LoadDetector,
        "(found is None or found.n < LATE_MOMENTS)",
        "False",
        a_stack_that_only_twitches_is_weighed_when_it_moves,
    ),
    Mutant(LoadDetector, "found.load_n < faint_n", "False", what_a_trainer_who_lifts_leaves_on_the_cable_is_no_load),
    Mutant(
        LoadDetector,
        "> TAKEN_OVER * found.load_n",
        "< 0.0",
        what_a_trainer_who_lifts_leaves_on_the_cable_is_no_load,
    ),
    Mutant(LoadLearner, "self._reps + 1", "self._reps", a_given_load_that_nobody_pulls_is_reported),
    Mutant(
        AssistDetector,
        "(self._lighter, Bit.LIGHTER)",
        "(self._lighter, Bit.HEAVIER)",
        a_helper_is_not_a_fault_and_teaches_nothing,
    ),
    Mutant(
        LoadLearner,
        "if not same and not alike and helped:\n            return False",
        "",
        a_press_teaches_nothing,
    ),
    Mutant(
        LoadLearner, "and not alike and helped", "and not alike", help_from_the_first_moment_teaches_for_two_repetitions
    ),
    Mutant(LoadLearner, "odd[3] if alike else None", "odd[3]", help_from_the_first_moment_teaches_for_two_repetitions),
    Mutant(
        LoadDetector,
        "LoadConfirmed(self._carried_since(moment, since, limits.load_n), before_n)",
        "LoadConfirmed(rep.end, before_n)",
        help_is_known_in_hindsight,
    ),
    Mutant(
        LoadDetector,
        "and hung is not None",
        "and False and hung is not None",
        what_hung_on_a_hook_or_a_block_is_not_judged_in_hindsight,
    ),
    Mutant(HeldCondition, "moment.known_at is None or", "True or", nothing_is_reported_twice_in_hindsight),
    Mutant(HeldCondition, "maxlen=KEPT", "maxlen=1", nothing_is_reported_twice_in_hindsight),
    Mutant(RepDetector, "assisted=lifted(moment, up, down),", "", a_positive_by_somebody_else_counts_as_assisted),
    Mutant(
        SpeedDetector,
        "findings += self._look_back(moment, turn)",
        "pass",
        full_repetitions_after_half_ones_are_not_too_fast,
    ),
    Mutant(LoadDetector, " and _stands(moment):", " and False:", a_trainer_who_lifts_does_not_teach_a_load),
    Mutant(
        LoadDetector,
        "limits = self._teacher.learn_lowered(",
        "self._teacher.learn_lowered(",
        a_trainer_who_lifts_does_not_teach_a_load,
    ),
    Mutant(
        ContactDetector,
        "None if self._loose_since is None else now",
        "self._loose_since",
        a_silence_does_not_repeat_the_contact_before_it,
    ),
    Mutant(ContactDetector, "_met(moment)", "moment.now", a_touch_in_doubt_begins_at_the_contact),
    Mutant(TensionDetector, " or helped", "", a_cable_that_a_trainer_leaves_loose_is_slack),
    Mutant(LoadDetector, "fit.odd_since is None", "True", a_force_that_leaves_its_load_is_a_sensor_fault),
    Mutant(LoadDetector, " and not moment.still:  #", ":  #", a_trainer_who_takes_over_at_the_bottom_makes_no_fault),
    Mutant(
        TensionDetector, "not (lowered and moment.still)", "True", a_trainer_who_takes_over_at_the_bottom_makes_no_fault
    ),
    Mutant(StepLearner, "if self._even:", "if False:", a_helper_who_always_takes_the_same_is_no_load_step),
    Mutant(LoadStepDetector, "self._teacher.forget_step()", "pass", a_motor_that_adds_on_the_way_down_is_a_load_step),
    Mutant(ZeroFinder, "ZeroFound(off_n, since)", "ZeroFound(-off_n, since)", a_drifting_zero_is_followed),
)


def _mutated(mutant: Mutant) -> type[Any]:
    text = textwrap.dedent(inspect.getsource(mutant.detector))
    assert text.count(mutant.right) == 1, f"{mutant.right!r} is not in {mutant.detector.__name__} exactly once"
    names = dict(vars(sys.modules[mutant.detector.__module__]))
    exec(compile(text.replace(mutant.right, mutant.wrong), "mutant", "exec"), names)
    made: type[Any] = names[mutant.detector.__name__]
    return made


@pytest.mark.parametrize("check", dict.fromkeys(mutant.check for mutant in MUTANTS), ids=lambda check: check.__name__)
def test_the_detectors_pass_each_check(check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.detector.__name__}: {mutant.wrong}")
def test_a_defect_is_noticed(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    made, name = _mutated(mutant), mutant.detector.__name__
    for module_name, module in list(sys.modules.items()):
        if (
            module_name.startswith(("monitor.detect.", "monitor.learning."))
            and vars(module).get(name) is mutant.detector
        ):
            monkeypatch.setattr(module, name, made)
    with pytest.raises(AssertionError):
        mutant.check()


def test_no_detector_is_without_a_mutant() -> None:
    """All detectors that the spine wakes, and the learners."""
    mutated = {mutant.detector for mutant in MUTANTS}
    woken: set[type[Any]] = {RangeLearner, LoadLearner, StepLearner, Cruise, HeldCondition}
    for profile in PROFILES.values():
        spine = Spine(profile, "s")
        woken |= {type(detector) for detector in (*spine._panel.before, *spine._panel.after)}
    assert woken == mutated
