"""Where the publisher stands between two lives of the daemon: its connection counter, and how far events were told.

A small JSON file. Only the counter has to hold; the place in the events saves repetition, for a
consumer drops what it has and asks for what it has not.
"""

from pathlib import Path

import msgspec

from monitor.events import UNREADABLE
from monitor.state.whole_file import write_whole


class _Place(msgspec.Struct):
    connections: int = 0
    store_id: str | None = None
    told_seq: int | None = None  # the broker has taken the events up to here


class Bookmark:
    """Without a path it lasts as long as the process."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._place = _Place()
        self._written = b""
        if path is not None and path.exists():
            try:
                self._place = msgspec.json.decode(path.read_bytes(), type=_Place)
            except UNREADABLE:
                path.replace(path.with_suffix(".damaged"))  # begin anew; keep it for who wants to know

    @property
    def connections(self) -> int:
        return self._place.connections

    def next_connection(self) -> int:
        """A number that no connection of this machine had before."""
        self._place.connections += 1
        return self._place.connections

    def start(self, store_id: str, unknown_seq: int) -> int:
        """The seq to go on after: another store is told from its beginning, an unknown place is as given."""
        if self._place.store_id is not None and self._place.store_id != store_id:
            self._place.told_seq = 0
        elif self._place.told_seq is None:
            self._place.told_seq = unknown_seq
        self._place.store_id = store_id
        return self._place.told_seq or 0

    def move(self, told_seq: int) -> None:
        self._place.told_seq = told_seq

    def save(self) -> None:
        """Waits for the disk; raises OSError, and may be called again."""
        text = msgspec.json.encode(self._place)
        if self._path is None or text == self._written:
            return
        write_whole(self._path, text)
        self._written = text
