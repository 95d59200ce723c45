"""The page in every language: each word fits a phone, each state can be read, and Arabic runs from right to left."""

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.display.cue_packs import check_language
from monitor.events import Jerk, LockoutRest
from monitor.profile.toml_document import ConfigError
from tests import needs
from tests.browser import Page
from tests.display.axe import violations
from tests.display.choosing import OPEN, READY
from tests.display.conftest import LAPTOP, PHONE, TABLET, TV, Settle, SharedPage
from tests.display.look import faults, look
from tests.display.stage import IDLE, DisplayStage
from tests.display.states import SHOWN, show
from tests.soak import long, soak

PACKS = sorted((Path(__file__).parents[2] / "monitor" / "display" / "page" / "cues").glob("??.json"))
LANGUAGES = [path.stem for path in PACKS]
FIRST = "\N{LEFT-TO-RIGHT ISOLATE}"
LAST = "\N{POP DIRECTIONAL ISOLATE}"
LEFT = "document.querySelector('{}').getBoundingClientRect().left"
LOAD = "document.querySelector('#load')?.textContent"
LEAST_PX = 40  # of the huge word on a phone
# Two choices by hand; the page then loads itself anew.
CHOOSE = """for (const [name, value] of [["unit", "kg"], ["language", "fr"]]) {
  const select = document.querySelector(`[name=${name}]`);
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
}"""
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
def language(request: pytest.FixtureRequest) -> str:
    """Each in turn, with all tests of it one after the other."""
    return str(request.param)


@pytest.fixture
def spoken(language: str, the_display: SharedPage, settle: Settle) -> Page:
    """The display on a phone, in the language."""
    page = settle(the_display, f"?cues={language}", PHONE)
    assert page.evaluate("document.documentElement.lang") == language
    return page


@needs.chromium
def test_every_huge_word_fits_a_phone(spoken: Page, language: str, stage: DisplayStage) -> None:
    pack = json.loads(next(path for path in PACKS if path.stem == language).read_text())
    stage.live()
    look(spoken, state="set")
    words = sorted({*pack["cues"].values(), pack["texts"]["pause"]})
    measured: list[dict[str, Any]] = spoken.evaluate(MEASURE % json.dumps(words))
    assert len(measured) >= 15
    for word in measured:
        assert word["wide"] <= 0, word
        assert word["over"] <= 1, word
        assert word["size"] >= (LEAST_PX if word["text"] != pack["texts"]["pause"] else 24), word


@soak
@needs.chromium
def test_every_state_is_readable_on_a_phone(spoken: Page, language: str, stage: DisplayStage) -> None:
    """In short, a third of the states in each language, and each state in one of them at least."""
    at = LANGUAGES.index(language)
    for state in long(list(SHOWN), list(SHOWN)[at % 3 :: 3]):
        if state == "learning":
            stage.live()
            stage.end_set()  # closes what the alarm left open
        if state == "summary":
            stage.status()
            stage.live(IDLE)
        seen = show(spoken, stage, state)
        assert not faults(seen), (language, state)
        assert 0 < len(seen["word"]) <= 8 or state in ("pause", "summary")
    assert not spoken.console


@needs.chromium
@pytest.mark.parametrize("language", ["de"], indirect=True)
def test_a_language_gives_cue_and_label_on_every_screen(spoken: Page, stage: DisplayStage) -> None:
    stage.live(tension=0.8, band="low", cue="low")
    for size in (PHONE, TABLET, TV):
        spoken.resize(*size)
        seen = look(spoken, state="set", band="low")
        assert (seen["word"], seen["label"]) == ("MEHR", "Zu wenig Spannung")
        assert not faults(seen)
    stage.live(cue="a word of the daemon's own")
    spoken.wait("document.querySelector('#word').textContent === 'A WORD O'")


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
@pytest.mark.parametrize("language", ["ar"], indirect=True)
def test_in_arabic_the_display_mirrors_and_numbers_stay(spoken: Page, stage: DisplayStage) -> None:
    stage.info(load_n=804.0)
    stage.live(resting="lockout", cue="lockout", phase="upper_turn", position=0.99)
    stage.event(LockoutRest, rep=5, duration_s=1.9)
    seen = look(spoken, "document.querySelectorAll('#faults svg').length === 1", state="set", cue="lockout")
    assert spoken.evaluate("document.documentElement.dir") == "rtl"
    assert (seen["word"], seen["label"]) == ("ارجع", "راحة في الأعلى")
    assert not faults(seen)
    assert seen["bar"]["left"] > seen["ladder"]["left"]  # mirrored: in English the bar is on the left
    assert spoken.evaluate(f"{LEFT.format('#machine')} > {LEFT.format('#sound')}")
    assert spoken.evaluate("document.querySelector('#load').textContent") == f"{FIRST}82 kg{LAST}"
    assert first_char_x(spoken, "#load") < first_char_x(spoken, "#load", last=True)  # 82 kg, not kg 82
    assert not violations(spoken)


@needs.chromium
@needs.npm
def test_in_arabic_the_trainers_view_mirrors_and_numbers_stay(
    the_trainers_view: SharedPage, settle: Settle, stage: DisplayStage
) -> None:
    trainer = settle(the_trainers_view, "trainer.html?cues=ar", LAPTOP)
    stage.info(load_n=804.0, range_trouble="The range could not be learned.")
    stage.live()
    stage.event(Jerk, rep=2, cause="mid", peak_g=0.2, t_s=-20.0)
    trainer.wait("document.querySelectorAll('#events td').length > 2")
    assert not [fault for fault in faults(look(trainer)) if "outside" not in fault]
    assert trainer.evaluate(f"{LEFT.format('.events')} < {LEFT.format('.trace')}")
    first = "#events th"  # when it was: a minus sign before the minutes
    assert trainer.evaluate(f"document.querySelector('{first}').textContent").startswith(f"{FIRST}\N{MINUS SIGN}")
    assert first_char_x(trainer, first) < first_char_x(trainer, first, last=True)
    trainer.wait("!document.querySelector('#notices').hidden")
    notice = "#notices span"  # the daemon's sentence is English: its full stop is on the right
    assert trainer.evaluate(f"getComputedStyle(document.querySelector('{notice}')).direction") == "ltr"
    assert not violations(trainer)


@needs.chromium
def test_the_profile_chooses_and_a_screen_remembers_its_own_choice(
    the_display: SharedPage, settle: Settle, stage: DisplayStage
) -> None:
    """Language and unit."""
    stage.display(language="es", units="lb")
    stage.info(load_n=804.0)
    page = settle(the_display, "", PHONE, anew=True)
    assert page.evaluate("document.documentElement.lang") == "es"
    stage.live()
    page.wait(f"{LOAD} === '181 lb'")
    stage.end_set()
    stage.live(IDLE)
    page.wait("document.querySelector('#summary').textContent.includes('181 lb')")
    page.evaluate(OPEN)
    page.wait(READY)
    page.evaluate("document.querySelector('#choose-steps button:last-child').click()")
    page.wait("document.querySelector('#choose-kg').textContent === '186 lb'")
    page.evaluate(CHOOSE)
    page.wait("document.documentElement?.lang === 'fr' && globalThis.repMonitor?.link.subscribed > 0")
    stage.live()
    page.wait(f"{LOAD} === '82 kg'")
    assert page.evaluate("document.querySelector('#start').textContent") == "Compte à rebours"


def test_a_language_that_the_page_does_not_have_is_refused() -> None:
    paths = [f"/cues/{name}.json" for name in ("en", "de", "index")]
    check_language(paths, "de")
    check_language(paths, None)
    with pytest.raises(ConfigError, match=r"no cue pack 'it'; use one of de, en,"):
        check_language(paths, "it")
