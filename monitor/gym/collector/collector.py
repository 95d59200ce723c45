"""Collects many machines over one connection: follows them, and asks a few at a time for what is missing.

    collector = Collector(Address(host="broker"), ["rep"], database)
    await collector.run()                                   until it is cancelled
    collector.floor["rep", "leg-press"].state               the newest that the machine said
    await collector.command("rep", "leg-press", LifterCommand(id="x", stamp_s=0, lifter="c-0a1b2c3d4e"))

Place and events are stored in one transaction, so nothing is lost or doubled. Every machine has a Ledger, which asks
for what is missing. While the database is away nothing is taken: the events wait in the machines' stores, and each
machine is asked from the last stored place on.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence

import msgspec

from monitor.gym.collector.backlog import AT_ONCE, Backlog, Question
from monitor.gym.collector.due import Due
from monitor.gym.collector.intake import Intake
from monitor.gym.collector.known_machines import MOST_MACHINES, KnownMachines
from monitor.gym.collector.machine import CollectedMachine, MachineNow, Place
from monitor.gym.collector.questions import Questions
from monitor.gym.collector.storing import Storing
from monitor.gym.database.database import Database
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.backoff import Backoff
from monitor.mqtt.client.channel import BrokerError, PublishRefused
from monitor.mqtt.client.connection import Connection, connect
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import Command, ResumeCommand, SetsCommand
from monitor.mqtt.contract.messages import AckMessage
from monitor.mqtt.contract.topics import TopicTree

NAME = "gym"  # of this client: its answers come on `<root>/<machine>/resume/gym`
LOOK_EVERY_S = 0.1
GATHERED_S = 0.02  # messages of this time are read together
MQTT_3 = 4  # 3.1.1: paho makes an object of properties for each message of MQTT 5, a third of the work
FIRST_RETRY_S, LAST_RETRY_S = 0.5, 10.0
_log = logging.getLogger(__name__)


class Collector:
    """`sites`: the topic roots. `name`: every collector at a broker needs its own."""

    def __init__(
        self, address: Address, sites: Sequence[str], database: Database, name: str = NAME, at_once: int = AT_ONCE
    ) -> None:
        self._address = msgspec.structs.replace(address, version=address.version or MQTT_3)
        self._name = name
        self._machines = KnownMachines(sites)
        self._backlog = Backlog(at_once)
        self._questions = Questions(name)
        self._due = Due()
        self._intake = Intake(name, self._machines, self._due, self._backlog, self._questions)
        self._storing = Storing(database, self._machines, self._due, self._backlog)
        self._broker_trouble: str | None = "the broker has not answered yet"

    async def run(self) -> None:
        """Runs until it is cancelled. Raises DatabaseOwned, DatabaseError."""
        async with self._storing.owning() as owner, asyncio.TaskGroup() as group:
            group.create_task(self._storing.run(owner), name="collector: store")
            group.create_task(self._stay_connected(), name="collector: connection")

    @property
    def floor(self) -> dict[tuple[str, str], MachineNow]:
        """Every machine that is known, by site and id."""
        return {(machine.tree.root, machine.tree.machine): machine.now() for machine in self._machines}

    @property
    def stored(self) -> int:
        """Events, since the start."""
        return self._storing.stored

    @property
    def idle(self) -> bool:
        """True if no machine is known to be behind."""
        return self._backlog.idle

    @property
    def trouble(self) -> list[str]:
        """One sentence each, for a person."""
        found = [self._broker_trouble, self._storing.trouble]
        if self._machines.too_many:
            found.append(f"more than {MOST_MACHINES} machines: collect the others with another process")
        return [*filter(None, found), *filter(None, (machine.trouble for machine in self._machines))]

    async def command(self, site: str, machine: str, command: Command) -> AckMessage:
        """Sends a command with an id and a stamp of our own. Raises NoAnswer."""
        tree = TopicTree(machine, site)
        known = self._machines.get(tree) or CollectedMachine(tree, Place(), time.time())
        ack = await self._questions.ask(tree, command, known.clock_ahead_s)
        if ack.error == "stale":
            known.clock_ahead_s = ack.stamp_s - time.time()
            ack = await self._questions.ask(tree, command, known.clock_ahead_s)
        if ack.ok:
            known.accepted(command, time.time())
        return ack

    async def settled(self) -> None:
        """Waits until the sets that have come are stored."""
        await self._storing.settled()

    async def _stay_connected(self) -> None:
        backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S)
        while True:
            try:
                async with connect(self._address, self._name, gathered_s=GATHERED_S) as connection:
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
        everything = [TopicTree("+", site) for site in self._machines.sites]
        await connection.subscribe([tree.topic(*each) for tree in everything for each in levels])
        await connection.subscribe([tree.topic("state") for tree in everything], qos=0)
        self._broker_trouble = None
        for machine in self._machines:
            machine.begin_connection()
        self._backlog.begin_connection(self._machines, self._now_s)
        self._questions.connection = connection
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ask(connection), name="collector: ask")
            async for message in connection.messages():
                self._intake.take(message, self._now_s)

    async def _ask(self, connection: Connection) -> None:
        while True:
            if self._due.taking:
                asked = self._backlog.next(self._now_s)
                await asyncio.gather(*(self._ask_one(connection, *each) for each in asked))
            self._intake.answer_ended.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._intake.answer_ended.wait()

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

    @property
    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()
