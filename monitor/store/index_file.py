"""Keeps the index of a store's log (`events.db-shm`) as long as SQLite has mapped it.

SQLite maps this file into memory. If somebody shortens it, the next access beyond its new end is SIGBUS, which ends
the program. So its length is compared before each use. A shortened index is filled with zeros: SQLite finds it invalid
then, and rebuilds it from the log, so nothing is lost. (With an exclusive lock, SQLite needs no such file; but then
no backup can be made while the daemon runs.)
"""

import os
from pathlib import Path


class IndexFile:
    """The index of one open store. Both methods raise OSError."""

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(store.name + "-shm")
        self._bytes = 0

    def note(self) -> None:
        """After each use: SQLite may have lengthened the file."""
        self._bytes = max(self._bytes, self._now_bytes())

    def mend(self) -> bool:
        """Before each use. Returns whether the file was shorter than before, and had to be mended."""
        if not 0 <= self._now_bytes() < self._bytes:
            return False
        with self._path.open("r+b") as file:
            file.write(bytes(self._bytes))  # not only lengthened: what is left of it would look valid
        return True

    def _now_bytes(self) -> int:
        """-1 if it does not exist: SQLite keeps the one that it has mapped."""
        try:
            return os.stat(self._path).st_size
        except FileNotFoundError:
            return -1
