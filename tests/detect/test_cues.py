"""The live feedback gives the right cue for an event, for the right time."""

from typing import Any

import msgspec

from monitor.detect.feedback import CUE_STEPS, LiveFeedback
from monitor.events import ForceCeiling, Jerk, StackTouch

COMMON: dict[str, Any] = {
    "session": "s", "set": 1, "t_s": 1.0, "found_s": 1.0, "rep": 1, "phase": "positive", "position_m": 0.2,
}  # fmt: skip
JERK = Jerk(id=1, duration_s=0.2, cause="start", peak_g=0.3, **COMMON)
CEILING = ForceCeiling(id=2, duration_s=None, peak_tension_n=1500.0, **COMMON)
TOUCH = StackTouch(id=3, duration_s=None, slam=False, speed_m_s=0.1, **COMMON)


def test_a_cue_stays_while_its_event_is_open_and_a_while_after_it() -> None:
    live = LiveFeedback(0)
    live.note([JERK], 100)
    assert [live.due_cue(now) for now in (100, 99 + CUE_STEPS, 100 + CUE_STEPS)] == ["jerk_start", "jerk_start", None]
    live.note([CEILING], 1000)
    assert live.due_cue(9000) == "force_ceiling"


def test_the_most_important_cue_wins() -> None:
    live = LiveFeedback(0)
    live.note([TOUCH, JERK], 100)
    assert live.due_cue(100) == "jerk_start"
    live.note([CEILING], 101)
    assert live.due_cue(101) == "force_ceiling"


def test_a_contact_that_ended_the_set_leaves_no_cue_for_the_next_one() -> None:
    live = LiveFeedback(0)
    live.note([TOUCH], 100)
    assert live.due_cue(500) == "bottom"
    live.note([msgspec.structs.replace(TOUCH, duration_s=5.0, ended_set=True)], 1100)
    assert live.due_cue(1101) is None
