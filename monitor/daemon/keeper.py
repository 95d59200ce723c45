"""Stores events in order before sinks get them: the queue between the live path and the store.

    keep(events) --> queue --> Store.append (in a worker thread, because it waits for the disk) --> sink.events(stored)
    do(work)     -->   "   --> work()

If the disk refuses, the keeper counts it and tries again every `RETRY_S`. Later events wait in order, and live feedback
continues. Events beyond `LONGEST_QUEUE` are dropped and counted.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice

from monitor.daemon.sink import Sink
from monitor.events import AnyEvent, Event
from monitor.store.database import StoreError
from monitor.store.store import Store
from monitor.worker_thread import finished

RETRY_S = 2.0
LOG_EVERY_S = 60.0
BATCH = 256
LONGEST_QUEUE = 100_000
Work = Callable[[], object]
_log = logging.getLogger(__name__)


class Keeper:
    """Call `keep` and `do` on the event loop; `run` is a task."""

    def __init__(self, store: Store, sinks: Sequence[Sink]) -> None:
        self.store = store
        self.failures = 0
        self.dropped = 0  # events that did not fit in the queue
        self.trouble: str | None = None
        self._sinks = sinks
        self._queue: deque[AnyEvent | Work] = deque()
        self._there = asyncio.Event()
        self._closing = False
        self._logged_at_s = float("-inf")

    @property
    def waiting(self) -> int:
        return len(self._queue) - (bool(self._queue) and self._queue[0] == self.store.open)

    def missing(self) -> list[str]:
        """A sentence on what the store does not have yet, if anything."""
        return [f"{self.store.path} may lack its newest records ({self.waiting})"] if self.waiting else []

    def keep(self, events: Sequence[AnyEvent]) -> None:
        """Queues events, to be stored in this order."""
        for event in events:
            if len(self._queue) >= LONGEST_QUEUE:
                self.dropped += 1
            else:
                self._queue.append(event)
        if events:
            self._there.set()

    def do(self, work: Work) -> None:
        """Queues other work that waits for the disk. It may raise StoreError and is then tried again."""
        self._queue.append(work)
        self._there.set()

    def close(self) -> None:
        """Asks `run` to return when everything is stored, or at the next refusal of the disk."""
        self._closing = True
        self._there.set()

    async def run(self) -> None:
        if self.store.store_id is None:  # refused at the start: reported before the first event, and tried again
            self._queue.appendleft(self.store.open)
            self._there.set()
        while self._queue or not self._closing:
            await self._there.wait()
            self._there.clear()
            while self._queue and await self._work_off():
                pass
            if self._queue and self._closing:
                if self.waiting:
                    _log.error("records that could not be stored: %d; %s", self.waiting, self.trouble)
                return
            if self._queue:
                await asyncio.sleep(RETRY_S)
                self._there.set()

    async def _work_off(self) -> bool:
        """Stores all events at the front at once, or does one other work. Returns False if the disk refuses."""
        events: list[AnyEvent] = []
        for item in islice(self._queue, BATCH):
            if not isinstance(item, Event):
                break
            events.append(item)
        work = self._queue[0]
        try:
            if isinstance(work, Event):
                stored = await finished(partial(self.store.append, events))
                for sink in self._sinks:
                    sink.events(stored)
            else:
                await finished(work)
        except StoreError as error:
            self.failures += 1
            self._log_trouble(str(error))
            return False
        for _ in range(len(events) or 1):
            self._queue.popleft()
        self.trouble = None
        return True

    def _log_trouble(self, trouble: str) -> None:
        self.trouble = trouble
        now_s = asyncio.get_running_loop().time()
        if now_s - self._logged_at_s >= LOG_EVERY_S:
            self._logged_at_s = now_s
            _log.error(
                "%s; live feedback continues; records that wait: %d; attempts: %d",
                trouble,
                self.waiting,
                self.failures,
            )
