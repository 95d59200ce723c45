"""Starts one Chromium for all tests of the page, and one stage and one open display for each file."""

from collections.abc import Callable, Iterator

import pytest

from tests.browser import Browser, Page
from tests.display.stage import IDLE, DisplayStage

PHONE, TABLET, LAPTOP, TV = (390, 844), (810, 1080), (1280, 800), (1920, 1080)
Open = Callable[..., Page]


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="module")
def the_stage() -> Iterator[DisplayStage]:
    with DisplayStage() as stage:
        yield stage


@pytest.fixture(scope="module")
def the_display(the_stage: DisplayStage, browser: Browser) -> Iterator[Page]:
    page = shown_on(browser, the_stage, "", TABLET)
    yield page
    closed(page)


@pytest.fixture
def stage(the_stage: DisplayStage) -> DisplayStage:
    """A connected, idle machine with its own session."""
    the_stage.live(IDLE)
    the_stage.new_session()
    the_stage.status()
    the_stage.info()
    return the_stage


@pytest.fixture
def display(the_display: Page, stage: DisplayStage) -> Page:
    """The lifter's display; nothing has been shown in this session."""
    heard = f"[model.session, model.info?.session].every((session) => session === '{stage.session}')"
    the_display.wait(f"document.body?.dataset.state === 'idle' && (({{ model }}) => {heard})(repMonitor)")
    the_display.resize(*TABLET)
    the_display.console.clear()
    return the_display


@pytest.fixture
def open_page(browser: Browser, the_stage: DisplayStage) -> Iterator[Open]:
    """open_page("trainer.html", PHONE): another page, closed at the end."""
    pages: list[Page] = []

    def open_(path: str = "", size: tuple[int, int] = TABLET) -> Page:
        pages.append(shown_on(browser, the_stage, path, size))
        return pages[-1]

    yield open_
    for page in pages:
        closed(page)


def shown_on(browser: Browser, stage: DisplayStage, path: str, size: tuple[int, int]) -> Page:
    """A page of the stage on a screen of its own, which shares no storage with others."""
    page = browser.open(stage.url + path, width=size[0], height=size[1])
    page.wait("globalThis.repMonitor?.link.subscribed > 0")
    return page


def closed(page: Page) -> None:
    page.evaluate("repMonitor.link.stop()")
    page.close()
