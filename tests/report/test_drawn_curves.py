"""The curves that the report draws show what was measured and judged."""

import re
from collections.abc import Callable

import pytest

from tests import needs
from tests.browser import Page
from tests.report.marks import events_of


@needs.chromium
def test_the_overlay_shows_each_repetition(page: Page) -> None:
    reps = [event for event in events_of("faults").values() if event["kind"] == "rep"]
    lines = page.evaluate("[...document.querySelectorAll('.overlay .rep-line')].map((line) => line.getAttribute('d'))")
    assert len(lines) == 2 * len(reps)  # position, tension
    assert all(line.startswith("M") and len(line) > 200 for line in lines)
    page.evaluate("document.querySelector('tr[data-rep=\"4\"]').dispatchEvent(new PointerEvent('pointerenter'))")
    assert (
        page.evaluate("[...document.querySelectorAll('.rep-line.pointed')].map((line) => line.dataset.rep)")
        == ["4"] * 2
    )
    page.evaluate("document.querySelector('tr[data-rep=\"4\"]').dispatchEvent(new PointerEvent('pointerleave'))")


@needs.chromium
def test_the_curve_shows_the_position_that_was_judged(show: Callable[[str], Page]) -> None:
    """The encoder restarted at 0 within a repetition; each mark still lies on the curve."""
    page = show("unplugged")
    reps = [event for event in events_of("unplugged").values() if event["kind"] == "rep"]
    assert [rep["partial"] for rep in reps] == [False] * len(reps)
    for rep in reps:
        least, most = page.evaluate(
            f"report.timeline.curves.position.extent({rep['t_s']}, {rep['t_s'] + rep['duration_s']})"
        )
        assert least < 5, rep["rep"]
        assert 45 < most < 52, rep["rep"]
        assert page.evaluate(f"report.timeline.curves.position.at({rep['t_s']})") == pytest.approx(
            100 * rep["position_m"], abs=1
        )


@needs.chromium
def test_spikes_of_the_cell_do_not_flatten_the_curve(show: Callable[[str], Page]) -> None:
    page = show("spikes")
    assert page.evaluate("report.timeline.curves.force.most[1]") > 800
    numbers = page.evaluate("""[...[...document.querySelectorAll("svg.plot g.grid")]
        .find((plot) => plot.querySelector(".name")?.textContent.startsWith("Tension"))
        .querySelectorAll("text:not(.name)")].map((number) => Number(number.textContent))""")
    assert 50 <= max(numbers) <= 150
    highest = page.evaluate("""Math.min(...report.timeline.svg.querySelector("path.curve.measured").getAttribute("d")
        .match(/[ML][^ML]+/g).map((point) => Number(point.split(" ")[1])))""")
    assert highest == 22  # they end at the top of the plot


@needs.chromium
def test_a_gap_is_drawn_as_a_hole(show: Callable[[str], Page]) -> None:
    """No line is drawn while the plug was out."""
    page = show("unplugged")
    for name in ("position", "force"):
        inside = page.evaluate(f"report.timeline.curves.{name}.extent(14.3, 16.5)")
        assert inside is None
        path = page.evaluate(f"report.timeline.curves.{name}.path(10, 20, (t) => 100 * t, (v) => v)")
        ends = [float(x) for x in re.findall(r"M([\d.]+)", path)]
        assert len(ends) == 2  # before, and after
        assert ends[1] > 1650
