"""The page with its real server and database: what it sends is taken, what it gets is understood."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from monitor.gym.configuration import GymConfig, GymPageSettings
from monitor.gym.database.database import Database
from monitor.gym.people.clients import add_client, setting
from monitor.gym.web.app import make_app
from monitor.gym.web.server import open_port, serve_page
from monitor.gym.workout.visits import visits
from monitor.mqtt.contract.commands import LifterCommand, LoadCommand, ProtocolCommand
from tests import needs
from tests.browser import Browser
from tests.gym.collected import add_machine, add_set
from tests.gym.web.messages import state
from tests.gym.web.page.conftest import TABLET
from tests.gym.web.page.hands import click, texts, type_into
from tests.gym.web.stage import StillCollector
from tests.mqtt.brokers import free_port

pytestmark = needs.chromium
KG = 9.80665


@contextmanager
def served(database: Database, collector: StillCollector) -> Iterator[str]:
    """In a thread of its own. Yields the address that lets a trainer in."""
    config = GymConfig(display=GymPageSettings(port=free_port()))
    app = make_app(database, collector, config)
    code = app.state.house.codes.make("trainer")
    loop = asyncio.new_event_loop()
    with open_port(config.display) as port:
        serving = loop.create_task(serve_page(app, port))

        def serve() -> None:
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(serving)
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

        thread = threading.Thread(target=serve, name="gym page")
        thread.start()
        try:
            yield f"{config.page_url}#{code}"
        finally:
            loop.call_soon_threadsafe(serving.cancel)
            thread.join()


def test_a_trainer_s_round(the_browser: Browser, lone_database: Database) -> None:
    collector = StillCollector(lone_database)
    leg_press = collector.add("leg-press")
    collector.add("pulldown")
    with lone_database.writing() as connection:
        add_machine(connection, "leg-press", "Leg press", position=1)
        add_machine(connection, "pulldown", "Pulldown", position=2)
        ada = add_client(connection, "Ada", "2026-11-01").client_id
        add_set(connection, ada, "leg-press", time.time() - 1.0, outcome="failure", load_n=80 * KG)
    with served(lone_database, collector) as url:
        page = the_browser.open(url, width=TABLET[0], height=TABLET[1])
        page.at_noon()
        page.wait("document.querySelector('.tile')")
        assert texts(page, ".tile h2") == ["Leg press", "Pulldown"]
        assert texts(page, ".tile .word") == ["no data", "no data"]

        def lift() -> None:  # is shown for five seconds
            leg_press.seen_unix_s = time.time()
            leg_press.take_state(state(rep=3))

        page.wait("document.querySelector('.tile .word')?.textContent === 'lifting'", again=lift)

        page.evaluate("location.hash = '#/today'")
        page.wait("document.querySelector('.mark')")
        assert texts(page, ".visit h2, .visit tbody th") == ["Ada", "Leg press"]
        click(page, ".mark")
        page.wait("document.querySelector('.mark')?.textContent.startsWith('ended *')")
        with lone_database.reading() as connection:
            assert visits(connection)[0].sets[0].marked_failure is False
        handout = "fetch(document.querySelector('.visit a.button').href).then((answer) => answer.status)"
        assert page.evaluate(handout) == 200

        page.evaluate(f"location.hash = '#/clients/{ada}/details'")
        page.wait("document.querySelectorAll('.setting').length === 2")
        for name, value in (("seat", "4, back 2"), ("next_load", "45"), ("note", "slow")):
            type_into(page, f".setting:last-child [name={name}]", value)
        page.evaluate("document.querySelector('.setting:last-child [name=protocol]').value = '5/5'")
        click(page, ".setting:last-child .save button")
        page.wait("document.querySelector('.setting:last-child .answer').textContent !== ''")
        with lone_database.reading() as connection:
            kept = setting(connection, ada, "rep", "pulldown")
        assert (kept.seat, kept.protocol, kept.note) == ("4, back 2", "5/5", "slow")

        page.evaluate(f"location.hash = '#/clients/{ada}/workout'")
        page.wait("document.querySelector('.go.strong')")
        click(page, ".go.strong")
        page.wait("document.querySelector('.next[data-mood=good]')")
        assert texts(page, ".next dd") == ["4, back 2", "45 kg", "5/5"]
        sent = {type(command): command for command in collector.sent}
        assert sent.keys() == {LifterCommand, LoadCommand, ProtocolCommand}
        lifter = sent[LifterCommand]
        assert isinstance(lifter, LifterCommand)
        assert lifter.lifter == ada

        page.evaluate(f"location.hash = '#/clients/{ada}/card'")
        page.wait("document.querySelector('.cell .load')")
        assert texts(page, ".cell .load") == ["80"]
        page.evaluate(f"location.hash = '#/clients/{ada}/progress'")
        page.wait("document.querySelector('.part .notice:not([hidden])')")

        page.evaluate("location.hash = '#/clients'")
        page.wait("document.querySelector('#add')")
        click(page, "#add")
        type_into(page, "dialog [name=name]", "Ben")
        click(page, "dialog .strong")
        page.wait("document.querySelector('h1')?.textContent === 'Ben' && document.querySelector('#forget')")
        click(page, "#forget")
        click(page, "dialog [name=sure]")
        click(page, "dialog .danger")
        page.wait("document.querySelectorAll('dialog .answers li').length === 3")
        page.wait("document.querySelectorAll('dialog').length === 1")  # the first one goes with the next frame
        assert texts(page, "dialog .answers li")[:2] == ["✓ Here removed", "… Leg press not asked yet"]

        click(page, "dialog button")
        page.wait("document.querySelector('.people b')")
        click(page, "#invite")
        page.wait("document.querySelector('#invite-qr')")
        click(page, "dialog summary")
        page.wait("document.querySelector('.screens li span:last-child')?.textContent === 'this screen'")
        click(page, "dialog [value=close]")
        click(page, "#leave")
        page.wait("document.querySelector('.pairing')")
        assert page.console == []  # nothing was refused, by the server or by the policy of the page
        page.close()
