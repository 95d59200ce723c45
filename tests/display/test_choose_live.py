"""From a tap on the page to the daemon's profile: real browser, page server, broker, publisher, daemon."""

import asyncio
import contextlib
from pathlib import Path

import msgspec

from monitor.display.server import PageServer
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.store.store import Store
from tests import needs
from tests.browser import Browser, Page
from tests.daemon.stage import PROFILE, Machine, a_set, publishing
from tests.display.choosing import ANSWER, OPEN, READY, USE, WHY
from tests.mqtt.brokers import free_port
from tests.mqtt.stage import play, until

pytestmark = needs.chromium
LOAD = """new Promise((answered) =>
  repMonitor.link.command("load", { load_n: 500 }, (ack) => answered(`${ack.error}: ${ack.detail}`)))"""


def choose(page: Page) -> None:
    page.wait("globalThis.repMonitor?.model.info && repMonitor.model.status?.state === 'online'")
    page.evaluate(OPEN)
    page.wait(READY)
    for selector in ("[name=tempo][value='5/5']", "#choose-steps button:last-child"):
        page.evaluate(f'document.querySelector("{selector}").click()')
    page.evaluate("document.querySelector('[name=lifter]').value = 'l-7'")
    page.evaluate(USE)
    page.wait(f"{ANSWER} === 'Saved. It applies from the next set.'")
    page.wait("document.querySelector('#agreed').textContent === '5/5 · 85 kg'")  # sent by the daemon itself
    page.evaluate("document.querySelector('#chooser').close()")


def refused(page: Page) -> str:
    page.wait("repMonitor.model.feedback?.set === 1")
    page.evaluate(OPEN)
    page.wait(f"{WHY} === 'A set is in progress. Choose when it has ended.'")
    return str(page.evaluate(LOAD))  # a direct request


def test_a_choice_reaches_the_profile_but_not_during_a_set(tmp_path: Path, browser: Browser) -> None:
    shown = msgspec.structs.replace(PROFILE, display=msgspec.structs.replace(PROFILE.display, port=free_port()))

    async def whole() -> None:
        with Store(tmp_path / "events.db") as store:
            async with (
                EmbeddedBroker() as broker,
                PageServer(shown, broker) as server,
                contextlib.AsyncExitStack() as stack,
            ):
                machine = Machine()
                daemon = await stack.enter_async_context(publishing(PROFILE, tmp_path, store, broker))
                running = asyncio.create_task(daemon.run(machine.source()))
                page = await asyncio.to_thread(browser.open, server.url, width=810, height=1080)
                await asyncio.to_thread(choose, page)
                assert (daemon.profile.protocol.name, daemon.profile.machine.working_load_n) == ("5/5", 833.6)
                chunks = a_set()
                machine.move(chunks[: len(chunks) // 2])
                await until(lambda: daemon.session is not None and machine.is_done)
                answer = await asyncio.to_thread(refused, page)
                assert answer == "refused: a set is in progress: send the command again when it has ended"
                assert daemon.profile.machine.working_load_n == 833.6
                assert page.console == []
                await asyncio.to_thread(page.evaluate, "repMonitor.link.stop()")
                await asyncio.to_thread(page.close)
                assert [row.lifter for row in store.sessions()] == ["l-7"]
                daemon.stop()
                await running

    play(whole(), 240)
