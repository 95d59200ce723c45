"""The report in a real browser: marks, tooltips, zoom, keyboard, overlay, print."""

import base64
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from monitor.report.report_page import SCRIPTS
from monitor.report.words import clock
from tests import needs
from tests.browser import Page
from tests.display.look import LOOK
from tests.report.conftest import LAPTOP, PHONE, RECORDINGS, TV, SharedPage
from tests.soak import long, soak

ROOT = Path(__file__).parents[2]
NAMES = ("faults", "static", "motor", "unplugged")
LOOKS = long([*product(("light", "dark"), (PHONE, LAPTOP, TV))], [("dark", PHONE), ("light", LAPTOP), ("dark", TV)])
BEYOND = "[...document.querySelectorAll('.scroll')].map((table) => table.scrollWidth - table.clientWidth)"
OUT_OF_THEIR_CELLS = """[...document.querySelectorAll(".scroll :is(th, td):not(:empty)")].filter((cell) => {
  const text = document.createRange();
  text.selectNodeContents(cell.querySelector("button, span") ?? cell);
  const [inner, outer] = [text, cell].map((one) => one.getBoundingClientRect());
  return text.toString() && (inner.left < outer.left - 1 || inner.right > outer.right + 1);
}).map((cell) => cell.textContent)"""
PRINTED = {"five": 2, "static": 1} | long({"faults": 2, "motor": 2}, {})  # pages at most


def events_of(name: str) -> dict[int, dict[str, Any]]:
    """The last record of each event of a committed recording."""
    lines = (RECORDINGS / f"{name}.events.jsonl").read_text().splitlines()
    return {record["id"]: record for record in map(json.loads, lines)}


def shown(page: Page) -> list[int]:
    marks = page.evaluate("[...document.querySelectorAll('.mark[data-id]:not(.out)')].map((mark) => mark.dataset.id)")
    return sorted(map(int, marks))


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


def set_clock(page: Page, ms_later: float) -> None:
    """Stops the page's clock so much later than now, once what was scrolled is drawn and known to the page."""
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    page.evaluate(
        f"(() => {{ const stopped_ms = performance.now() + {ms_later}; performance.now = () => stopped_ms; }})()"
    )


def span_s(page: Page) -> float:
    return float(page.evaluate("report.timeline.span_s"))


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
    for _ in range(3):
        mouse(page, "mouseWheel", x, y, deltaX=0, deltaY=240)
    page.wait("report.timeline.isWhole")


@needs.chromium
def test_the_wheel_does_not_zoom_while_the_page_scrolls(page: Page) -> None:
    x, y = middle(page, "#chart .plot")
    before = page.evaluate("scrollY")
    set_clock(page, 0)
    mouse(page, "mouseWheel", x, y, deltaX=0, deltaY=200)  # away, and the whole session is seen already
    page.wait(f"scrollY > {before}")
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


def key(page: Page, name: str, modifiers: int = 0) -> None:
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key=name, modifiers=modifiers)


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


@soak
@needs.chromium
@pytest.mark.parametrize(("scheme", "size"), LOOKS)
def test_it_can_be_read_on_every_screen_by_day_and_night(page: Page, scheme: str, size: tuple[int, int]) -> None:
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.resize(*size)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    seen = page.evaluate(LOOK)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert len(seen["texts"]) > 100
    for text in seen["texts"]:
        assert text["contrast"] >= 4.5, text
        assert text["size"] >= 11.9, text
    drawn = page.evaluate(
        """(() => {
          const channel = (value) => (value <= 10.31 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
          const light = (color) => {
            const [r, g, b] = color.match(/[\\d.]+/g).map(Number);
            return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
          };
          const ground = light(getComputedStyle(document.body).backgroundColor);
          const ratio = (color) => (Math.max(light(color), ground) + 0.05) / (Math.min(light(color), ground) + 0.05);
          const texts = [...document.querySelectorAll("svg text")].filter((text) => !text.closest(".key"));
          const marks = [...document.querySelectorAll(".mark .sign")].map((sign) => {
            const { fill, stroke } = getComputedStyle(sign);
            return Math.max(...[fill, stroke].filter((color) => color !== "none").map(ratio));
          });
          return [Math.min(...texts.map((text) => ratio(getComputedStyle(text).fill))), Math.min(...marks)];
        })()"""
    )
    assert drawn[0] >= 4.5
    assert drawn[1] >= 3.0


@needs.chromium
@pytest.mark.parametrize("name", ["faults", "static", "sets"])
def test_no_table_is_wider_than_the_page(name: str, show: Callable[[str], Page]) -> None:
    page = show(name)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    for width in (PHONE[0], 561, 810, 900, 1000, LAPTOP[0]):
        page.resize(width, 800)
        beyond, out = page.evaluate(f"[{BEYOND}, {OUT_OF_THEIR_CELLS}]")
        assert len(beyond) >= 2
        assert (set(beyond), out) == ({0}, []), width


@needs.chromium
def test_controls_have_names_and_are_large_enough_for_a_thumb(page: Page) -> None:
    page.resize(*PHONE)
    buttons = page.evaluate(
        """[...document.querySelectorAll(".tools button")].map((button) =>
          [button.getAttribute("aria-label") ?? button.textContent, button.offsetWidth, button.offsetHeight])"""
    )
    assert len(buttons) == 5
    for name, width, height in buttons:
        assert len(name) > 2
        assert min(width, height) >= 44, name
    labels = page.evaluate(
        "[...document.querySelectorAll('.mark[data-id]')].map((mark) => mark.getAttribute('aria-label'))"
    )
    assert all(len(label) > 30 for label in labels)


@soak
@needs.chromium
@pytest.mark.parametrize(("name", "most_pages"), PRINTED.items())
def test_it_prints_to_few_pages(name: str, most_pages: int, the_page: SharedPage, reports: Path) -> None:
    page = the_page.open(reports / f"{name}.html")
    page.evaluate(
        """addEventListener("beforeprint", () => {
          const { timeline } = report;
          const left_out = timeline.over.querySelectorAll(".out.mark").length;
          globalThis.printed = [timeline.isWhole, Number(timeline.svg.getAttribute("width")), left_out];
        })"""
    )
    page.evaluate("report.timeline.look(5, 10)")  # what was looked at does not matter on paper
    answer = page.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
    pdf = base64.b64decode(answer["data"])
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= most_pages
    assert page.evaluate("globalThis.printed") == [True, 700, 0]  # all of it, as wide as an A4 page
    view = page.evaluate("report.timeline.view")
    assert (view["from_s"], view["until_s"]) == pytest.approx((5, 10))  # and is looked at again afterwards


def test_it_is_in_the_wheel(tmp_path: Path) -> None:
    page = ROOT / "monitor" / "report" / "page"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        shipped = set(wheel.namelist())
    names = {path.name for path in page.iterdir()}
    assert names == {*SCRIPTS, "report.html", "report.css", "paper.css", "timeline.html"}
    assert {f"monitor/report/page/{name}" for name in names} <= shipped


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_begins_with_its_purpose_and_stays_small(name: str) -> None:
    lines = (ROOT / "monitor" / "report" / "page" / name).read_text().splitlines()
    assert next(line for line in lines if line != '"use strict";').startswith("// ")
    assert len(lines) <= 240
    assert max(map(len, lines)) <= 120
    assert "9.8" not in "".join(lines)  # the data contains the weight of a kilogram in newtons
