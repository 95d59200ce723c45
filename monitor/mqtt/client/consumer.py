"""Receives the events of one machine, each once and in order, over absences of daemon, broker or consumer.

    consumer = Consumer(address, TopicTree("leg-press"), "collector", deliver, Ledger(store_id, seq))
    await consumer.run()        calls `await deliver(record)`; save record.store_id and record.seq afterwards

It sends `cmd/resume` after each connection, at a gap, and if the retained status names later events. With a saved place
each event is delivered once, as long as the daemon's store still has it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import msgspec

from monitor.events import UNREADABLE
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.backoff import Backoff
from monitor.mqtt.client.channel import BrokerError, PublishRefused, Received
from monitor.mqtt.client.connection import Connection, connect
from monitor.mqtt.client.ledger import Ledger, ReceivedRecord
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import ResumeCommand
from monitor.mqtt.contract.messages import AckMessage, StatusMessage
from monitor.mqtt.contract.topics import TopicTree

ASK_PERIOD_S = 1.1  # the daemon answers each client once a second
GRACE_S = 0.5  # for messages that are on their way
FIRST_RETRY_S, LAST_RETRY_S = 0.5, 30.0
_log = logging.getLogger(__name__)


class Consumer:
    """`name` is the client id and the resume topic; each consumer needs a name of its own."""

    def __init__(
        self,
        address: Address,
        tree: TopicTree,
        name: str,
        deliver: Callable[[ReceivedRecord], Awaitable[None]],
        ledger: Ledger | None = None,
    ) -> None:
        self.ledger = ledger or Ledger()
        self.status: StatusMessage | None = None
        self.connections = 0
        self.failures = 0
        self.asked = 0
        self.refused: dict[str, int] = {}  # refused requests by reason
        self._address = address
        self._tree = tree
        self._name = name
        self._deliver = deliver
        self._clock_ahead_s = 0.0  # the daemon's wall clock minus ours
        self._answers = 0  # messages on the resume topic
        self._may_be_behind = asyncio.Event()

    async def run(self) -> None:
        """Runs until it is cancelled."""
        backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S)
        while True:
            try:
                async with connect(self._address, self._name) as connection:
                    self.connections += 1
                    backoff.reset()
                    await self._follow(connection)
            except* BrokerError as group:
                self.failures += 1
                _log.info("%s: %s; trying again", self._name, group.exceptions[0])
            await asyncio.sleep(backoff.next_s())

    async def _follow(self, connection: Connection) -> None:
        wanted = (("event", "+"), ("status",), ("resume", self._name), ("ack", "+"))
        await connection.subscribe([self._tree.topic(*levels) for levels in wanted])
        self.ledger.begin_connection()
        self._may_be_behind.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ask(connection), name=f"consumer {self._name}: ask")
            async for message in connection.messages():
                await self._take(message)

    async def _take(self, message: Received) -> None:
        kind = self._tree.levels(message.topic)[0]
        self._answers += kind == "resume"
        if kind in ("event", "resume"):
            for record in self.ledger.take(message.payload):
                await self._deliver(record)
        elif kind == "status":
            self._take_status(message.payload)
        elif kind == "ack":
            self._take_ack(message.payload)
        if self.ledger.behind:
            self._may_be_behind.set()

    def _take_status(self, data: bytes) -> None:
        try:
            status = msgspec.json.decode(data, type=StatusMessage)
        except UNREADABLE:
            self.ledger.malformed += 1
            return
        if status.state == "offline" and self.status is not None and status.conn < self.status.conn:
            return  # the last will of an old connection
        self.status = status
        self.ledger.take_status(status)

    def _take_ack(self, data: bytes) -> None:
        try:
            ack = msgspec.json.decode(data, type=AckMessage)
        except UNREADABLE:
            self.ledger.malformed += 1
            return
        if not ack.id.startswith(f"{self._name}-") or ack.ok:
            return
        reason = ack.error or "refused"
        self.refused[reason] = self.refused.get(reason, 0) + 1
        if reason == "stale":
            self._clock_ahead_s = ack.stamp_s - time.time()

    async def _ask(self, connection: Connection) -> None:
        """Requests missing events as long as there may be any."""
        while True:
            await self._may_be_behind.wait()
            self._may_be_behind.clear()
            if not self.ledger.must_ask:
                await asyncio.sleep(GRACE_S)
                if not self.ledger.behind:
                    continue  # what we had heard of has come
            command = ResumeCommand(
                id=f"{self._name[:40]}-{uuid4().hex[:16]}",
                stamp_s=time.time() + self._clock_ahead_s,
                client=self._name,
                after=self.ledger.seq,
                store_id=self.ledger.store_id,
            )
            self.asked += 1
            try:
                await connection.publish(payload.command(self._tree, command))
            except PublishRefused:
                self.refused["broker"] = self.refused.get("broker", 0) + 1
            answers = -1
            while answers != self._answers:  # do not interrupt an answer that is arriving
                answers = self._answers
                await asyncio.sleep(ASK_PERIOD_S)
                if not self.ledger.answering:
                    break
            if self.ledger.behind:
                self._may_be_behind.set()
