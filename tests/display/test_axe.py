"""No page has a defect that axe-core finds, in any state and at any size."""

import pytest

from monitor.events import LockoutRest
from tests import needs
from tests.browser import Page
from tests.display.axe import violations
from tests.display.conftest import LAPTOP, PHONE, TABLET, TV, Open
from tests.display.look import look
from tests.display.stage import DisplayStage
from tests.display.states import SHOWN, show
from tests.soak import long, soak

pytestmark = [needs.chromium, needs.npm]
SIZES = (PHONE, TABLET, LAPTOP, TV)


@soak
@pytest.mark.parametrize("state", SHOWN)
def test_the_lifters_display(display: Page, stage: DisplayStage, state: str) -> None:
    """In short, every second size: each of them with half of the states."""
    for size in long(SIZES, SIZES[list(SHOWN).index(state) % 2 :: 2]):
        display.resize(*size)
        show(display, stage, state)
        assert not violations(display), size


def test_the_trainers_view_and_its_chooser(open_page: Open, stage: DisplayStage) -> None:
    page = open_page("trainer.html", LAPTOP)
    stage.live()
    page.wait("document.body.dataset.state === 'set'")
    for size in (PHONE, TABLET, LAPTOP, TV):
        page.resize(*size)
        assert not violations(page), size
    stage.event(LockoutRest, rep=1, duration_s=1.9)
    page.wait("document.querySelector('#leak .leak-bar') !== null")
    assert not violations(page)
    page.evaluate("document.querySelector('#choose').click()")
    page.wait("document.querySelector('#chooser[open]') !== null")
    assert not violations(page)


def test_the_settings(display: Page, stage: DisplayStage) -> None:
    display.evaluate("document.querySelector('#open-settings').click()")
    look(display, state="idle")
    assert not violations(display)
    display.evaluate("document.querySelector('#settings').close()")
