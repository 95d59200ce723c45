"""Every event is a mark of the timeline, at its place and as long as it lasted."""

from pathlib import Path

import pytest

from tests import needs
from tests.browser import Page
from tests.report.conftest import SharedPage
from tests.report.marks import events_of, shown

NAMES = ("faults", "static", "motor", "unplugged")


@needs.chromium
@pytest.mark.parametrize("name", NAMES)
def test_it_opens_without_a_network_and_its_marks_are_the_events(
    name: str, the_page: SharedPage, reports: Path
) -> None:
    page = the_page.open(reports / f"{name}.html")
    assert page.requests == [(reports / f"{name}.html").as_uri()]
    assert page.console == []
    expected = events_of(name)
    assert shown(page) == sorted(expected)
    marks = page.evaluate("report.data.marks")
    for mark in marks:
        event = expected[mark["id"]]
        assert (mark["kind"], mark["t_s"], mark.get("set")) == (event["kind"], event["t_s"], event["set"])
        assert mark["lasts_s"] == (event["duration_s"] or 0)
    assert page.evaluate("document.querySelectorAll('#events tbody tr').length") == len(expected)


@needs.chromium
def test_a_mark_has_the_place_and_length_of_its_event(page: Page) -> None:
    """Compares the pixels with the axis."""
    for kind in ("lockout_rest", "rep", "turnaround", "stall"):
        place = page.evaluate(
            f"""(() => {{
              const {{ timeline }} = report;
              const mark = timeline.marks.find(({{ record }}) => record.kind === "{kind}");
              const {{ t_s, lasts_s }} = mark.record;
              return [mark.at.from, mark.at.until, timeline.x(t_s), timeline.x(t_s + lasts_s)];
            }})()"""
        )
        assert place[0] == pytest.approx(place[2], abs=0.5), kind
        assert place[1] == pytest.approx(max(place[3], place[2] + 1), abs=0.5), kind


@needs.chromium
def test_faults_lie_above_other_marks(page: Page) -> None:
    tones = page.evaluate(
        "[...document.querySelectorAll('.mark[data-id]:not(.part)')].map((mark) => mark.classList[2])"
    )
    assert tones == sorted(tones, key=["tone-good", "tone-plain", "tone-blind", "tone-leak", "tone-rough"].index)
    assert len(set(tones)) == 4
