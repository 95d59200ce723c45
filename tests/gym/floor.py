"""Machines that speak the contract, without detection, and what a collector has of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Self

from sqlalchemy import func, select

from monitor.gym.collector.collector import Collector
from monitor.gym.database.database import Database
from monitor.gym.database.tables import events, sets
from monitor.gym.database.tables import machines as machines_table
from monitor.mqtt.client.address import Address
from monitor.mqtt.contract.commands import Command, ForgetCommand
from monitor.mqtt.contract.topics import TopicTree
from tests.mqtt.stage import Stage
from tests.record.sessions import jerk, set_end


class Machine(Stage):
    """A store and a publisher. `jerks` and `a_set` store first and publish then, as the daemon does."""

    def __init__(self, address: Address, folder: Path, tree: TopicTree) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(address, folder, tree)
        self.tree = tree
        self.sets = 0

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        return self

    async def _carry_out(self, command: Command) -> str | None:
        await super()._carry_out(command)
        return str(self.store.remove_lifter(command.lifter)) if isinstance(command, ForgetCommand) else None

    def jerks(self, count: int) -> None:
        first = self.store.last_seq + 1
        self.publisher.events(self.store.append([jerk(first + each) for each in range(count)]))

    def a_set(self, lifter: str | None) -> None:
        self.sets += 1
        session = f"s{self.sets}"
        self.store.begin_session(session, lifter=lifter)
        self.publisher.events(self.store.append([set_end(self.store.last_seq + 1, 1, session)]))


@contextlib.asynccontextmanager
async def machines(address: Address, folder: Path, trees: Sequence[TopicTree]) -> AsyncIterator[list[Machine]]:
    async with contextlib.AsyncExitStack() as stack:
        floor = [Machine(address, folder / tree.name, tree) for tree in trees]
        for machine in floor:
            await stack.enter_async_context(machine)
        yield floor


@contextlib.asynccontextmanager
async def collecting(collector: Collector) -> AsyncIterator[Collector]:
    """From `async with` to its end."""
    running = asyncio.create_task(collector.run())
    try:
        yield collector
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def numbers(database: Database) -> dict[tuple[str, str, str], list[int]]:
    """The seq of each stored event by site, machine and store, in the order in which they were stored."""
    found: dict[tuple[str, str, str], list[int]] = {}
    with database.reading() as connection:
        columns = (events.c.site, events.c.machine, events.c.store_id, events.c.seq)
        for site, machine, store_id, seq in connection.execute(select(*columns).order_by(*columns)):
            found.setdefault((site, machine, store_id), []).append(seq)
    return found


def stored(database: Database) -> int:
    """How many events there are; costs little also where `numbers` costs much."""
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(events)).scalar_one()


def lifters(database: Database) -> list[tuple[str, int, str | None]]:
    with database.reading() as connection:
        columns = (sets.c.machine, sets.c.seq, sets.c.client_id)
        return [(machine, seq, who) for machine, seq, who in connection.execute(select(*columns).order_by(*columns))]


def places(database: Database) -> list[tuple[int, int]]:
    """`seq` and `sets_seq` of each machine: up to where its events and its sets are complete."""
    with database.reading() as connection:
        query = select(machines_table.c.seq, machines_table.c.sets_seq)
        return [(seq, sets_seq) for seq, sets_seq in connection.execute(query)]


def whole(machines: Sequence[Machine]) -> dict[tuple[str, str, str], list[int]]:
    """What `numbers` returns when nothing is lost and nothing doubled."""
    return {
        (each.tree.root, each.tree.machine, str(each.store.store_id)): list(range(1, each.store.last_seq + 1))
        for each in machines
        if each.store.last_seq
    }


async def complete(database: Database, machines: Sequence[Machine]) -> None:
    """Waits until as many events are in the database as there are, which are to be the machines' own."""
    expected = whole(machines)
    while await asyncio.to_thread(stored, database) < sum(map(len, expected.values())):  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    assert await asyncio.to_thread(numbers, database) == expected
