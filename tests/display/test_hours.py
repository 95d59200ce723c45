"""Hours of training, played fast: neither page grows in memory or elements."""

import json
from typing import Any

import msgspec

from tests import needs
from tests.browser import Page
from tests.display.records import REP
from tests.display.stage import CALM, LEAK, DisplayStage
from tests.soak import long, soak

pytestmark = [needs.chromium, soak]

FILLED_S = 1320  # by now everything that is kept for a while is full: events, sets in the table
MORE_S = long(3600, 900)
GROWTH = long(1.05, 1.02)  # 1.004 is usual in the short form; 1.03 if recent events are kept without a bound
# One set a minute: 50 s of feedback, 5 a second, a repetition and three leaks every 2 s, more than anybody
# makes, then its summary. `play(until_s)`
# gives the page what it would have heard, twenty seconds of it with each frame that it draws.
PLAY = """globalThis.play = async (until_s) => {
  const { CALM, REP, SET_END } = %s;
  const common = (kind, set, t_s, more) => ({ v: 1, id: ++play.id, seq: play.id, store_id: "s", historical: false, kind,
    session: "hours", set, rep: 1 + Math.floor((t_s %% 60) / 2), t_s, found_s: t_s, duration_s: 0, phase: "positive",
    position_m: 0.2, part_of: null, ...more });
  const tell = (record) => repMonitor.link.heard(`event/${record.kind}`, record, false);
  for (; play.t_s < until_s; play.t_s += 1) {
    const set = 1 + Math.floor(play.t_s / 60), second = play.t_s %% 60;
    for (let at = 0; at < 5; at += 1) {
      const t_s = play.t_s + at / 5, tension = 1 + 0.2 * Math.sin(t_s);
      const band = tension < 0.9 ? "low" : tension > 1.1 ? "high" : "in";
      const lifting = second < 50 ? { set, tension, band } : { set: null, tension: null, band: null, pace: null };
      const feedback = { ...CALM, session: "hours", t_s, under_load_s: second, ...lifting };
      repMonitor.link.heard("live/feedback", feedback, false);
    }
    if (second %% 2 === 1) {
      tell(common("jerk", set, play.t_s, { cause: "mid", peak_g: 0.2 }));
      tell(common("lockout_rest", set, play.t_s, { duration_s: null }));
      tell(common("slack", set, play.t_s, { duration_s: 0.2 }));
      tell(common("rep", set, play.t_s, REP));
    }
    if (second === 50) tell(common("set_end", set, play.t_s, SET_END));
    if (second %% 20 === 19) await new Promise(requestAnimationFrame);
  }
};
play.id = play.t_s = 0"""


def test_the_display_does_not_grow(display: Page, stage: DisplayStage) -> None:
    does_not_grow(display, stage)


def test_the_trainers_view_does_not_grow(trainer: Page, stage: DisplayStage) -> None:
    does_not_grow(trainer, stage)


def does_not_grow(page: Page, stage: DisplayStage) -> None:
    stage.silence()
    page.evaluate(PLAY % json.dumps({"CALM": {"v": 1, **msgspec.to_builtins(CALM)}, "REP": REP, "SET_END": set_end()}))
    page.call("Network.disable")
    frames = page.evaluate("repMonitor.stats.frames")
    play(page, FILLED_S)
    before = size(page)
    play(page, FILLED_S + MORE_S)
    after = size(page)
    assert page.evaluate("repMonitor.stats.frames") > frames + 10  # a page draws at its own pace: the faster, the fewer
    assert page.evaluate("repMonitor.model.ended.set") > 35
    assert after["JSHeapUsedSize"] < GROWTH * before["JSHeapUsedSize"], (before, after)
    assert after["Nodes"] < 1.1 * before["Nodes"] + 50, (before, after)
    assert after["JSEventListeners"] <= before["JSEventListeners"] + 5, (before, after)
    assert not page.console
    page.call("Network.enable")


def set_end() -> dict[str, Any]:
    return {
        "reps": 5, "partial_reps": 0, "under_load_s": 50.0, "under_tension_s": 40.0, "leak": msgspec.to_builtins(LEAK),
        "counts": {"jerk": 5}, "working_load_n": 804.0, "working_load_from": "learned", "friction": 0.08,
        "friction_from": "learned", "skill": 0.8, "strength_n": 804.0, "outcome": "ended",
    }  # fmt: skip


def play(page: Page, until_s: float) -> None:
    """In pieces that the browser answers in time."""
    at_s = float(page.evaluate("play.t_s"))
    while at_s < until_s:
        at_s = min(until_s, at_s + 300)
        page.evaluate(f"play({at_s})")


def size(page: Page) -> dict[str, float]:
    """The page's metrics after garbage collection; detached nodes may take several rounds."""
    page.call("Performance.enable")
    smallest: dict[str, float] = {}
    for _ in range(20):
        page.evaluate("new Promise((drawn) => setTimeout(drawn, 1500))")  # the trainer's tables come once a second
        page.call("HeapProfiler.collectGarbage")
        metrics = {metric["name"]: metric["value"] for metric in page.call("Performance.getMetrics")["metrics"]}
        if smallest and metrics["Nodes"] >= smallest["Nodes"]:
            break
        smallest = metrics
    return smallest
