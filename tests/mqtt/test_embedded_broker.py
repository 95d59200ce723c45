"""Conformance of the embedded broker: each defect of amqtt is corrected, also after an upgrade of amqtt."""

import asyncio
import contextlib
import gc
import math
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import aiomqtt
import pytest
from amqtt.broker import Broker
from amqtt.mqtt.publish import PublishPacket

from monitor.mqtt.broker import guard
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker, TcpLine
from monitor.mqtt.broker.own_channel import OwnChannel
from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.publish_packet import publish_packet as packet_qos_0
from monitor.mqtt.contract.roles import Page, Role
from monitor.mqtt.contract.topics import TopicTree
from tests.faults.leap import leap
from tests.mqtt.brokers import DISCONNECT, connect_packet, publish_packet, subscribe_packet
from tests.mqtt.stage import play

CONNACK_SUBACK_BYTES = 4 + 5
ACKNOWLEDGED_WITHIN_S = 5  # by amqtt's handler


def with_broker(
    story: Callable[[EmbeddedBroker], Awaitable[None]], run: Callable[[Coroutine[Any, Any, None]], None] = play
) -> None:
    """Runs the test with its own broker."""

    async def whole() -> None:
        async with EmbeddedBroker() as broker:
            await story(broker)

    run(whole())


def client(broker: EmbeddedBroker, name: str | None = None) -> aiomqtt.Client:
    return aiomqtt.Client(broker.host, broker.port, identifier=name)


@contextlib.asynccontextmanager
async def raw(broker: EmbeddedBroker, *packets: bytes) -> AsyncIterator[tuple[asyncio.StreamReader, socket.socket]]:
    """A peer that sends these packets and then nothing more."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.setblocking(False)
    await asyncio.get_running_loop().sock_connect(peer, (broker.host, broker.port))
    reader, writer = await asyncio.open_connection(sock=peer, limit=1024)
    writer.write(b"".join(packets))
    try:
        yield reader, peer
    finally:
        writer.transport.abort()


def own_channel(broker: EmbeddedBroker) -> contextlib.AbstractAsyncContextManager[OwnChannel]:
    return broker.open("the-daemon", Packet("rep/m/status", b"gone", 1, True))


def test_only_loopback_is_allowed() -> None:
    with pytest.raises(ValueError, match="loopback"):
        EmbeddedBroker("0.0.0.0")


def test_silence_beyond_the_keep_alive_ends_the_connection_and_the_will_is_published() -> None:
    async def story(broker: EmbeddedBroker) -> None:
        async with client(broker) as watcher:
            await watcher.subscribe("rep/m/status", 1)
            async with raw(broker, connect_packet("silent", 1, will=("rep/m/status", b"gone"))) as (reader, _):
                assert (await reader.readexactly(4))[:1] == b"\x20"
                assert (await anext(watcher.messages)).payload == b"gone"
                assert await reader.read() == b""
        assert broker.counts.expired == 1

    with_broker(story)


def test_a_client_that_pings_in_time_stays_connected() -> None:
    async def story(broker: EmbeddedBroker) -> None:
        async with aiomqtt.Client(broker.host, broker.port, keepalive=1) as idle, client(broker) as other:
            await idle.subscribe("a", 0)
            await asyncio.sleep(3.2)
            await other.publish("a", b"still there")
            assert (await anext(idle.messages)).payload == b"still there"
        assert broker.counts.expired == 0

    with_broker(story, leap)  # on a simulated clock: a computer that stands still for a second sends no ping


def test_a_connection_without_a_packet_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "CONNECT_WITHIN_S", 0.2)

    async def story(broker: EmbeddedBroker) -> None:
        async with raw(broker, b"\x10") as (reader, _):
            assert await reader.read() == b""

    with_broker(story)


@pytest.mark.parametrize("straight", [False, True])
def test_live_messages_are_dropped_for_a_slow_reader_and_no_other_client_waits(
    straight: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """amqtt alone keeps all of them: its memory grows as long as the reader sleeps."""
    monkeypatch.setattr(guard, "STANDSTILL_S", math.inf)  # on a slow machine the messages take longer than that
    count, size = 400, 2000

    async def story(broker: EmbeddedBroker) -> None:
        async with client(broker) as awake, client(broker) as sender, own_channel(broker) as own:
            await awake.subscribe("rep/m/live/feedback", 0)
            subscribe = subscribe_packet("rep/m/live/feedback", 0)
            async with raw(broker, connect_packet("asleep", 60), subscribe) as (reader, _):
                await reader.readexactly(CONNACK_SUBACK_BYTES)
                for number in range(count):
                    data = bytes(size - 4) + number.to_bytes(4, "big")
                    if straight:
                        own.send(Packet("rep/m/live/feedback", data, 0, False))
                    else:
                        await sender.publish("rep/m/live/feedback", data, 0)
                    message = await anext(awake.messages)
                    assert int.from_bytes(message.payload[-4:], "big") == number
                waiting = max(line.unsent_bytes() for line in lines)
        assert broker.counts.live_dropped > count / 2
        assert waiting <= guard.BEHIND_BYTES + 2 * size

    lines: list[TcpLine] = []
    seen = TcpLine.__init__

    def remember(self: TcpLine, *arguments: asyncio.StreamReader) -> None:
        seen(self, *arguments)  # type: ignore[arg-type]
        lines.append(self)

    monkeypatch.setattr(TcpLine, "__init__", remember)
    with_broker(story)


@pytest.mark.parametrize("retain", [False, True])
def test_a_publish_is_written_as_by_amqtt(retain: bool) -> None:
    topic = "rep/größe/live"
    for size in (0, 1, 110, 111, 127, 128, 16_383, 16_384, 100_000):
        written = PublishPacket.build(topic, bytes(size), None, False, 0, retain).to_bytes()
        assert packet_qos_0(topic, bytes(size), retain) == written


def test_what_the_daemon_sends_without_a_connection_arrives_as_over_one() -> None:
    """The same bytes in the same order, whatever was subscribed and granted, and nothing for those who may not read."""
    filters = [("rep/m/#", 0), ("rep/+/live/feedback", 1), ("rep/m/cmd/stop", 1), ("rep/other/#", 0)]

    async def story(broker: EmbeddedBroker) -> None:
        async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await broker.serve(TcpLine(reader, writer), Page(Role.DISPLAY, TopicTree("m")))

        async with (
            contextlib.AsyncExitStack() as stack,
            client(broker) as sender,
            own_channel(broker) as own,
            await asyncio.start_server(page, "127.0.0.1", 0) as server,
        ):
            peers = []
            for port in (broker.port, server.sockets[0].getsockname()[1]):
                for number, (pattern, qos) in enumerate(filters):
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    stack.callback(writer.close)
                    writer.write(connect_packet(f"{port}-{number}", 60) + subscribe_packet(pattern, qos, "the/end"))
                    await reader.readexactly(CONNACK_SUBACK_BYTES + 1)
                    peers.append(reader)
            heard: list[list[bytes]] = []
            for straight in (False, True):
                for number in range(3):
                    for topic in ("rep/m/live/feedback", "rep/m/cmd/stop"):
                        if straight:
                            own.send(Packet(topic, b"%d" % number, 0, False))
                        else:
                            await sender.publish(topic, b"%d" % number, 0)
                await sender.publish("the/end", b"last", 0)
                heard.append([await reader.readuntil(b"last") for reader in peers])
            assert heard[0] == heard[1]
            assert [data.count(b"rep/m") for data in heard[1]] == [6, 3, 3, 0, 3, 3, 0, 0]  # no page reads commands

    with_broker(story)


def test_a_live_message_for_many_readers_needs_no_task_and_no_packet_for_each() -> None:
    """amqtt makes both for each: for 200 pages that is most of a core."""
    readers, messages = 20, 10
    begun: list[str] = []

    async def story(broker: EmbeddedBroker) -> None:
        def note(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
            begun.append(work.__qualname__)
            return asyncio.Task(work, loop=loop, **options)

        subscribe = subscribe_packet("rep/m/live/feedback", 0)
        async with contextlib.AsyncExitStack() as open_ones, client(broker) as sender:
            peers = [
                await open_ones.enter_async_context(raw(broker, connect_packet(f"page{k}", 60), subscribe))
                for k in range(readers)
            ]
            for reader, _ in peers:
                await reader.readexactly(CONNACK_SUBACK_BYTES)
            asyncio.get_running_loop().set_task_factory(note)
            for k in range(messages):
                await sender.publish("rep/m/live/feedback", b"%04d" % k, 0)
            for reader, _ in peers:
                for k in range(messages):
                    assert (await reader.readexactly(2 + 2 + 19 + 4))[-4:] == b"%04d" % k
            asyncio.get_running_loop().set_task_factory(None)
        assert len(begun) < readers * messages / 2, begun

    with_broker(story)


def test_a_reader_that_stays_far_behind_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "FAR_BEHIND_BYTES", 32 * 1024)

    async def story(broker: EmbeddedBroker) -> None:
        async with client(broker) as sender:
            async with raw(broker, connect_packet("asleep", 60), subscribe_packet("rep/#", 1)) as (reader, _):
                await reader.readexactly(CONNACK_SUBACK_BYTES)
                while not broker.counts.slow_readers_cut:
                    await sender.publish("rep/m/event/rep", bytes(4000), 1)
            await sender.publish("rep/m/event/rep", b"other clients continue", 1)

    with_broker(story)


def test_a_reader_that_stops_reading_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "STANDSTILL_S", 0.3)

    async def story(broker: EmbeddedBroker) -> None:
        asleep = raw(broker, connect_packet("asleep", 60), subscribe_packet("rep/#", 0))
        async with client(broker) as sender, asleep as (reader, _):
            await reader.readexactly(CONNACK_SUBACK_BYTES)
            while not broker.counts.slow_readers_cut:
                await sender.publish("rep/m/live/feedback", bytes(4000), 0)
                await asyncio.sleep(0)

    with_broker(story)


def test_a_new_client_gets_only_the_retained_messages_of_its_subscriptions() -> None:
    """amqtt alone sends each new client the messages that match anybody's subscription."""

    async def story(broker: EmbeddedBroker) -> None:
        async with client(broker) as first, client(broker) as second:
            await first.publish("rep/m/info", b"for others", 1, retain=True)
            await first.publish("other/topic", b"asked for", 1, retain=True)
            await first.subscribe("rep/#", 1)
            assert (await anext(first.messages)).retain
            await second.subscribe("other/#", 1)
            async with client(broker) as newcomer:
                await newcomer.subscribe("other/topic", 1)
                await first.publish("other/topic", b"last", 1)
                received = [await anext(newcomer.messages), await anext(newcomer.messages)]
                assert [(bytes(m.payload), m.retain) for m in received] == [(b"asked for", True), (b"last", False)]

    with_broker(story)


@pytest.mark.parametrize("clean", [True, False], ids=["clean session", "kept session"])
def test_a_take_over_ends_the_old_connection_and_its_will_is_published_first(clean: bool) -> None:
    """amqtt alone also ends the new connection if the session is to be kept."""

    async def story(broker: EmbeddedBroker) -> None:
        will = aiomqtt.Will("rep/m/status", b"old", 1, True)
        async with client(broker) as watcher:
            await watcher.subscribe("rep/m/status", 1)
            old = raw(broker, connect_packet("same", 60, will=("rep/m/status", b"old"), clean=clean))
            async with old as (reader, _):
                await reader.readexactly(4)
                new_client = aiomqtt.Client(broker.host, broker.port, identifier="same", will=will, clean_session=clean)
                async with new_client as new:
                    assert await reader.read() == b""
                    await new.publish("rep/m/status", b"new", 1, retain=True)
                    assert [bytes((await anext(watcher.messages)).payload) for _ in range(2)] == [b"old", b"new"]
                    await new.subscribe("echo", 1)
                    await asyncio.sleep(1.1)  # by then amqtt has looked for sessions that have ended
                    await new.publish("echo", b"the new one works", 1)
                    await anext(new.messages)
        assert broker.counts.takeovers == 1

    with_broker(story)


@pytest.mark.parametrize(("published", "granted"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_qos_is_never_raised(published: int, granted: int) -> None:
    async def story(broker: EmbeddedBroker) -> None:
        async with client(broker) as one:
            await one.subscribe("a/+", granted)
            await one.publish("a/b", b"x", published)
            assert (await anext(one.messages)).qos == min(published, granted)

    with_broker(story)


@pytest.mark.parametrize("published", [0, 1])
def test_the_qos_of_a_retained_message_is_not_raised(published: int) -> None:
    async def story(broker: EmbeddedBroker) -> None:
        async with client(broker) as one:
            await one.publish("a", b"x", published, retain=True)
            await one.publish("after it", b"x", 1)
            await one.subscribe("a", 1)
            assert (await anext(one.messages)).qos == published

    with_broker(story)


def test_a_missing_acknowledgement_of_a_retained_message_is_not_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """amqtt alone does not retrieve the timeouts of its tasks, so that asyncio logs each as an error."""
    wait_for, errors = asyncio.wait_for, []

    def wait_briefly(future: Awaitable[object], timeout: float | None) -> Awaitable[object]:
        return wait_for(future, 0.2 if timeout == ACKNOWLEDGED_WITHIN_S else timeout)

    monkeypatch.setattr(asyncio, "wait_for", wait_briefly)

    async def story(broker: EmbeddedBroker) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        async with client(broker) as one:
            await one.publish("a", b"x", 1, retain=True)
        subscribes = (subscribe_packet("a", 1), subscribe_packet("then this", 1))
        async with raw(broker, connect_packet("silent", 60), *subscribes) as (reader, _):
            received = await reader.readexactly(4 + 5 + 8 + 5)  # CONNACK, SUBACK, PUBLISH, and SUBACK after the timeout
            assert received[:2] == b"\x20\x02"
            assert received[-5] == 0x90

    with_broker(story)
    gc.collect()
    assert errors == []


def test_garbage_and_huge_packets_end_only_their_connection() -> None:
    async def story(broker: EmbeddedBroker) -> None:
        for nonsense in (b"GET / HTTP/1.1\r\n\r\n" * 9, bytes(range(256)), b"\x30\xff\xff\xff\x7f" + bytes(100)):
            async with raw(broker, connect_packet("mad", 60), nonsense) as (reader, _):
                with contextlib.suppress(ConnectionError):
                    await reader.read()
        async with client(broker) as one:
            await one.subscribe("a", 1)
            await one.publish("a", b"alive", 1)
            assert (await anext(one.messages)).payload == b"alive"

    with_broker(story)


def test_a_display_reads_everything_and_may_publish_only_resume() -> None:
    async def story(broker: EmbeddedBroker) -> None:
        async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await broker.serve(TcpLine(reader, writer), Page(Role.DISPLAY, TopicTree("m")))

        async with await asyncio.start_server(page, "127.0.0.1", 0) as server, client(broker, "rep-monitor-m") as local:
            port = server.sockets[0].getsockname()[1]
            await local.subscribe("rep/#", 1)
            async with aiomqtt.Client("127.0.0.1", port) as tablet:
                await tablet.subscribe("rep/#", 1)
                for topic in ("rep/m/event/rep", "rep/m/cmd/stop", "rep/m/cmd/resume/x", "rep/m/cmd/resume"):
                    await tablet.publish(topic, b"{}", 1)
                assert str((await anext(local.messages)).topic) == "rep/m/cmd/resume"
                await local.publish("rep/m/status", b"{}", 1)
                assert str((await anext(tablet.messages)).topic) == "rep/m/status"
            for impostor in (
                connect_packet("rep-monitor-m", 60),
                connect_packet("will", 60, will=("rep/m/status", b"offline")),
                connect_packet("stays", 60, clean=False),
            ):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(impostor)
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
                writer.close()
        assert broker.counts.rejected == 3
        assert broker.counts.takeovers == 0

    with_broker(story)


def test_messages_published_just_before_the_brokers_end_arrive() -> None:
    async def story() -> None:
        async with EmbeddedBroker() as broker:
            page, daemon = client(broker), client(broker)
            await page.__aenter__()
            await page.subscribe("rep/m/status", 1)
            async with daemon:
                await daemon.publish("rep/m/status", b"offline", 1, retain=True)
        assert (await anext(page.messages)).payload == b"offline"
        with pytest.raises(aiomqtt.MqttError):
            await anext(page.messages)
        await page.__aexit__(None, None, None)

    play(story())


def test_acknowledged_messages_are_forwarded_although_their_sender_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """amqtt alone drops acknowledged messages that it has not forwarded when the sender disconnects."""
    count = 20
    pass_on = Broker._handle_message_delivery

    async def pass_on_late(*arguments: object) -> object:
        await asyncio.sleep(0.01)
        return await pass_on(*arguments)

    monkeypatch.setattr(Broker, "_handle_message_delivery", pass_on_late)

    async def story(broker: EmbeddedBroker) -> None:
        async with client(broker) as watcher:
            await watcher.subscribe("a", 1)
            burst = b"".join(publish_packet("a", number + 1, bytes([number])) for number in range(count))
            async with raw(broker, connect_packet("brief", 60), burst) as (reader, peer):
                await reader.readexactly(4 + 4 * count)  # CONNACK, and PUBACK for all
                peer.send(DISCONNECT)
                assert await reader.read() == b""
            received = [bytes((await anext(watcher.messages)).payload)[0] for _ in range(count)]
            assert received == list(range(count))

    with_broker(story)
