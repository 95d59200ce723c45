"""Tells the broker what happens, through absences, refusals and ghosts, and passes on what it is asked.

    live feedback   one slot, the newest wins, QoS 0; too old or overtaken is dropped and counted
    documents       the newest of each topic (info, state, the last set); sent again on every new connection
    status          birth, last will and clean end, with the number of the connection: whose ghost says `offline`?
    events          from the store only, in seq order, a window in flight; the bookmark moves over acknowledged ones
    commands        at `Requests`

`run` keeps a connection for as long as the daemon lives; what it met with is in `delivery` and `trouble`.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from monitor.events import UNREADABLE
from monitor.mqtt.client.backoff import Backoff
from monitor.mqtt.client.bookmark import Bookmark
from monitor.mqtt.client.connection import Address, BrokerError, BrokerSilent, Connection, PublishRefused, connect
from monitor.mqtt.client.event_log import EventLog
from monitor.mqtt.client.outbox import Outbox
from monitor.mqtt.client.requests import Handler, Requests
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import Delivery, LinkState, Status
from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.roles import OWN_CLIENTS
from monitor.store.stored import StoredEvent

FIRST_RETRY_S, LAST_RETRY_S = 0.5, 30.0
STABLE_AFTER_S = 60.0  # a connection that held so long begins the back-off anew
HEARTBEAT_S = 10.0  # of the status; with the acknowledgement's 5 s it finds a half-open connection
STATUS_PERIOD_S = 0.25  # at most one status in this time
LIVE_MAX_AGE_S = 0.5
LAST_WORDS_S = 2.0  # for events and documents that are still to be told at a clean end
GOODBYE_S = 1.0
_log = logging.getLogger(__name__)


class Publisher:
    """`run` in a task; the rest is called from the same event loop and returns at once."""

    def __init__(self, machine: str, address: Address, log: EventLog, handler: Handler, bookmark: Bookmark) -> None:
        self.machine = machine
        self.address = address
        self.delivery = Delivery()
        self.trouble: str | None = "not connected yet"  # one sentence while there is no connection
        self.connected = False
        self._event_log = log
        self._bookmark = bookmark
        self._outbox = Outbox(machine, log, bookmark, self.delivery, self._tell_refusal)
        self._requests = Requests(machine, log, handler, self._outbox.envelope, self.delivery)
        self._client_id = address.client_id or f"{OWN_CLIENTS}-{machine}"
        self._conn = 0
        self._link: LinkState = "none"
        self._stopping = asyncio.Event()
        self._status_changed = asyncio.Event()
        self._live: tuple[float, Packet] | None = None
        self._live_there = asyncio.Event()
        self._kept: dict[str, Packet] = {}  # retained documents, for the next connection
        self._due: dict[str, Packet] = {}  # documents to be sent
        self._due_there = asyncio.Event()
        self._all_given = asyncio.Event()

    def offer_live(self, packet: Packet) -> None:
        """Takes the place of one that has not gone yet."""
        if self._live is not None:
            self.delivery.live_dropped += 1
        self._live = (asyncio.get_running_loop().time(), packet)
        self._live_there.set()

    def offer(self, packet: Packet) -> None:
        """A document: the newest of its topic is told, and told again to the next connection if it is retained."""
        if packet.retain:
            self._kept[packet.topic] = packet
        self._due[packet.topic] = packet
        self._all_given.clear()
        self._due_there.set()

    def stored(self, events: Sequence[StoredEvent]) -> None:
        """These are on disk now, so they may be told."""
        self._outbox.stored(events)
        self._status_changed.set()

    def set_link(self, state: LinkState) -> None:
        if state != self._link:
            self._link = state
            self._status_changed.set()

    def stop(self) -> None:
        """Asks `run` to tell what is left, say goodbye and return."""
        self._stopping.set()

    async def run(self) -> None:
        """Connects, talks, and begins again when that ends."""
        loop = asyncio.get_running_loop()
        backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S)
        while not self._stopping.is_set():
            self._conn = self._bookmark.next_connection()
            await self._save_bookmark()
            began_s = loop.time()
            try:
                await self._talk()
            except* BrokerError as group:
                self._count_failure(_first(group))
            if loop.time() - began_s > STABLE_AFTER_S:
                backoff.reset()
            with suppress(TimeoutError):  # of the pause, that is: it is over
                async with asyncio.timeout(backoff.next_s()):
                    await self._stopping.wait()

    async def _talk(self) -> None:
        """One connection, from birth to goodbye."""
        will = payload.status(self.machine, Status(state="offline", conn=self._conn))
        async with connect(self.address, self._client_id, will) as connection:
            await self._publish_status(connection)
            await connection.subscribe([payload.topic(self.machine, "status"), payload.topic(self.machine, "cmd", "#")])
            self.delivery.connections += 1
            self.connected, self.trouble = True, None
            _log.info("connected to the broker at %s (connection %d)", self.address, self._conn)
            self._due = self._kept | self._due
            self._due_there.set()
            try:
                async with asyncio.TaskGroup() as group:
                    talking = [
                        group.create_task(work, name=f"publisher: {name}")
                        for name, work in (
                            ("status", self._tell_status(connection)),
                            ("live", self._tell_live(connection)),
                            ("documents", self._tell_documents(connection)),
                            ("events", self._outbox.run(connection)),
                            ("hear", self._hear(connection, group)),
                        )
                    ]
                    await self._stopping.wait()
                    with suppress(TimeoutError):  # events that are not told by then, the next life tells
                        async with asyncio.timeout(LAST_WORDS_S):
                            await self._outbox.all_told.wait()
                            await self._all_given.wait()
                    for task in (*talking, *self._requests.answering.values()):
                        task.cancel()
            finally:
                self.connected = False
                if connection.sound:  # else the last will says it
                    await self._say_goodbye(connection)
                await self._save_bookmark()

    async def _save_bookmark(self) -> None:
        """A disk that refuses is told and asked the next time; meanwhile memory knows the place."""
        try:
            await asyncio.to_thread(self._bookmark.save)
        except OSError as error:
            self.delivery.store_failures += 1
            _log.warning("%s cannot be written (%s): it is tried again", error.filename, error.strerror)

    async def _say_goodbye(self, connection: Connection) -> None:
        with suppress(BrokerError, PublishRefused, TimeoutError):  # it cannot be said: the last will says it
            async with asyncio.timeout(GOODBYE_S):
                await connection.publish(payload.status(self.machine, Status(state="offline", conn=self._conn)))

    async def _tell_status(self, connection: Connection) -> None:
        while True:
            await asyncio.sleep(STATUS_PERIOD_S)
            with suppress(TimeoutError):  # then it is a heartbeat
                async with asyncio.timeout(HEARTBEAT_S - STATUS_PERIOD_S):  # wait_for may swallow a cancellation
                    await self._status_changed.wait()
            await self._publish_status(connection)

    async def _publish_status(self, connection: Connection) -> None:
        self._status_changed.clear()
        status = Status(
            state="online",
            conn=self._conn,
            link=self._link,
            store_id=self._event_log.store_id,
            first_seq=self._event_log.first_seq,
            last_seq=self._event_log.last_seq,
            refused=self._outbox.stuck,
        )
        try:
            await connection.publish(payload.status(self.machine, status))
        except PublishRefused:
            self.delivery.publishes_refused += 1  # nobody can be told by a status that is refused

    async def _tell_live(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._live_there.wait()
            while connection.is_behind():  # noqa: ASYNC110 - the kernel tells nobody when it has less
                await asyncio.sleep(0.005)  # meanwhile a newer one may come
            self._live_there.clear()
            assert self._live is not None
            offered_s, packet = self._live
            self._live = None
            if loop.time() - offered_s > LIVE_MAX_AGE_S:
                self.delivery.live_dropped += 1
                continue
            connection.send(packet)
            self.delivery.live_sent += 1

    async def _tell_documents(self, connection: Connection) -> None:
        while True:
            await self._due_there.wait()
            self._due_there.clear()
            while self._due:
                topic, packet = next(iter(self._due.items()))
                try:
                    await connection.publish(packet)
                except PublishRefused as refusal:
                    self._tell_refusal(refusal)
                if self._due.get(topic) is packet:
                    del self._due[topic]
            self._all_given.set()

    async def _hear(self, connection: Connection, group: asyncio.TaskGroup) -> None:
        own_status = payload.topic(self.machine, "status")
        commands = payload.topic(self.machine, "cmd", "")
        async for message in connection.messages():
            if message.topic == own_status:
                self._repair(message.payload)
            elif message.topic.startswith(commands):
                name = message.topic.removeprefix(commands)
                await self._requests.take(connection, group, name, message.payload, message.retained)

    def _repair(self, said: bytes) -> None:
        """Somebody else's word about us, a ghost's will mostly, is overwritten."""
        try:
            status = msgspec.json.decode(said, type=Status)
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

    def _tell_refusal(self, refusal: PublishRefused | None) -> None:
        self._status_changed.set()
        if refusal is None:
            _log.info("the broker at %s takes events again", self.address)
            return
        self.delivery.publishes_refused += 1
        if self.delivery.publishes_refused in (1, 10, 100) or self.delivery.publishes_refused % 1000 == 0:
            _log.error("%s (%d so far): look at its access list", refusal, self.delivery.publishes_refused)


def _first(group: BaseExceptionGroup[BrokerError]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
