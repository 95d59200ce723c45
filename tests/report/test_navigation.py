"""Pointer, wheel, keys and tables lead to what somebody wants to see in a report."""

from typing import Any

import pytest

from monitor.report.words import clock
from tests import needs
from tests.browser import Page
from tests.report.conftest import LAPTOP
from tests.report.marks import events_of, shown


def middle(page: Page, selector: str) -> tuple[float, float]:
    """Its middle in the window, after scrolling to it."""
    page.evaluate(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})")
    box = page.evaluate(
        f"(({{ x, y, width, height }}) => [x + width / 2, y + height / 2])"
        f"(document.querySelector({selector!r}).getBoundingClientRect())"
    )
    return float(box[0]), float(box[1])


def mouse(page: Page, kind: str, x: float, y: float, **more: Any) -> None:
    page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)


def hear_of_scrolling(page: Page) -> None:
    """Returns when what was scrolled is drawn; only then does the page get its event."""
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")


def set_clock(page: Page, ms_later: float) -> None:
    """Stops the page's clock so much later than now, once the page knows what was scrolled."""
    hear_of_scrolling(page)
    page.evaluate(
        f"(() => {{ const stopped_ms = performance.now() + {ms_later}; performance.now = () => stopped_ms; }})()"
    )


def span_s(page: Page) -> float:
    return float(page.evaluate("report.timeline.span_s"))


def key(page: Page, name: str, modifiers: int = 0) -> None:
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key=name, modifiers=modifiers)


@needs.chromium
def test_pointing_at_a_mark_explains_it(page: Page) -> None:
    mark = ".mark.kind-lockout_rest"
    mouse(page, "mouseMoved", *middle(page, f"{mark} .tail"))
    page.wait("!document.querySelector('#tip').hidden")
    words = page.evaluate("document.querySelector('#tip').innerText")
    rest = next(event for event in events_of("faults").values() if event["kind"] == "lockout_rest")
    when = f"{clock(rest['t_s'])}, {rest['duration_s']:.1f} s long"
    for part in ("Rest at the top", when, "stood still", "Turn round before the joints lock."):
        assert part in words
    lit = page.evaluate("[...['x', 'width']].map((key) => Number(document.querySelector('.spot').getAttribute(key)))")
    start, end = (page.evaluate(f"report.timeline.x({rest['t_s'] + late_s})") for late_s in (0, rest["duration_s"]))
    assert lit == pytest.approx([start, end - start], abs=1)
    box = page.evaluate("(({left, right}) => [left, right])(document.querySelector('#tip').getBoundingClientRect())")
    assert box[0] >= 0
    assert box[1] <= LAPTOP[0]
    mouse(page, "mouseMoved", 2, 2)
    page.wait("document.querySelector('#tip').hidden")


@needs.chromium
def test_the_values_under_the_pointer_are_shown(page: Page) -> None:
    x, y = middle(page, "#chart .plot")
    mouse(page, "mouseMoved", x, y - 100)
    page.wait("/^0:\\d\\d\\.\\d   -?\\d+ kg   -?\\d+\\.\\d cm$/.test(document.querySelector('.readout').textContent)")


@needs.chromium
def test_the_wheel_zooms_at_the_pointer(page: Page) -> None:
    x, y = middle(page, "#chart .plot")
    left = page.evaluate("document.querySelector('#chart').getBoundingClientRect().left")
    under_s = page.evaluate(f"report.timeline.time({x - left})")
    set_clock(page, 400)  # the scrolling that brought us here is over
    mouse(page, "mouseWheel", x, y, deltaX=0, deltaY=-240)
    page.wait("report.timeline.span_s < 0.6 * report.timeline.length_s")
    assert page.evaluate(f"report.timeline.time({x - left})") == pytest.approx(under_s, abs=0.2)
    page.wait("!report.timeline.waiting")
    assert 0 < len(shown(page)) < len(events_of("faults"))
    while not page.evaluate("report.timeline.isWhole"):  # once more, and the page would scroll
        mouse(page, "mouseWheel", x, y, deltaX=0, deltaY=240)
        page.wait("!report.timeline.waiting")


@needs.chromium
def test_the_wheel_does_not_zoom_while_the_page_scrolls(page: Page) -> None:
    x, y = middle(page, "#chart .plot")
    before = page.evaluate("scrollY")
    set_clock(page, 0)
    mouse(page, "mouseWheel", x, y, deltaX=0, deltaY=200)  # away, and the whole session is seen already
    page.wait(f"scrollY > {before}")
    hear_of_scrolling(page)
    mouse(page, "mouseWheel", x, y, deltaX=0, deltaY=-200)  # towards, while the page still moves
    page.wait(f"scrollY < {before + 100}")
    assert page.evaluate("report.timeline.isWhole")


@needs.chromium
def test_a_drag_zooms_and_a_double_click_zooms_out(page: Page) -> None:
    x, y = middle(page, "#chart .plot")
    left = page.evaluate("document.querySelector('#chart').getBoundingClientRect().left")
    ends = [page.evaluate(f"report.timeline.time({at - left})") for at in (x - 100, x + 100)]
    mouse(page, "mouseMoved", x - 100, y - 120)
    mouse(page, "mousePressed", x - 100, y - 120, button="left", clickCount=1)
    mouse(page, "mouseMoved", x, y - 120, button="left", buttons=1)
    mouse(page, "mouseMoved", x + 100, y - 120, button="left", buttons=1)
    mouse(page, "mouseReleased", x + 100, y - 120, button="left", clickCount=1)
    page.wait("!report.timeline.isWhole")
    view = page.evaluate("report.timeline.view")
    assert [view["from_s"], view["until_s"]] == pytest.approx(ends, abs=0.1)
    page.wait("!document.querySelector('#overview').hidden")
    for count in (1, 2):
        mouse(page, "mousePressed", x, y - 120, button="left", clickCount=count)
        mouse(page, "mouseReleased", x, y - 120, button="left", clickCount=count)
    page.wait("report.timeline.isWhole")


@needs.chromium
def test_the_keyboard_reads_every_mark_and_zooms(page: Page) -> None:
    page.evaluate("document.querySelector('#chart').focus()")
    expected = sorted(events_of("faults").values(), key=lambda event: (event["t_s"], event["id"]))
    for event in expected[:6]:
        key(page, "ArrowRight")
        assert int(page.evaluate("document.activeElement.dataset.id")) == event["id"]
        assert page.evaluate("document.querySelector('#tip').hidden") is False
    key(page, "End")
    assert int(page.evaluate("document.activeElement.dataset.id")) == expected[-1]["id"]
    key(page, "+")
    assert span_s(page) == pytest.approx(0.5 * page.evaluate("report.timeline.length_s"))
    key(page, "Home")  # brought into view
    assert int(page.evaluate("document.activeElement.dataset.id")) == expected[0]["id"]
    assert expected[0]["id"] in shown(page)
    key(page, "Enter")
    assert span_s(page) < 13
    key(page, "Escape")
    assert page.evaluate("report.timeline.isWhole")
    assert page.evaluate("document.querySelectorAll('.mark[tabindex=\"0\"]').length") == 1


@needs.chromium
def test_tables_lead_to_the_timeline(page: Page) -> None:
    rep = next(event for event in events_of("faults").values() if event["kind"] == "rep" and event["rep"] == 4)
    page.evaluate("document.querySelector('tr[data-rep=\"4\"] button').click()")
    view = page.evaluate("report.timeline.view")
    assert view["from_s"] < rep["t_s"] < rep["t_s"] + rep["duration_s"] < view["until_s"] < rep["t_s"] + 10
    page.evaluate("document.querySelector('#events').open = true")
    drop = next(event for event in events_of("faults").values() if event["kind"] == "drop")
    page.evaluate(f"document.querySelector('[data-show=\"{drop['id']}\"]').click()")
    assert int(page.evaluate("document.activeElement.dataset.id")) == drop["id"]
    page.evaluate("document.querySelector('#events').open = false")
