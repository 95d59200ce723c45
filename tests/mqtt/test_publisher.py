"""The publisher as its broker and clients see it, over absences, refusals and old connections."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import aiomqtt
import pytest

from monitor.mqtt.client import connection
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.connection import Connection
from monitor.mqtt.client.consumer import Consumer
from monitor.mqtt.client.ledger import Ledger, ReceivedRecord
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import StopCommand
from tests import needs
from tests.mqtt.brokers import mosquitto
from tests.mqtt.live_packets import feedback
from tests.mqtt.stage import MACHINE, TREE, Stage, a_broker, both, command, listening, play, seqs, until


@both
def test_birth_and_clean_end_are_retained_and_numbered(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_broker(kind, tmp_path) as address:
            for conn in (1, 2):
                async with Stage(address, tmp_path) as stage:
                    await stage.happen(3)
                    await until(lambda: stage.publisher.connected)
                    async with listening(address, "status") as late:
                        birth = await late.next(state="online", conn=conn)
                        assert late.heard[0][2], "retained"
                        known = await late.next(last_seq=3 * conn) if birth["last_seq"] != 3 * conn else birth
                        assert known["store_id"] == stage.store.store_id
                        assert known["first_seq"] == 1
                async with listening(address, "status") as later:
                    assert (await later.next())["state"] == "offline"
                    assert later.heard[0][1]["conn"] == conn
                    assert later.heard[0][2], "retained"

    play(story())


@both
def test_a_machine_that_says_that_it_is_online_hears_commands(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe, publish = Connection.subscribe, Connection.publish
    done: list[str] = []

    async def noted_subscribe(self: Connection, topics: Sequence[str]) -> None:
        await subscribe(self, topics)
        done.extend(topics)

    async def noted_publish(self: Connection, packet: payload.Packet) -> bool:
        done.append(packet.topic)
        return await publish(self, packet)

    monkeypatch.setattr(Connection, "subscribe", noted_subscribe)
    monkeypatch.setattr(Connection, "publish", noted_publish)

    async def story() -> None:
        async with (
            a_broker(kind, tmp_path) as address,
            listening(address, "status", "ack/+") as coach,
            Stage(address, tmp_path, connects=True),
        ):
            await coach.next("status", state="online")
            assert done.index(TREE.topic("cmd", "#")) < done.index(TREE.topic("status"))
            packet = payload.command(TREE, command(StopCommand, id="at-once"))
            await coach.client.publish(packet.topic, packet.payload, packet.qos)
            assert (await coach.next("ack/at-once"))["ok"]

    play(story())


@both
def test_the_last_will_reports_a_killed_daemon_and_a_new_one_is_online(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_broker(kind, tmp_path) as address, listening(address, "status") as listener:
            async with Stage(address, tmp_path, connects=True) as first:
                await listener.next(state="online")
                await first.die()
                assert (await listener.next(state="offline"))["conn"] == 1
            async with Stage(address, tmp_path, connects=True):
                assert (await listener.next(state="online"))["conn"] == 2

    play(story())


@both
def test_the_status_of_an_old_connection_is_overwritten(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_broker(kind, tmp_path) as address, Stage(address, tmp_path) as stage:
            async with listening(address, "status") as listener:
                await listener.next(state="online")
                for outdated in (b'{"v":1,"state":"offline","conn":0}', b'{"state":"offline"}'):
                    await listener.client.publish(f"rep/{MACHINE}/status", outdated, 1, retain=True)
                    await listener.next(state="offline")
                    await listener.next(state="online")
            assert stage.publisher.delivery.status_repairs >= 2
            async with listening(address, "status") as late:
                assert (await late.next())["state"] == "online"

    play(story())


@needs.mosquitto
def test_events_arrive_once_and_in_order_although_the_broker_is_killed(tmp_path: Path) -> None:
    received: list[ReceivedRecord] = []

    async def deliver(record: ReceivedRecord) -> None:
        received.append(record)

    async def story() -> None:
        with mosquitto(tmp_path) as broker:
            address = Address(host="127.0.0.1", port=broker.port)
            async with Stage(address, tmp_path) as stage, asyncio.TaskGroup() as group:
                consumer = Consumer(address, TREE, "collector", deliver)
                following = group.create_task(consumer.run())
                await stage.happen(20)
                await until(lambda: len(received) == 20)
                for away in range(3):
                    broker.kill()
                    await stage.happen(50)
                    await until(lambda: not stage.publisher.connected)
                    broker.start()
                    await until(lambda: len(received) == 20 + 50 * (away + 1))  # noqa: B023
                async with listening(address, "status") as late:
                    assert (await late.next())["state"] == "online"
                assert stage.publisher.delivery.disconnects == 3
                following.cancel()
            assert seqs(received) == list(range(1, 171))
            assert consumer.ledger.lost == consumer.ledger.resets == 0

    play(story())


@needs.mosquitto
def test_a_hanging_broker_is_noticed_and_gets_the_rest_after_its_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ACKNOWLEDGED_WITHIN_S", 0.5)

    async def story() -> None:
        with mosquitto(tmp_path) as broker:
            address = Address(host="127.0.0.1", port=broker.port)
            async with Stage(address, tmp_path) as stage:
                await until(lambda: stage.publisher.connected)
                broker.freeze()
                await stage.happen(5)
                await until(lambda: stage.publisher.delivery.acknowledgements_missed >= 1)
                assert stage.bookmark._place.published_seq == 0
                broker.kill()
                broker.start()
                await until(lambda: stage.publisher.delivery.events_acknowledged >= 5)

    play(story())


@both
def test_documents_are_published_again_on_a_new_connection(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_broker(kind, tmp_path) as address, Stage(address, tmp_path, connects=True) as stage:
            stage.publisher.offer(payload.state(TREE, "s", feedback(1.0), stale=False))
            async with listening(address, "state") as listener:
                assert (await listener.next())["stale"] is False
                taker = aiomqtt.Client(address.host, address.port, identifier=f"rep-monitor-{MACHINE}")
                async with taker:  # the broker disconnects the publisher
                    pass
                await until(lambda: stage.publisher.delivery.connections >= 2)
                await listener.next(t_s=1.0)

    play(story())


@both
def test_documents_that_are_due_are_published_before_the_end(kind: str, tmp_path: Path) -> None:
    """A session that ends with the daemon still has its summary published, because nothing publishes it later."""

    async def story() -> None:
        async with a_broker(kind, tmp_path) as address, listening(address, "session/+") as listener:
            async with Stage(address, tmp_path) as stage:
                await until(lambda: stage.publisher.connected)
                for number in range(40):
                    stage.publisher.offer(payload.Packet(f"rep/{MACHINE}/session/{number}", b"{}", 1, False))
            for number in range(40):
                await listener.next(f"session/{number}")

    play(story())


@both
def test_events_of_an_earlier_process_are_historical(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_broker(kind, tmp_path) as address, listening(address, "event/+") as listener:
            async with Stage(address, tmp_path) as first:
                await until(lambda: first.publisher.connected)
                await first.die()
                await first.happen(2)
            async with Stage(address, tmp_path) as second:
                await second.happen(1)
                for seq, historical in ((1, True), (2, True), (3, False)):
                    assert (await listener.next(seq=seq))["historical"] is historical

    play(story())


@needs.mosquitto
def test_kills_of_daemon_broker_and_consumer_lose_and_duplicate_nothing(tmp_path: Path) -> None:
    """In turn, the daemon is killed, the broker loses its memory, the consumer is away."""
    received: list[ReceivedRecord] = []

    async def deliver(record: ReceivedRecord) -> None:
        received.append(record)

    async def story() -> None:
        with mosquitto(tmp_path) as broker:
            address = Address(host="127.0.0.1", port=broker.port)
            ledger = Ledger()
            consumer = Consumer(address, TREE, "collector", deliver, ledger)
            following = asyncio.create_task(consumer.run())
            for turn in range(12):
                async with Stage(address, tmp_path) as stage:
                    await stage.happen(7)
                    if turn % 3 == 0:
                        broker.kill()
                    await stage.happen(5)
                    if turn % 3 == 1:
                        following.cancel()
                        await asyncio.gather(following, return_exceptions=True)
                    if turn % 2:
                        await asyncio.sleep(0.1)
                        await stage.die()
                        await stage.happen(3)
                    if turn % 3 == 0:
                        broker.start()
                    if turn % 3 == 1:
                        consumer = Consumer(address, TREE, "collector", deliver, Ledger(ledger.store_id, ledger.seq))
                        ledger = consumer.ledger
                        following = asyncio.create_task(consumer.run())
            async with Stage(address, tmp_path) as stage:
                await until(lambda: len(received) >= stage.store.last_seq)
                assert seqs(received) == list(range(1, stage.store.last_seq + 1))
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    play(story())
