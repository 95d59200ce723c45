"""Starts one Chromium, one stage and one page of each kind for all tests of the display's pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import pytest

from tests.browser import Browser, Page
from tests.display.stage import DisplayStage
from tests.unhurried import unhurried as unhurried

PHONE, TABLET, LAPTOP, TV = (390, 844), (810, 1080), (1280, 800), (1920, 1080)
# True where only a reload brings back what the page showed when it was opened: after another address, after a choice
# that it remembers, after sets in its history.
IS_USED = "location.href !== '%s' || localStorage.length > 0 || repMonitor.history?.sets.length > 0"
CLEAR = """localStorage.clear();
for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close()"""
SUBSCRIBED = "globalThis.repMonitor?.link.subscribed > 0"
# A page that has lost its server looks for it at once when the browser is online again.
SETTLED = f"""dispatchEvent(new Event("online")) && {SUBSCRIBED} && document.body.dataset.state === 'idle'
  && [repMonitor.model.session, repMonitor.model.info?.session].every((session) => session === '%s')"""


@dataclass(frozen=True)
class SharedPage:
    """A page that many tests use, one after the other. It stays connected between them."""

    page: Page
    stage: DisplayStage
    path: str

    def load(self, path: str | None = None) -> None:
        self.page.goto(self.stage.url + (self.path if path is None else path))

    def settle(self) -> None:
        """Waits until it shows what the stage plays now."""
        self.page.wait(SETTLED % self.stage.session)

    def recover(self, *, has_failed: bool) -> None:
        """Brings it back after its server was away, or after a test that may have left anything behind."""
        if has_failed:
            self.load()
            self.page.evaluate(CLEAR)
            self.page.requests.clear()
            self.page.sockets.clear()
            self.load()
        self.settle()


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
def rules(browser: Browser, the_stage: DisplayStage) -> Iterator[Page]:
    """An empty page that can import the display's modules."""
    page = browser.open(the_stage.url + "icon.svg", width=100, height=100)
    yield page
    page.close()


@pytest.fixture(scope="package")
def shared_pages() -> list[SharedPage]:
    """Those that are open."""
    return []


@pytest.fixture(scope="package")
def the_display(the_stage: DisplayStage, browser: Browser, shared_pages: list[SharedPage]) -> Iterator[SharedPage]:
    with _shared(the_stage, browser, shared_pages, "") as shared:
        yield shared


@pytest.fixture(scope="package")
def the_trainers_view(
    the_stage: DisplayStage, browser: Browser, shared_pages: list[SharedPage]
) -> Iterator[SharedPage]:
    with _shared(the_stage, browser, shared_pages, "trainer.html") as shared:
        yield shared


@contextmanager
def _shared(stage: DisplayStage, browser: Browser, pages: list[SharedPage], path: str) -> Iterator[SharedPage]:
    page = browser.open(stage.url + path, width=LAPTOP[0], height=LAPTOP[1])
    page.wait(SUBSCRIBED)  # its connection stays open for longer than a test
    pages.append(SharedPage(page, stage, path))
    yield pages[-1]
    page.evaluate("globalThis.repMonitor?.link.stop()")
    page.close()


@pytest.fixture
def stage(
    the_stage: DisplayStage, shared_pages: list[SharedPage], request: pytest.FixtureRequest
) -> Iterator[DisplayStage]:
    """A connected, idle machine with its own session."""
    stops, failures = the_stage.stops, request.session.testsfailed
    the_stage.begin()
    yield the_stage
    has_failed = request.session.testsfailed > failures
    if has_failed or the_stage.stops > stops:
        the_stage.begin()
        for shared in shared_pages:
            shared.recover(has_failed=has_failed)
    the_stage.pause()


@pytest.fixture
def settle(stage: DisplayStage) -> Settle:
    """settle(the_display, "?cues=de", PHONE): the page as it opens, with nothing shown in this session.

    It is loaded again only where it must be, and where the test wants it `anew`.
    """

    def settle(shared: SharedPage, path: str, size: tuple[int, int], *, anew: bool = False) -> Page:
        page = shared.page
        page.resize(*size)
        is_used = page.evaluate(IS_USED % (stage.url + path))
        page.evaluate(CLEAR)
        if anew or is_used:
            shared.load(path)
        shared.settle()
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
