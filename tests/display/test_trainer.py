"""The trainer's view: trace, events, repetitions, leak, sets, history with and without a store."""

from typing import Any

import msgspec

from monitor.daemon.recent_feedback import RecentFeedback
from monitor.events import Jerk, LockoutRest, Rep, SensorFault, Turnaround
from monitor.mqtt.contract import payload
from tests import needs
from tests.browser import Page, until
from tests.display.choosing import ANSWER, OPEN, READY, USE
from tests.display.conftest import LAPTOP, PHONE, TABLET, TV, Settle, SharedPage
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


INSIDE = """(async () => {
    const { Trace } = await import("/js/trace.js");
    const boxes = ["#tension-plot", "#position-plot"].map((plot) => document.querySelector(plot));
    const trace = new Trace(...boxes, () => "Rest at the top");
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
    for (const box of boxes) box.lastElementChild.remove(); // the page's own plots stay
    return ends;
})()"""


def test_the_name_of_an_event_just_now_is_not_cut_off(trainer: Page) -> None:
    ends = trainer.evaluate(INSIDE)
    assert ends, "the name was not drawn"
    assert max(ends) < 0.97  # of the canvas, whose right axis takes some room


def test_the_trace_has_holes_and_is_bounded(trainer: Page) -> None:
    length, holes, window = trainer.evaluate(
        """(async () => {
        const { Trace } = await import("/js/trace.js");
        let drawn;
        let x;
        const { uPlot } = globalThis;
        globalThis.uPlot = class {
          batch(work) { work(); }
          setData(data) { drawn = data; }
          setScale(_, window) { x = window; }
        };
        const trace = new Trace(document.createElement("div"), document.createElement("div"), () => "");
        globalThis.uPlot = uPlot;
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


POINTS = """(async () => {
    const { Trace } = await import("/js/trace.js");
    const boxes = ["#tension-plot", "#position-plot"].map((plot) => document.querySelector(plot));
    const trace = new Trace(...boxes, () => "");
    const { lineTo } = CanvasRenderingContext2D.prototype;
    const counts = [];
    let points = 0;
    CanvasRenderingContext2D.prototype.lineTo = function (x, y) {
        points += 1;
        lineTo.call(this, x, y);
    };
    let at = 0;
    const hear = (to) => {
        for (; at < to; at += 1) trace.add({ t_s: at / 25, tension: 1, tension_n: 1, position: 0.5, pace: null });
    };
    for (const to of [1000, 1003, 1006]) {
        hear(to);
        points = 0;
        trace.draw([], 0.1);
        await new Promise((later) => requestAnimationFrame(() => requestAnimationFrame(later)));
        counts.push(points);
    }
    CanvasRenderingContext2D.prototype.lineTo = lineTo;
    for (const box of boxes) box.lastElementChild.remove(); // the page's own plots stay
    return counts;
})()"""


def test_the_trace_draws_only_what_is_new(trainer: Page) -> None:
    whole, *later = trainer.evaluate(POINTS)
    axes = 2 * 2 * 20  # their grid, in both plots
    assert whole > 3 * 999
    assert max(later) <= 3 * 3 + axes


OWN_CLOCK = """(() => {
    const due = [];
    let now_ms = performance.now();
    let last = 1e9; // no timer that runs already has such a number
    const later = (act, wait_ms = 0) => due.push({ id: (last += 1), at_ms: now_ms + wait_ms, act }) && last;
    performance.now = () => now_ms;
    globalThis.setTimeout = later;
    globalThis.clearTimeout = (id) => due.splice(0, Infinity, ...due.filter((timer) => timer.id !== id));
    globalThis.requestAnimationFrame = (act) => later(() => act(now_ms), 1000 / 60 - (now_ms % (1000 / 60)));
    globalThis.passes = (ms) => {
        const end_ms = now_ms + ms;
        for (;;) {
            due.sort((one, other) => one.at_ms - other.at_ms);
            if (!(due[0]?.at_ms <= end_ms)) break;
            const { at_ms, act } = due.shift();
            now_ms = at_ms;
            act();
        }
        now_ms = end_ms;
    };
    const { trace } = repMonitor;
    const draw = trace.draw.bind(trace);
    globalThis.draws = 0;
    trace.draw = (...what) => { globalThis.draws += 1; draw(...what); };
})()"""


def test_the_trace_is_drawn_ten_times_a_second(
    the_trainers_view: SharedPage, trainer: Page, stage: DisplayStage
) -> None:
    """Although feedback comes more often. The page's time passes with the feedback, so a busy machine is no matter."""
    stage.live()
    trainer.wait("document.body.dataset.state === 'set'")
    stage.pause()
    t_s, hz = stage.t_s + 10, 25.0
    try:
        trainer.evaluate(OWN_CLOCK)
        for number in range(100):
            feedback = msgspec.structs.replace(CALM, t_s=t_s + number / hz)
            stage.publish(payload.live(stage.tree, stage.session, feedback, hz))
            heard = f"repMonitor.model.feedback.t_s === {feedback.t_s}"
            until(lambda: trainer.evaluate(heard), "the page hears nothing")  # noqa: B023
            trainer.evaluate(f"passes({1000 / hz})")
            if number == 24:
                before = trainer.evaluate("[draws, repMonitor.stats.frames]")
        after = trainer.evaluate("[draws, repMonitor.stats.frames]")
    finally:
        stage.live(IDLE)
        the_trainers_view.load()  # with the computer's clock
        the_trainers_view.settle()
    draws, frames = (late - early for late, early in zip(after, before, strict=True))
    assert 24 <= draws <= 30  # in three seconds
    assert frames <= 30


def test_its_header_is_one_line_on_a_laptop(trainer: Page, stage: DisplayStage) -> None:
    stage.info(load_n=804.0)
    stage.live()
    top = "(({ height }) => height)(document.querySelector('.top').getBoundingClientRect())"
    trainer.wait(
        "document.body.dataset.state === 'set' && document.querySelector('#agreed').textContent.includes('kg')"
    )
    height_px = trainer.evaluate(top)
    assert height_px <= 48 + 2 * 12 + 1  # a button, the padding and the border
    stage.silence()
    stage.status(link="unstable")
    trainer.wait("document.querySelector('#pill-text').textContent.includes('check its cable')")
    assert trainer.evaluate(top) == height_px
    assert trainer.evaluate("document.querySelector('.top').scrollWidth <= innerWidth")


def test_a_trainer_can_choose(trainer: Page, stage: DisplayStage) -> None:
    stage.answers = {"load": {}}
    stage.info(load_n=804.0)
    trainer.wait("document.querySelector('#agreed').textContent === '5/5 · 82 kg'")
    trainer.evaluate(OPEN)
    trainer.wait(READY)
    trainer.evaluate("document.querySelector('#choose-steps button:first-child').click()")
    trainer.evaluate(USE)
    trainer.wait(f"{ANSWER} === 'Saved. It applies from the next set.'")
    assert [(name, command["load_n"]) for name, command in stage.commands] == [("load", 755.1)]
    assert not trainer.console


def test_a_set_is_shown_while_it_goes_on_and_can_be_read_on_every_screen(trainer: Page, stage: DisplayStage) -> None:
    trainer.at_noon()
    stage.live()
    trainer.wait("document.body.dataset.state === 'set'")
    stage.event(LockoutRest, rep=1, duration_s=2.0, t_s=-30.0)
    stage.event(Jerk, rep=2, cause="mid", peak_g=0.2, t_s=-20.0)
    stage.event(Rep, rep=1, **REP)
    stage.event(Rep, rep=2, **{**REP, "partial": True, "in_band_s": 5.5})
    trainer.wait("document.querySelectorAll('#rep-rows svg').length === 2")
    assert cells(trainer, "#rep-rows") == [
        ["2 (partial)", "5.1", "0.4", "4.9", "0.6", "48", "0.05", "82", "50 %", "squeezed", "1 / 0", ""],
        ["1", "5.1", "0.4", "4.9", "\N{EN DASH}", "48", "0.05", "82", "80 %", "squeezed", "1 / 0", ""],
    ]
    assert trainer.evaluate("document.querySelector('#rep-rows svg').getAttribute('aria-label')") == "Heave"
    assert [row[1:3] for row in cells(trainer, "#events")] == [["Heave", "2"], ["Rest at the top", "1"]]
    leak = trainer.evaluate("[...document.querySelectorAll('#leak dd:not(.leak-bar)')].map((cell) => cell.textContent)")
    assert leak == ["2.0 s", "4.0 s"]  # at the top, and what the heave spoils at most
    assert trainer.evaluate("document.querySelectorAll('#tension-plot canvas, #position-plot canvas').length") == 2
    stage.live(IDLE)
    stage.end_set()
    trainer.wait("document.querySelectorAll('#set-rows td').length === 7")
    assert cells(trainer, "#set-rows") == [["1", "82 kg", "6", "62", "47", "15", "76 %", "to failure"]]
    trainer.wait("document.querySelector('#leak dd:not(.leak-bar)').textContent === '6.2 s'")
    for size in ((1440, 900), TV, TABLET, PHONE):
        trainer.resize(*size)
        wrong = [fault for fault in faults(look(trainer)) if "outside" not in fault and "scrolls" not in fault]
        assert not wrong, size
        assert trainer.evaluate("document.documentElement.scrollWidth <= innerWidth"), size
        width_px = trainer.evaluate("document.querySelector('#tension-plot canvas').getBoundingClientRect().width")
        assert width_px > 200, size
    assert not trainer.console


def test_spikes_that_follow_one_another_are_one_line(trainer: Page, stage: DisplayStage) -> None:
    stage.live()
    for ago_s in (50.0, 40.0, 15.0):
        stage.event(SensorFault, cause="spike", duration_s=0.1, t_s=stage.t_s - ago_s)
        stage.event(Turnaround, at="upper", grade="smooth", dwell_s=0.1, peak_g=0.02, t_s=stage.t_s - ago_s)
    stage.event(Jerk, cause="mid", peak_g=0.2, t_s=stage.t_s - 10)
    stage.event(SensorFault, cause="spike", t_s=stage.t_s - 5)
    stage.event(SensorFault, cause="spike", detail="noise", t_s=stage.t_s - 4)
    trainer.wait("document.querySelectorAll('#events tr').length === 4")
    assert [row[1:] for row in cells(trainer, "#events")] == [
        ["The load cell shows spikes", "2", ""],
        ["The load cell shows spikes", "2", ""],
        ["Heave", "2", ""],
        ["The load cell shows spikes · 3 \N{MULTIPLICATION SIGN} · 0:35", "2", "0.3"],
    ]


def last_minute(stage: DisplayStage) -> dict[str, Any]:
    """Half a minute at rest, with one feedback a second, and then a set."""
    recent = RecentFeedback()
    for at in range(30):
        recent.feedback(stage.session, msgspec.structs.replace(IDLE, t_s=stage.t_s - 60 + at), 1.0)
    for at in range(25 * 29):
        recent.feedback(stage.session, msgspec.structs.replace(CALM, t_s=stage.t_s - 30 + at / 25), 25.0)
    return recent.document()


def test_a_page_that_opens_shows_stored_sets_and_earlier_events(
    the_trainers_view: SharedPage, settle: Settle, stage: DisplayStage
) -> None:
    """Of the last minute it shows nothing, because that is of another session."""
    old = [
        {"session": "s-old", "set": number, "reps": 5, "under_load_s": 60.0, "under_tension_s": 30.0 + number,
         "working_load_n": 804.0, "skill": 0.5, "strength_n": 804.0, "outcome": "ended"}
        for number in (1, 2, 3)
    ]  # fmt: skip
    stage.history = {"v": 1, "sets": old}
    stage.recent = {**last_minute(stage), "session": "another"}
    stage.status(store_id="store", first_seq=3, last_seq=900)
    trainer = settle(the_trainers_view, "trainer.html", LAPTOP, anew=True)
    client = trainer.evaluate("repMonitor.link.client_id")
    until(lambda: (client, 400, "store") in stage.resumed(), "the page does not ask for the past")
    stage.event(Rep, rep=1, historical=True, topic=f"resume/{client}", **REP)
    trainer.wait("document.querySelectorAll('#rep-rows td').length === 11")
    stage.end_set()
    trainer.wait("document.querySelectorAll('#set-rows tr').length === 4")
    assert [row[0] for row in cells(trainer, "#set-rows")] == ["1", "3", "2", "1"]
    beyond = "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.sets .scroll'))"
    assert trainer.evaluate(beyond) <= 0  # the outcome, in the last column, is not cut off
    trainer.wait("document.querySelector('#compare').textContent.includes('+14\\u00a0s')")
    assert "Skill +26\u00a0points" in trainer.evaluate("document.querySelector('#compare').textContent")  # 75.5 - 50
    assert trainer.evaluate("document.querySelectorAll('#trend-box canvas').length") == 2  # never one chart
    assert trainer.evaluate("document.querySelector('#history-note').textContent") == ""
    assert trainer.evaluate("repMonitor.trace.columns[0].length") < 25 * 29
    assert not trainer.console


def test_without_a_store_a_page_shows_the_last_minute_in_the_profiles_unit(
    the_trainers_view: SharedPage, settle: Settle, stage: DisplayStage
) -> None:
    """Its chart begins full, and has no hole at rest, where feedback comes once a second."""
    stage.history = None
    stage.display(units="lb")
    stage.info(load_n=804.0)
    stage.recent = last_minute(stage)
    trainer = settle(the_trainers_view, "trainer.html", LAPTOP, anew=True)
    stage.live()
    trainer.wait("repMonitor.trace.columns[0].length > 25 * 29 + 30")
    times, holes = trainer.evaluate(
        "[repMonitor.trace.columns[0], repMonitor.trace.columns[2].filter((force) => force === null).length]"
    )
    assert times == sorted(times)
    assert times[-1] - times[0] > 58
    assert holes <= 1  # between what the server had and what came live
    trainer.wait("document.querySelector('#history-note').textContent.startsWith('Only sets since')")
    trainer.wait("document.querySelector('#load').textContent === '181 lb'")
    trainer.wait("document.querySelector('#agreed').textContent === '5/5 · 181 lb'")
    assert "kg" not in trainer.evaluate("document.body.innerText")
    stage.end_set()
    trainer.wait("document.querySelectorAll('#set-rows td').length === 7")
