"""The broker inside the daemon: amqtt, on loopback only, behind the guard.

    async with EmbeddedBroker() as broker:
        broker.port                          the TCP listener on 127.0.0.1, for the daemon's own client
        broker.send(packet)                  the daemon's live feedback, without a connection
        await broker.serve(line)             one more connection, a page's WebSocket; returns when it has ended

The defects of amqtt 0.12 are corrected here and in `guard`, each with a conformance test: it ignores keep-alive, grows
behind slow readers, sends retained messages that nobody asked for, leaves the old socket open at a take-over, raises
QoS, drops acknowledged messages when their sender leaves, and keeps a connection for ever if its reader ends before it
waits for that. The overridden methods with an underscore are private ones of amqtt; the tests fail if an upgrade
renames them.

A page may read everything except what names lifters, and publish only the commands of its role (`roles`). What is for
collectors alone passes only between clients that log in with an account.
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType, TracebackType
from typing import Any, ClassVar, Self

from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.broker import Action, Broker, BrokerContext
from amqtt.errors import ProtocolHandlerError
from amqtt.mqtt.disconnect import DisconnectPacket
from amqtt.mqtt.packet import MQTTPacket
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.plugins.manager import PluginManager
from amqtt.session import Session

from monitor.mqtt.broker.guard import LOCAL, PAGE, SEND_BUFFER_BYTES, Counts, GuardedReader, GuardedWriter, Line
from monitor.mqtt.broker.rights import Anyone, may_publish, may_read
from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.publish_packet import publish_packet
from monitor.mqtt.contract.roles import Page, is_command

LISTENER = "guarded"
CLOSE_WITHIN_S = 2.0
FLUSH_WITHIN_S = 0.5  # at the end, so that `offline` reaches the pages
_published_qos: ContextVar[int] = ContextVar("published_qos", default=0)
_published_retained: ContextVar[bool] = ContextVar("published_retained", default=False)


class EmbeddedBroker:
    """Runs from `async with` to its end. `passwords`: of the accounts that may use what is for collectors."""

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, passwords: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"the embedded broker has no access control, so it must be on loopback, not on {host}")
        self.host = host
        self.port = port
        self.counts = Counts()
        self._passwords = dict(passwords)

    async def __aenter__(self) -> Self:
        _silence(self.counts)
        self._broker = _SoundBroker(self.counts, self._passwords)
        await self._broker.start()
        self._connections: dict[asyncio.Task[None], Line] = {}
        self._server = await asyncio.start_server(self._accepted, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_WITHIN_S):
                await self._broker.all_sent()
        for line in self._connections.values():
            line.abort()
        if self._connections:
            await asyncio.wait(list(self._connections), timeout=CLOSE_WITHIN_S)
        await self._broker.shutdown()

    def has_subscriber(self, topic: str) -> bool:
        """True if the topic has a subscriber now."""
        return self._broker.has_subscriber(topic)

    def send(self, packet: Packet) -> None:
        """Sends a message of QoS 0 that is not retained, as if it had come over a connection, which costs more."""
        self._broker.send(packet.topic, packet.payload)

    async def serve(self, line: Line, page: Page | None = None) -> None:
        """Serves one connection until it ends: a page's, or that of a program on this computer."""
        self.counts.connections += 1
        if page is not None:
            line.peer = (str(page), line.peer[1])  # amqtt keeps it, so the rights are known at each message
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = line
        allowance = LOCAL if page is None else PAGE
        reader, writer = GuardedReader(line, allowance, self.counts), GuardedWriter(line, self.counts)
        try:
            await self._broker.external_connected(reader, writer, LISTENER)
        finally:
            del self._connections[task]
            line.abort()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # at the end; a stream server would log it as an error
            await self.serve(TcpLine(reader, writer))


class TcpLine:
    """A TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.peer = tuple(writer.get_extra_info("peername") or ("gone", 0))[:2]
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    async def pull(self) -> bytes:
        try:
            return await self._reader.read(65536)
        except OSError:
            return b""  # reset by the peer: treated as the end

    async def push(self, data: bytes) -> None:
        self.push_now(data)

    def push_now(self, data: bytes) -> None:
        if not self._writer.is_closing():  # asyncio would log who writes on
            self._writer.write(data)

    def unsent_bytes(self) -> int:
        return self._writer.transport.get_write_buffer_size()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def close(self) -> None:
        if self.unsent_bytes():
            self.abort()  # a peer that does not read would keep a closing socket open
        else:
            self._writer.close()


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


class _SoundBroker(Broker):  # type: ignore[misc]
    """amqtt with its defects corrected."""

    def __init__(self, counts: Counts, passwords: dict[str, str]) -> None:
        config = {
            "listeners": {"default": {"type": "external"}, LISTENER: {"type": "external", "bind": "127.0.0.1:0"}},
            "plugins": {f"{Anyone.__module__}.{Anyone.__name__}": {"passwords": passwords}},
        }
        super().__init__(config)
        self._counts = counts

    def has_subscriber(self, topic: str) -> bool:
        return any(holders and self._matches(topic, pattern) for pattern, holders in self._subscriptions.items())

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
            if self._matches(topic, pattern) and may_read(session, topic)
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
        topic, data, retain = message["topic"], message["data"], message["retain"]
        packet = publish_packet(topic, bytes(data), retain)
        for handler, granted in self._readers(topic):
            if qos := min(granted, message["qos"]):
                running.append(asyncio.ensure_future(handler.mqtt_publish(topic, data, qos, retain)))
            elif handler.writer is not None:
                handler.writer.send_now(packet)

    def send(self, topic: str, data: bytes) -> None:
        """Sends with QoS 0 to all subscribers."""
        packet = publish_packet(topic, data, False)
        for handler, _ in self._readers(topic):
            if handler.writer is not None:
                handler.writer.send_now(packet)

    def _readers(self, topic: str) -> Iterator[tuple[BrokerProtocolHandler, int]]:
        """The connected clients that a message is for, each with the QoS that it was granted."""
        for pattern, holders in self._subscriptions.items():
            if not self._matches(topic, pattern):
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


class _ComplaintCounter(logging.Handler):
    """Counts amqtt's warnings and errors instead of logging them; amqtt logs every fault of a peer as its own error."""

    counts: ClassVar[Counts] = Counts()

    def emit(self, record: logging.LogRecord) -> None:
        self.counts.complaints += 1


def _silence(counts: Counts) -> None:
    _ComplaintCounter.counts = counts
    for name in ("amqtt", "transitions"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        if not any(isinstance(handler, _ComplaintCounter) for handler in logger.handlers):
            logger.addHandler(_ComplaintCounter())
