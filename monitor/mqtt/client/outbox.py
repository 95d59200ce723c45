"""Publishes the events of the store in seq order, each until the broker has accepted it.

Several events are in flight. The bookmark moves over events in order as they are acknowledged. An event that the
broker refuses (MQTT 5 reports that) is tried again after a minute, with all that follow it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from monitor.mqtt.client.bookmark import Bookmark
from monitor.mqtt.client.channel import Channel, PublishRefused
from monitor.mqtt.client.event_log import EventLog
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import Delivery, Envelope
from monitor.mqtt.contract.topics import TopicTree
from monitor.store.database import StoreError
from monitor.store.stored import StoredEvent
from monitor.worker_thread import finished

WINDOW = 16  # events in flight
BATCH = 64  # events read from the store at once
REFUSED_RETRY_S = 60.0
STORE_RETRY_S = 1.0
HISTORICAL_AFTER_S = 10.0  # a display does not announce older events
_log = logging.getLogger(__name__)


class Outbox:
    """Call `run` once for each connection, one after the other."""

    def __init__(
        self,
        tree: TopicTree,
        log: EventLog,
        bookmark: Bookmark,
        delivery: Delivery,
        refused: Callable[[PublishRefused | None], None],
    ) -> None:
        self.refused = 0  # events that the broker refuses now
        self.all_published = asyncio.Event()
        self._tree = tree
        self._event_log = log
        self._bookmark = bookmark
        self._delivery = delivery
        self._on_refusal = refused  # called with None when the broker accepts events again
        self._new_events = asyncio.Event()
        self._first_seq = log.last_seq + 1 if log.store_id is not None else None  # of this process
        self._fresh: deque[tuple[float, int, int]] = deque()  # time of storing; first and last seq

    def stored(self, events: Sequence[StoredEvent]) -> None:
        """Call when events are on disk, so that they can be published."""
        if events:
            self._fresh.append((asyncio.get_running_loop().time(), events[0].seq, events[-1].seq))
            self.all_published.clear()
            self._new_events.set()

    def envelope(self, event: StoredEvent) -> Envelope:
        """An event is historical if it was stored more than 10 s ago or by an earlier process."""
        oldest_s = asyncio.get_running_loop().time() - HISTORICAL_AFTER_S
        while self._fresh and self._fresh[0][0] < oldest_s:
            self._fresh.popleft()
        fresh = any(first_seq <= event.seq <= last_seq for _, first_seq, last_seq in self._fresh)
        return Envelope(seq=event.seq, store_id=event.store_id, historical=not fresh)

    async def run(self, channel: Channel) -> None:
        ready: deque[StoredEvent] = deque()
        in_flight: deque[tuple[StoredEvent, asyncio.Task[bool]]] = deque()
        sent_seq, store_id = self._begin()
        try:
            while True:
                if not ready:
                    self._new_events.clear()
                    ready.extend(await self._read(sent_seq))
                    if self._event_log.store_id != store_id:  # the store was opened or replaced
                        ready.clear()
                        sent_seq, store_id = self._begin()
                        continue
                while ready and len(in_flight) < WINDOW:
                    event = ready.popleft()
                    packet = payload.event(self._tree, event.kind, event.record, self.envelope(event))
                    in_flight.append((event, asyncio.create_task(channel.publish(packet))))
                    sent_seq = event.seq
                if not in_flight:
                    if not self._new_events.is_set():
                        self.all_published.set()
                    await self._new_events.wait()
                    continue
                event, publishing = in_flight[0]
                try:
                    await publishing
                except PublishRefused as refusal:
                    self._delivery.events_refused += 1
                    self.refused = len(in_flight) + len(ready)
                    self._on_refusal(refusal)
                    await asyncio.gather(*(task for _, task in in_flight), return_exceptions=True)
                    in_flight.clear()  # all of them are sent again
                    ready.clear()
                    sent_seq = event.seq - 1
                    await asyncio.sleep(REFUSED_RETRY_S)
                    continue
                in_flight.popleft()
                self._bookmark.move(event.seq)
                self._delivery.events_acknowledged += 1
                if self.refused:
                    self.refused = 0
                    self._on_refusal(None)
        finally:
            for _, task in in_flight:
                task.cancel()
            await asyncio.gather(*(task for _, task in in_flight), return_exceptions=True)

    def _begin(self) -> tuple[int, str | None]:
        """The bookmark's place. Without one, the first event of this process: earlier ones can be requested."""
        store_id = self._event_log.store_id
        if store_id is None:
            return 0, None
        if self._first_seq is None:
            self._first_seq = self._event_log.last_seq + 1
        return self._bookmark.start(store_id, self._first_seq - 1), store_id

    async def _read(self, after_seq: int) -> Sequence[StoredEvent]:
        while True:
            try:
                return await finished(partial(self._event_log.after, after_seq, BATCH))
            except StoreError as error:
                self._delivery.store_failures += 1
                _log.debug("events cannot be read: %s", error)
                await asyncio.sleep(STORE_RETRY_S)
