"""Follows an idle machine without recording it, until somebody uses it.

chunk -> a session that records nothing -> feedback
      -> a ring of the last seconds, with which the recorded session begins
"""

from collections import deque
from collections.abc import Callable

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.messages import Hello
from monitor.daemon.session import LiveSession
from monitor.events import Update

RING_S = 5.0
AWAY_S = (
    600.0  # after a longer absence of the device a new session begins; a night in one session would cost a gigabyte
)


class Idle:
    """`open(hello, first)` makes a session that begins with a chunk."""

    def __init__(self, open: Callable[[Hello | None, Chunk], LiveSession]) -> None:
        self.session: LiveSession | None = None
        self._open = open
        self._hello: Hello | None = None
        self._ring: deque[Chunk] = deque()

    @property
    def used(self) -> bool:
        """True once somebody uses the machine."""
        return self.session is not None and self.session.usage.last_used_s is not None

    def feed(self, chunk: Chunk, hello: Hello | None) -> tuple[LiveSession, Update]:
        """Returns the idle session and its feedback. Its events are dropped, because they belong to no lifter."""
        if self._ring and chunk.received_ns - self._ring[-1].received_ns > AWAY_S * 1e9:
            self.forget()
        self._ring.append(chunk)
        while chunk.received_ns - self._ring[0].received_ns > RING_S * 1e9:
            self._ring.popleft()
        if self.session is None:
            self._hello, self.session = hello, self._open(hello, chunk)
        return self.session, Update([], self.session.feed(chunk).feedback)

    def take(self) -> tuple[Hello | None, list[Chunk]]:
        """Returns the HELLO and the chunks with which the recorded session begins."""
        chunks = list(self._ring)
        self._ring.clear()
        self.forget()
        return self._hello, chunks

    def forget(self) -> None:
        """Ends the idle session; the next chunk begins another one."""
        self.session = None
