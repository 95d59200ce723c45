"""One connection to an MQTT broker: the only door to aiomqtt and paho, with `lean_client.py` below it.

    async with connect(address, "rep-monitor-leg-press", will) as connection:
        await connection.publish(packet)           returns when the broker has accepted it
        connection.send(packet)                    QoS 0, at once
        async for message in connection.messages()

A connection is used once. A client object that reconnects by itself would have a queue of its own beside the store. If
the broker speaks MQTT 5, it is used for its reason codes, else 3.1.1. aiomqtt 2.5 drops the reason code of a publish
(it reports a refused one as delivered), so the code is read in paho's own callback.
"""

import asyncio
import contextlib
import fcntl
import logging
import math
import socket
import struct
import termios
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiomqtt
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.client import MQTT_ERR_SUCCESS
from paho.mqtt.subscribeoptions import SubscribeOptions

from monitor.mqtt.client.address import Address
from monitor.mqtt.client.channel import BrokerGone, BrokerRefuses, BrokerSilent, PublishRefused, Received
from monitor.mqtt.client.lean_client import LeanClient
from monitor.mqtt.client.tls import tls_context
from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.publish_packet import publish_packet

KEEP_ALIVE_S = 8  # a broker waits 1.5 times this and may be 5 s late: an absence is reported within 20 s
ACKNOWLEDGED_WITHIN_S = 5.0  # otherwise the connection is half-open
CONNECT_WITHIN_S = 5.0
BEHIND_S = 0.5
BEHIND_BYTES = 1500
IN_FLIGHT = 16  # publishes that wait for their acknowledgement; brokers allow 20
NO_SUBSCRIBERS = 0x10
REFUSED = 0x80  # this and higher reason codes
UNSUPPORTED_VERSION = 0x84
SOCKET_OPTIONS = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)]

logging.getLogger("mqtt").setLevel(logging.ERROR)  # what aiomqtt warns of is counted here


class Connection:
    """An open connection, made by `connect`: a `Channel`."""

    def __init__(self, client: LeanClient, version: int) -> None:
        self.version = version
        self.sound = True
        self._client = client
        self._paho = client._client
        self._awaited: dict[int, asyncio.Future[int]] = {}
        self._sent_s: dict[int, float] = {}
        self._window = asyncio.Semaphore(IN_FLIGHT)
        self._paho.on_publish = self._published
        client.begin_messages()

    async def publish(self, packet: Packet) -> bool:
        """Returns when the broker has accepted the message: False if it reports that the topic has no subscriber.

        Only a broker with MQTT 5 says that. Raises PublishRefused, BrokerError.
        """
        if packet.qos == 0:
            self.send(packet)
            return True
        async with self._window:
            info = self._paho.publish(packet.topic, packet.payload, packet.qos, packet.retain)
            if info.rc != MQTT_ERR_SUCCESS:
                raise self._gone()
            loop = asyncio.get_running_loop()
            acknowledged = self._awaited[info.mid] = loop.create_future()
            self._sent_s[info.mid] = loop.time()
            try:
                async with asyncio.timeout(ACKNOWLEDGED_WITHIN_S):
                    reason = await acknowledged
            except TimeoutError:
                self.sound = False
                raise BrokerSilent(f"no acknowledgement within {ACKNOWLEDGED_WITHIN_S:g} s") from None
            finally:
                del self._awaited[info.mid], self._sent_s[info.mid]
        if reason >= REFUSED:
            raise PublishRefused(f"the broker refuses {packet.topic} (reason code {reason})")
        return bool(reason != NO_SUBSCRIBERS)

    def send(self, packet: Packet) -> None:
        """Sends with QoS 0, without an acknowledgement. Raises BrokerGone."""
        if not self._client.write_now(publish_packet(packet.topic, packet.payload, packet.retain, self.version)):
            raise self._gone()

    def is_behind(self) -> bool:
        """True if a message sent now would arrive late, because the broker has not confirmed earlier ones."""
        if (peer := self._paho.socket()) is None:
            raise self._gone()
        oldest_s = next(iter(self._sent_s.values()), math.inf)
        if asyncio.get_running_loop().time() - oldest_s > BEHIND_S:
            return True  # the broker hangs, although its kernel accepts data
        (unconfirmed,) = struct.unpack("i", fcntl.ioctl(peer.fileno(), termios.TIOCOUTQ, bytes(4)))
        return bool(unconfirmed > BEHIND_BYTES)

    async def subscribe(self, topics: Sequence[str], qos: int = 1) -> None:
        """Raises BrokerGone, BrokerRefuses. With MQTT 5, messages keep their retain flag also when they arrive live."""
        try:
            if self.version == 5:
                options = SubscribeOptions(qos=qos, retainAsPublished=True)
                answers: Sequence[Any] = await self._client.subscribe([(topic, options) for topic in topics])
            else:
                answers = await self._client.subscribe([(topic, qos) for topic in topics])
        except aiomqtt.MqttError as error:
            raise BrokerGone(str(error)) from error
        _let_be_cancelled()
        for topic, answer in zip(topics, answers, strict=True):
            if (answer if isinstance(answer, int) else answer.value) >= REFUSED:
                raise BrokerRefuses(f"the broker refuses the subscription to {topic}")

    async def messages(self) -> AsyncIterator[Received]:
        while True:
            self._client.news.clear()
            while self._client.arrived:
                yield self._client.arrived.popleft()
            if self._client.has_ended:
                raise self._gone()
            await self._client.news.wait()

    def arrived(self) -> list[Received]:
        """The messages that have come, without waiting. Raises BrokerGone."""
        if self._client.has_ended:
            raise self._gone()
        messages = list(self._client.arrived)
        self._client.arrived.clear()
        return messages

    def _gone(self) -> BrokerGone:
        self.sound = False
        return BrokerGone("the connection to the broker ended")

    def _published(self, _client: Any, _data: Any, mid: int, reason: Any, _properties: Any) -> None:
        acknowledged = self._awaited.get(mid)
        if acknowledged is not None and not acknowledged.done():
            acknowledged.set_result(reason.value)


class DistantBroker:
    """A `Broker` that is reached over a connection."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def __str__(self) -> str:
        return str(self._address)

    def open(self, client_id: str, will: Packet) -> contextlib.AbstractAsyncContextManager[Connection]:
        return connect(self._address, self._address.client_id or client_id, will)


def _let_be_cancelled() -> None:
    """Raises a cancellation again that `asyncio.wait_for`, which aiomqtt uses, can swallow in Python 3.11."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@contextlib.asynccontextmanager
async def connect(
    address: Address, client_id: str, will: Packet | None = None, gathered_s: float = 0.0
) -> AsyncIterator[Connection]:
    """An open connection, which is closed at the end of the block. Raises BrokerGone, BrokerRefuses.

    `gathered_s`: messages may arrive that much later, together with others, which costs less.
    """
    for version in (5, 4) if address.version is None else (address.version,):
        try:
            client = _client(address, client_id, will, version, gathered_s)
        except OSError as error:  # the file of the authority is missing, or it contains no certificate
            raise BrokerGone(f"{address.ca_file} is not a certificate to verify {address}: {error}") from error
        try:
            await client.__aenter__()
        except aiomqtt.MqttError as error:
            _drop(client)
            if address.version is None and version == 5 and _reason(error) == UNSUPPORTED_VERSION:
                continue
            if isinstance(error, MqttConnectError):
                raise BrokerRefuses(f"the broker at {address} refuses the connection: {error}") from error
            raise BrokerGone(f"no broker answers at {address}: {error}") from error
        except BaseException:
            _drop(client)
            raise
        try:
            _let_be_cancelled()
            yield Connection(client, version)
            with contextlib.suppress(aiomqtt.MqttError):  # the connection has ended anyway
                await client.__aexit__(None, None, None)
            _let_be_cancelled()
        finally:
            _drop(client)
        return


def _drop(client: LeanClient) -> None:
    """Closes the socket, which aiomqtt leaves open after a time-out."""
    client._client._sock_close()
    for future in (client._connected, client._disconnected):
        if future.done() and not future.cancelled():
            future.exception()  # marks it as retrieved, so that asyncio does not log it


def _reason(error: aiomqtt.MqttError) -> int | None:
    return getattr(getattr(error, "rc", None), "value", None)


def _client(address: Address, client_id: str, will: Packet | None, version: int, gathered_s: float) -> LeanClient:
    websocket: dict[str, Any] = {}
    if address.websocket_path is not None:
        headers = {} if address.cookie is None else {"Cookie": address.cookie}
        websocket = {"transport": "websockets", "websocket_path": address.websocket_path, "websocket_headers": headers}
    client = LeanClient(
        address.host,
        address.port,
        **websocket,
        gathered_s=gathered_s,
        identifier=client_id,
        username=address.username,
        password=address.password,
        protocol=aiomqtt.ProtocolVersion(version),
        will=aiomqtt.Will(*will) if will is not None else None,
        clean_session=True if version < 5 else None,
        keepalive=KEEP_ALIVE_S,
        timeout=CONNECT_WITHIN_S,
        max_inflight_messages=2 * IN_FLIGHT,  # never reached, so that paho's own queue stays empty
        tls_context=tls_context(address) if address.tls else None,
        socket_options=SOCKET_OPTIONS,
    )
    client._client.connect_timeout = CONNECT_WITHIN_S
    return client
