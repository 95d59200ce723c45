"""A new screen in a gym with TLS: from the plain address to the secure page, where the screen stays on."""

import base64
import hashlib
import json
import socket
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
COUNT_LOCKS = """globalThis.asked = 0;
const lock = globalThis.WakeLock?.prototype.request;
if (lock) WakeLock.prototype.request = function (kind) { asked += 1; return lock.call(this, kind); };"""
# What the page does with its hint when it opens again.
HINT_IS_HIDDEN = """Promise.all(["kiosk", "settings"].map((name) => import(`/js/${name}.js`))).then(
  ([{ hintAtSleep }, { loadSettings, saveSettings }]) => {
    const hint = document.querySelector("#sleep");
    hintAtSleep(hint, "insecure", { words: { text: (key) => key }, settings: loadSettings(), save: saveSettings });
    return hint.hidden;
  },
)"""
LIVE = "document.body?.dataset.state === 'idle'"


@dataclass(frozen=True)
class Secure:
    """A machine with a certificate, and a browser that trusts it."""

    stage: DisplayStage
    browser: Browser
    authority: Path

    def invitation(self) -> str:
        """The link that a coach gives to a new screen."""
        trusting = ssl.create_default_context(cafile=str(self.authority))
        coach = {"Cookie": f"rep-monitor-token={TOKENS[Role.COACH]}"}
        question = urllib.request.Request(f"{self.stage.secure_url}code", method="POST", headers=coach)
        with urllib.request.urlopen(question, context=trusting, timeout=60) as answer:
            return str(json.load(answer)["link"])


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
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
        stage.begin()
        yield Secure(stage, browser, home / "authority" / "ca.pem")


@soak
def test_a_new_screen_is_led_to_the_secure_page_and_kept_on_there(secure: Secure) -> None:
    stage, link = secure.stage, secure.invitation()
    own_name = f"http://{socket.gethostname()}:"  # the coach is at this computer
    assert link.startswith(own_name)
    page = secure.browser.open("about:blank", width=TABLET[0], height=TABLET[1], worker=True)
    page.call("Page.addScriptToEvaluateOnNewDocument", source=COUNT_LOCKS)
    page.goto(link.replace(own_name, "http://127.0.0.1:"))
    page.wait("document.querySelector('#secure')?.href.startsWith('https:')")
    for size in long((PHONE, TABLET, LAPTOP, TV), (TABLET,)):
        page.resize(*size)
        assert not violations(page), size
    assert page.evaluate("document.querySelector('#form').hidden") is True, "the code is not given here"
    assert page.evaluate("fetch('rep-monitor.crt').then((got) => got.text())").startswith("-----BEGIN CERTIFICATE")
    page.evaluate("document.querySelector('#secure').click()")
    page.wait(f"{LIVE} && asked === 1")
    assert page.evaluate("location.href") == stage.secure_url
    assert {url.partition(":")[0] for url in page.sockets} == {"wss"}
    page.wait("navigator.serviceWorker.controller !== null")
    assert page.evaluate("document.querySelector('#sleep').hidden") is True
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # the screen was hidden, and is seen again
    page.wait("asked === 2")
    page.close()


@soak
def test_without_tls_a_hint_says_that_the_screen_may_sleep(secure: Secure) -> None:
    browser = secure.browser
    with DisplayStage(tokens=TOKENS) as plain:
        plain.begin()
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
        assert page.evaluate(HINT_IS_HIDDEN) is True, "read once"
        page.close()
