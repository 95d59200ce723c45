"""An idle machine: followed but not kept, until somebody uses it.

chunk -> a session that records nothing -> feedback
      -> a ring, with which the session that is kept begins before its first movement
"""

from collections import deque
from collections.abc import Callable

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.messages import Hello
from monitor.daemon.session import LiveSession
from monitor.events import Update

RING_S = 5.0
AWAY_S = 600.0  # a device that was away for longer is followed anew: a night would be stepped through, at a gigabyte


class Idle:
    """`open` makes a session of what is known of the device, from a chunk on."""

    def __init__(self, open: Callable[[Hello | None, Chunk], LiveSession]) -> None:
        self.session: LiveSession | None = None
        self._open = open
        self._hello: Hello | None = None
        self._ring: deque[Chunk] = deque()

    @property
    def used(self) -> bool:
        """Somebody has begun."""
        return self.session is not None and self.session.usage.last_used_s is not None

    def feed(self, chunk: Chunk, hello: Hello | None) -> tuple[LiveSession, Update]:
        """The session that follows, and its feedback; its events are nobody's."""
        if self._ring and chunk.received_ns - self._ring[-1].received_ns > AWAY_S * 1e9:
            self.forget()
        self._ring.append(chunk)
        while chunk.received_ns - self._ring[0].received_ns > RING_S * 1e9:
            self._ring.popleft()
        if self.session is None:
            self._hello, self.session = hello, self._open(hello, chunk)
        return self.session, Update([], self.session.feed(chunk).feedback)

    def take(self) -> tuple[Hello | None, list[Chunk]]:
        """The machine is used: this is how the session begins."""
        chunks = list(self._ring)
        self._ring.clear()
        self.forget()
        return self._hello, chunks

    def forget(self) -> None:
        """By other settings, or after a stop, it is followed anew."""
        self.session = None
