"""The terminal's live screen: every state without colour, in any size, and no old values."""

import io
from typing import Any

import msgspec
import pytest

from monitor.events import Drop, Feedback, LockoutRest, Rep
from monitor.report.live_lines import ASCII, bar, is_news, ladder
from monitor.report.live_screen import Seen, State, event_line, line_of, screen
from tests.display.stage import CALM

CUES = {"jerk": "EASE", "fault": "SENSOR"}
COMMON: dict[str, Any] = {
    "session": "s", "set": 1, "found_s": 60.0, "rep": 3, "phase": "positive", "position_m": 0.2,
}  # fmt: skip
DROP = Drop(id=1, t_s=59.0, duration_s=0.2, peak_g=0.3, **COMMON)
REST = LockoutRest(id=2, t_s=62.0, duration_s=None, **COMMON)
REP = Rep(
    id=3, t_s=50.0, duration_s=10.0, partial=False, positive_s=5.1, negative_s=4.9, upper_dwell_s=0.3,
    lower_dwell_s=0.3, rom_m=0.5, peak_velocity_m_s=0.1, peak_g=0.05, tension_min_n=700.0, tension_mean_n=800.0,
    tension_max_n=900.0,
    in_band_s=9.0, **COMMON,
)  # fmt: skip


def drawn(seen: Seen, width: int = 80, height: int = 24, *, ascii_only: bool = False) -> list[str]:
    from rich.console import Console

    file = io.StringIO()
    console = Console(file=file, width=width, height=height, color_system=None, highlight=False)
    console.print(screen(seen, CUES, width, height, ascii_only=ascii_only))
    return file.getvalue().splitlines()


def seen(state: State = "live", reason: str = "", **changes: Any) -> Seen:
    now = msgspec.structs.replace(CALM, **changes) if state == "live" else None
    return Seen("leg-press", state, reason, now, tempo="5/5 s", events=[DROP, REP, REST])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ["leg-press", "live", "5/5 s", "82.0 kg, learned", "IN BAND", "up", "rep 2", "under load  42.0 s"]),
        ({"band": "low", "tension": 0.6}, ["LOW"]),
        ({"band": "high", "tension": 1.4}, ["HIGH"]),
        ({"cue": "jerk"}, [" EASE "]),
        ({"cue": "some_word"}, [" SOME WORD "]),
        ({"fault": "frozen"}, ["SENSOR: The load cell is frozen"]),
        ({"load_n": None, "tension": None, "band": None}, ["load not known yet"]),
    ],
)
def test_every_state_is_shown_in_words(changes: dict[str, Any], words: list[str]) -> None:
    text = "\n".join(drawn(seen(**changes)))
    for word in words:
        assert word in text
    assert "\x1b" not in text


@pytest.mark.parametrize("state", ["offline", "absent", "stale"])
def test_old_values_are_not_shown(state: State) -> None:
    lines = drawn(seen(state, "the reason why"))
    text = "\n".join(lines)
    assert state.upper() in lines[0]
    assert "the reason why" in text
    for sign in ("█", "●", "◇", "IN BAND", "rep 2", "42.0"):
        assert sign not in text


@pytest.mark.parametrize("width", [12, 20, 40, 80, 300])
@pytest.mark.parametrize("height", [1, 2, 4, 8, 24, 60])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_it_fits_any_window(width: int, height: int, ascii_only: bool) -> None:
    lines = drawn(seen(cue="jerk"), width, height, ascii_only=ascii_only)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    if ascii_only:
        assert "\n".join(lines).isascii()


def test_the_bar_shows_tension_and_band() -> None:
    def shown(tension: float | None) -> str:
        return str(bar(msgspec.structs.replace(CALM, tension=tension), 0.1, 30, ASCII))

    assert shown(None) == "." * 18 + "::::" + "." * 8
    assert shown(0.5) == "#" * 10 + "." * 8 + "::::" + "." * 8
    assert shown(1.0) == "#" * 18 + "|#" + "::" + "." * 8
    assert shown(9.0) == shown(1.5) == "#" * 18 + "|###|" + "#" * 7
    assert shown(-1.0) == shown(0.0) == shown(None)


def test_the_ladder_goes_from_end_to_end() -> None:
    def shown(position: float | None, pace: float | None) -> str:
        return ladder(msgspec.structs.replace(CALM, position=position, pace=pace), 10, ASCII)

    assert shown(0.0, 1.0) == "O--------^"
    assert shown(1.2, 0.0) == "^--------O"
    assert shown(0.5, 0.5) == "-----@----"
    assert shown(None, None) == "-" * 10 == ladder(None, 10, ASCII)


def test_events_are_shown_with_their_time() -> None:
    assert event_line(DROP) == "  0:59.0  Dropped"
    assert event_line(REP) == "  1:00.0  rep 3: 5.1 s up, 4.9 s down"
    assert event_line(REST) is None  # shown when it is over
    assert event_line(msgspec.structs.replace(REST, duration_s=2.0)) == "  1:02.0  Rest at the top: 2.0 s"


def test_each_event_is_shown_once() -> None:
    opened = msgspec.structs.replace(DROP, duration_s=None)
    assert [is_news(record) for record in (opened, DROP, msgspec.structs.replace(DROP, part_of=9))] == [
        True,
        False,
        False,
    ]
    assert [is_news(record) for record in (REST, msgspec.structs.replace(REST, duration_s=2.0))] == [False, True]
    assert is_news(REP)


def test_a_line_for_a_pipe() -> None:
    assert line_of(seen(cue="jerk", t_s=62.0), CUES) == (
        "  1:02.0  IN BAND  up        rep 2    under load  42.0 s  tension  38.0 s  EASE"
    )
    assert line_of(seen("stale", "no data"), CUES) == "stale: no data"
    nothing: Feedback | None = None
    assert line_of(Seen("m", "offline", "connecting", nothing), CUES) == "offline: connecting"
