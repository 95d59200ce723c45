"""Runs the simulated gym until Ctrl-C: one broker, four machines with a page each, three clients, one gym's page.

await show_gym(folder, DisplaySettings(), seed=1)
"""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import msgspec

from monitor.daemon.daemon import Daemon
from monitor.daemon.recent_feedback import RecentFeedback
from monitor.daemon.sink import Sink
from monitor.demo.floor import GymFloor, floor
from monitor.demo.gym_screen import GymScreen
from monitor.demo.trainer import Through
from monitor.demo.walk import CLIENTS, MACHINES
from monitor.display.server import PageServer
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.client.address import Address
from monitor.mqtt.contract.commands import Command
from monitor.mqtt.contract.roles import Role
from monitor.mqtt.contract.topics import ROOT, TopicTree
from monitor.profile.profile import DisplaySettings
from monitor.store.history import last_sets
from monitor.store.store import Store

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, kw_only=True)
class ShownGym:
    """What the demo needs of the gym beside its machines."""

    page_url: str  # lets a trainer in
    collected: Callable[[], dict[str, int]]  # sets, by client
    through: Through


async def show_gym(folder: Path, display: DisplaySettings, seed: int) -> None:
    """The first machine's page is on the port of `display`, or on the next free one. Raises PageServerError."""
    accounts = [Role.COLLECTOR.value, *(f"daemon-{machine.id}" for machine in MACHINES)]
    passwords = {account: secrets.token_urlsafe(18) for account in accounts}
    client_ids = {client.name: f"c-{secrets.token_hex(5)}" for client in CLIENTS}
    shown: list[GymFloor] = []
    screen = GymScreen(lambda machine: shown[0].lifting.get(machine) if shown else None)
    pages: dict[str, PageServer] = {}
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(EmbeddedBroker(passwords=passwords))

        def address(account: str) -> Address:
            return Address(host=broker.host, port=broker.port, username=account, password=passwords[account])

        def sinks_of(daemon: Daemon, store: Store) -> list[Sink]:
            recent, profile = RecentFeedback(), msgspec.structs.replace(daemon.profile, display=display)
            pages[daemon.machine] = PageServer(profile, broker, partial(last_sets, store), recent=recent.document)
            return [recent, screen.lines(daemon.machine)]

        addresses = {machine.id: address(f"daemon-{machine.id}") for machine in MACHINES}
        trainer = address(Role.COLLECTOR.value)
        gym = await stack.enter_async_context(_gym(trainer, folder, client_ids))
        through = None if gym is None else gym.through
        running = floor(addresses, trainer, folder, client_ids, seed, sinks_of=sinks_of, through=through)
        shown.append(await stack.enter_async_context(running))
        for page in pages.values():
            await stack.enter_async_context(page)
        stopping = _asked_to_stop(stack)  # before the screen says that Ctrl-C stops everything
        screen.begin(None if gym is None else gym.page_url, {machine: page.url for machine, page in pages.items()})
        await stopping.wait()
        screen.end(None if gym is None else gym.collected())


@asynccontextmanager
async def _gym(address: Address, folder: Path, client_ids: Mapping[str, str]) -> AsyncIterator[ShownGym | None]:
    """A collector with a database in the folder, and the gym's page; None without the packages of a gym."""
    if find_spec("sqlalchemy") is None:
        yield None
        return
    from monitor.gym.collector.collector import Collector
    from monitor.gym.collector.questions import NoAnswer
    from monitor.gym.database.database import open_database
    from monitor.gym.demo_clients import enter_clients, sets_by_name
    from monitor.gym.demo_page import demo_page

    database = await asyncio.to_thread(open_database, f"sqlite:///{folder / 'gym.db'}")
    try:
        enter_clients(database, client_ids, [machine.id for machine in MACHINES])
        collector = Collector(address, [ROOT], database)

        async def through(tree: TopicTree, command: Command) -> bool:
            try:
                return (await collector.command(tree.root, tree.machine, command)).ok
            except NoAnswer:
                return False

        async with demo_page(database, collector) as page_url, asyncio.TaskGroup() as group:
            collecting = group.create_task(collector.run(), name="collector")
            yield ShownGym(page_url=page_url, collected=partial(sets_by_name, database), through=through)
            collecting.cancel()
    finally:
        database.close()


def _asked_to_stop(stack: AsyncExitStack) -> asyncio.Event:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in SIGNALS:
        loop.add_signal_handler(number, stopping.set)
        stack.callback(loop.remove_signal_handler, number)
    return stopping
