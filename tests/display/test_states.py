"""Every state of the lifter's display, driven through the broker: colour, shape and word, always readable."""

from pathlib import Path
from typing import Any

import pytest

from monitor.events import ForceCeiling, Leak, LockoutRest, Unload
from tests import needs
from tests.browser import Page
from tests.display.conftest import LAPTOP, PHONE, TABLET, TV
from tests.display.look import faults, look
from tests.display.stage import CALM, IDLE, DisplayStage
from tests.display.states import SHOWN, show
from tests.soak import long, soak

pytestmark = needs.chromium
CHOOSE = """((name, value) => {
  const select = document.querySelector(`[name=${name}]`);
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
})("%s", "%s")"""
FORGET = "localStorage.clear()"  # after choices that a test has taken back, so that the page need not load again

# Frames that were written for a second of feedback; on a loaded machine the data may stop for a moment, and the page
# says so: then another second.
QUIET_SECOND = """(async () => {
  for (;;) {
    const { frames } = repMonitor.stats, { t_s } = repMonitor.model.feedback, states = new Set();
    while (repMonitor.model.feedback.t_s < t_s + 1) {
      states.add(document.body.dataset.state);
      await new Promise((later) => setTimeout(later, 5));
    }
    if (states.size === 1 && states.has("idle")) return repMonitor.stats.frames - frames;
  }
})()"""
MOVES = """(async () => {
  const { feedback } = repMonitor.model;
  for (let at = 1; at <= 20; at += 1) {
    const moved = { position: 0.3 + at / 50, pace: 0.32 + at / 50, tension: 1 + at / 250 };
    repMonitor.link.heard("live/feedback", { ...feedback, t_s: feedback.t_s + at / 100, ...moved }, false);
    await new Promise(requestAnimationFrame);
  }
})()"""
FAKE_VOICE = """globalThis.spoken = [];
globalThis.silenced = 0;
globalThis.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
speechSynthesis.getVoices = () => [{ name: "fake", lang: "en-GB", localService: true, default: true }];
speechSynthesis.cancel = () => { silenced += 1; };
speechSynthesis.speak = (utterance) => spoken.push(utterance.text);
speechSynthesis.dispatchEvent(new Event("voiceschanged"))"""


SMALL_TARGETS = """[...document.querySelectorAll("button, a[href], select, input")]
  .filter((target) => target.checkVisibility({ visibilityProperty: true }))
  .map((target) => [target.id, target.offsetWidth, target.offsetHeight])
  .filter(([, width, height]) => Math.min(width, height) < 48)"""
SIZES = (PHONE, TABLET, LAPTOP, TV, (844, 390), (320, 568))
NOTHING_TO_SHOW = ("fault", "stale", "offline")


@soak
@pytest.mark.parametrize("state", SHOWN)
def test_every_state_is_shown_and_readable(display: Page, stage: DisplayStage, state: str, tmp_path: Path) -> None:
    """In short, every second size: each of them with half of the states."""
    for width, height in long(SIZES, SIZES[list(SHOWN).index(state) % 2 :: 2]):
        display.resize(width, height)
        seen = show(display, stage, state)
        assert not display.evaluate(SMALL_TARGETS), (width, height)
        assert not faults(seen), (width, height, display.screenshot(tmp_path / f"{state}-{width}.png"))
        if state == "summary":
            continue
        assert 0 < len(seen["word"]) <= 8 or state == "pause"
        tile, word = seen["tile"], seen["word_box"]
        assert tile["left"] <= word["left"]
        assert word["right"] <= tile["right"]
        assert word["bottom"] <= tile["bottom"]
        assert seen["icon_drawn"]
        assert seen["label"] in seen["bar_text"]  # a screen reader gets the visible text
        assert seen["crossed"] == (state in NOTHING_TO_SHOW)
        assert (seen["edge"] is None) == (
            state in (*NOTHING_TO_SHOW, "idle", "pause")
        )  # in a pause there is no tension
    assert not display.console


def test_many_faults_do_not_push_the_number_of_a_repetition_out(display: Page, stage: DisplayStage) -> None:
    stage.live(rep=5)
    for rep in (3, 4, 5):
        stage.event(LockoutRest, rep=rep, duration_s=1.0)
        stage.event(Unload, rep=rep, duration_s=0.2, low=0.5)
        stage.event(ForceCeiling, rep=rep, duration_s=0.2, peak_tension_n=1200.0)
    lines = "[...document.querySelectorAll('#faults li')]"
    three = f"{lines}.filter((line) => / · .* · /.test(line.textContent)).length === 3"
    for size in (PHONE, TABLET, LAPTOP, TV, (320, 568)):
        display.resize(*size)
        seen = look(display, three, state="set")
        ends = {text["text"]: text["right"] for text in seen["texts"] if text["text"].startswith("rep ")}
        assert {"rep 5", "rep 4"} <= ends.keys(), size  # the smallest phones show two lines
        assert all(right <= size[0] for right in ends.values()), (size, ends)


def test_states_differ_in_shape_not_only_in_colour(display: Page, stage: DisplayStage) -> None:
    shapes, icons, words = {}, {}, {}
    for state in ("in", "low", "high", "lockout", "alarm", "learning", "fault", "stale"):
        if state == "learning":
            stage.live()
            stage.end_set()  # closes what the alarm left open
        seen = show(display, stage, state)
        icons[state], words[state] = seen["icon"], seen["label"]
        shapes[state] = (
            tuple(seen["frame"]),
            seen["weave"],
            *seen["woven"],
            seen["crossed"],
            seen["data"]["state"] == "alarm",
        )
        if state == "in":
            assert seen["frame"][3], "blue on dark has too little contrast: a light line must go with it"
        else:
            assert seen["edge_contrast"] >= 4.5
        assert max(seen["mark_on_fill"], 0) >= 4.5 or state in (
            "low",
            "high",
            "lockout",
            "learning",
            "alarm",
            "fault",
            "stale",
        )
        assert seen["mark_on_track"] >= 4.5
    assert len(set(icons.values())) == len(icons)
    assert len(set(words.values())) == len(words)
    assert len(set(shapes.values())) == len(shapes)
    drawn = {state: shape[1:4] for state, shape in shapes.items()}  # along a row, down a column
    assert drawn["low"] == ("diagonal", True, True)
    assert drawn["lockout"] == ("rows", False, True)
    assert drawn["learning"] == ("dots", True, True)
    assert drawn["in"] == drawn["high"] == ("plain", False, False)


def test_on_the_rest_the_page_first_corrects_and_then_asks(display: Page, stage: DisplayStage) -> None:
    resting: dict[str, Any] = {
        "tension": 0.1,
        "band": None,
        "resting": "bottom",
        "cue": "bottom",
        "phase": "rest",
        "position": 0.0,
    }
    stage.step_s /= 50  # else the second after which the page asks could pass between two looks
    stage.live(**resting)
    seen = look(display, state="set", resting="bottom", cue="bottom")
    assert (seen["word"], seen["data"]["correcting"]) == ("LIFT", "true")
    stage.step_s *= 50
    seen = look(display, state="set", resting="pause", cue="pause")
    assert (seen["word"], seen["label"], seen["data"]["correcting"]) == ("LIFT or DONE?", "On the rest", "false")
    assert tile_colour(display) == "rgba(0, 0, 0, 0)"
    stage.live()
    assert look(display, state="set", resting="none", cue="positive")["word"] == "UP"


def test_a_correction_never_stands_on_the_calm_colour(display: Page, stage: DisplayStage) -> None:
    stage.live()
    look(display, state="set", band="in", correcting="false")
    calm = tile_colour(display)
    for cue, word, label in (
        ("speed_over", "SLOWER", "Too fast"),
        ("drop", "BRAKE", "Dropped"),
        ("jerk", "EASE", "Heave"),
    ):
        stage.live(cue=cue)
        seen = look(display, state="set", band="in", cue=cue, correcting="true")
        assert (seen["word"], seen["label"]) == (word, label)
        assert tile_colour(display) != calm
        assert not seen["frame"][3], "the frame has the shape of a correction, too"


def test_the_time_under_load_is_second_only_to_the_word(display: Page, stage: DisplayStage) -> None:
    for size in (PHONE, TABLET, LAPTOP, TV):
        display.resize(*size)
        seen = show(display, stage, "low")
        first, second = sorted(seen["texts"], key=lambda text: text["size"], reverse=True)[:2]
        assert (first["text"], second["text"]) == ("MORE", "0:42"), size


def test_a_sensor_fault_says_what_to_do(display: Page, stage: DisplayStage) -> None:
    for fault, advice in (("frozen", "Keep lifting; nothing is scored"), ("saturated", "Stop, call staff")):
        stage.live(tension=None, tension_n=None, band=None, fault=fault)
        seen = look(display, state="fault", reason=fault)
        assert advice in [text["text"] for text in seen["texts"]]


def tile_colour(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.querySelector('#cue')).backgroundColor"))


def test_the_bar_shows_the_tension(display: Page, stage: DisplayStage) -> None:
    heights = []
    for tension, band in (
        (0.6, "low"),
        (0.8, "low"),
        (0.95, "in"),
        (1.0, "in"),
        (1.08, "in"),
        (1.2, "high"),
        (1.4, "high"),
    ):
        stage.live(tension=tension, band=band)
        seen = look(display, f"repMonitor.stats.shown.tension === {tension}", state="set", band=band)
        target, top = seen["target"], seen["edge"]["top"]
        heights.append(seen["bar"]["bottom"] - top)
        assert {
            "low": top > target["bottom"],
            "in": target["top"] - 2 <= top <= target["bottom"],
            "high": top < target["top"],
        }[band]
        assert (seen["foot"] is not None, seen["head"] is not None) == (band == "low", band == "high")
    assert heights == sorted(heights)
    assert len(set(heights)) == len(heights)


def test_the_pace_is_the_daemons_not_the_lifters(display: Page, stage: DisplayStage) -> None:
    for position, pace in ((0.1, 0.9), (0.5, 0.5), (0.9, 0.1), (1.2, 1.0), (-0.2, 0.0)):
        stage.live(position=position, pace=pace, velocity_m_s=9.0)
        seen = look(display, f"repMonitor.stats.shown.position === {position}", state="set", pace="shown")
        assert (seen["carriage"]["middle"] < seen["pace"]["middle"]) == (min(position, 1.0) > pace)
        for part in ("carriage", "pace"):
            assert seen["ladder"]["top"] <= seen[part]["middle"] <= seen["ladder"]["bottom"]
    stage.live(IDLE)
    display.wait("document.body.dataset.pace === 'none'")


def test_what_moves_costs_no_styles_and_no_layout(display: Page, stage: DisplayStage) -> None:
    """The picture of bar and ladder goes to the screen without the page."""
    stage.live(position=0.30, pace=0.32)
    before = look(display, "repMonitor.stats.shown.position === 0.3", state="set")
    stage.pause()
    display.call("Performance.enable")
    first = counted(display)
    display.evaluate(MOVES)
    last = counted(display)
    assert last == first
    after = look(display, state="set")
    for part in ("edge", "carriage", "pace"):
        assert after[part]["top"] < before[part]["top"]


def counted(page: Page) -> tuple[float, float]:
    """How often styles and layout were computed."""
    found = {entry["name"]: entry["value"] for entry in page.call("Performance.getMetrics")["metrics"]}
    return found["RecalcStyleCount"], found["LayoutCount"]


def test_figures_and_faults_are_shown(display: Page, stage: DisplayStage) -> None:
    stage.live()
    rest = stage.event(LockoutRest, rep=1, duration_s=1.9)
    stage.event(Unload, rep=2, low=0.6, part_of=rest.id)  # a part of another event is not shown again
    display.wait("document.querySelectorAll('#faults svg').length === 1")
    cells = "[...document.querySelectorAll('.figures dd')].map((cell) => cell.textContent)"
    display.wait(f"{cells}.join() === '0:42,0:38,2,82 kg'")
    assert display.evaluate("document.querySelector('#faults').textContent") == "Rest at the toprep 1"
    before = look(display, state="set")["bar"]
    for rep in (2, 3, 4):
        stage.event(LockoutRest, rep=rep, duration_s=1.9)
    seen = look(display, "document.querySelectorAll('#faults svg').length === 3", state="set")
    assert seen["bar"] == before  # it keeps its place
    stage.live(set=2)
    display.wait("document.querySelector('#faults').textContent === 'No faults yet'")


def test_an_idle_page_draws_nothing(display: Page, stage: DisplayStage) -> None:
    """A screen on a wall is idle most of the time."""
    display.wait("repMonitor.model.info !== null && repMonitor.model.status !== null")
    assert display.evaluate(QUIET_SECOND) == 0


def test_a_set_ends_the_countdown(display: Page, stage: DisplayStage) -> None:
    display.key("c")
    assert look(display, state="countdown")["word"] == "READY"
    assert 1 <= int(display.evaluate("document.querySelector('#count-number').textContent")) <= 10
    display.evaluate("document.querySelector('#start').click()")
    display.wait("document.body.dataset.state === 'idle'")
    display.evaluate("document.querySelector('#start').click()")
    display.wait("document.body.dataset.state === 'countdown'")
    stage.live()
    display.wait("document.body.dataset.state === 'set'")
    stage.live(IDLE)
    seen = look(display, "['idle', 'countdown'].includes(document.body.dataset.state)")
    assert seen["data"]["state"] == "idle"  # not the rest of the countdown


def test_the_summary_names_tension_leak_and_one_thing(display: Page, stage: DisplayStage) -> None:
    stage.end_set()
    display.wait("document.body.dataset.state === 'summary'")
    text = display.evaluate("document.querySelector('#summary').innerText")
    for part in ("47", "of 62 s under load", "6 Reps", "82 kg", "to failure", "6.2 s", "3.4 s", "3.1 s", "2.2 s"):
        assert part in text
    assert "Turn round before the joints lock." in text
    widths = display.evaluate(
        "[...document.querySelectorAll('.shares i')].map((part) => part.getBoundingClientRect().width)"
    )
    assert widths[0] / sum(widths) == pytest.approx(47.1 / 62.0, abs=0.01)  # less than half a second is left out
    clean = Leak(lockout_s=0.0, bottom_s=0.0, unload_s=0.0, low_tension_s=0.3, high_tension_s=0.0)
    stage.end_set(set=2, leak=clean, counts={}, under_tension_s=62.1)
    display.wait("document.querySelector('.better').textContent.includes('Clean')")
    stage.end_set(set=3, leak=None, under_tension_s=None, skill=None, working_load_n=None)
    display.wait("document.querySelector('#summary').textContent.includes('could not be judged')")
    assert not display.console


def test_a_cleared_summary_disappears(display: Page, stage: DisplayStage) -> None:
    stage.end_set()
    look(display, state="summary")
    stage.new_session()
    assert "Last set" not in str(look(display, state="idle")["texts"])
    stage.end_set()
    stage.new_session()  # at once, while the page still holds the summary for its least time
    look(display, f"repMonitor.model.session === '{stage.session}'", state="idle")
    assert not display.console


def test_a_static_machine_has_no_ladder(display: Page, stage: DisplayStage) -> None:
    stage.info(kind="static")
    stage.live(position=None, pace=None, phase="hold")
    seen = look(display, state="set", kind="static")
    assert seen["ladder"] is None
    assert seen["edge"] is not None
    assert not faults(seen)


def test_reduced_guidance_still_shows_errors(display: Page, stage: DisplayStage) -> None:
    display.evaluate(CHOOSE % ("guidance", "out"))
    stage.live()
    assert look(display, state="set", veiled="true")["edge"] is None
    stage.live(tension=0.7, band="low")
    assert look(display, state="set", band="low", veiled="false")["edge"] is not None
    display.evaluate(CHOOSE % ("guidance", "always"))
    display.evaluate(FORGET)


def test_everything_has_a_name_for_screen_readers(display: Page, stage: DisplayStage) -> None:
    stage.live(CALM)
    display.wait("document.body.dataset.state === 'set'")
    nodes = display.call("Accessibility.getFullAXTree")["nodes"]
    named = {"button", "link", "meter", "combobox", "heading", "status", "list"}
    found: dict[str, list[str]] = {}
    for node in nodes:
        role = node.get("role", {}).get("value")
        if not node.get("ignored") and role in named:
            found.setdefault(role, []).append(node.get("name", {}).get("value", ""))
    assert sorted(found["meter"]) == ["Position", "Tension"]
    assert all(name for role in ("button", "link", "meter") for name in found[role]), found
    assert len(found["button"]) == 3
    assert "status" in found
    reached = []
    for _ in range(4):
        display.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        reached.append(display.evaluate("document.activeElement.id"))
    assert reached == ["sound", "fullscreen", "open-settings", "to-trainer"]


def test_sound_is_off_by_default(display: Page, stage: DisplayStage) -> None:
    stage.live(tension=0.8, band="low")
    display.wait("document.body.dataset.band === 'low'")
    assert display.evaluate("[repMonitor.sound.on, repMonitor.sound.played]") == [False, 0]
    display.evaluate("document.querySelector('#sound').click()")
    display.wait("document.querySelector('#sound').getAttribute('aria-pressed') === 'true'")
    display.wait("repMonitor.sound.played > 0")
    suspended = "repMonitor.sound.audible === false && document.querySelector('#sound[aria-pressed=false]') !== null"
    display.evaluate("repMonitor.sound.suspend()")  # as the system does for a call, or while the page is hidden
    display.wait(suspended)
    display.evaluate("document.body.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }))")
    display.wait("document.querySelector('#sound[aria-pressed=true]') !== null")
    display.key("m")
    display.wait("document.querySelector('#sound').getAttribute('aria-pressed') === 'false'")
    assert display.evaluate("JSON.parse(localStorage.getItem('rep-monitor')).sound") == "off"
    display.evaluate(FORGET)


def test_cues_are_spoken_and_a_missing_voice_is_reported(display: Page, stage: DisplayStage) -> None:
    stage.live(resting="lockout", cue="lockout", phase="upper_turn", position=0.99)
    display.wait("document.body.dataset.resting === 'lockout'")
    display.evaluate("document.querySelector('#open-settings').click()")
    line = display.evaluate("document.querySelector('#voice-line').textContent")
    assert line == "This browser has no voice of its own for English, so nothing is spoken."
    display.evaluate(FAKE_VOICE)
    display.evaluate("document.querySelector('#settings').close()")
    assert display.evaluate("[repMonitor.voice.able, repMonitor.voice.said]") == [True, 0]
    display.evaluate("document.querySelector('#sound').click()")
    display.wait("spoken.length > 0")
    assert display.evaluate("spoken[0]") == "turn round"
    display.evaluate("document.querySelector('#sound').click()")
    assert display.evaluate("[repMonitor.voice.on, silenced > 0]") == [False, True]
    display.evaluate(CHOOSE % ("voice", "off"))
    display.evaluate("document.querySelector('#sound').click()")
    assert display.evaluate("[repMonitor.sound.on, repMonitor.voice.on]") == [True, False]
    display.evaluate("document.querySelector('#sound').click()")
    display.evaluate(CHOOSE % ("voice", "on"))
    display.evaluate(FORGET)
