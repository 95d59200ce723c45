"""What the publisher asks of the store: events on disk, in order, as often as somebody wants them."""

from collections.abc import Sequence
from typing import Protocol

from monitor.store.stored import StoredEvent


class EventLog(Protocol):
    """`after` waits for the disk, so it is called from worker threads; it may raise StoreError, and succeed later."""

    @property
    def store_id(self) -> str | None: ...  # None: not open yet

    @property
    def first_seq(self) -> int: ...  # the oldest that is kept; above last_seq where there is none

    @property
    def last_seq(self) -> int: ...  # 0 before the first

    def after(self, seq: int, limit: int) -> Sequence[StoredEvent]: ...
