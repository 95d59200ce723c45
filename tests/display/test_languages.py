"""The page in every language: each word fits a phone, each state can be read, and Arabic runs from right to left."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.display.cue_packs import check_language
from monitor.events import Jerk, LockoutRest
from monitor.profile.toml_document import ConfigError
from tests import needs
from tests.browser import Browser, Page
from tests.display.axe import violations
from tests.display.conftest import LAPTOP, PHONE, Open, closed, shown_on
from tests.display.look import faults, look
from tests.display.stage import IDLE, DisplayStage
from tests.display.states import SHOWN, show

PACKS = sorted((Path(__file__).parents[2] / "monitor" / "display" / "page" / "cues").glob("??.json"))
LANGUAGES = [path.stem for path in PACKS]
FIRST = "\N{LEFT-TO-RIGHT ISOLATE}"
LAST = "\N{POP DIRECTIONAL ISOLATE}"
LEAST_PX = 40  # of the huge word on a phone
# For each word of the page: its size, and how far its ink leaves its tile.
MEASURE = """(async (texts) => {
  const { fitWord } = await import("/js/view.js");
  const box = document.querySelector("#word"), pen = document.createElement("canvas").getContext("2d");
  const { width, height } = box.getBoundingClientRect(), shown = box.textContent;
  const measured = texts.map((text) => {
    box.textContent = text;
    fitWord();
    const style = getComputedStyle(box), size = parseFloat(style.fontSize);
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const ink = pen.measureText(text);
    const base = (ink.fontBoundingBoxAscent - ink.fontBoundingBoxDescent) / 2;
    const over = Math.max(ink.actualBoundingBoxAscent - base, base + ink.actualBoundingBoxDescent) - height / 2;
    return { text, size, wide: ink.width - width, over };
  });
  box.textContent = shown;
  fitWord();
  return measured;
})(%s)"""


@pytest.fixture(scope="module", params=LANGUAGES)
def spoken(request: pytest.FixtureRequest, browser: Browser, the_stage: DisplayStage) -> Iterator[Page]:
    """The display on a phone, in each language in turn."""
    page = shown_on(browser, the_stage, f"?cues={request.param}", PHONE)
    assert page.evaluate("document.documentElement.lang") == request.param
    yield page
    closed(page)


@needs.chromium
def test_every_huge_word_fits_a_phone(spoken: Page, stage: DisplayStage) -> None:
    page, language = spoken, spoken.evaluate("document.documentElement.lang")
    pack = json.loads(next(path for path in PACKS if path.stem == language).read_text())
    stage.live()
    look(page, state="set")
    words = sorted({*pack["cues"].values(), pack["texts"]["pause"]})
    measured: list[dict[str, Any]] = page.evaluate(MEASURE % json.dumps(words))
    assert len(measured) >= 15
    for word in measured:
        assert word["wide"] <= 0, word
        assert word["over"] <= 1, word
        assert word["size"] >= (LEAST_PX if word["text"] != pack["texts"]["pause"] else 24), word


@needs.chromium
def test_every_state_is_readable_on_a_phone(spoken: Page, stage: DisplayStage) -> None:
    page, language = spoken, spoken.evaluate("document.documentElement.lang")
    stage.live(IDLE)
    for state in SHOWN:
        if state == "learning":
            stage.live()
            stage.end_set()  # closes what the alarm left open
        if state == "summary":
            stage.status()
            stage.live(IDLE)
        seen = show(page, stage, state)
        assert not faults(seen), (language, state)
        assert 0 < len(seen["word"]) <= 8 or state in ("pause", "summary")
    assert not page.console


def first_char_x(page: Page, selector: str, *, last: bool = False) -> float:
    """Where the first character of an element's text is drawn."""
    return float(
        page.evaluate(
            f"""(() => {{
              const walker = document.createTreeWalker(document.querySelector("{selector}"), NodeFilter.SHOW_TEXT);
              const text = walker.nextNode(), range = document.createRange();
              const at = {json.dumps(last)} ? text.length - 2 : 1;
              range.setStart(text, at);
              range.setEnd(text, at + 1);
              return range.getBoundingClientRect().left;
            }})()"""
        )
    )


@needs.chromium
@needs.npm
def test_in_arabic_the_page_mirrors_and_numbers_stay(open_page: Open, stage: DisplayStage, tmp_path: Path) -> None:
    stage.info(load_n=804.0)
    stage.live(resting="lockout", cue="lockout", phase="upper_turn", position=0.99)
    stage.event(LockoutRest, rep=5, duration_s=1.9)
    page = open_page("?cues=ar", PHONE)
    seen = look(page, state="set", cue="lockout")
    page.screenshot(tmp_path / "arabic.png")
    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert (seen["word"], seen["label"]) == ("ارجع", "راحة في الأعلى")
    assert not faults(seen)
    assert seen["bar"]["left"] > seen["ladder"]["left"]  # mirrored: in English the bar is on the left
    left = "document.querySelector('{}').getBoundingClientRect().left"
    assert page.evaluate(f"{left.format('#machine')} > {left.format('#sound')}")
    assert page.evaluate("document.querySelector('#load').textContent") == f"{FIRST}82 kg{LAST}"
    assert first_char_x(page, "#load") < first_char_x(page, "#load", last=True)  # 82 kg, not kg 82
    assert not violations(page)
    stage.info(load_n=804.0, range_trouble="The range could not be learned.")
    trainer = open_page("trainer.html?cues=ar", LAPTOP)
    stage.event(Jerk, rep=2, cause="mid", peak_g=0.2, t_s=-20.0)
    trainer.wait("document.querySelectorAll('#events td').length > 2")
    seen = look(trainer)
    assert not [fault for fault in faults(seen) if "outside" not in fault]
    assert trainer.evaluate(f"{left.format('.events')} < {left.format('.trace')}")
    first = "#events th"  # when it was: a minus sign before the minutes
    assert trainer.evaluate(f"document.querySelector('{first}').textContent").startswith(f"{FIRST}\N{MINUS SIGN}")
    assert first_char_x(trainer, first) < first_char_x(trainer, first, last=True)
    trainer.wait("!document.querySelector('#notices').hidden")
    notice = "#notices span"  # the daemon's sentence is English: its full stop is on the right
    assert trainer.evaluate(f"getComputedStyle(document.querySelector('{notice}')).direction") == "ltr"
    assert not violations(trainer)


@needs.chromium
def test_the_profile_chooses_and_a_screen_remembers_its_own_choice(open_page: Open, stage: DisplayStage) -> None:
    stage.display(language="es", units="lb")
    stage.live(IDLE)
    page = open_page("", PHONE)
    assert page.evaluate("document.documentElement.lang") == "es"
    assert page.evaluate("document.querySelector('[name=unit]').value") == "lb"
    choose = "document.querySelector('[name=language]')"
    page.evaluate(f"{choose}.value = 'fr', {choose}.dispatchEvent(new Event('change', {{ bubbles: true }}))")
    page.wait("document.documentElement?.lang === 'fr' && globalThis.repMonitor?.link.subscribed > 0")
    page.goto(stage.url)
    page.wait("document.documentElement?.lang === 'fr' && globalThis.repMonitor?.link.subscribed > 0")
    assert page.evaluate("document.querySelector('#start').textContent") == "Compte à rebours"
    stage.display()


def test_a_language_that_the_page_does_not_have_is_refused() -> None:
    paths = [f"/cues/{name}.json" for name in ("en", "de", "index")]
    check_language(paths, "de")
    check_language(paths, None)
    with pytest.raises(ConfigError, match=r"no cue pack 'it'; use one of de, en,"):
        check_language(paths, "it")
