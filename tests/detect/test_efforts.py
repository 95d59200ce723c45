"""A lifter's last efforts: a shove after sticking, a failure with each load (EVENTS.md 6 and 9)."""

from typing import Any

import pytest

from monitor.detect.spine import Spine
from tests.movements import PROFILES, Act, Down, Leg, Movement, Pin, Still, Trouble

LEAD: list[Act] = [Leg(0.0, 0.5), Still(0.4)]
REP: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
FAILED: list[Act] = [Leg(0.55, 1.5), Still(2.4), Leg(0.0, 1.5), Still(0.4)]
END: list[Act] = [Down(6.0)]


def last(acts: list[Act], kind: str, name: str = "stack", *troubles: Trouble) -> list[Any]:
    """The last record of each event of a kind."""
    spine = Spine(PROFILES[name], "s")
    events = spine.update(Movement(tuple(acts), troubles).samples()).events + spine.finish().events
    return [event for event in {event.id: event for event in events}.values() if event.kind == kind]


@pytest.mark.parametrize(("stuck_s", "cause"), [(0.0, "mid"), (0.45, "shove"), (0.6, "shove"), (1.0, "shove")])
def test_a_jerk_after_sticking_is_a_shove(stuck_s: float, cause: str) -> None:
    """The slow ends of the movements around it count as sticking, too: less than half a second of rest is enough."""
    halt: list[Act] = [Still(stuck_s)] if stuck_s else []
    shoved: list[Act] = [Leg(0.4, 1.0), *halt, Leg(0.9, 0.55), Leg(1.0, 1.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    straight: list[Act] = [Leg(0.3, 0.55), Leg(1.0, 1.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    jerks = last([*LEAD, *REP, *(shoved if stuck_s else straight), *REP, *END], "jerk")
    causes = [jerk.cause for jerk in jerks]
    assert cause in causes if stuck_s else "shove" not in causes


def test_a_drop_set_fails_once_with_each_load() -> None:
    pinned: list[Act] = [Down(2.5), Pin(0.6)]
    acts = [*LEAD, *REP, *FAILED, *FAILED, *pinned, *REP, *FAILED, *FAILED, *END]
    assert len(last(acts, "stall", "learned")) == 4
    assert len(last(acts, "failure", "learned")) == 2


def test_a_stall_that_silence_cut_does_not_begin_again_before_the_silence() -> None:
    """With a coarse encoder "moving or not" is known late: the silence is known before the last of the stillness."""
    acts = [*LEAD, *REP, Leg(0.55, 1.5), Still(5.0), *REP, *END]
    whole, *_ = last(acts, "stall", "superslow")
    at_s = whole.t_s + 2.5
    length_s = float(Movement(tuple(acts)).samples().t_s[-1])
    cut, *later = last(acts, "stall", "superslow", Trouble("gap", at_s / length_s, 0.3))
    assert cut.cut
    assert cut.t_s == whole.t_s
    assert all(stall.t_s >= at_s + 0.3 for stall in later)
