"""A broker that is away or hangs: when it is back, every event is delivered once and in order."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import msgspec
import pytest

from monitor.mqtt.client.address import Address
from monitor.mqtt.client.consumer import Consumer
from monitor.mqtt.client.ledger import ReceivedRecord
from monitor.mqtt.contract.topics import TopicTree
from tests import needs
from tests.daemon.whole import a_profile
from tests.faults.stage import Collector, a_daemon, a_lifter, last_seq, until
from tests.mqtt.brokers import mosquitto
from tests.mqtt.stage import MACHINE, Stage, seqs
from tests.soak import SOAKING, Figure, beside_the_day, long, soak, soak_only

pytestmark = [soak, needs.mosquitto]
QUEUED = long(100_000, 3_000)
AWAY_S = 300.0
NOTICED_WITHIN_S = 16.0


class BlackHole:
    """A line to a broker that can die: its ends stay open, but no data passes."""

    def __init__(self, port: int) -> None:
        self.dead = False
        self.port = 0
        self._broker_port = port

    @contextlib.asynccontextmanager
    async def line(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._carrying: set[asyncio.Task[None]] = set()
        try:
            yield
        finally:
            server.close()
            for task in self._carrying:
                task.cancel()
            await asyncio.gather(*self._carrying, return_exceptions=True)
            await server.wait_closed()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._broker_port)
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._carry(source, sink))
            self._carrying.add(task)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65_536):
                    if not self.dead:
                        sink.write(data)
                        await sink.drain()
        finally:
            sink.close()


def test_what_was_queued_while_the_broker_was_away_comes_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    received: list[ReceivedRecord] = []

    async def deliver(record: ReceivedRecord) -> None:
        received.append(record)

    async def story() -> float:
        with mosquitto(tmp_path) as broker:
            address = Address(host="127.0.0.1", port=broker.port)
            async with Stage(address, tmp_path) as stage:
                await until(lambda: stage.publisher.connected)
                broker.kill()
                for _ in range(QUEUED // 500):
                    await stage.happen(500)
                broker.start()
                following = asyncio.create_task(Consumer(address, TopicTree(MACHINE), "collector", deliver).run())
                await until(lambda: bool(received), 90)
                began_s, count = time.monotonic(), len(received)
                await until(lambda: len(received) >= QUEUED, QUEUED / 100 + 60)
                took_s = time.monotonic() - began_s
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
                assert seqs(received) == list(range(1, QUEUED + 1))
                return (QUEUED - count) / took_s

    rate = asyncio.run(story())
    figure(f"broker away, {QUEUED} events queued", f"all delivered once in order, {rate:.0f} a second")
    if SOAKING:
        assert rate >= 200


@beside_the_day
@soak_only  # the test of queued events has a short form
def test_a_broker_that_was_away_for_long(tmp_path: Path, figure: Figure) -> None:
    """The whole daemon. Its pause between attempts has grown to 30 s at most."""

    async def story(profile: Path, port: int) -> tuple[list[int], float, float]:
        collector = Collector(Address(host="127.0.0.1", port=port))
        collector.come()
        daemon = a_daemon(tmp_path, profile, tmp_path / "tty", module="tests.faults.chatty")
        with a_lifter(tmp_path, profile, 1.0) as lifter, daemon:
            await until(lambda: len(collector.records) >= 10)
            broker.kill()
            await asyncio.sleep(AWAY_S)
            waiting = last_seq(store) - collector.ledger.seq
            broker.start()
            back_s = await until(lambda: len(collector.records) > 11, 90)
            drained_s = await until(lambda: last_seq(store) - collector.ledger.seq < 100, 240)
            assert daemon.stop() == 0
            lifter.kill()
            daemon.start()
            await until(lambda: collector.ledger.seq >= last_seq(store), 90)
        await collector.go()
        figure(
            f"broker away for {AWAY_S:g} s",
            f"{waiting} events waited, back after {back_s:.0f} s, published {drained_s:.1f} s later, once and in order",
        )
        return collector.seqs, back_s, drained_s

    store = tmp_path / "state" / "e2e" / "events.db"
    with mosquitto(tmp_path) as broker:
        received, _, _ = asyncio.run(story(a_profile(tmp_path, broker.port), broker.port))
    assert received == list(range(1, len(received) + 1))


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_an_authority_that_cannot_be_read_is_reported_and_tried_again(tmp_path: Path, text: str | None) -> None:
    ca_file = tmp_path / "ca.pem"
    if text:
        ca_file.write_text(text)

    async def story() -> None:
        with mosquitto(tmp_path) as broker:
            address = Address(host="127.0.0.1", port=broker.port, tls=True, ca_file=str(ca_file))
            async with Stage(address, tmp_path) as stage:
                await until(lambda: stage.publisher.delivery.connect_failures >= 2)
                assert f"{ca_file} is not a certificate" in (stage.publisher.trouble or "")

    asyncio.run(story())


@beside_the_day
@soak_only  # takes a keep-alive; test_publisher.py tests the same with a shorter one
@pytest.mark.parametrize("fault", ["broker hangs", "line is dead", "line is dead, nothing to publish"])
def test_a_half_open_connection_is_noticed(tmp_path: Path, figure: Figure, fault: str) -> None:
    async def story() -> float:
        with mosquitto(tmp_path) as broker:
            hole = BlackHole(broker.port)
            async with hole.line(), Stage(Address(host="127.0.0.1", port=hole.port), tmp_path) as stage:
                await until(lambda: stage.publisher.connected)
                await stage.happen(5)
                await until(lambda: stage.publisher.delivery.events_acknowledged == 5)
                if fault == "broker hangs":
                    broker.freeze()
                else:
                    hole.dead = True
                if "nothing" not in fault:
                    await stage.happen(5)
                noticed_s = await until(lambda: not stage.publisher.connected)
                if fault == "broker hangs":
                    broker.thaw()
                hole.dead = False
                await stage.happen(1)
                await until(lambda: stage.publisher.delivery.events_acknowledged >= stage.store.last_seq)
                return noticed_s

    noticed_s = asyncio.run(story())
    figure(f"half-open: {fault}", f"noticed after {noticed_s:.1f} s")
    assert noticed_s <= NOTICED_WITHIN_S


@beside_the_day
@soak_only  # takes one and a half keep-alives
def test_a_hung_daemon_is_seen_as_absent(tmp_path: Path, figure: Figure) -> None:
    """SIGSTOP: the last will is published after one and a half keep-alives; after a kill, at once."""

    async def story(profile: Path, address: Address) -> tuple[float, float]:
        with a_daemon(tmp_path, profile, tmp_path / "no-port") as daemon:
            async with aiomqtt.Client(address.host, address.port) as client:
                await client.subscribe("rep/e2e/status", 1)
                heard: list[str] = []

                async def hear() -> None:
                    async for message in client.messages:
                        heard.append(msgspec.json.decode(bytes(message.payload))["state"])

                hearing = asyncio.create_task(hear())
                await until(lambda: heard and heard[-1] == "online")
                daemon.freeze()
                hung_s = await until(lambda: heard[-1] == "offline")
                daemon.thaw()
                await until(lambda: heard[-1] == "online")
                daemon.kill()
                killed_s = await until(lambda: heard[-1] == "offline")
                hearing.cancel()
                await asyncio.gather(hearing, return_exceptions=True)
                return hung_s, killed_s

    with mosquitto(tmp_path) as broker:
        address = Address(host="127.0.0.1", port=broker.port)
        monitored = a_profile(tmp_path, broker.port)
        hung_s, killed_s = asyncio.run(story(monitored, address))
    figure("daemon hangs, daemon killed", f"absent on the display after {hung_s:.1f} s, {killed_s:.2f} s")
    assert hung_s <= 20
