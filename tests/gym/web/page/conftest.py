"""One Chromium, one fake gym and one page for all tests of the gym's page."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.browser import Browser, Page
from tests.gym.web.page.fake_gym import FakeGym
from tests.gym.web.page.scene import fill

TABLET = (810, 1080)
_visits = count()


class Visitor:
    """A screen that opens the gym's page at an address behind #."""

    def __init__(self, page: Page, gym: FakeGym) -> None:
        self.page = page
        self._gym = gym

    def at(self, address: str, shown: str) -> Page:
        """Loads the page anew, and waits until something fits the selector `shown`."""
        self.page.goto(f"{self._gym.url}?{next(_visits)}{address}")
        self.page.wait(f"document.querySelector({shown!r})")
        self.page.console.clear()
        return self.page


@pytest.fixture(scope="package")
def the_gym() -> Iterator[FakeGym]:
    with FakeGym() as gym:
        yield gym


@pytest.fixture(scope="package")
def the_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="package")
def the_page(the_browser: Browser, the_gym: FakeGym) -> Page:
    return the_browser.open(the_gym.url, width=TABLET[0], height=TABLET[1])


@pytest.fixture
def gym(the_gym: FakeGym) -> FakeGym:
    """With the known rows of scene.py, and a trainer logged in."""
    the_gym.reset()
    fill(the_gym)
    return the_gym


@pytest.fixture
def visitor(the_page: Page, gym: FakeGym) -> Iterator[Visitor]:
    the_page.resize(*TABLET)
    yield Visitor(the_page, gym)
    the_page.goto("about:blank")  # so that it asks no more
