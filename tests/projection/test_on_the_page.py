"""`replay --page` in a real browser: the lifter's and the trainer's page play a recording, and can be controlled."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needs
from tests.browser import Browser, Page
from tests.ctrl_c import hears_ctrl_c
from tests.display.axe import violations
from tests.display.look import faults, look

pytestmark = needs.chromium
RECORDING = Path(__file__).parents[1] / "recordings" / "faults.mcap"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "monitor", "replay", str(RECORDING), "--page", "--port", "18080"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=hears_ctrl_c) as process:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())  # loopback, whatever the profile says
        assert found
        yield found[0]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


def opened(browser: Browser, url: str, size: tuple[int, int]) -> Page:
    page = browser.open(url, width=size[0], height=size[1])
    page.wait("globalThis.repMonitor?.link.subscribed > 0 && document.querySelector('.playback .play').textContent")
    return page


def go(page: Page, at_s: float) -> None:
    """Drags the slider, with the playing paused."""
    time = "document.querySelector('.playback input')"
    for event in ("input", "change"):
        page.evaluate(f"{time}.value = {at_s}, {time}.dispatchEvent(new Event('{event}'))")
    page.wait(f"Math.abs(repMonitor.model.feedback?.t_s - {at_s}) < 3")


def test_the_lifters_page_plays_pauses_and_goes_back(url: str, browser: Browser) -> None:
    page = opened(browser, url, (390, 844))
    page.wait("repMonitor.model.feedback !== null")
    page.evaluate("document.querySelector('.playback .play').click()")
    page.wait("document.querySelector('.playback .play').textContent === 'Play'")
    go(page, 34.0)
    lines = "[...document.querySelectorAll('#faults li')].filter((line) => line.checkVisibility())"
    seen = look(page, f"{lines}.filter((line) => /rep \\d/.test(line.textContent)).length === 3", state="set")
    assert not [fault for fault in faults(seen) if "is cut off" not in fault]  # three faults in one line
    assert [text["right"] <= 390 for text in seen["texts"] if text["text"].startswith("rep ")] == [True] * 3
    session, set_ = page.evaluate("[repMonitor.model.session, repMonitor.model.set]")
    assert set_ == 1
    page.evaluate("new Promise((later) => setTimeout(later, 1000))")
    assert look(page)["data"]["state"] == "set"  # while paused it does not become stale
    go(page, 3.0)
    assert page.evaluate("repMonitor.model.session") != session
    page.wait("document.body.dataset.state === 'idle' && repMonitor.model.recent.length === 0")
    for name in ("button", "input", "select"):
        assert page.evaluate(f"document.querySelector('.playback {name}').getBoundingClientRect().height") >= 48
    assert not page.console
    page.close()


@needs.npm
def test_the_trainers_page_shows_the_past_of_its_place(url: str, browser: Browser) -> None:
    page = opened(browser, f"{url}trainer.html", (1280, 800))
    go(page, 60.0)
    page.wait(
        "document.querySelectorAll('#rep-rows tr').length > 3 && document.querySelectorAll('#events tr').length > 9"
    )
    page.wait("repMonitor.trace.columns[0].length > 100")
    assert not violations(page)
    page.evaluate("document.querySelector('#choose').click()")
    page.wait("document.querySelector('#choose-why').textContent !== ''")
    assert page.evaluate("document.querySelector('#chooser [name=use]').disabled")  # a recording takes no commands
    assert not page.console
    page.close()
