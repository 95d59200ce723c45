"""The relay of pages to an external broker: with the daemon's account, in whole packets, and never late."""

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiomqtt
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from monitor.display.server import PageServer
from monitor.display.visit import visit
from monitor.mqtt.broker.guard import read_connect
from monitor.mqtt.broker.relay import Relay, with_account
from monitor.mqtt.client.address import Address
from monitor.mqtt.contract.roles import Page, Role
from monitor.mqtt.contract.topics import TopicTree
from tests import needs
from tests.mqtt.access_broker import Broker
from tests.mqtt.brokers import DISCONNECT, connect_packet, free_port, mosquitto, publish_packet, subscribe_packet
from tests.mqtt.page_client import page
from tests.mqtt.page_requests import profile, upgrade
from tests.mqtt.stage import play, until

pytestmark = [needs.mosquitto, needs.openssl]
ADDRESS = Address(host="127.0.0.1", username="daemon-m", password="pässword")


def with_relay(address: Address, story: Callable[[Relay, PageServer], Awaitable[None]], machine: str = "m") -> None:
    async def whole() -> None:
        relay = Relay(address)
        async with PageServer(profile(host=address.host, machine=machine), relay) as server:
            await story(relay, server)

    play(whole())


def test_a_page_needs_no_account_at_a_broker_with_accounts_and_tls(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    address = Address(
        host="127.0.0.1",
        port=broker.tls_port,
        username="daemon-leg-press",
        password=broker.password("daemon-leg-press"),
        tls=True,
        ca_file=str(tmp_path / "ca.pem"),
    )

    async def story(_: Relay, server: PageServer) -> None:
        async with page(server, Role.LOCAL) as tablet, broker.client("daemon-leg-press") as daemon:
            await tablet.subscribe("rep/leg-press/#", 1)
            await daemon.subscribe("rep/leg-press/cmd/#", 1)
            await tablet.publish("rep/leg-press/cmd/stop", b"by the tablet", 1)
            assert (await anext(daemon.messages)).payload == b"by the tablet"
            for number in range(50):
                await daemon.publish("rep/leg-press/event/rep", bytes([number]) * 4000, 1)
                assert (await anext(tablet.messages)).payload == bytes([number]) * 4000

    try:
        with_relay(address, story, "leg-press")
    finally:
        broker.kill()


def test_a_terminal_can_use_the_relay_too(tmp_path: Path) -> None:
    async def story(_: Relay, server: PageServer) -> None:
        shown = await asyncio.to_thread(visit, f"http://127.0.0.1:{server.port}", nearby=False)
        assert (shown.tree.machine, shown.address.port, shown.address.websocket_path) == ("m", server.port, "/mqtt")

    with_relay(Address(host="127.0.0.1", port=free_port()), story)


@pytest.mark.parametrize("given", [b"", b"\0\5coach\0\6secret"], ids=["no account", "an account of its own"])
def test_a_pages_account_is_replaced_by_the_daemons(given: bytes) -> None:
    plain = connect_packet("page-ä", 30)
    flags = 2 | (0xC0 if given else 0)
    packet = bytes([0x10, len(plain) - 2 + len(given)]) + plain[2:9] + bytes([flags]) + plain[10:] + given
    out = with_account(packet, ADDRESS)
    assert out[1] == len(out) - 2
    assert out[9] == 0xC2
    assert read_connect(out)[:3] == read_connect(plain)[:3]
    words = ["page-ä", "daemon-m", "pässword"]
    assert out[12:] == b"".join(struct.pack(">H", len(word.encode())) + word.encode() for word in words)
    nameless = with_account(packet, Address(host="127.0.0.1", password="without a name"))
    assert nameless == plain


def test_packets_may_arrive_byte_by_byte(tmp_path: Path) -> None:

    class Line:
        peer = ("a page", 1)

        def __init__(self, data: bytes) -> None:
            self.to_come = [data[at : at + 1] for at in range(len(data))]
            self.got = bytearray()
            self.aborted = False
            self.done = asyncio.Event()

        async def pull(self) -> bytes:
            if self.to_come:
                return self.to_come.pop(0)
            await self.done.wait()
            return b""

        async def push(self, data: bytes) -> None:
            self.got += data

        def push_now(self, data: bytes) -> None:
            self.got += data

        def unsent_bytes(self) -> int:
            return 0

        def abort(self) -> None:
            self.aborted = True

        async def close(self) -> None:
            self.aborted = True

    async def story() -> None:
        relay = Relay(Address(host="127.0.0.1", port=broker.port))
        packets = [connect_packet("x", 30), subscribe_packet("rep/#", 1), b"\xc0\0"]
        packets += [publish_packet("rep/m/event/rep", 7, b"forged"), publish_packet("rep/m/cmd/resume", 8, b"asked")]
        line = Line(b"".join(packets))
        async with aiomqtt.Client("127.0.0.1", broker.port) as daemon:
            await daemon.subscribe("rep/#", 1)
            serving = asyncio.create_task(relay.serve(line, Page(Role.DISPLAY, TopicTree("m"))))
            message = await anext(daemon.messages)
            assert (str(message.topic), message.payload) == ("rep/m/cmd/resume", b"asked")
            await daemon.publish("rep/m/status", b"to all", 1)
            await until(lambda: b"to all" in line.got)
            assert b"asked" not in line.got
            assert b"\x40\x02\x00\x07" in line.got, "a refused publish is acknowledged, as brokers do"
            assert b"\x40\x02\x00\x08" in line.got
            assert b"\xd0\0" in line.got
            line.to_come = [DISCONNECT]
            line.done.set()
            await serving
        assert relay.counts.rejected == 1
        assert line.aborted

    with mosquitto(tmp_path) as broker:
        play(story())


@pytest.mark.parametrize(
    "nonsense",
    [
        b"GET / HTTP/1.1\r\n\r\n" * 9,
        b"\x30\x02\xff\xff",
        b"\x32\x03\0\1a",
        b"\x34\x07\0\1a\0\1xx",
        b"\x30\xff\xff\xff\x7f",
    ],
    ids=["http", "topic cut", "no packet id", "QoS 2", "too long"],
)
def test_an_invalid_packet_ends_only_its_connection(nonsense: bytes, tmp_path: Path) -> None:
    async def story(relay: Relay, server: PageServer) -> None:
        async with page(server, Role.LOCAL) as other, aiomqtt.Client("127.0.0.1", broker.port) as daemon:
            await other.subscribe("rep/m/status", 1)
            async with connect(f"ws://127.0.0.1:{server.port}/mqtt", subprotocols=["mqtt"]) as mad:  # type: ignore[list-item]
                await mad.send(connect_packet("mad", 60) + nonsense)
                with contextlib.suppress(ConnectionClosed):
                    await mad.recv()  # CONNACK
                    await mad.recv()
                    raise AssertionError("the connection is still open")
            await daemon.publish("rep/m/status", b"goes on", 1)
            assert (await anext(other.messages)).payload == b"goes on"

    with mosquitto(tmp_path) as broker:
        with_relay(Address(host="127.0.0.1", port=broker.port), story)


def test_an_absent_broker_is_counted_and_the_page_may_connect_again(tmp_path: Path) -> None:
    async def story(relay: Relay, server: PageServer) -> None:
        assert await upgrade(server) == 101
        await until(lambda: relay.not_reached == 1)

    with_relay(Address(host="127.0.0.1", port=free_port()), story)


def test_the_page_is_disconnected_when_the_broker_ends(tmp_path: Path) -> None:
    async def story(relay: Relay, server: PageServer) -> None:
        async with page(server, Role.LOCAL) as tablet:
            await tablet.subscribe("rep/#", 1)
            broker.kill()
            with pytest.raises(aiomqtt.MqttError):
                await anext(tablet.messages)

    with mosquitto(tmp_path) as broker:
        with_relay(Address(host="127.0.0.1", port=broker.port), story)
