"""The trainer's view: trace, events, repetitions, leak, sets, history with and without a store."""

import msgspec

from monitor.daemon.recent_feedback import RecentFeedback
from monitor.events import Jerk, LockoutRest, Rep
from tests import needs
from tests.browser import Browser, Page, until
from tests.display.conftest import LAPTOP, PHONE, TABLET, Open
from tests.display.look import faults, look
from tests.display.records import REP
from tests.display.stage import CALM, IDLE, DisplayStage

pytestmark = needs.chromium


def cells(page: Page, table: str) -> list[list[str]]:
    rows: list[list[str]] = page.evaluate(
        f"[...document.querySelectorAll('{table} tr')]"
        ".map((row) => [...row.cells].map((cell) => cell.innerText.trim()))"
    )
    return rows


def test_a_set_is_shown_while_it_goes_on(open_page: Open, stage: DisplayStage) -> None:
    stage.status()
    stage.info()
    stage.live()
    page = open_page("trainer.html", (1440, 900))
    page.at_noon()
    page.wait("document.body.dataset.state === 'set'")
    stage.event(LockoutRest, rep=1, duration_s=2.0, t_s=-30.0)
    stage.event(Jerk, rep=2, cause="mid", peak_g=0.2, t_s=-20.0)
    stage.event(Rep, rep=1, **REP)
    stage.event(Rep, rep=2, **{**REP, "partial": True, "in_band_s": 5.5})
    page.wait("document.querySelectorAll('#rep-rows svg').length === 2")
    assert cells(page, "#rep-rows") == [
        ["2 (partial)", "5.1", "0.4", "4.9", "0.6", "48", "0.05", "82", "50 %", "squeezed", "1 / 0", ""],
        ["1", "5.1", "0.4", "4.9", "\N{EN DASH}", "48", "0.05", "82", "80 %", "squeezed", "1 / 0", ""],
    ]
    assert page.evaluate("document.querySelector('#rep-rows svg').getAttribute('aria-label')") == "Heave"
    assert [row[1:3] for row in cells(page, "#events")] == [["Heave", "2"], ["Rest at the top", "1"]]
    leak = page.evaluate("[...document.querySelectorAll('#leak dd:not(.leak-bar)')].map((cell) => cell.textContent)")
    assert leak == ["2.0 s", "4.0 s"]  # at the top, and what the heave spoils at most
    assert page.evaluate("document.querySelectorAll('#tension-plot canvas, #position-plot canvas').length") == 2
    stage.live(IDLE)
    stage.end_set()
    page.wait("document.querySelectorAll('#set-rows td').length === 7")
    assert cells(page, "#set-rows") == [["1", "82 kg", "6", "62", "47", "15", "76 %", "to failure"]]
    page.wait("document.querySelector('#leak dd:not(.leak-bar)').textContent === '6.2 s'")
    assert not page.console


INSIDE = """(async () => {
    const { Trace } = await import("/js/trace.js");
    const box = document.querySelector("#tension-plot");
    const trace = new Trace(box, document.querySelector("#position-plot"), () => "Rest at the top");
    const ends = [];
    const write = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
        if (text === "Rest at the top") ends.push((x + this.measureText(text).width) / this.canvas.width);
        write.call(this, text, x, y);
    };
    for (let t_s = 0; t_s < 60; t_s += 1) trace.add({ t_s, tension: 1, tension_n: 1, position: 0.5, pace: null });
    const record = { kind: "lockout_rest", t_s: 58.5, duration_s: 0.5, part_of: null };
    trace.draw([{ record }], 0.1);
    await new Promise((later) => requestAnimationFrame(() => requestAnimationFrame(later)));
    CanvasRenderingContext2D.prototype.fillText = write;
    return ends;
})()"""


def test_the_name_of_an_event_just_now_is_not_cut_off(open_page: Open, stage: DisplayStage) -> None:
    page = open_page("trainer.html", (1440, 900))
    ends = page.evaluate(INSIDE)
    assert ends, "the name was not drawn"
    assert max(ends) < 0.97  # of the canvas, whose right axis takes some room


def test_it_can_be_read_on_every_screen(open_page: Open, stage: DisplayStage) -> None:
    stage.status()
    stage.info()
    stage.live()
    page = open_page("trainer.html", (1440, 900))
    stage.event(Rep, rep=1, **REP)
    stage.end_set()
    page.wait("document.querySelectorAll('#set-rows td').length === 7")
    for size in ((1440, 900), (1920, 1080), TABLET, PHONE):
        page.resize(*size)
        seen = look(page)
        wrong = [fault for fault in faults(seen) if "outside" not in fault and "scrolls" not in fault]
        assert not wrong, size
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), size
        assert page.evaluate("document.querySelector('#tension-plot canvas').getBoundingClientRect().width > 200"), size


def test_the_trace_has_holes_and_is_bounded(open_page: Open, stage: DisplayStage) -> None:
    stage.status()
    page = open_page("trainer.html", (1440, 900))
    length, holes, window = page.evaluate(
        """(async () => {
        const { Trace } = await import("/js/trace.js");
        let drawn;
        let x;
        globalThis.uPlot = class {
          batch(work) { work(); }
          setData(data) { drawn = data; }
          setScale(_, window) { x = window; }
        };
        const box = () => document.body.appendChild(document.createElement("div"));
        const trace = new Trace(box(), box(), () => "");
        for (let at = 0; at < 25 * 300; at += 1) {
          if (at > 7000 && at < 7100) continue;
          trace.add({ t_s: at / 25, tension: 1, tension_n: 800, position: 0.5, pace: null });
        }
        trace.draw([], 0.1);
        return [drawn[0].length, drawn[1].filter((value) => value === null).length, x.max - x.min];
        })()"""
    )
    assert 25 * 50 < length < 25 * 76
    assert holes == 1
    assert window == 60


def test_the_last_minute_begins_with_what_the_machine_has(open_page: Open, stage: DisplayStage) -> None:
    """The chart of a page that opens within a set is full; at rest, with one feedback a second, it has no hole."""
    recent = RecentFeedback()
    for at in range(30):
        recent.feedback(stage.session, msgspec.structs.replace(IDLE, t_s=stage.t_s - 60 + at), 1.0)
    for at in range(25 * 29):
        recent.feedback(stage.session, msgspec.structs.replace(CALM, t_s=stage.t_s - 30 + at / 25), 25.0)
    stage.recent = recent.document()
    stage.live()
    page = open_page("trainer.html", (1280, 800))
    page.wait("repMonitor.trace.columns[0].length > 25 * 29 + 30")
    times, holes = page.evaluate(
        "[repMonitor.trace.columns[0], repMonitor.trace.columns[2].filter((force) => force === null).length]"
    )
    assert times == sorted(times)
    assert times[-1] - times[0] > 58
    assert holes <= 1  # between what the server had and what came live
    stage.recent = {**recent.document(), "session": "another"}
    other = open_page("trainer.html", (1280, 800))
    other.wait("repMonitor.stats.shown !== null && repMonitor.trace.columns[0].length > 2")
    assert other.evaluate("repMonitor.trace.columns[0].length") < 25 * 29
    assert not page.console


def test_its_header_is_one_line_on_a_laptop(open_page: Open, stage: DisplayStage) -> None:
    stage.info(load_n=804.0)
    stage.live()
    page = open_page("trainer.html", LAPTOP)
    top = "(({ height }) => height)(document.querySelector('.top').getBoundingClientRect())"
    page.wait("document.body.dataset.state === 'set' && document.querySelector('#agreed').textContent.includes('kg')")
    height_px = page.evaluate(top)
    assert height_px <= 48 + 2 * 12 + 1  # a button, the padding and the border
    stage.silence()
    stage.status(link="unstable")
    page.wait("document.querySelector('#pill-text').textContent.includes('check its cable')")
    assert page.evaluate(top) == height_px
    assert page.evaluate("document.querySelector('.top').scrollWidth <= innerWidth")


def test_history_comes_from_the_store(open_page: Open, stage: DisplayStage) -> None:
    old = [
        {"session": "s-old", "set": number, "reps": 5, "under_load_s": 60.0, "under_tension_s": 30.0 + number,
         "working_load_n": 804.0, "skill": 0.5, "strength_n": 804.0, "outcome": "ended"}
        for number in (1, 2, 3)
    ]  # fmt: skip
    stage.history = {"v": 1, "sets": old}
    stage.status()
    stage.live(IDLE)
    page = open_page("trainer.html", (1440, 900))
    stage.end_set()
    page.wait("document.querySelectorAll('#set-rows tr').length === 4")
    assert [row[0] for row in cells(page, "#set-rows")] == ["1", "3", "2", "1"]
    page.wait("document.querySelector('#compare').textContent.includes('+14\\u00a0s')")
    assert "Skill +26\u00a0points" in page.evaluate("document.querySelector('#compare').textContent")  # 75.5 against 50
    assert page.evaluate("document.querySelectorAll('#trend-box canvas').length") == 2  # never one chart
    assert page.evaluate("document.querySelector('#history-note').textContent") == ""
    assert not page.console


def test_without_a_store_it_reports_that(browser: Browser) -> None:
    stage = DisplayStage("row", root="berlin/rep")
    stage.history = None
    with stage:
        page = browser.open(stage.url + "trainer.html", width=1440, height=900)
        page.wait("document.querySelector('#history-note').textContent.startsWith('Only sets since')")
        stage.end_set()
        page.wait("document.querySelectorAll('#set-rows td').length === 7")
        page.close()


def test_after_a_reload_missed_events_are_resumed(open_page: Open, stage: DisplayStage) -> None:
    stage.commands.clear()
    stage.status(store_id="store", first_seq=3, last_seq=900)
    stage.live()
    page = open_page("trainer.html", (1440, 900))
    client = page.evaluate("repMonitor.link.client_id")
    until(lambda: bool(stage.commands), "the page does not ask for the past")
    name, command = stage.commands[0]
    assert (name, command["client"], command["after"], command["store_id"]) == ("resume", client, 400, "store")
    stage.event(Rep, rep=1, historical=True, topic=f"resume/{client}", **REP)
    page.wait("document.querySelectorAll('#rep-rows td').length === 11")
