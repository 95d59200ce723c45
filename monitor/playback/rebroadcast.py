"""Publishes a replay over MQTT, on topics that cannot be mistaken for live ones.

    rep/<m>/replay/<session>/live/feedback, .../event/<kind>, .../set      as in `payload`, below the replay's topic

No filter for live messages matches these topics. Nothing is retained, every event is `historical`, and commands are not
received. Lost messages are not published again; the recording can be replayed again.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

from monitor.access.credentials import address_of
from monitor.events import SetEnd, Update, encode
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.channel import BrokerGone, BrokerRefuses, PublishRefused
from monitor.mqtt.client.connection import Connection, connect
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import Envelope
from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.topics import TopicTree
from monitor.profile.profile import Profile

LOOPBACK = "127.0.0.1"


class Rebroadcast:
    """The publisher of one replay, made by `rebroadcast`."""

    def __init__(self, connection: Connection, address: Address, live: TopicTree, session: str) -> None:
        self.address = address
        self.tree = TopicTree(session, live.topic("replay"))
        self._session = session
        self._connection = connection
        self._store_id = f"replay-{uuid4().hex[:8]}"  # each replay counts from 1
        self._seq = 0

    async def publish(self, update: Update) -> None:
        """Publishes all events and the newest feedback. Returns when the broker has accepted the events."""
        for event in update.events:
            self._seq += 1
            record, envelope = encode(event), Envelope(seq=self._seq, store_id=self._store_id, historical=True)
            await self._publish(payload.event(self.tree, event.kind, record, envelope))
            if isinstance(event, SetEnd):
                await self._publish(payload.last_set(self.tree, record, envelope)._replace(retain=False))
        if update.feedback:
            self._connection.send(payload.live(self.tree, self._session, update.feedback[-1]))

    async def _publish(self, packet: Packet) -> None:
        try:
            await self._connection.publish(packet)
        except PublishRefused as error:
            raise BrokerRefuses(f"{error}: a replay needs the right to write to {self.tree}/#") from error


@asynccontextmanager
async def rebroadcast(profile: Profile, session: str) -> AsyncIterator[Rebroadcast]:
    """Connects to the profile's broker; without one, to the daemon's at the port on loopback.

    A broker of its own would have no listener and end with the replay. Raises BrokerError where none answers.
    """
    own = profile.mqtt.host is None
    address = Address(host=LOOPBACK, port=profile.mqtt.port) if own else address_of(profile)
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(connect(address, _client_id()))
        except BrokerGone as error:
            remedy = "start the daemon, which brings one, or name yours in [mqtt] host" if own else "start it"
            raise BrokerGone(f"{error}; without a broker nobody would receive the replay: {remedy}") from error
        yield Rebroadcast(connection, address, profile.topic_tree, session)


def _client_id() -> str:
    """A unique id, so that a daemon of the same machine keeps its connection."""
    return f"replay-{uuid4().hex[:12]}"
