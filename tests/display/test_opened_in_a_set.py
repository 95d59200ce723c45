"""A lifter's page that is opened, or connected again, in the middle of a set shows the faults of the whole set."""

from monitor.events import Drop, LockoutRest
from tests import needs
from tests.browser import Page, until
from tests.display.conftest import SUBSCRIBED, SharedPage
from tests.display.look import look
from tests.display.stage import IDLE, DisplayStage

pytestmark = needs.chromium
FAULTS = "document.querySelector('#faults').innerText.replaceAll(/\\s+/g, ' ')"


def test_a_page_opened_in_a_set_asks_for_its_faults(
    display: Page, the_display: SharedPage, stage: DisplayStage
) -> None:
    """They give no cue. Until they have come the page does not claim that there are none."""
    stage.live(rep=4)
    stage.status(store_id="store", first_seq=3, last_seq=900)
    the_display.load()
    display.wait(SUBSCRIBED)
    client = display.evaluate("repMonitor.link.client_id")
    until(lambda: (client, 700, "store") in stage.resumed(), "the page does not ask for the past")
    look(display, f"{FAULTS} === '\N{EN DASH}'", state="set")
    stage.event(Drop, rep=2, historical=True, topic=f"resume/{client}", peak_g=0.4)
    look(display, f"{FAULTS} === 'Dropped rep 2'", state="set", heave="none", cue="positive")
    stage.event(LockoutRest, rep=3, historical=True, topic=f"resume/{client}", duration_s=1.9)
    look(display, f"{FAULTS} === 'Rest at the top rep 3 Dropped rep 2'", state="set", heave="none")
    assert len([name for name, *_ in stage.resumed() if name == client]) == 1
    assert not display.console


def test_no_faults_yet_is_only_said_of_a_whole_set(display: Page, the_display: SharedPage, stage: DisplayStage) -> None:
    stage.live()
    the_display.load()
    look(display, f"globalThis.repMonitor && {FAULTS} === '\N{EN DASH}'", state="set")
    stage.status(store_id="store", first_seq=1, last_seq=2)
    client = display.evaluate("repMonitor.link.client_id")
    until(lambda: client in [name for name, *_ in stage.resumed()], "the page does not ask for the past")
    stage.end_resume(client)
    look(display, f"{FAULTS} === 'No faults yet'", state="set")


def test_a_page_that_follows_the_set_asks_for_nothing(display: Page, stage: DisplayStage) -> None:
    stage.status(store_id="store", first_seq=1, last_seq=2)
    stage.live(IDLE)
    look(display, state="idle")
    stage.live()
    look(display, f"{FAULTS} === 'No faults yet'", state="set")
    client = display.evaluate("repMonitor.link.client_id")
    assert client not in [name for name, *_ in stage.resumed()]
