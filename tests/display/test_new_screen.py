"""A coach lets a new screen in: code on the trainer's view, pairing page on the tablet, then the display."""

from collections.abc import Iterator

import pytest

from monitor.mqtt.contract.roles import Role
from tests import needs
from tests.browser import Browser, Page
from tests.display.axe import violations
from tests.display.conftest import LAPTOP, PHONE, TABLET, TV
from tests.display.stage import DisplayStage
from tests.soak import long, soak

pytestmark = [needs.chromium, needs.npm]
TOKENS = {Role.DISPLAY: "d1splay-token-of-a-test", Role.COACH: "c0ach-token-of-a-test"}
SHOWN_CODE = "document.querySelector('#invite-code').textContent"
QR_BOXES = """(() => {
  const box = (selector) => document.querySelector(selector).getBoundingClientRect();
  return [box("#invite-qr").width, box("#invite-qr").height, box("#invite-qr path").width];
})()"""

# What the trainer's view does with its button.
BUTTON_IS_HIDDEN = """import("/js/invite.js").then(async ({ setUpInvite }) => {
  const opener = Object.assign(document.createElement("button"), { hidden: true });
  await setUpInvite({ opener });
  return opener.hidden;
})"""
HOLD_ANSWERS = """(() => {
  const realFetch = fetch, go = (globalThis.held = []);
  let asked = 0;
  globalThis.fetch = async (...given) => {
    const at = asked++, answer = await realFetch(...given);
    await new Promise((done) => (go[at] = done));
    return answer;
  };
  globalThis.holdNoMore = () => (globalThis.fetch = realFetch);
})()"""


@pytest.fixture(scope="module")
def open_stage() -> Iterator[DisplayStage]:
    with DisplayStage(tokens=TOKENS) as stage:
        stage.begin()
        yield stage


@pytest.fixture(scope="module")
def coach(open_stage: DisplayStage, browser: Browser) -> Iterator[Page]:
    link = f"{open_stage.url}trainer.html?token={TOKENS[Role.COACH]}"
    page = browser.open(link, width=LAPTOP[0], height=LAPTOP[1])
    page.wait("document.querySelector('#invite')?.hidden === false")
    yield page
    page.close()


@pytest.fixture
def invitation(coach: Page) -> Iterator[Page]:
    """The trainer's view with a new code."""
    coach.evaluate("document.querySelector('#invite').click()")
    coach.wait(f"{SHOWN_CODE}.length === 7")
    yield coach
    coach.evaluate("document.querySelector('#invite-dialog').close()")


def code_on(page: Page) -> str:
    return str(page.evaluate(SHOWN_CODE))


def choose(page: Page, role: str) -> None:
    page.evaluate(
        f"(() => {{ const role = document.querySelector('#invite-dialog select'); role.value = '{role}';"
        " role.dispatchEvent(new Event('change', {bubbles: true})); })()"
    )


def new_screen(browser: Browser, url: str) -> Page:
    return browser.open(url, width=TABLET[0], height=TABLET[1])


@soak
def test_a_screen_that_has_no_access_asks_for_a_code_and_gets_in(
    invitation: Page, open_stage: DisplayStage, browser: Browser
) -> None:
    page = new_screen(browser, open_stage.url)
    page.wait("location.pathname === '/pair.html' && document.activeElement.id === 'code'")
    for size in long((PHONE, TABLET, LAPTOP, TV), (LAPTOP,)):
        page.resize(*size)
        assert not violations(page), size
    send = "code => { code_.value = code; form.requestSubmit(); }".replace("code_", "document.querySelector('#code')")
    page.evaluate(f"({send})('WRONG2')")
    page.wait("document.querySelector('#answer').textContent.includes('wrong')")
    assert not violations(page)
    page.evaluate(f"({send})('{code_on(invitation).lower()}')")
    page.wait("document.body?.dataset.state === 'idle'")
    assert page.evaluate("location.href") == open_stage.url
    assert not [url for url in page.requests if "?" in url], "no code and no token is in an address"
    assert page.evaluate(BUTTON_IS_HIDDEN) is True, "a display lets nobody in"
    assert page.evaluate("fetch('code', {method: 'POST'}).then((answer) => answer.status)") == 403
    page.close()


def test_a_late_answer_does_not_replace_a_newer_code(invitation: Page) -> None:
    invitation.evaluate(HOLD_ANSWERS)
    for role in ("coach", "display"):
        choose(invitation, role)
    assert code_on(invitation) == ""
    invitation.wait("held[0] && held[1]")
    invitation.evaluate("held[1]()")
    invitation.wait(f"{SHOWN_CODE}.length === 7")
    code = code_on(invitation)
    invitation.evaluate("held[0]()")
    invitation.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert code_on(invitation) == code
    invitation.evaluate("holdNoMore()")


@soak
def test_the_qr_codes_link_lets_a_coach_in(invitation: Page, open_stage: DisplayStage, browser: Browser) -> None:
    before = code_on(invitation)
    choose(invitation, "coach")
    invitation.wait(f"{SHOWN_CODE}.length === 7 && {SHOWN_CODE} !== '{before}'")
    for size in (PHONE, TABLET, LAPTOP, TV):
        invitation.resize(*size)
        assert not (long(True, size == TV) and violations(invitation)), size
        width_px, height_px, dark_px = invitation.evaluate(QR_BOXES)
        assert width_px == height_px >= 200
        assert 0.7 * width_px < dark_px < width_px
    code = code_on(invitation).replace(" ", "")
    page = new_screen(browser, f"{open_stage.url}pair.html#{code}")
    page.wait("location.pathname === '/trainer.html' && document.querySelector('#invite')?.hidden === false")
    assert page.evaluate("location.hash") == ""
    page.goto(f"{open_stage.url}pair.html#{code}")
    page.wait("document.querySelector('#answer')?.textContent.includes('used')")
    page.close()
