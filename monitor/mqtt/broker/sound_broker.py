"""amqtt with its defects corrected; `guard` corrects those of a connection.

amqtt 0.12 sends retained messages that nobody asked for, leaves the old socket open at a take-over, raises QoS, drops
acknowledged messages when their sender leaves, and keeps a connection for ever if its reader ends before it waits for
that. Each correction has a conformance test. The overridden methods with an underscore are private ones of amqtt; the
tests fail if an upgrade renames them.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Any

from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.broker import Action, Broker, BrokerContext
from amqtt.errors import ProtocolHandlerError
from amqtt.mqtt.disconnect import DisconnectPacket
from amqtt.mqtt.packet import MQTTPacket
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.plugins.manager import PluginManager
from amqtt.session import Session

from monitor.mqtt.broker.guard import Counts
from monitor.mqtt.broker.own_channel import OwnChannel
from monitor.mqtt.broker.rights import Anyone, may_publish, may_read
from monitor.mqtt.client.channel import Received
from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.publish_packet import publish_packet
from monitor.mqtt.contract.roles import is_command

LISTENER = "guarded"
CLOSE_WITHIN_S = 2.0
_published_qos: ContextVar[int] = ContextVar("published_qos", default=0)
_published_retained: ContextVar[bool] = ContextVar("published_retained", default=False)


class _SoundHandler(BrokerProtocolHandler):  # type: ignore[misc]
    """Remembers how its connection ended, however early that was.

    amqtt creates the future for this only after its reader task has begun. Where a peer's first write holds CONNECT and
    the end, the reader has finished by then, and the broker would wait for ever. A DISCONNECT there would be forgotten
    in the same way, and the will published.
    """

    def __init__(self, plugins_manager: PluginManager[BrokerContext]) -> None:
        super().__init__(plugins_manager)
        self._ended: asyncio.Future[DisconnectPacket | None] = asyncio.get_running_loop().create_future()

    async def handle_disconnect(self, disconnect: DisconnectPacket | None) -> None:
        if not self._ended.done():
            self._ended.set_result(disconnect)

    async def wait_disconnect(self) -> DisconnectPacket | None:
        return await self._ended

    async def _send_packet(self, packet: MQTTPacket[Any, Any, Any]) -> None:
        """A cancelled task ends as cancelled; amqtt raises an error that nothing handles."""
        try:
            await super()._send_packet(packet)
        except ProtocolHandlerError as error:
            if isinstance(error.__cause__, asyncio.CancelledError):
                raise error.__cause__ from None
            raise


class SoundBroker(Broker):  # type: ignore[misc]
    """amqtt with its defects corrected."""

    def __init__(self, counts: Counts, passwords: dict[str, str]) -> None:
        config = {
            "listeners": {"default": {"type": "external"}, LISTENER: {"type": "external", "bind": "127.0.0.1:0"}},
            "plugins": {f"{Anyone.__module__}.{Anyone.__name__}": {"passwords": passwords}},
        }
        super().__init__(config)
        self._counts = counts
        self.own_channels: list[OwnChannel] = []

    def has_subscriber(self, topic: str) -> bool:
        return any(holders and self.matches(topic, pattern) for pattern, holders in self._subscriptions.items())

    def matches(self, topic: str, pattern: str) -> bool:
        return bool(self._matches(topic, pattern))

    def retained(self) -> list[tuple[str, bytes]]:
        """The retained messages, each with its topic."""
        return [(topic, bytes(message.data)) for topic, message in self._retained_messages.items()]

    async def all_sent(self) -> None:
        """Returns when every published message has been written to its subscribers."""
        while not self._broadcast_queue.empty():  # noqa: ASYNC110 - amqtt's queue has no notification
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)  # the tasks of the last message begin
        await asyncio.wait([*self._tasks_queue, asyncio.create_task(asyncio.sleep(0))])

    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, address: str, port: int
    ) -> tuple[BrokerProtocolHandler, Session]:
        """The session from CONNECT, with a handler of ours; amqtt's has only been made by then."""
        _, session = await super()._initialize_client_session(reader, writer, address, port)
        return _SoundHandler(self.plugins_manager), session

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        """Only for subscribers of that filter. amqtt replays the subscriptions of all clients to each new one."""
        pattern, granted = subscription
        holders = {holder.client_id for holder, _ in self._subscriptions.get(pattern, [])}
        handler = self._get_handler(session)
        if handler is None or session.client_id not in holders:
            return
        sending = [
            asyncio.create_task(handler.mqtt_publish(topic, retained.data, min(granted, retained.qos), retain=True))
            for topic, retained in self._retained_messages.items()
            if self.matches(topic, pattern) and may_read(session, topic)
        ]
        if sending:
            await asyncio.wait(sending)
        for task in sending:
            if not (task.cancelled() or isinstance(task.exception(), TimeoutError)):  # amqtt has logged the timeout
                task.result()

    async def _delete_session(self, client_id: str) -> None:
        """Ends the old connection at a take-over, so that its last will is published. amqtt keeps it open."""
        _, handler = self._sessions.get(client_id, (None, None))
        await super()._delete_session(client_id)
        if handler is not None and handler.writer is not None and not handler.writer.is_closed:
            self._counts.takeovers += 1
            handler.writer.abort()
            with contextlib.suppress(TimeoutError):  # the old reader is ending; the new client need not wait for it
                async with asyncio.timeout(CLOSE_WITHIN_S):
                    await handler._reader_stopped.wait()

    async def _client_message_loop(self, session: Session, handler: BrokerProtocolHandler) -> None:
        """Also forwards acknowledged messages of a client that has left. amqtt drops them."""
        gone = asyncio.ensure_future(handler.wait_disconnect())
        work = [
            asyncio.create_task(self._take_messages(session, handler)),
            asyncio.create_task(
                self._take(handler.get_next_pending_subscription, self._handle_subscription, session, handler)
            ),
            asyncio.create_task(
                self._take(handler.get_next_pending_unsubscription, self._handle_unsubscription, session, handler)
            ),
        ]
        try:
            ended, _ = await asyncio.wait([gone, *work], return_when=asyncio.FIRST_COMPLETED)
            for task in ended - {gone}:
                task.result()  # a bug is raised
            passed_on = asyncio.create_task(session.delivered_message_queue.join())
            work.append(passed_on)
            await asyncio.wait([passed_on, work[0]], return_when=asyncio.FIRST_COMPLETED, timeout=CLOSE_WITHIN_S)
            if not gone.done():  # the client has sent an invalid packet: its last will is published
                await handler.handle_connection_closed()
            await gone
            await self._handle_disconnect(session, handler, gone)
        finally:
            for task in (gone, *work):
                task.cancel()
            await asyncio.gather(gone, *work, return_exceptions=True)

    async def _take_messages(self, session: Session, handler: BrokerProtocolHandler) -> None:
        """Takes messages until one has an invalid topic. Keeps QoS and retain flag, which amqtt drops here."""
        valid = True
        while valid:
            message = await session.delivered_message_queue.get()
            _published_qos.set(message.qos)
            _published_retained.set(message.publish_packet.retain_flag)
            valid = await self._handle_message_delivery(session, handler, _done(message))
            session.delivered_message_queue.task_done()

    async def _take(
        self, next_one: Callable[[], Awaitable[Any]], handle: Any, session: Session, handler: BrokerProtocolHandler
    ) -> None:
        while True:
            await handle(session, handler, _done(await next_one()))

    async def _broadcast_message(self, session: Session, topic: str, data: bytes, force_qos: int | None = None) -> None:
        qos = _published_qos.get() if force_qos is None else force_qos
        retain = is_command(topic) and _published_retained.get()  # so that the daemon can refuse it
        await self._broadcast_queue.put({"topic": topic, "data": data, "qos": qos, "retain": retain})

    async def _run_broadcast(self, running: deque[asyncio.Task[Any]]) -> None:
        """Sends to each subscriber with the lower of the two QoS. amqtt uses the subscriber's.

        With QoS 0, all get the same bytes at once. amqtt makes a packet and a task for each: live feedback for 200
        pages cost more than three times as much.
        """
        message = await self._broadcast_queue.get()
        try:
            self._pass_on(message["topic"], bytes(message["data"]), message["qos"], message["retain"], running)
        finally:
            if (passed_on := message.get("passed_on")) is not None:
                passed_on.set()

    def _pass_on(self, topic: str, data: bytes, qos: int, retain: bool, running: deque[asyncio.Task[Any]]) -> None:
        for channel in self.own_channels:
            self._counts.rejected += not channel.hear(Received(topic, data, retain))
        packet = publish_packet(topic, data, retain)
        for handler, granted in self._readers(topic):
            if at_most := min(granted, qos):
                running.append(asyncio.ensure_future(handler.mqtt_publish(topic, data, at_most, retain)))
            elif handler.writer is not None:
                handler.writer.send_now(packet)

    async def take(self, packet: Packet) -> bool:
        """Publishes a message of this process. Returns when it was passed on: False if it has no subscriber."""
        passed_on = asyncio.Event()
        message = {"topic": packet.topic, "data": packet.payload, "qos": packet.qos, "passed_on": passed_on}
        await self._broadcast_queue.put({**message, "retain": packet.retain and is_command(packet.topic)})
        if packet.retain:
            await self.retain_message(None, packet.topic, packet.payload, packet.qos)
        await passed_on.wait()
        return self.has_subscriber(packet.topic)

    def send(self, topic: str, data: bytes) -> None:
        """Sends with QoS 0 to all subscribers."""
        packet = publish_packet(topic, data, False)
        for handler, _ in self._readers(topic):
            if handler.writer is not None:
                handler.writer.send_now(packet)

    def _readers(self, topic: str) -> Iterator[tuple[BrokerProtocolHandler, int]]:
        """The connected clients that a message is for, each with the QoS that it was granted."""
        for pattern, holders in self._subscriptions.items():
            if not self.matches(topic, pattern):
                continue
            for session, granted in holders:
                if not may_read(session, topic):
                    continue
                handler = self._get_handler(session)
                if handler is not None and session.transitions.state == "connected":
                    yield handler, granted

    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        return action is not Action.PUBLISH or may_publish(session, topic)


def _done(value: Any) -> asyncio.Future[Any]:
    future = asyncio.get_running_loop().create_future()
    future.set_result(value)
    return future
