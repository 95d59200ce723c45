"""Puts events on disk before anybody is told: the queue between the live path and the store.

    keep(events) --> queue --> Store.append (a worker thread, it waits for the disk) --> told(stored)

A disk that refuses is tried again every `RETRY_S` and counted; the events wait in order, live goes on. What cannot even
wait any longer is dropped and counted: a gap that someone can see.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from monitor.events import AnyEvent
from monitor.store.database import StoreError
from monitor.store.store import Store
from monitor.store.stored import StoredEvent

RETRY_S = 2.0
LOG_EVERY_S = 60.0
BATCH = 256
LONGEST_QUEUE = 100_000
_log = logging.getLogger(__name__)


class Keeper:
    """`keep` from the event loop; `run` in a task of its own."""

    def __init__(self, store: Store, told: Callable[[Sequence[StoredEvent]], None]) -> None:
        self.store = store
        self.failures = 0
        self.dropped = 0
        self.trouble: str | None = None
        self._told = told
        self._queue: deque[AnyEvent] = deque()
        self._there = asyncio.Event()
        self._closing = False
        self._said_s = float("-inf")

    def keep(self, events: Sequence[AnyEvent]) -> None:
        """To be stored in this order."""
        for event in events:
            if len(self._queue) >= LONGEST_QUEUE:
                self._queue.popleft()
                self.dropped += 1
            self._queue.append(event)
        if events:
            self._there.set()

    def close(self) -> None:
        """Asks `run` to return when all is stored, or the disk refuses once more."""
        self._closing = True
        self._there.set()

    async def run(self) -> None:
        while self._queue or not self._closing:
            await self._there.wait()
            self._there.clear()
            while self._queue and await self._store(list(self._queue)[:BATCH]):
                pass
            if self._queue and self._closing:
                _log.error("%d events could not be stored: %s", len(self._queue), self.trouble)
                return
            if self._queue:
                await asyncio.sleep(RETRY_S)
                self._there.set()

    async def _store(self, batch: list[AnyEvent]) -> bool:
        dropped = self.dropped
        try:
            stored = await asyncio.to_thread(self.store.append, batch)
        except StoreError as error:
            self.failures += 1
            self._say(str(error))
            return False
        for _ in range(len(batch) - (self.dropped - dropped)):
            self._queue.popleft()
        self.trouble = None
        self._told(stored)
        return True

    def _say(self, trouble: str) -> None:
        self.trouble = trouble
        now_s = asyncio.get_running_loop().time()
        if now_s - self._said_s >= LOG_EVERY_S:
            self._said_s = now_s
            _log.error("%s; %d events wait, live goes on (%d failures)", trouble, len(self._queue), self.failures)
