"""Collects many machines over one connection: place and events in one transaction, so nothing is lost or doubled.

    collector = Collector(Address(host="broker"), ["rep"], database)
    await collector.run()                                   until it is cancelled
    collector.floor["rep", "leg-press"].state               the newest that the machine said
    await collector.command("rep", "leg-press", LifterCommand(id="x", stamp_s=0, lifter="c-0a1b2c3d4e"))

Every machine has a Ledger, which asks for what is missing. While the database is away nothing is taken: the events wait
in the machines' stores, and each machine is asked from the last stored place on.
"""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

import msgspec

from monitor.events import UNREADABLE
from monitor.gym.collector.backlog import AT_ONCE, Backlog, Question
from monitor.gym.collector.machine import CollectedMachine, MachineNow, Place
from monitor.gym.collector.places import Collected, read_places, store
from monitor.gym.collector.questions import Questions
from monitor.gym.collector.rows import UnreadableRecord, event_row, set_row
from monitor.gym.collector.worker_thread import finished
from monitor.gym.database.database import Database
from monitor.gym.database.errors import DatabaseAway
from monitor.gym.database.owner import Owner, owning
from monitor.mqtt.client.backoff import Backoff
from monitor.mqtt.client.connection import Address, BrokerError, Connection, PublishRefused, Received, connect
from monitor.mqtt.client.ledger import ReceivedRecord
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import Command, ResumeCommand, SetsCommand
from monitor.mqtt.contract.messages import AckMessage, ResumeMark
from monitor.mqtt.contract.topics import TopicTree, tree_of

NAME = "gym"  # of this client: its answers come on `<root>/<machine>/resume/gym`
MACHINE_ID = re.compile(r"[a-z0-9-]{1,32}")
MOST_MACHINES = 5_000
MOST_DUE = 20_000  # records that wait for a transaction; later ones are asked for again
GATHERED_S = 0.1  # records of this time share a transaction
LOOK_EVERY_S = 0.1
MQTT_3 = 4  # 3.1.1: paho makes an object of properties for each message of MQTT 5, a third of the work
DESCRIBED_EVERY_S = 60.0  # a machine's status and info are stored
FIRST_RETRY_S, LAST_RETRY_S = 0.5, 10.0
_log = logging.getLogger(__name__)
_MARK = msgspec.json.Decoder(ResumeMark)


class Collector:
    """`sites`: the topic roots. `name`: every collector at a broker needs its own."""

    def __init__(
        self, address: Address, sites: Sequence[str], database: Database, name: str = NAME, at_once: int = AT_ONCE
    ) -> None:
        self._address = msgspec.structs.replace(address, version=address.version or MQTT_3)
        self._sites = sorted(sites, key=len, reverse=True)  # `berlin/rep` before `berlin`
        self._database = database
        self._name = name
        self._machines: dict[TopicTree, CollectedMachine] = {}
        self._backlog = Backlog(at_once)
        self._questions = Questions(name)
        self._due: list[tuple[CollectedMachine, ReceivedRecord]] = []
        self._due_sets: list[dict[str, Any]] = []
        self._moved: dict[CollectedMachine, None] = {}  # with a new place
        self._described_s: dict[CollectedMachine, float] = {}
        self._undescribed: dict[CollectedMachine, None] = {}
        self._something_due = asyncio.Event()
        self._answer_ended = asyncio.Event()
        self._storing_sets = False
        self._taking = False  # False while the database is away
        self._broker_trouble: str | None = "the broker has not answered yet"
        self._database_trouble: str | None = None
        self._too_many = 0
        self.stored = 0  # events, since the start

    async def run(self) -> None:
        """Runs until it is cancelled. Raises DatabaseOwned, DatabaseError."""
        async with self._owning() as owner, asyncio.TaskGroup() as group:
            group.create_task(self._store_what_is_due(owner), name="collector: store")
            group.create_task(self._stay_connected(), name="collector: connection")

    @property
    def floor(self) -> dict[tuple[str, str], MachineNow]:
        """Every machine that is known, by site and id."""
        return {(tree.root, tree.machine): machine.now() for tree, machine in self._machines.items()}

    @property
    def trouble(self) -> list[str]:
        """One sentence each, for a person."""
        found = [self._broker_trouble, self._database_trouble]
        if self._too_many:
            found.append(f"more than {MOST_MACHINES} machines: collect the others with another process")
        return [*filter(None, found), *filter(None, (machine.trouble for machine in self._machines.values()))]

    async def command(self, site: str, machine: str, command: Command) -> AckMessage:
        """Sends a command with an id and a stamp of our own. Raises NoAnswer."""
        tree = TopicTree(machine, site)
        known = self._machines.get(tree)
        ack = await self._questions.ask(tree, command, 0.0 if known is None else known.clock_ahead_s)
        if ack.error == "stale":
            ahead_s = ack.stamp_s - time.time()
            if known is not None:
                known.clock_ahead_s = ahead_s
            ack = await self._questions.ask(tree, command, ahead_s)
        return ack

    async def settled(self) -> None:
        """Waits until the sets that have come are stored."""
        while self._due_sets or self._storing_sets:  # noqa: ASYNC110 - rare, and soon over
            await asyncio.sleep(GATHERED_S)

    # --- the connection ---

    async def _stay_connected(self) -> None:
        backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S)
        while True:
            try:
                async with connect(self._address, self._name) as connection:
                    backoff.reset()
                    await self._follow(connection)
            except* BrokerError as group:
                self._broker_trouble = f"{group.exceptions[0]}: start it, or correct [mqtt]; trying again"
                _log.info("%s", self._broker_trouble)
            finally:
                self._questions.connection = None
            await asyncio.sleep(backoff.next_s())

    async def _follow(self, connection: Connection) -> None:
        levels = (("event", "+"), ("status",), ("info",), ("ack", "+"), ("resume", self._name), ("sets", self._name))
        everything = [TopicTree("+", site) for site in self._sites]
        await connection.subscribe([tree.topic(*each) for tree in everything for each in levels])
        await connection.subscribe([tree.topic("state") for tree in everything], qos=0)
        self._broker_trouble = None
        for machine in self._machines.values():
            machine.begin_connection()
        self._backlog.begin_connection(self._machines.values(), self._now_s)
        self._questions.connection = connection
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ask(connection), name="collector: ask")
            async for message in connection.messages():
                self._take(message)

    async def _ask(self, connection: Connection) -> None:
        while True:
            if self._taking:
                for machine, question in self._backlog.next(self._now_s):
                    await self._ask_one(connection, machine, question)
            self._answer_ended.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._answer_ended.wait()

    async def _ask_one(self, connection: Connection, machine: CollectedMachine, question: Question) -> None:
        kind = ResumeCommand if question == "resume" else SetsCommand
        command = kind(
            id=self._questions.new_id(),
            stamp_s=time.time() + machine.clock_ahead_s,
            client=self._name,
            after=machine.ledger.seq if question == "resume" else machine.sets_seq,
            store_id=machine.ledger.store_id,
        )
        try:
            await connection.publish(payload.command(machine.tree, command))
        except PublishRefused as refusal:
            machine.refused = str(refusal)

    # --- what comes ---

    def _take(self, message: Received) -> None:
        machine = self._machine(message.topic)
        if machine is None:
            return
        machine.seen_unix_s = time.time()
        match machine.tree.levels(message.topic):
            case ["event", _]:
                self._take_record(machine, message.payload)
            case ["resume", name] if name == self._name:
                self._backlog.heard(machine, self._now_s)
                self._take_record(machine, message.payload)
            case ["sets", name] if name == self._name:
                self._backlog.heard(machine, self._now_s)
                self._take_set(machine, message.payload)
            case ["state"]:
                machine.state_data = message.payload
                return
            case ["status"]:
                machine.take_status(message.payload)
                self._undescribed[machine] = None
                self._something_due.set()
            case ["info"]:
                machine.take_info(message.payload)
                self._undescribed[machine] = None
            case ["ack", id] if self._questions.is_ours(id):
                self._take_ack(machine, message.payload)
        if self._backlog.has_ended(machine, self._now_s):
            self._answer_ended.set()
        self._backlog.look_at(machine, self._now_s)

    def _machine(self, topic: str) -> CollectedMachine | None:
        """None for a topic that is not a machine's, or one machine too many."""
        tree = next(filter(None, (tree_of(topic, site) for site in self._sites)), None)
        if tree is None or (machine := self._machines.get(tree)) is not None:
            return None if tree is None else machine
        if not MACHINE_ID.fullmatch(tree.machine):
            return None
        if len(self._machines) >= MOST_MACHINES:
            self._too_many += 1
            return None
        machine = self._machines[tree] = CollectedMachine(tree, Place(), time.time())
        self._undescribed[machine] = None
        return machine

    def _take_record(self, machine: CollectedMachine, data: bytes) -> None:
        if not self._taking or len(self._due) >= MOST_DUE:
            machine.ledger.must_ask = True
            return
        before = machine.ledger.lost
        records = machine.ledger.take(data)
        self._due.extend((machine, record) for record in records)
        if records or machine.ledger.lost > before:
            self._moved[machine] = None
            self._something_due.set()

    def _take_set(self, machine: CollectedMachine, data: bytes) -> None:
        if not self._taking:
            return
        try:
            machine.take_sets_mark(_MARK.decode(data))
        except UNREADABLE:
            try:
                self._due_sets.append(set_row(machine.tree, data, time.time()))
            except UnreadableRecord:
                machine.unreadable += 1
        self._moved[machine] = None
        self._something_due.set()

    def _take_ack(self, machine: CollectedMachine, data: bytes) -> None:
        try:
            ack = msgspec.json.decode(data, type=AckMessage)
        except UNREADABLE:
            machine.unreadable += 1
            return
        if self._questions.answered(ack) or ack.ok:
            return
        if ack.error == "stale":
            machine.clock_ahead_s = ack.stamp_s - time.time()
            self._backlog.again(machine, self._now_s)
        elif ack.error == "unknown":
            machine.refused, machine.sets_wanted = ack.detail or "it does not know the command", False

    # --- the database ---

    async def _store_what_is_due(self, owner: Owner) -> None:
        await self._begin_from_the_database()
        while True:
            await self._something_due.wait()
            await asyncio.sleep(GATHERED_S)
            self._something_due.clear()
            batch = self._batch()
            self._storing_sets = bool(batch.sets)
            try:
                await finished(partial(_store, owner, batch))
                self.stored += len(batch.events)
            except DatabaseAway as away:
                self._note_away(away)
                await self._begin_from_the_database()
            self._storing_sets = False

    def _batch(self) -> Collected:
        now_unix_s, now_s = time.time(), self._now_s
        due, self._due = self._due, []
        due_sets, self._due_sets = self._due_sets, []
        moved, self._moved = self._moved, {}
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
        described = [m for m in self._undescribed if now_s >= self._described_s.get(m, 0.0) + DESCRIBED_EVERY_S]
        for machine in described:
            self._described_s[machine] = now_s
            del self._undescribed[machine]
        return Collected(rows, due_sets, {machine.tree: machine.place for machine in moved}, described, now_unix_s)

    async def _begin_from_the_database(self) -> None:
        """Waits until the database can be read, and continues from what it has."""
        self._taking = False
        backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S)
        while True:
            try:
                places = await finished(self._read_places)
                break
            except DatabaseAway as away:
                self._note_away(away)
                await asyncio.sleep(backoff.next_s())
        self._due, self._due_sets, self._moved = [], [], {}
        self._described_s.clear()
        for tree in places:
            self._machines.setdefault(tree, CollectedMachine(tree, Place(), time.time()))
        for tree, machine in self._machines.items():
            machine.start_over(places.get(tree, Place()))
            if machine.status is not None:
                machine.ledger.take_status(machine.status)
        self._backlog.begin_connection(self._machines.values(), self._now_s)
        self._database_trouble = None
        self._taking = True

    def _read_places(self) -> dict[TopicTree, Place]:
        with self._database.reading() as connection:
            return read_places(connection, self._sites)

    def _note_away(self, away: DatabaseAway) -> None:
        self._taking = False
        self._database_trouble = f"{away}; the events wait in the machines' stores"
        _log.warning("%s", self._database_trouble)

    @contextlib.asynccontextmanager
    async def _owning(self) -> AsyncIterator[Owner]:
        """Waits for a database that is away. Raises DatabaseOwned."""
        backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S)
        with contextlib.ExitStack() as stack:
            while True:
                try:
                    owner = await finished(partial(stack.enter_context, owning(self._database, self._sites)))
                    break
                except DatabaseAway as away:
                    self._note_away(away)
                    await asyncio.sleep(backoff.next_s())
            yield owner

    @property
    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()


def _store(owner: Owner, batch: Collected) -> None:
    with owner.writing() as connection:
        store(connection, batch)
