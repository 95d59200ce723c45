"""Puts on disk what has to be there, in order, before anybody is told: the queue between the live path and the store.

    keep(events) --> queue --> Store.append (a worker thread, it waits for the disk) --> told(stored)
    do(work)     -->   "   --> work()

A disk that refuses is tried again every `RETRY_S` and counted; what comes after waits in order, live goes on. What
cannot even wait any longer is dropped and counted: a gap that someone can see.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from monitor.events import AnyEvent, Event
from monitor.store.database import StoreError
from monitor.store.store import Store
from monitor.store.stored import StoredEvent

RETRY_S = 2.0
LOG_EVERY_S = 60.0
BATCH = 256
LONGEST_QUEUE = 100_000
Work = Callable[[], object]
_log = logging.getLogger(__name__)


class Keeper:
    """`keep` and `do` from the event loop; `run` in a task of its own."""

    def __init__(self, store: Store, told: Callable[[Sequence[StoredEvent]], None]) -> None:
        self.store = store
        self.failures = 0
        self.dropped = 0  # events that could not even wait
        self.trouble: str | None = None
        self._told = told
        self._queue: deque[AnyEvent | Work] = deque()
        self._there = asyncio.Event()
        self._closing = False
        self._said_s = float("-inf")

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def keep(self, events: Sequence[AnyEvent]) -> None:
        """To be stored in this order."""
        for event in events:
            if len(self._queue) >= LONGEST_QUEUE:
                self.dropped += 1
            else:
                self._queue.append(event)
        if events:
            self._there.set()

    def do(self, work: Work) -> None:
        """Something else that waits for the disk, in its turn; it may raise StoreError, and is tried again."""
        self._queue.append(work)
        self._there.set()

    def close(self) -> None:
        """Asks `run` to return when all is stored, or the disk refuses once more."""
        self._closing = True
        self._there.set()

    async def run(self) -> None:
        while self._queue or not self._closing:
            await self._there.wait()
            self._there.clear()
            while self._queue and await self._work_off():
                pass
            if self._queue and self._closing:
                _log.error("%d records could not be stored: %s", len(self._queue), self.trouble)
                return
            if self._queue:
                await asyncio.sleep(RETRY_S)
                self._there.set()

    async def _work_off(self) -> bool:
        """The events at the front at once, or one piece of other work; False where the disk refused."""
        events: list[AnyEvent] = []
        for item in islice(self._queue, BATCH):
            if not isinstance(item, Event):
                break
            events.append(item)
        work = self._queue[0]
        try:
            if isinstance(work, Event):
                self._told(await asyncio.to_thread(self.store.append, events))
            else:
                await asyncio.to_thread(work)
        except StoreError as error:
            self.failures += 1
            self._say(str(error))
            return False
        for _ in range(len(events) or 1):
            self._queue.popleft()
        self.trouble = None
        return True

    def _say(self, trouble: str) -> None:
        self.trouble = trouble
        now_s = asyncio.get_running_loop().time()
        if now_s - self._said_s >= LOG_EVERY_S:
            self._said_s = now_s
            _log.error("%s; %d records wait, live goes on (%d failures)", trouble, len(self._queue), self.failures)
