"""The chooser: sends tempo, load and lifter, shows the answer, and offers only what is allowed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests import needs
from tests.browser import Page
from tests.display.choosing import ANSWER, OPEN, READY, USE, WHY
from tests.display.conftest import PHONE, TABLET, TV
from tests.display.look import faults, look
from tests.display.stage import IDLE, DisplayStage

pytestmark = needs.chromium

PARTS = {"#choose-tempo": "protocol", "#choose-load": "load", "#choose-lifter": "lifter"}
FORBIDDEN = """globalThis.realFetch ??= fetch;
globalThis.fetch = (url, options) => url === "may.json"
  ? Promise.resolve(new Response(JSON.stringify({ v: 1, role: "display", may: %s }))) : realFetch(url, options)"""


@pytest.fixture
def chooser(display: Page, stage: DisplayStage) -> Iterator[Page]:
    """A tablet beside an idle machine, its chooser open."""
    stage.answers = {"protocol": {}, "load": {}, "lifter": {}}
    stage.info(load_n=804.0)
    display.wait("document.querySelector('#agreed').textContent === '5/5 · 82 kg'")
    display.evaluate(OPEN)
    display.wait(READY)
    yield display
    display.evaluate("globalThis.fetch = globalThis.realFetch ?? fetch")


def tap(page: Page, *selectors: str) -> None:
    for selector in selectors:
        page.evaluate(f"document.querySelector({json.dumps(selector)}).click()")


def asked(stage: DisplayStage) -> list[tuple[str, dict[str, Any]]]:
    """What reached the machine, without what each command has."""
    return [
        (name, {key: value for key, value in command.items() if key not in ("v", "id", "stamp_s")})
        for name, command in stage.commands
    ]


def test_a_choice_is_sent_and_its_answer_shown(chooser: Page, stage: DisplayStage) -> None:
    tap(chooser, "[name=tempo][value='2/4']", "#choose-steps button:last-child", "#choose-steps button:last-child")
    assert chooser.evaluate("document.querySelector('#choose-kg').textContent") == "92 kg"
    chooser.evaluate("document.querySelector('[name=lifter]').value = 'l-7'")
    chooser.evaluate(USE)
    chooser.wait(f"{ANSWER} === 'Saved. It applies from the next set.'")
    assert asked(stage) == [("lifter", {"lifter": "l-7"}), ("protocol", {"name": "2/4"}), ("load", {"load_n": 902.2})]
    assert len({command["id"] for _, command in stage.commands}) == 3
    stage.info(tempo="2/4", load_n=902.2)
    chooser.wait("document.querySelector('#agreed').textContent === '2/4 · 92 kg'")
    assert not chooser.console


def test_the_chooser_follows_the_machine(chooser: Page, stage: DisplayStage) -> None:
    stage.live()
    chooser.wait(f"{WHY} === 'A set is in progress. Choose when it has ended.'")
    assert chooser.evaluate("document.querySelector('[name=use]').disabled")
    stage.live(IDLE)
    chooser.wait(f"{WHY} === '' && {READY}")
    tap(chooser, "[name=tempo][value='2/4']")
    chooser.evaluate(USE)
    chooser.wait(f"{ANSWER}.startsWith('Saved')")


def test_a_tempo_without_a_name_is_shown_as_chosen(chooser: Page, stage: DisplayStage) -> None:
    chooser.evaluate("document.querySelector('#chooser').close()")
    stage.info(tempo=None, load_n=804.0)
    chooser.wait("repMonitor.model.info.protocol.name === null")
    chooser.evaluate(OPEN)
    chooser.wait(READY)
    assert chooser.evaluate("document.querySelector('[name=tempo]:checked').value") == "5/5"
    chooser.evaluate(USE)
    chooser.wait(f"{ANSWER}.startsWith('Saved')")
    assert stage.commands == []


def test_only_changes_are_sent(chooser: Page, stage: DisplayStage) -> None:
    tap(chooser, "#choose-steps button:last-child", "#choose-steps button:first-child")  # 5 more, 5 less
    chooser.evaluate(USE)
    chooser.wait(f"{ANSWER} === 'Saved. It applies from the next set.'")
    assert stage.commands == []
    tap(chooser, "[name=learn]")
    chooser.evaluate(USE)
    chooser.wait(f"{ANSWER}.startsWith('Saved')")
    assert asked(stage) == [("load", {"load_n": None})]


def test_only_known_pins_can_be_chosen(chooser: Page, stage: DisplayStage) -> None:
    chooser.evaluate("document.querySelector('#chooser').close()")
    stage.info(load_n=804.0, plates_kg=(40.0, 60.0, 80.0, 100.0))
    chooser.wait("repMonitor.model.info.machine.plates_kg !== null")
    chooser.evaluate(OPEN)
    chooser.wait(READY)
    seen = [chooser.evaluate("document.querySelector('#choose-kg').textContent")]
    for button in ("last", "last", "first", "first", "first", "first"):
        tap(chooser, f"#choose-steps button:{button}-child")
        seen.append(chooser.evaluate("document.querySelector('#choose-kg').textContent"))
    assert seen == ["80 kg", "100 kg", "100 kg", "80 kg", "60 kg", "40 kg", "40 kg"]
    chooser.evaluate("document.querySelector('#chooser').close()")
    chooser.evaluate(OPEN)
    chooser.wait(READY)
    tap(chooser, "[name=tempo][value='4/4']")
    chooser.evaluate(USE)
    chooser.wait(f"{ANSWER}.startsWith('Saved')")
    assert asked(stage) == [("protocol", {"name": "4/4"})]  # the pin that is nearest to 82 kg was not chosen


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ({"error": "refused", "detail": "a set is going on"}, "Refused: a set is going on"),
        ({"error": "too_many", "detail": "5 a second"}, "Refused: too many requests at once; wait a moment"),
    ],
)
def test_a_refusal_is_shown_and_ends_the_request(
    chooser: Page, stage: DisplayStage, answer: dict[str, str], shown: str
) -> None:
    stage.answers["protocol"] = {"ok": False, **answer}
    tap(chooser, "[name=tempo][value='2/4']", "[name=learn]")
    chooser.evaluate(USE)
    chooser.wait(f"{ANSWER} === {shown!r}")
    assert [name for name, _ in stage.commands] == ["protocol"]
    assert not chooser.evaluate("document.querySelector('[name=use]').disabled")


def test_a_missing_answer_is_shown(chooser: Page, stage: DisplayStage) -> None:
    stage.answers = {}
    tap(chooser, "[name=tempo][value='2/4']")
    chooser.evaluate("globalThis.later = setTimeout; globalThis.setTimeout = (what, ms) => later(what, ms / 50)")
    chooser.evaluate(USE)
    chooser.wait(f"{ANSWER}.startsWith('No answer')")
    chooser.evaluate("globalThis.setTimeout = later")


def test_a_name_with_other_letters_is_refused(chooser: Page, stage: DisplayStage) -> None:
    chooser.evaluate("document.querySelector('[name=lifter]').value = 'A B'")
    chooser.evaluate(USE)
    chooser.wait(f"{ANSWER}.startsWith('Use letters, digits')")
    assert stage.commands == []


def test_a_visitor_without_permission_is_refused_at_once(chooser: Page, stage: DisplayStage) -> None:
    for may, open_parts in ((["resume"], set()), (["resume", "load"], {"load"})):
        chooser.evaluate("document.querySelector('#chooser').close()")
        chooser.evaluate(FORBIDDEN % json.dumps(may))
        chooser.evaluate(OPEN)
        chooser.wait(f"document.querySelector('#choose-load').disabled === {json.dumps('load' not in open_parts)}")
        for part, command in PARTS.items():
            disabled = chooser.evaluate(f"document.querySelector('{part}').disabled")
            assert disabled == (command not in open_parts)
        assert chooser.evaluate("document.querySelector('[name=use]').disabled") == (not open_parts)
        assert chooser.evaluate(WHY).startswith("This screen can only watch") == (not open_parts)
    assert stage.commands == []


def test_nothing_can_be_chosen_during_a_set_or_while_the_machine_is_off(chooser: Page, stage: DisplayStage) -> None:
    chooser.evaluate("document.querySelector('#chooser').close()")
    stage.live()
    chooser.wait("document.body.dataset.state === 'set'")
    assert not chooser.evaluate("document.querySelector('#choose').checkVisibility()")
    chooser.evaluate(OPEN)
    chooser.wait(f"{WHY} === 'A set is in progress. Choose when it has ended.'")
    chooser.evaluate("document.querySelector('#chooser').close()")
    stage.live(IDLE)
    stage.status(state="offline")
    chooser.wait("repMonitor.model.status.state === 'offline'")
    chooser.evaluate(OPEN)
    chooser.wait(f"{WHY} === 'The machine is off or out of reach.'")


def test_it_can_be_read_and_tapped_on_every_screen(chooser: Page, stage: DisplayStage) -> None:
    for size in (PHONE, TABLET, TV):
        chooser.resize(*size)
        seen = look(chooser, state="idle")
        assert [fault for fault in faults(seen) if "covered" not in fault] == [], size
        sizes = chooser.evaluate(
            """[...document.querySelectorAll('#chooser button, .tile')]
            .map((button) => button.getBoundingClientRect()).map(({ width, height }) => Math.min(width, height))"""
        )
        assert min(sizes) >= 44, size
    names = chooser.evaluate("[...document.querySelectorAll('#choose-steps button')].map((button) => button.ariaLabel)")
    assert names == ["Less 5 kg", "Less 1 kg", "More 1 kg", "More 5 kg"]
