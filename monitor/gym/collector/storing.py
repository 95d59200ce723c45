"""Stores what is due, place and records in one transaction, and waits for a database that is away."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TypeVar

from monitor.gym.collector.backlog import Backlog
from monitor.gym.collector.due import Due
from monitor.gym.collector.known_machines import KnownMachines
from monitor.gym.collector.machine import CollectedMachine, Place
from monitor.gym.collector.places import Collected, read_places, store
from monitor.gym.collector.rows import UnreadableRecord, event_row
from monitor.gym.database.database import Database
from monitor.gym.database.errors import DatabaseAway, DatabaseError
from monitor.gym.database.owner import Owner, owning
from monitor.mqtt.client.backoff import Backoff
from monitor.mqtt.contract.topics import TopicTree
from monitor.worker_thread import finished

GATHERED_S = 0.25  # records of this time share a transaction; the first after a pause waits for no other
DESCRIBED_EVERY_S = 60.0  # a machine's status and info are stored
FIRST_RETRY_S, LAST_RETRY_S = 0.5, 10.0
Result = TypeVar("Result")
_log = logging.getLogger(__name__)


class Storing:
    """While the database is away nothing is taken; after that every machine continues from what the database has."""

    def __init__(self, database: Database, machines: KnownMachines, due: Due, backlog: Backlog) -> None:
        self.stored = 0  # events, since the start
        self.trouble: str | None = None  # one sentence for a person
        self._database = database
        self._machines = machines
        self._due = due
        self._backlog = backlog
        self._storing_sets = False
        self._described_s: dict[CollectedMachine, float] = {}

    @contextlib.asynccontextmanager
    async def owning(self) -> AsyncIterator[Owner]:
        """The right to collect. Raises DatabaseOwned, DatabaseError."""
        with contextlib.ExitStack() as stack:
            yield await self._as_soon_as_there(
                lambda: stack.enter_context(owning(self._database, self._machines.sites))
            )

    async def run(self, owner: Owner) -> None:
        """Runs until it is cancelled."""
        await self._begin_from_the_database()
        loop = asyncio.get_running_loop()
        next_s = loop.time()
        while True:
            await self._due.something.wait()
            await asyncio.sleep(next_s - loop.time())
            next_s = loop.time() + GATHERED_S
            self._due.something.clear()
            batch = self._batch()
            self._storing_sets = bool(batch.sets)
            try:
                await finished(partial(_store, owner, batch))
                self.stored += len(batch.events)
            except DatabaseError as error:
                self._note(error)
                await self._begin_from_the_database()
            self._storing_sets = False

    async def settled(self) -> None:
        """Waits until the sets that have come are stored."""
        while self._due.sets or self._storing_sets:  # noqa: ASYNC110 - rare, and soon over
            await asyncio.sleep(GATHERED_S)

    def _batch(self) -> Collected:
        now_unix_s, now_s = time.time(), asyncio.get_running_loop().time()
        due, self._due.records = self._due.records, []
        due_sets, self._due.sets = self._due.sets, []
        moved, self._due.moved = self._due.moved, {}
        rows = []
        for machine, record in due:
            try:
                rows.append(event_row(machine.tree, record, now_unix_s))
            except UnreadableRecord as error:
                machine.unreadable += 1
                _log.warning("%s: %s", machine.tree, error)
                continue
            if rows[-1]["kind"] == "set_end":
                machine.sets_wanted = True
                self._backlog.look_at(machine, now_s)
        places = {machine.tree: machine.place for machine in moved}
        return Collected(rows, due_sets, places, self._to_describe(now_s), now_unix_s)

    def _to_describe(self, now_s: float) -> list[CollectedMachine]:
        waiting = self._due.undescribed
        described = [m for m in waiting if now_s >= self._described_s.get(m, 0.0) + DESCRIBED_EVERY_S]
        for machine in described:
            self._described_s[machine] = now_s
            del waiting[machine]
        return described

    async def _begin_from_the_database(self) -> None:
        """Waits until the database can be read, and continues from what it has."""
        self._due.taking = False
        places = await self._as_soon_as_there(self._read_places, DatabaseError)
        self._due.forget_all()
        self._described_s.clear()
        for tree in places:
            self._machines.of_tree(tree)
        for machine in self._machines:
            machine.start_over(places.get(machine.tree, Place()))
            if machine.status is not None:
                machine.ledger.take_status(machine.status)
        self._backlog.begin_connection(self._machines, asyncio.get_running_loop().time())
        self.trouble = None
        self._due.taking = True

    def _read_places(self) -> dict[TopicTree, Place]:
        with self._database.reading() as connection:
            return read_places(connection, self._machines.sites)

    async def _as_soon_as_there(
        self, work: Callable[[], Result], again_after: type[DatabaseError] = DatabaseAway
    ) -> Result:
        """Does the work in a thread, again and again while the database is away, or has such an error."""
        backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S)
        while True:
            try:
                return await finished(work)
            except again_after as error:
                self._note(error)
                await asyncio.sleep(backoff.next_s())

    def _note(self, error: DatabaseError) -> None:
        self._due.taking = False
        trouble = f"{error}; the events wait in the machines' stores"
        if trouble != self.trouble:
            _log.warning("%s", trouble)
        self.trouble = trouble


def _store(owner: Owner, batch: Collected) -> None:
    with owner.writing() as connection:
        store(connection, batch)
