"""A screen on a wall: it waits for a server that is away, takes upgrades, stays on, and fills the screen."""

import json
import socket
from collections.abc import Iterator

import pytest

from monitor.display import server
from monitor.display.site import SHELL, File, page_files
from tests import needs
from tests.browser import Browser, Page
from tests.display.axe import violations
from tests.display.conftest import LAPTOP, PHONE, TABLET, TV
from tests.display.stage import DisplayStage
from tests.soak import long, soak

pytestmark = [needs.chromium, needs.npm]
LIVE = "document.body?.dataset.state === 'idle'"
WAITING = "document.querySelector('h1')?.textContent === 'Waiting for the machine'"


@pytest.fixture(scope="module")
def own_stage() -> Iterator[DisplayStage]:
    """A stage whose server these tests take away and upgrade."""
    with DisplayStage() as stage:
        stage.begin()
        yield stage


@pytest.fixture(scope="module")
def screen(own_stage: DisplayStage, browser: Browser) -> Iterator[Page]:
    page = browser.open(own_stage.url, width=TABLET[0], height=TABLET[1], worker=True)
    page.wait(LIVE)
    page.wait("navigator.serviceWorker.controller !== null")
    yield page
    page.close()


def version_on(page: Page) -> list[str]:
    return list(page.evaluate("caches.keys()"))


@soak
def test_a_screen_waits_for_its_server_and_continues(screen: Page, own_stage: DisplayStage) -> None:
    own_stage.break_broker()
    try:
        for path in ("", "trainer.html?cues=de", ""):  # a reload, another page, and a boot before the server
            screen.call("Page.navigate", url=own_stage.url + path)
            waiting = WAITING if not path else "document.querySelector('h1')?.textContent.startsWith('Warten')"
            screen.wait(waiting)
            assert screen.evaluate("location.href") == own_stage.url + path
        for size in long((PHONE, TABLET, LAPTOP, TV), (PHONE,)):
            screen.resize(*size)
            assert not violations(screen), size
        port = int(own_stage.url.rpartition(":")[2].strip("/"))
        with socket.create_server(("127.0.0.1", port)):  # accepts, and never answers
            screen.call("Page.navigate", url=f"{own_stage.url}?cues=es")
            screen.wait("document.querySelector('h1')?.textContent === 'Esperando a la máquina'")
    finally:
        own_stage.mend_broker()
    own_stage.info()
    screen.wait(LIVE)


def test_an_upgrade_reaches_a_screen_with_its_next_load(
    screen: Page, own_stage: DisplayStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version_on(screen)
    assert len(before) == 1

    def upgraded(cues: str | None = None, authority: bytes | None = None) -> dict[str, File]:
        files = page_files(cues, authority)
        shell = files[SHELL]
        data = shell.data.replace(b'"version":"', b'"version":"next-')
        return files | {SHELL: File(data, shell.type)}

    monkeypatch.setattr(server, "page_files", upgraded)
    own_stage.break_broker()
    own_stage.mend_broker()
    own_stage.info()
    screen.call("Page.reload")
    screen.wait(f"globalThis.repMonitor?.link.subscribed > 0 && {LIVE}")
    after = before[0].replace("rep-monitor-", "rep-monitor-next-")
    screen.evaluate(
        "new Promise((done) => { const look = async () =>"
        f" String(await caches.keys()) === '{after}' ? done() : setTimeout(look, 50); look(); }})"
    )


def test_the_page_can_be_installed(screen: Page) -> None:
    assert screen.call("Page.getInstallabilityErrors")["installabilityErrors"] == []
    manifest = json.loads(screen.call("Page.getAppManifest")["data"])
    for icon in manifest["icons"][1:]:
        size = screen.evaluate(
            f"new Promise((done) => {{ const image = new Image(); image.src = '{icon['src']}';"
            " image.onload = () => done(`${image.naturalWidth}x${image.naturalHeight}`); })"
        )
        assert size == icon["sizes"]


def test_a_touch_fills_the_screen_and_another_one_ends_it(screen: Page) -> None:
    screen.evaluate("document.querySelector('#fullscreen').click()")
    screen.wait("document.fullscreenElement && document.querySelector('#fullscreen').ariaPressed === 'true'")
    screen.evaluate("document.querySelector('#fullscreen').click()")
    screen.wait("!document.fullscreenElement && document.querySelector('#fullscreen').ariaPressed === 'false'")
