"""The interface through which the publisher reads stored events."""

from collections.abc import Sequence
from typing import Protocol

from monitor.store.stored import StoredEvent, StoredSet


class EventLog(Protocol):
    """`after` and `sets_after` wait for the disk, so worker threads call them. They may raise StoreError."""

    @property
    def store_id(self) -> str | None: ...  # None until the store is open

    @property
    def first_seq(self) -> int: ...  # the oldest event; above last_seq if there is none

    @property
    def last_seq(self) -> int: ...  # 0 before the first

    def after(self, seq: int, limit: int) -> Sequence[StoredEvent]: ...

    def sets_after(self, seq: int, limit: int) -> Sequence[StoredSet]: ...
