"""Tells the broker the events of the store: in seq order, each until it is taken.

A window is in flight; the bookmark moves over events in order as they are acknowledged. An event that the broker
refuses (MQTT 5 says so) is tried again after a minute, and nothing behind it is given up meanwhile: its consumers can
ask for what they miss.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from monitor.mqtt.client.bookmark import Bookmark
from monitor.mqtt.client.connection import Connection, PublishRefused
from monitor.mqtt.client.event_log import EventLog
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import Delivery, Envelope
from monitor.store.database import StoreError
from monitor.store.stored import StoredEvent

WINDOW = 16  # events in flight
BATCH = 64  # events read from the store at once
REFUSED_RETRY_S = 60.0
STORE_RETRY_S = 1.0
HISTORICAL_AFTER_S = 10.0  # a display does not flash what is older
_log = logging.getLogger(__name__)


class Outbox:
    """`run` once for each connection, one at a time."""

    def __init__(
        self,
        machine: str,
        log: EventLog,
        bookmark: Bookmark,
        delivery: Delivery,
        refused: Callable[[PublishRefused | None], None],
    ) -> None:
        self.stuck = 0  # events at the front that the broker refuses to take at this moment
        self.all_told = asyncio.Event()
        self._machine = machine
        self._event_log = log
        self._bookmark = bookmark
        self._delivery = delivery
        self._tell_refusal = refused  # None: it takes them again
        self._there = asyncio.Event()
        self._first_seq = log.last_seq + 1 if log.store_id is not None else None  # of this life
        self._fresh: deque[tuple[float, int, int]] = deque()  # when stored; first and last seq

    def stored(self, events: Sequence[StoredEvent]) -> None:
        """These are on disk now, so they may be told."""
        if events:
            self._fresh.append((asyncio.get_running_loop().time(), events[0].seq, events[-1].seq))
            self.all_told.clear()
            self._there.set()

    def envelope(self, event: StoredEvent) -> Envelope:
        """Age by our own clock since it was stored; what another life has stored is history."""
        oldest_s = asyncio.get_running_loop().time() - HISTORICAL_AFTER_S
        while self._fresh and self._fresh[0][0] < oldest_s:
            self._fresh.popleft()
        fresh = any(first_seq <= event.seq <= last_seq for _, first_seq, last_seq in self._fresh)
        return Envelope(seq=event.seq, store_id=event.store_id, historical=not fresh)

    async def run(self, connection: Connection) -> None:
        ready: deque[StoredEvent] = deque()
        in_flight: deque[tuple[StoredEvent, asyncio.Task[None]]] = deque()
        sent_seq, store_id = self._begin()
        try:
            while True:
                if not ready:
                    self._there.clear()
                    ready.extend(await self._read(sent_seq))
                    if self._event_log.store_id != store_id:  # opened or replaced meanwhile
                        ready.clear()
                        sent_seq, store_id = self._begin()
                        continue
                while ready and len(in_flight) < WINDOW:
                    event = ready.popleft()
                    packet = payload.event(self._machine, event.kind, event.record, self.envelope(event))
                    in_flight.append((event, asyncio.create_task(connection.publish(packet))))
                    sent_seq = event.seq
                if not in_flight:
                    if not self._there.is_set():
                        self.all_told.set()
                    await self._there.wait()
                    continue
                event, taken = in_flight[0]
                try:
                    await taken
                except PublishRefused as refusal:
                    self._delivery.events_refused += 1
                    self.stuck = len(in_flight) + len(ready)
                    self._tell_refusal(refusal)
                    await asyncio.gather(*(task for _, task in in_flight), return_exceptions=True)
                    in_flight.clear()  # they are sent again, whatever became of them
                    ready.clear()
                    sent_seq = event.seq - 1
                    await asyncio.sleep(REFUSED_RETRY_S)
                    continue
                in_flight.popleft()
                self._bookmark.move(event.seq)
                self._delivery.events_acknowledged += 1
                if self.stuck:
                    self.stuck = 0
                    self._tell_refusal(None)
        finally:
            for _, task in in_flight:
                task.cancel()
            await asyncio.gather(*(task for _, task in in_flight), return_exceptions=True)

    def _begin(self) -> tuple[int, str | None]:
        """Where the bookmark is; without one, this life's first event: what was before can be asked for."""
        store_id = self._event_log.store_id
        if store_id is None:
            return 0, None
        if self._first_seq is None:
            self._first_seq = self._event_log.last_seq + 1
        return self._bookmark.start(store_id, self._first_seq - 1), store_id

    async def _read(self, after_seq: int) -> Sequence[StoredEvent]:
        while True:
            try:
                return await asyncio.to_thread(self._event_log.after, after_seq, BATCH)
            except StoreError as error:
                self._delivery.store_failures += 1
                _log.debug("events cannot be read now: %s", error)
                await asyncio.sleep(STORE_RETRY_S)
