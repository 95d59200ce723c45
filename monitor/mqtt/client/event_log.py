"""The interface through which the publisher reads stored events."""

from collections.abc import Sequence
from typing import Protocol

from monitor.store.stored import StoredEvent


class EventLog(Protocol):
    """`after` waits for the disk, so it is called from worker threads. It may raise StoreError and succeed later."""

    @property
    def store_id(self) -> str | None: ...  # None until the store is open

    @property
    def first_seq(self) -> int: ...  # the oldest event; above last_seq if there is none

    @property
    def last_seq(self) -> int: ...  # 0 before the first

    def after(self, seq: int, limit: int) -> Sequence[StoredEvent]: ...
