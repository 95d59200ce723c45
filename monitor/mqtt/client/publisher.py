"""Publishes a machine's messages as long as the daemon runs, reconnects, and receives commands.

    live feedback   QoS 0, at once; while the broker is behind, one slot in which the newest wins: feedback that is
                    replaced there or too old is dropped and counted
    documents       the newest of each topic (info, state, the last set); published again on every new connection
    status          birth, last will and clean end, with the number of the connection; an outdated one is overwritten
    events          from the store only, in seq order (`Outbox`)
    commands        to `Requests`

Counters are in `delivery`; `trouble` is set while there is no connection.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from monitor.events import UNREADABLE
from monitor.mqtt.client.answers import StoreAnswers
from monitor.mqtt.client.backoff import Backoff
from monitor.mqtt.client.bookmark import Bookmark
from monitor.mqtt.client.channel import Broker, BrokerError, BrokerGone, BrokerSilent, Channel, PublishRefused
from monitor.mqtt.client.event_log import EventLog
from monitor.mqtt.client.outbox import Outbox
from monitor.mqtt.client.requests import Handler, Requests
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import Delivery, PublishedLink, StatusMessage
from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.roles import OWN_CLIENTS
from monitor.mqtt.contract.topics import TopicTree
from monitor.store.stored import StoredEvent
from monitor.worker_thread import finished

FIRST_RETRY_S, LAST_RETRY_S = 0.5, 30.0
STABLE_AFTER_S = 60.0  # a connection that has lasted this long resets the waiting times
HEARTBEAT_S = 10.0  # of the status; with the 5 s of the acknowledgement it detects a half-open connection
STATUS_PERIOD_S = 0.25  # at most one status in this time
LIVE_MAX_AGE_S = 0.5
FLUSH_WITHIN_S = 2.0  # for events and documents that are due at a clean end
OFFLINE_WITHIN_S = 1.0
_log = logging.getLogger(__name__)


class Publisher:
    """`run` is a task; all other methods are called on the same event loop and return at once.

    Commands of clients go to `handler`.
    """

    def __init__(
        self,
        tree: TopicTree,
        broker: Broker,
        log: EventLog,
        handler: Handler,
        bookmark: Bookmark,
    ) -> None:
        self.tree = tree
        self.broker = broker
        self.delivery = Delivery()
        self.trouble: str | None = "not connected yet"  # one sentence while there is no connection
        self._channel: Channel | None = None
        self._event_log = log
        self._bookmark = bookmark
        self._outbox = Outbox(tree, log, bookmark, self.delivery, self._on_refusal)
        self._answers = StoreAnswers(tree, log, self._outbox.envelope, self.delivery)
        self._requests = Requests(tree, self._answers, handler, self.delivery)
        self._client_id = f"{OWN_CLIENTS}-{tree.name}"
        self._conn = 0
        self._link: PublishedLink = "none"
        self._stopping = asyncio.Event()
        self._status_changed = asyncio.Event()
        self._live: tuple[float, Packet] | None = None
        self._live_due = asyncio.Event()
        self._retained: dict[str, Packet] = {}  # retained documents by topic, for the next connection
        self._due: dict[str, Packet] = {}  # documents to publish
        self._documents_due = asyncio.Event()
        self._documents_published = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether the broker has the machine's status."""
        return self._channel is not None

    def offer_live(self, packet: Packet) -> None:
        """Sends live feedback, or keeps it until the broker is no longer behind, in place of what was kept before."""
        if self._live is not None:
            self.delivery.live_dropped += 1
            self._live = None
        with suppress(BrokerGone):  # the connection ends; the feedback is kept for the next one
            if self._channel is not None and not self._channel.is_behind():
                self._send(self._channel, packet)
                return
        self._live = (asyncio.get_running_loop().time(), packet)
        self._live_due.set()

    def _send(self, channel: Channel, packet: Packet) -> None:
        channel.send(packet)
        self.delivery.live_sent += 1

    def offer(self, packet: Packet) -> None:
        """Publishes a document, the newest of its topic; a retained one is published again on each new connection."""
        if packet.retain:
            self._retained[packet.topic] = packet
        self._due[packet.topic] = packet
        self._documents_published.clear()
        self._documents_due.set()

    def events(self, stored: Sequence[StoredEvent]) -> None:
        """Publishes events that are on disk now."""
        self._outbox.stored(stored)
        self._status_changed.set()

    def set_link(self, state: PublishedLink) -> None:
        if state != self._link:
            self._link = state
            self._status_changed.set()

    def stop(self) -> None:
        """Asks `run` to publish what is due and the status `offline`, and to return."""
        self._stopping.set()

    async def run(self) -> None:
        """Connects, publishes, and connects again when the connection ends."""
        loop = asyncio.get_running_loop()
        backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S)
        while not self._stopping.is_set():
            self._conn = self._bookmark.next_connection()
            await self._save_bookmark()
            began_s = loop.time()
            try:
                await self._run_connection()
            except* BrokerError as group:
                self._count_failure(_first(group))
            if loop.time() - began_s > STABLE_AFTER_S:
                backoff.reset()
            with suppress(TimeoutError):  # the pause is over
                async with asyncio.timeout(backoff.next_s()):
                    await self._stopping.wait()

    async def _run_connection(self) -> None:
        """One connection, from its first to its last status."""
        will = payload.status(self.tree, StatusMessage(state="offline", conn=self._conn))
        async with self.broker.open(self._client_id, will) as channel:
            await channel.subscribe([self.tree.topic("cmd", "#")])  # who sees the machine online may send a command
            await self._publish_status(channel)
            await channel.subscribe([self.tree.topic("status")])  # retained, and our own by now
            self.delivery.connections += 1
            self._channel, self.trouble = channel, None
            _log.info("connected to the broker at %s (connection %d)", self.broker, self._conn)
            self._due = self._retained | self._due
            self._documents_due.set()
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [
                        group.create_task(work, name=f"publisher: {name}")
                        for name, work in (
                            ("status", self._repeat_status(channel)),
                            ("live", self._publish_late(channel)),
                            ("documents", self._publish_documents(channel)),
                            ("events", self._outbox.run(channel)),
                            ("receive", self._receive(channel, group)),
                        )
                    ]
                    await self._stopping.wait()
                    with suppress(TimeoutError):  # the next process publishes the remaining events
                        async with asyncio.timeout(FLUSH_WITHIN_S):
                            await self._outbox.all_published.wait()
                            await self._documents_published.wait()
                    for task in (*tasks, *self._answers.running.values(), *self._requests.slow):
                        task.cancel()
            finally:
                self._channel = None
                if channel.sound:  # otherwise the last will reports the end
                    await self._publish_offline(channel)
                await self._save_bookmark()

    async def _save_bookmark(self) -> None:
        """A refusal of the disk is logged; the next call tries again, and the place is kept in memory until then."""
        try:
            await finished(self._bookmark.save)
        except OSError as error:
            self.delivery.store_failures += 1
            _log.warning("%s cannot be written (%s); trying again", error.filename, error.strerror)

    async def _publish_offline(self, channel: Channel) -> None:
        with suppress(BrokerError, PublishRefused, TimeoutError):  # the last will then reports the end
            async with asyncio.timeout(OFFLINE_WITHIN_S):
                await channel.publish(payload.status(self.tree, StatusMessage(state="offline", conn=self._conn)))

    async def _repeat_status(self, channel: Channel) -> None:
        while True:
            await asyncio.sleep(STATUS_PERIOD_S)
            with suppress(TimeoutError):  # nothing has changed: publish a heartbeat
                async with asyncio.timeout(HEARTBEAT_S - STATUS_PERIOD_S):  # wait_for can swallow a cancellation
                    await self._status_changed.wait()
            await self._publish_status(channel)

    async def _publish_status(self, channel: Channel) -> None:
        self._status_changed.clear()
        status = StatusMessage(
            state="online",
            conn=self._conn,
            link=self._link,
            store_id=self._event_log.store_id,
            first_seq=self._event_log.first_seq,
            last_seq=self._event_log.last_seq,
            refused=self._outbox.refused,
        )
        try:
            await channel.publish(payload.status(self.tree, status))
        except PublishRefused:
            self.delivery.publishes_refused += 1  # a status cannot report that statuses are refused

    async def _publish_late(self, channel: Channel) -> None:
        """Sends the live feedback that was kept."""
        loop = asyncio.get_running_loop()
        while True:
            await self._live_due.wait()
            while channel.is_behind():  # noqa: ASYNC110 - the kernel sends no notification
                await asyncio.sleep(0.005)  # newer feedback may come in this time
            self._live_due.clear()
            if self._live is None:
                continue  # newer feedback was sent at once
            offered_s, packet = self._live
            self._live = None
            if loop.time() - offered_s > LIVE_MAX_AGE_S:
                self.delivery.live_dropped += 1
            else:
                self._send(channel, packet)

    async def _publish_documents(self, channel: Channel) -> None:
        while True:
            await self._documents_due.wait()
            self._documents_due.clear()
            while self._due:
                topic, packet = next(iter(self._due.items()))
                try:
                    await channel.publish(packet)
                except PublishRefused as refusal:
                    self._on_refusal(refusal)
                if self._due.get(topic) is packet:
                    del self._due[topic]
            self._documents_published.set()

    async def _receive(self, channel: Channel, group: asyncio.TaskGroup) -> None:
        own_status = self.tree.topic("status")
        commands = self.tree.topic("cmd", "")
        async for message in channel.messages():
            if message.topic == own_status:
                self._correct_status(message.payload)
            elif message.topic.startswith(commands):
                name = message.topic.removeprefix(commands)
                await self._requests.take(channel, group, name, message.payload, message.retained)

    def _correct_status(self, data: bytes) -> None:
        """Overwrites a status that this connection has not published, mostly the last will of an old connection."""
        try:
            status = msgspec.json.decode(data, type=StatusMessage)
        except UNREADABLE:
            status = None
        if status is None or (status.state, status.conn) != ("online", self._conn):
            self.delivery.status_repairs += 1
            self._status_changed.set()

    def _count_failure(self, error: BaseException) -> None:
        if self._stopping.is_set():
            return
        if isinstance(error, BrokerSilent):
            self.delivery.acknowledgements_missed += 1
        if self.trouble is None:
            self.delivery.disconnects += 1
        else:
            self.delivery.connect_failures += 1
        if str(error) != self.trouble:
            _log.warning("%s; trying again", error)
        self.trouble = str(error)

    def _on_refusal(self, refusal: PublishRefused | None) -> None:
        self._status_changed.set()
        if refusal is None:
            _log.info("the broker at %s accepts events again", self.broker)
            return
        self.delivery.publishes_refused += 1
        if self.delivery.publishes_refused in (1, 10, 100) or self.delivery.publishes_refused % 1000 == 0:
            _log.error("%s (%d so far): check its access list", refusal, self.delivery.publishes_refused)


def _first(group: BaseExceptionGroup[BrokerError]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
