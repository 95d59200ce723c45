"""The publisher's place, kept over restarts of the daemon: its connection counter, and the last published event.

A small JSON file. Only the counter has to be right. The event only saves repetition: a consumer drops events that it
has, and asks for those that it misses.
"""

from pathlib import Path

import msgspec

from monitor.events import UNREADABLE
from monitor.state.small_file import read_small
from monitor.state.whole_file import write_whole


class _Place(msgspec.Struct):
    connections: int = 0
    store_id: str | None = None
    published_seq: int | None = None  # the broker has accepted the events up to this one


class Bookmark:
    """Without a path it is kept in memory only."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._place = _Place()
        self._written = b""
        if path is not None and path.exists():
            try:
                self._place = msgspec.json.decode(read_small(path), type=_Place)
            except UNREADABLE:
                path.replace(path.with_suffix(".damaged"))  # start over; keep the file for inspection

    @property
    def connections(self) -> int:
        return self._place.connections

    def next_connection(self) -> int:
        """A number that no earlier connection of this machine has had."""
        self._place.connections += 1
        return self._place.connections

    def start(self, store_id: str, unknown_seq: int) -> int:
        """The seq after which publishing continues: 0 in a new store, `unknown_seq` if no place is known."""
        if self._place.store_id is not None and self._place.store_id != store_id:
            self._place.published_seq = 0
        elif self._place.published_seq is None:
            self._place.published_seq = unknown_seq
        self._place.store_id = store_id
        return self._place.published_seq or 0

    def move(self, published_seq: int) -> None:
        self._place.published_seq = published_seq

    def save(self) -> None:
        """Waits for the disk. Raises OSError; may be called again."""
        text = msgspec.json.encode(self._place)
        if self._path is None or text == self._written:
            return
        write_whole(self._path, text)
        self._written = text
