"""A new screen in a gym with TLS: from the plain address to the secure page, where the screen stays on."""

import base64
import hashlib
import subprocess
from collections.abc import Iterator

import pytest

from monitor.access.page_certificate import make_page_certificate
from monitor.display.door import LimitedConnection
from monitor.display.tls import page_tls
from monitor.mqtt.contract.roles import Role
from tests import needs
from tests.browser import Browser
from tests.display.axe import violations
from tests.display.conftest import LAPTOP, PHONE, TABLET, TV
from tests.display.stage import CALM, IDLE, DisplayStage
from tests.soak import long, soak

pytestmark = [needs.chromium, needs.npm, needs.openssl]
TOKENS = {Role.DISPLAY: "d1splay-token-of-a-test", Role.COACH: "c0ach-token-of-a-test"}
LIVE = "document.body?.dataset.state === 'idle'"


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DisplayStage, Browser]]:
    """A machine with a certificate, and a browser that trusts it."""
    home = tmp_path_factory.mktemp("secure")
    make_page_certificate(home / "secrets", home / "authority", ["gym-box.local", "127.0.0.1"])
    shown = ["openssl", "x509", "-in", str(home / "secrets" / "page.pem"), "-pubkey", "-noout"]
    pem = subprocess.check_output(shown, text=True)
    key = base64.b64decode("".join(pem.splitlines()[1:-1]))
    trusted = base64.b64encode(hashlib.sha256(key).digest()).decode()
    flags = [f"--ignore-certificate-errors-spki-list={trusted}", "--host-resolver-rules=MAP *.local 127.0.0.1"]
    with (
        pytest.MonkeyPatch.context() as patch,
        DisplayStage(tokens=TOKENS, tls=page_tls(home / "secrets")) as stage,
        Browser(home, flags=flags) as browser,
    ):
        patch.setattr(LimitedConnection, "is_from_here", False)
        stage.status()
        stage.info()
        stage.live(IDLE)
        yield stage, browser


@soak
def test_a_new_screen_is_led_to_the_secure_page(secure: tuple[DisplayStage, Browser]) -> None:
    stage, browser = secure
    coach = browser.open(f"{stage.secure_url}trainer.html?token={TOKENS[Role.COACH]}", width=800, height=600)
    coach.wait("document.querySelector('#invite')?.hidden === false")
    link = coach.evaluate("fetch('code', { method: 'POST' }).then((made) => made.json()).then(({ link }) => link)")
    coach.close()
    page = browser.open(link, width=TABLET[0], height=TABLET[1])
    assert link.startswith("http://127.0.0.1:")
    page.wait("document.querySelector('#secure')?.href.startsWith('https:')")
    for size in long((PHONE, TABLET, LAPTOP, TV), (TABLET,)):
        page.resize(*size)
        assert not violations(page), size
    assert page.evaluate("document.querySelector('#form').hidden") is True, "the code is not given here"
    assert page.evaluate("fetch('rep-monitor.crt').then((got) => got.text())").startswith("-----BEGIN CERTIFICATE")
    page.evaluate("document.querySelector('#secure').click()")
    page.wait(LIVE)
    assert page.evaluate("location.href") == stage.secure_url
    assert {url.partition(":")[0] for url in page.sockets} == {"wss"}
    page.wait("navigator.serviceWorker.controller !== null")
    assert page.evaluate("document.querySelector('#sleep').hidden") is True
    page.close()


def test_the_screen_is_kept_on_again_after_it_was_hidden(secure: tuple[DisplayStage, Browser]) -> None:
    stage, browser = secure
    page = browser.open("about:blank", width=TABLET[0], height=TABLET[1])
    page.call(
        "Page.addScriptToEvaluateOnNewDocument",
        source="globalThis.asked = 0; const lock = WakeLock.prototype.request;"
        " WakeLock.prototype.request = function (kind) { asked += 1; return lock.call(this, kind); };",
    )
    page.goto(f"{stage.secure_url}?token={TOKENS[Role.DISPLAY]}")
    page.wait(f"{LIVE} && asked === 1")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait("asked === 2")
    page.close()


@soak
def test_without_tls_a_hint_says_that_the_screen_may_sleep(secure: tuple[DisplayStage, Browser]) -> None:
    browser = secure[1]
    with DisplayStage(tokens=TOKENS) as plain:
        plain.status()
        plain.info()
        plain.live(IDLE)
        port = plain.url.rpartition(":")[2]
        page = browser.open(f"http://gym-box.local:{port}?token={TOKENS[Role.DISPLAY]}", width=390, height=844)
        page.wait(f"{LIVE} && document.querySelector('#sleep').hidden === false")
        for size in long((PHONE, TABLET, LAPTOP, TV), (PHONE,)):
            page.resize(*size)
            assert not violations(page), size
        assert "TLS" in page.evaluate("document.querySelector('#sleep').innerText")
        plain.live(CALM)
        page.wait("document.body.dataset.state === 'set' && !document.querySelector('#sleep').checkVisibility()")
        plain.live(IDLE)
        page.wait(f"{LIVE} && document.querySelector('#sleep').checkVisibility()")
        page.evaluate("document.querySelector('#sleep button').click()")
        page.call("Page.reload")
        page.wait(f"{LIVE} && globalThis.repMonitor?.link.subscribed > 0")
        assert page.evaluate("document.querySelector('#sleep').hidden") is True, "read once"
        page.close()
