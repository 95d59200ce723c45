"""Starts one Chromium, one stage and one page of each kind for all tests of the display's pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pytest

from tests.browser import Browser, Page
from tests.display.stage import DisplayStage

PHONE, TABLET, LAPTOP, TV = (390, 844), (810, 1080), (1280, 800), (1920, 1080)
# True where only a reload brings back what the page showed when it was opened: after another address, after a choice
# that it remembers, after sets in its history.
IS_USED = "location.href !== '%s' || localStorage.length > 0 || repMonitor.history?.sets.length > 0"
CLEAR = """localStorage.clear();
for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
dispatchEvent(new Event("online"))"""
SUBSCRIBED = "globalThis.repMonitor?.link.subscribed > 0"
SETTLED = f"""{SUBSCRIBED} && document.body.dataset.state === 'idle'
  && [repMonitor.model.session, repMonitor.model.info?.session].every((session) => session === '%s')"""


@dataclass
class SharedPage:
    """A page that many tests use, one after the other."""

    page: Page
    failures: int = 0  # of the run, when a test last got the page


class Settle(Protocol):
    def __call__(self, shared: SharedPage, path: str, size: tuple[int, int], *, anew: bool = False) -> Page: ...


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="package")
def the_stage() -> Iterator[DisplayStage]:
    with DisplayStage() as stage:
        yield stage


@pytest.fixture(scope="package")
def the_display(the_stage: DisplayStage, browser: Browser) -> Iterator[SharedPage]:
    yield from _shared(the_stage, browser, "")


@pytest.fixture(scope="package")
def the_trainers_view(the_stage: DisplayStage, browser: Browser) -> Iterator[SharedPage]:
    yield from _shared(the_stage, browser, "trainer.html")


def _shared(stage: DisplayStage, browser: Browser, path: str) -> Iterator[SharedPage]:
    page = browser.open(stage.url + path, width=LAPTOP[0], height=LAPTOP[1])
    page.wait(SUBSCRIBED)  # its connections stay open for longer than a test
    yield SharedPage(page)
    page.evaluate("globalThis.repMonitor?.link.stop()")
    page.close()


@pytest.fixture
def stage(the_stage: DisplayStage) -> Iterator[DisplayStage]:
    """A connected, idle machine with its own session."""
    the_stage.begin()
    yield the_stage
    the_stage.pause()


@pytest.fixture
def settle(stage: DisplayStage, request: pytest.FixtureRequest) -> Settle:
    """settle(the_display, "?cues=de", PHONE): the page as it opens, with nothing shown in this session.

    It is loaded again only where it must be, after a test that failed, and where the test wants it `anew`.
    """

    def settle(shared: SharedPage, path: str, size: tuple[int, int], *, anew: bool = False) -> Page:
        page, failures = shared.page, request.session.testsfailed
        has_failed = failures > shared.failures
        page.resize(*size)
        if has_failed:
            page.goto(stage.url + path)  # away from whatever it shows
        is_used = has_failed or page.evaluate(IS_USED % (stage.url + path))
        page.evaluate(CLEAR)
        if anew or is_used:
            page.goto(stage.url + path)
        shared.failures = failures
        page.wait(SETTLED % stage.session)
        page.console.clear()
        return page

    return settle


@pytest.fixture
def display(the_display: SharedPage, settle: Settle) -> Page:
    """The lifter's display."""
    return settle(the_display, "", TABLET)


@pytest.fixture
def trainer(the_trainers_view: SharedPage, settle: Settle) -> Page:
    """The trainer's view."""
    return settle(the_trainers_view, "trainer.html", LAPTOP)
