"""The MQTT sink: turns what the daemon finds into messages of the contract, and publishes them.

sink = MqttSink(Publisher(profile.topic_tree, address, store, daemon.command, bookmark))
daemon.sinks.append(sink)
async with sink.running():
    await daemon.run(source)
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from monitor.events import Feedback
from monitor.mqtt.client.publisher import Publisher
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import Envelope, InfoMessage, SessionMessage
from monitor.store.stored import StoredEvent

STATE_EVERY_S = 1.0
STALE_S = 0.5  # at the live rate
LATE = 1.5  # in intervals of feedback: later feedback is late at any rate


class MqttSink:
    """A `Sink` that publishes over a `Publisher`, which it starts and stops."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self._tree = publisher.tree
        self._newest: tuple[str, Feedback, float] | None = None  # session, feedback, its rate
        self._newest_at_s = 0.0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Publishes during the block, and at its end what is still due. An exception in here ends the block."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.publisher.run(), name="publisher")
            repeating = group.create_task(self._repeat_state(), name="state")
            yield
            repeating.cancel()
            self.publisher.stop()

    def feedback(self, session: str, feedback: Feedback, hz: float) -> None:
        self._newest, self._newest_at_s = (session, feedback, hz), asyncio.get_running_loop().time()
        self.publisher.offer_live(payload.live(self._tree, session, feedback, hz))

    def events(self, stored: Sequence[StoredEvent]) -> None:
        self.publisher.events(stored)
        for event in stored:
            if event.kind == "set_end":
                envelope = Envelope(seq=event.seq, store_id=event.store_id, historical=False)
                self.publisher.offer(payload.last_set(self._tree, event.record, envelope))

    def summary(self, summary: SessionMessage) -> None:
        self.publisher.offer(payload.session(self._tree, summary))

    def info(self, info: InfoMessage) -> None:
        self.publisher.set_link(info.link.state)
        counted = msgspec.structs.replace(info, delivery=self.publisher.delivery)
        self.publisher.offer(payload.info(self._tree, counted))

    def clear_last_set(self) -> None:
        self.publisher.offer(payload.cleared(self._tree.topic("set")))

    async def _repeat_state(self) -> None:
        """Publishes the newest feedback once a second, for clients that connect later."""
        while True:
            if self._newest is not None:
                age_s, hz = asyncio.get_running_loop().time() - self._newest_at_s, self._newest[2]
                stale = age_s > max(STALE_S, LATE / hz)
                self.publisher.offer(payload.state(self._tree, *self._newest, stale=stale))
            await asyncio.sleep(STATE_EVERY_S)
