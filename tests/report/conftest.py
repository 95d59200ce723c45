"""Starts one Chromium without a network for all tests of the report."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.__main__ import main
from tests.browser import Browser, Page

RECORDINGS = Path(__file__).parents[1] / "recordings"
PHONE, LAPTOP, TV = (390, 844), (1280, 800), (1920, 1080)


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="package")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the reports of the committed recordings."""
    folder = tmp_path_factory.mktemp("reports")
    for name in ("faults", "static", "unplugged", "motor"):
        assert main(["report", str(RECORDINGS / f"{name}.mcap"), "-o", str(folder / f"{name}.html")]) == 0
    return folder


@pytest.fixture(scope="package")
def the_page(browser: Browser, reports: Path) -> Iterator[Page]:
    page = open_page(browser, reports / "faults.html", LAPTOP)
    yield page
    page.close()


@pytest.fixture
def page(the_page: Page) -> Page:
    """`faults`, as it opens on a laptop."""
    the_page.call("Emulation.setEmulatedMedia", media="", features=[])
    the_page.resize(*LAPTOP)
    the_page.evaluate("document.activeElement.blur(); report.timeline.all(); report.timeline.draw()")
    the_page.console.clear()
    return the_page


def open_page(browser: Browser, path: Path, size: tuple[int, int]) -> Page:
    page = browser.open("about:blank", width=size[0], height=size[1])
    page.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
    page.requests.clear()
    page.goto(path.as_uri())
    page.wait("globalThis.report")
    return page
