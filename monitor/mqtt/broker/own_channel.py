"""The daemon's way to the broker in its own process, without a connection: it neither ends nor falls behind."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from monitor.mqtt.client.channel import Received
from monitor.mqtt.contract.payload import Packet

MOST_WAITING = 1000  # messages that the daemon has not taken yet; more are dropped


class OwnBroker(Protocol):
    """The broker behind the channel."""

    async def take(self, packet: Packet) -> bool: ...  # False if the topic has no subscriber

    def send(self, topic: str, data: bytes) -> None: ...

    def matches(self, topic: str, pattern: str) -> bool: ...

    def retained(self) -> list[tuple[str, bytes]]: ...


class OwnChannel:
    """A `Channel`."""

    sound = True

    def __init__(self, broker: OwnBroker) -> None:
        self._broker = broker
        self._patterns: list[str] = []
        self._arrived: asyncio.Queue[Received] = asyncio.Queue(MOST_WAITING)

    async def publish(self, packet: Packet) -> bool:
        return await self._broker.take(packet)

    def send(self, packet: Packet) -> None:
        self._broker.send(packet.topic, packet.payload)

    def is_behind(self) -> bool:
        return False

    async def subscribe(self, topics: Sequence[str]) -> None:
        self._patterns += topics
        for topic, data in self._broker.retained():
            if any(self._broker.matches(topic, pattern) for pattern in topics):
                self._take(Received(topic, data, True))

    async def messages(self) -> AsyncIterator[Received]:
        while True:
            yield await self._arrived.get()

    def hear(self, message: Received) -> bool:
        """Takes a message if the daemon wants it. Returns whether there was room."""
        if any(self._broker.matches(message.topic, pattern) for pattern in self._patterns):
            return self._take(message)
        return True

    def _take(self, message: Received) -> bool:
        if self._arrived.full():
            return False
        self._arrived.put_nowait(message)
        return True
