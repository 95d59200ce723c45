"""Events on disk before they are told to anybody; sets and sessions."""

from monitor.store.database import StoreError, StoreVersionError
from monitor.store.store import Store
from monitor.store.stored import SessionRow, SetRow, StoredEvent

__all__ = ["SessionRow", "SetRow", "Store", "StoreError", "StoreVersionError", "StoredEvent"]
