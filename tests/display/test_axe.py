"""No page has a defect that axe-core finds, in any state and at any size."""

import pytest

from monitor.events import LockoutRest
from tests import needs
from tests.browser import Page
from tests.display.axe import violations
from tests.display.choosing import OPEN
from tests.display.conftest import LAPTOP, PHONE, TABLET, TV
from tests.display.look import look
from tests.display.stage import DisplayStage
from tests.display.states import SHOWN, show
from tests.soak import long, soak

pytestmark = [needs.chromium, needs.npm, soak]
SIZES = (PHONE, TABLET, LAPTOP, TV)


@pytest.mark.parametrize("state", long(list(SHOWN), [*list(SHOWN)[::2], "summary"]))
def test_the_lifters_display(display: Page, stage: DisplayStage, state: str) -> None:
    """In short, every second state, at one of the sizes."""
    at = list(SHOWN).index(state) // 2 % len(SIZES)
    for size in long(SIZES, SIZES[at : at + 1]):
        display.resize(*size)
        show(display, stage, state)
        assert not violations(display), size


def test_the_trainers_view_and_its_chooser(trainer: Page, stage: DisplayStage) -> None:
    """In short, at the smallest size."""
    stage.live()
    trainer.wait("document.body.dataset.state === 'set'")
    stage.event(LockoutRest, rep=1, duration_s=1.9)
    trainer.wait("document.querySelector('#leak .leak-bar') !== null")
    for size in long(SIZES, (PHONE,)):
        trainer.resize(*size)
        assert not violations(trainer), size
    trainer.resize(*LAPTOP)
    trainer.evaluate(OPEN)
    trainer.wait("document.querySelector('#chooser[open]') !== null")
    assert not violations(trainer)


def test_the_settings(display: Page, stage: DisplayStage) -> None:
    display.evaluate("document.querySelector('#open-settings').click()")
    look(display, state="idle")
    assert not violations(display)
