"""What the publisher needs of a broker, over a connection or in the same process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from monitor.mqtt.contract.payload import Packet


class BrokerError(Exception):
    """The broker cannot be used; trying again later may help."""


class BrokerGone(BrokerError):
    """No broker answers, or the connection has ended."""


class BrokerSilent(BrokerError):
    """No acknowledgement came in time: the connection is half-open, or the broker hangs."""


class BrokerRefuses(BrokerError):
    """The broker refuses the connection or a subscription."""


class PublishRefused(Exception):
    """The broker has refused this message; the connection still works."""


class Received(NamedTuple):
    """A message that has arrived."""

    topic: str
    payload: bytes
    retained: bool


class Channel(Protocol):
    """An open way to a broker, used once."""

    @property
    def sound(self) -> bool: ...  # False once it has ended

    async def publish(self, packet: Packet) -> bool:
        """Returns when the broker has accepted the message: False if it reports that the topic has no subscriber.

        Raises PublishRefused, BrokerError.
        """

    def send(self, packet: Packet) -> None:
        """Sends with QoS 0, at once. Raises BrokerGone."""

    def is_behind(self) -> bool:
        """True if a message sent now would arrive late. Raises BrokerGone."""

    async def subscribe(self, topics: Sequence[str]) -> None:
        """Raises BrokerGone, BrokerRefuses."""

    def messages(self) -> AsyncIterator[Received]:
        """Raises BrokerGone when the connection ends."""


class Broker(Protocol):
    """A broker that can be reached; `str` gives its address."""

    def open(self, client_id: str, will: Packet) -> AbstractAsyncContextManager[Channel]:
        """An open channel. If it is not closed cleanly, the broker publishes the will. Raises BrokerError."""
