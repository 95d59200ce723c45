"""Plays a reel over MQTT as if the machine were live, with pause, seek and speed.

After a seek the pages begin a new session, in which they get at once what had happened up to there: the events as
historical ones, and the feedback of the last minute.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from monitor.daemon.recent_feedback import RecentFeedback
from monitor.events import AnyEvent, SetEnd, encode
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import LIVE_HZ, Envelope
from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.topics import TopicTree
from monitor.projection.reel import Reel

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)
TICK_S = 1 / LIVE_HZ
STANDING_HZ = 1e-4  # of the feedback while paused: it stays current for hours
RECENT_S = 60.0
RECENT_EVERY = 5  # so the chart has no hole, and the pages get no more than 300 messages at once
Publish = Callable[[Packet], Awaitable[None]]


class Projector:
    """`run` plays until cancelled; the other methods may be called at any time."""

    def __init__(self, reel: Reel, tree: TopicTree, session: str, publish: Publish) -> None:
        self._reel = reel
        self._tree = tree
        self._name = session
        self._publish = publish
        self._turns = 0  # number of seeks: each begins its own session
        self._seq = 0
        self._at_s = self._shown_s = reel.begin_s
        self._playing = True
        self._speed = 1.0
        self._sought: float | None = reel.begin_s
        self._changed = asyncio.Event()

    @property
    def session(self) -> str:
        return f"{self._name[:56]}-{self._turns}"

    def state(self) -> dict[str, Any]:
        """For the controls of the page; times from the beginning of the recording."""
        at_s = self._at_s if self._sought is None else self._sought
        return {
            "v": 1,
            "playing": self._playing,
            "speed": self._speed,
            "at_s": round(at_s - self._reel.begin_s, 2),
            "length_s": round(self._reel.end_s - self._reel.begin_s, 2),
        }

    def recent(self) -> dict[str, Any]:
        """The feedback of the last minute, for a page that opens now."""
        kept = RecentFeedback()
        for now in self._reel.recent(self._at_s, RECENT_S, 1):
            kept.feedback(self.session, now, LIVE_HZ)
        return kept.document()

    def play(self, playing: bool) -> None:
        """Starts or pauses; at the end, starting begins again."""
        if playing and self._at_s >= self._reel.end_s:
            self.seek(0.0)
        self._playing = playing
        self._changed.set()

    def set_speed(self, speed: float) -> None:
        """Raises ValueError for a speed that is not one of SPEEDS."""
        if speed not in SPEEDS:
            raise ValueError(f"speed {speed:g} is not one of {', '.join(f'{one:g}' for one in SPEEDS)}")
        self._speed = speed

    def seek(self, at_s: float) -> None:
        """Goes to a time from the beginning, within the recording."""
        self._sought = min(max(self._reel.begin_s + at_s, self._reel.begin_s), self._reel.end_s)
        self._changed.set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        last_s = loop.time()
        while True:
            if self._sought is not None:
                await self._begin_at(self._sought)
            elif self._playing:
                self._at_s = min(self._at_s + (loop.time() - last_s) * self._speed, self._reel.end_s)
                self._playing = self._at_s < self._reel.end_s
                await self._show()
            last_s = loop.time()
            await self._pause()

    async def _pause(self) -> None:
        """Waits until the next feedback is due; while paused, until a request comes."""
        if not self._playing and self._sought is None:
            self._changed.clear()  # before anything that waits: a request that comes meanwhile is not lost
            await self._show_standing()
            await self._changed.wait()
            return
        await asyncio.sleep(TICK_S)

    async def _begin_at(self, at_s: float) -> None:
        """Begins a new session with what had happened up to `at_s`."""
        self._turns += 1
        self._sought, self._at_s, self._shown_s = None, at_s, at_s
        for now in self._reel.recent(at_s, RECENT_S, RECENT_EVERY)[:1]:
            await self._publish(payload.live(self._tree, self.session, now))
        last = self._reel.last_set(at_s)
        await self._publish(payload.cleared(self._tree.topic("set")))
        for event in self._reel.events(float("-inf"), at_s):
            await self._report(event, historical=True)
        if last is not None:
            await self._publish(self._summary(last, historical=True))
        for now in self._reel.recent(at_s, RECENT_S, RECENT_EVERY):
            await self._publish(payload.live(self._tree, self.session, now))
        await self._show()

    async def _show(self) -> None:
        """Publishes what is new up to now."""
        for event in self._reel.events(self._shown_s, self._at_s):
            await self._report(event, historical=False)
            if isinstance(event, SetEnd):
                await self._publish(self._summary(event, historical=False))
        self._shown_s = self._at_s
        if (now := self._reel.feedback(self._at_s)) is not None:
            await self._publish(payload.live(self._tree, self.session, now, LIVE_HZ * min(1.0, self._speed)))

    async def _show_standing(self) -> None:
        if (now := self._reel.feedback(self._at_s)) is not None:
            await self._publish(payload.live(self._tree, self.session, now, STANDING_HZ))

    async def _report(self, event: AnyEvent, *, historical: bool) -> None:
        record, envelope = self._enveloped(event, historical=historical)
        await self._publish(payload.event(self._tree, event.kind, record, envelope))

    def _summary(self, event: SetEnd, *, historical: bool) -> Packet:
        return payload.last_set(self._tree, *self._enveloped(event, historical=historical))

    def _enveloped(self, event: AnyEvent, *, historical: bool) -> tuple[bytes, Envelope]:
        """The record in the session of this turn."""
        self._seq += 1
        moved = msgspec.structs.replace(event, session=self.session)
        return encode(moved), Envelope(seq=self._seq, store_id=f"replay-{self._turns}", historical=historical)
