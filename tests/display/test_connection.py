"""The page without data: stale data, a machine that is off, a broker restart, unknown messages."""

from monitor.events import Jerk
from tests import needs
from tests.browser import Browser, Page
from tests.display.conftest import TABLET
from tests.display.look import look
from tests.display.stage import IDLE, DisplayStage

pytestmark = needs.chromium

TWO_LINKS = """import("/js/link.js").then(({ Link }) => [1, 2].map(() => {
  const link = new Link({});
  link.stop();
  return link.client_id;
}))"""
WATCH = """globalThis.changes = [];
new MutationObserver(() => changes.push({
  state: document.body.dataset.state,
  age_ms: performance.now() - repMonitor.model.feedback_ms,
})).observe(document.body, {attributes: true, attributeFilter: ["data-state"]});"""


def test_a_bar_without_data_disappears(display: Page, stage: DisplayStage) -> None:
    stage.live(tension=0.9)
    low = look(display, "repMonitor.stats.shown.tension === 0.9", state="set")["edge"]["top"]
    stage.live(tension=1.1)
    assert look(display, "repMonitor.stats.shown.tension === 1.1", state="set")["edge"]["top"] < low
    display.evaluate(WATCH)
    stage.silence()
    seen = look(display, state="stale")
    assert seen["edge"] is None
    assert seen["carriage"] is None
    assert seen["crossed"]
    stage.live()
    display.wait("document.body.dataset.state === 'set'")
    # By the page's own clock, and with the patience a loaded machine needs: the rule itself is in test_shown_state.
    assert display.evaluate("changes.find((change) => change.state === 'stale').age_ms") >= 200


def test_an_absent_machine_is_shown_as_absent(browser: Browser) -> None:
    with DisplayStage("row", root="berlin/rep") as stage:
        page = browser.open(stage.url, width=TABLET[0], height=TABLET[1])
        assert look(page, state="offline", reason="machine")["edge"] is None  # no status has ever come
        stage.status(conn=4, link="absent")
        assert look(page, state="stale", reason="absent")["label"] == "The sensor box is not connected"
        stage.live(IDLE)
        look(page, state="idle")
        stage.status(conn=4, link="unstable")  # there at this moment
        sentence = "The sensor box keeps dropping out: check its cable"
        page.wait(f"document.querySelector('#detail').textContent === '{sentence}'")
        stage.silence()
        assert look(page, state="stale", reason="unstable")["label"] == sentence
        stage.status(state="offline", conn=3)  # the ghost of an older connection
        look(page, "repMonitor.model.status.state === 'online'", state="stale")
        stage.status(state="offline", conn=4)
        look(page, state="offline")
        page.close()


def test_the_page_survives_a_restart_of_the_broker(display: Page, stage: DisplayStage) -> None:
    stage.live()
    display.wait("document.body.dataset.state === 'set'")
    connections = display.evaluate("repMonitor.link.connections")
    stage.break_broker()
    seen = look(display, state="offline", reason="broker")
    assert seen["edge"] is None
    assert seen["icon"] == "#i-offline"
    assert display.evaluate("repMonitor.link.attempts") >= 1
    stage.mend_broker()
    display.evaluate("dispatchEvent(new Event('online'))")  # or after its own wait
    before = look(display, state="set")["edge"]["top"]
    assert display.evaluate("[repMonitor.link.connections, repMonitor.link.attempts]") == [connections + 1, 0]
    stage.live(tension=1.1)
    assert look(display, "repMonitor.stats.shown.tension === 1.1", state="set")["edge"]["top"] < before


def test_a_new_version_reloads_the_pages_but_not_during_a_set(
    display: Page, trainer: Page, stage: DisplayStage
) -> None:
    stage.live()
    for page in (display, trainer):
        page.wait("document.body.dataset.state === 'set'")
        page.evaluate("globalThis.old = true")
    stage.version += ".1"  # and later tests continue with it, so that the pages need not load again
    has_it = f"repMonitor.model.info?.version === '{stage.version}'"
    stage.info()
    for page in (display, trainer):
        page.wait(has_it)
        assert page.evaluate("globalThis.old")
    stage.end_set()
    stage.live(IDLE)
    for page in (display, trainer):
        page.wait("document.body.dataset.state === 'summary'")
    stage.info()
    for page in (display, trainer):
        page.wait(f"!globalThis.old && globalThis.repMonitor?.link.subscribed > 0 && {has_it}")
    seen = look(
        display, "document.querySelector('#detail').textContent", state="idle"
    )  # what is old is not shown as new
    assert "Last set: 47 s of tension of 62 s under load" in [text["text"] for text in seen["texts"]]


def test_the_page_reconnects_by_itself(display: Page, stage: DisplayStage) -> None:
    stage.break_broker()
    display.wait("repMonitor.link.attempts >= 1")
    stage.mend_broker()
    stage.live()
    display.wait("document.body.dataset.state === 'set'")


def test_unknown_messages_are_counted_and_ignored(display: Page, stage: DisplayStage) -> None:
    stage.live()
    for data in (b"null", b"[]", b"{", b"\xff\xfe", b'{"v":2,"t_s":1}', b'{"t_s":1}', b'"x"'):
        before = display.evaluate("repMonitor.link.unknown")
        stage.raw("live/feedback", data)
        display.wait(f"repMonitor.link.unknown === {before + 1}")
    assert look(display, state="set")["edge"] is not None
    assert not display.console


def test_the_pages_load_nothing_from_other_servers(display: Page, trainer: Page, stage: DisplayStage) -> None:
    stage.live()
    stage.event(Jerk, cause="mid", peak_g=0.2)
    for page in (display, trainer):
        page.wait("document.body.dataset.state === 'set'")
        assert page.requests
        assert page.sockets
        assert all(url.startswith(stage.url) for url in page.requests), page.requests
        assert all(url == stage.url.replace("http", "ws") + "mqtt" for url in page.sockets)


def test_each_tab_has_its_own_client_id(display: Page, trainer: Page) -> None:
    names = {page.evaluate("repMonitor.link.client_id") for page in (display, trainer)}
    names |= set(display.evaluate(TWO_LINKS))
    assert len(names) == 4
    assert all(0 < len(name) <= 23 for name in names)
