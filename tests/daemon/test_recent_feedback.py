"""The feedback of the last minute, as a page gets it."""

import msgspec

from monitor.daemon.recent_feedback import KEPT_S, RecentFeedback
from tests.display.stage import CALM, IDLE


def test_a_page_gets_what_it_draws_rounded_and_null_where_nothing_is_known() -> None:
    recent = RecentFeedback()
    recent.feedback("s", msgspec.structs.replace(IDLE, t_s=1.0025), 12.5)
    recent.feedback("s", msgspec.structs.replace(CALM, t_s=1.0425, tension=1.23456, tension_n=804.06), 25.0)
    assert recent.document() == {
        "v": 1, "session": "s", "t_s": [1.002, 1.042], "feedback_hz": [12.5, 25.0], "tension": [None, 1.2346],
        "tension_n": [0.0, 804.1], "position": [0.0, 0.55], "pace": [None, 0.55],
    }  # fmt: skip


def test_only_the_last_minute_of_one_session_is_kept() -> None:
    recent = RecentFeedback()
    assert recent.document()["t_s"] == []
    for at in range(200):
        recent.feedback("s", msgspec.structs.replace(CALM, t_s=float(at)), 1.0)
    assert recent.document()["t_s"] == [float(at) for at in range(199 - int(KEPT_S), 200)]
    recent.feedback("another", msgspec.structs.replace(CALM, t_s=199.0), 1.0)
    assert (recent.document()["session"], recent.document()["t_s"]) == ("another", [199.0])
    recent.clear_last_set()
    assert recent.document()["t_s"] == []
