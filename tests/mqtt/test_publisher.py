"""The publisher as its broker and clients see it, over absences, refusals and old connections."""

import asyncio
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from monitor.events import Feedback
from monitor.mqtt.client import connection, outbox, publisher
from monitor.mqtt.client.connection import Address
from monitor.mqtt.client.consumer import Consumer
from monitor.mqtt.client.ledger import Ledger, ReceivedRecord
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import StopCommand
from tests import needs
from tests.mqtt.brokers import mosquitto
from tests.mqtt.stage import KINDS, MACHINE, TREE, Stage, a_broker, command, listening, play, seqs, until

both = pytest.mark.parametrize("kind", KINDS)


def feedback(t_s: float) -> Feedback:
    return Feedback(
        t_s=t_s,
        tension_n=500.0,
        tension=1.0,
        band="in",
        phase="positive",
        position=0.5,
        pace=0.5,
        velocity_m_s=0.1,
        set=1,
        rep=0,
        under_load_s=1.0,
        under_tension_s=1.0,
        resting=None,
        cue=None,
        load_n=500.0,
        load_from="given",
        fault=None,
    )


def live(t_s: float) -> payload.Packet:
    return payload.live(TREE, "s", feedback(t_s))


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
    subscribe = connection.Connection.subscribe

    async def late(*given: Any) -> None:
        await asyncio.sleep(0.2)
        await subscribe(*given)

    monkeypatch.setattr(connection.Connection, "subscribe", late)

    async def story() -> None:
        async with (
            a_broker(kind, tmp_path) as address,
            listening(address, "status", "ack/+") as coach,
            Stage(address, tmp_path),
        ):
            await coach.next("status", state="online")
            packet = payload.command(TREE, command(StopCommand, id="at-once"))
            await coach.client.publish(packet.topic, packet.payload, packet.qos)
            assert (await coach.next("ack/at-once"))["ok"]

    play(story())


@both
def test_the_last_will_reports_a_killed_daemon_and_a_new_one_is_online(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_broker(kind, tmp_path) as address, listening(address, "status") as listener:
            async with Stage(address, tmp_path) as first:
                await listener.next(state="online")
                await first.die()
                assert (await listener.next(state="offline"))["conn"] == 1
            async with Stage(address, tmp_path):
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


@needs.mosquitto
def test_a_refused_publish_is_counted_reported_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "REFUSED_RETRY_S", 0.3)
    acl = f"topic read #\ntopic write rep/{MACHINE}/status\n"

    async def story() -> None:
        with mosquitto(tmp_path, acl) as broker:
            address = Address(host="127.0.0.1", port=broker.port)
            async with Stage(address, tmp_path) as stage, listening(address, "status", "event/+") as listener:
                await stage.happen(3)
                await listener.next("status", refused=3)
                await until(lambda: stage.publisher.delivery.events_refused >= 2)
                assert stage.bookmark._place.published_seq == 0
                broker.allow(acl + f"topic write rep/{MACHINE}/event/+\n")
                for seq in (1, 2, 3):
                    await listener.next("event/set_start", seq=seq)
                await listener.next("status", refused=0)

    play(story())


@needs.mosquitto
def test_aiomqtt_alone_reports_a_refused_publish_as_delivered(tmp_path: Path) -> None:
    """So the reason code is read in paho's callback. If this test fails, aiomqtt reports it and can be used instead."""

    async def story() -> None:
        with mosquitto(tmp_path, "topic read #\n") as broker:
            version = aiomqtt.ProtocolVersion.V5
            async with aiomqtt.Client("127.0.0.1", broker.port, protocol=version) as client:
                await client.publish("rep/m/event/rep", b"{}", 1)
            address = Address(host="127.0.0.1", port=broker.port)
            async with connection.connect(address, "name") as ours:
                with pytest.raises(connection.PublishRefused, match="135"):
                    await ours.publish(payload.Packet("rep/m/event/rep", b"{}", 1, False))
            assert ours.version == 5

    play(story())


def test_a_broker_without_mqtt_5_is_used_with_3_1_1(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_broker("embedded", tmp_path) as address, connection.connect(address, "name") as ours:
            assert ours.version == 4
            await ours.publish(payload.Packet("a", b"x", 1, False))

    play(story())


@needs.mosquitto
def test_a_refused_account_is_reported_in_a_sentence(tmp_path: Path) -> None:
    async def story() -> None:
        passwords = tmp_path / "passwords"
        passwords.write_text("somebody:$7$101$AAAAAAAAAAAAAAAA$AAAA\n")
        with mosquitto(tmp_path, more=f"password_file {passwords}\n") as broker:
            address = Address(host="127.0.0.1", port=broker.port, username="nobody", password="secret-canary")
            async with Stage(address, tmp_path) as stage:
                await until(lambda: stage.publisher.delivery.connect_failures >= 1)
                trouble = stage.publisher.trouble or ""
                assert str(broker.port) in trouble
                assert "Not authorized" in trouble
                assert "canary" not in trouble

    play(story())


def test_without_a_broker_the_publisher_keeps_trying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "FIRST_RETRY_S", 0.01)
    monkeypatch.setattr(publisher, "LAST_RETRY_S", 0.02)

    async def story() -> None:
        async with Stage(Address(host="127.0.0.1", port=1), tmp_path) as stage:
            await stage.happen(2)
            stage.publisher.offer_live(live(1.0))
            await until(lambda: stage.publisher.delivery.connect_failures >= 5)
            assert "no broker answers at 127.0.0.1:1" in (stage.publisher.trouble or "")

    play(story())


@both
def test_the_newest_live_feedback_wins_and_older_is_dropped(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "LIVE_MAX_AGE_S", 60.0)  # what is new does not become old on a slow computer

    async def story() -> None:
        async with (
            a_broker(kind, tmp_path) as address,
            Stage(address, tmp_path) as stage,
            listening(address, "live/feedback") as listener,
        ):
            await until(lambda: stage.publisher.connected)
            stage.publisher._live = (asyncio.get_running_loop().time() - 61.0, live(0.0))  # it waited for a connection
            stage.publisher._live_due.set()
            await until(lambda: stage.publisher.delivery.live_dropped == 1)
            for number in range(1, 101):
                stage.publisher.offer_live(live(float(number)))
            assert (await listener.next(t_s=100.0))["v"] == 1
            assert len(listener.heard) == stage.publisher.delivery.live_sent == 1
            assert stage.publisher.delivery.live_dropped == 100

    play(story())


def test_live_feedback_goes_to_a_broker_in_this_process_without_a_connection(tmp_path: Path) -> None:
    class Noting:
        def __init__(self) -> None:
            self.sent: list[payload.Packet] = []

        def has_subscriber(self, topic: str) -> bool:
            return True

        def send(self, packet: payload.Packet) -> None:
            self.sent.append(packet)

    async def story() -> None:
        own = Noting()
        async with (
            a_broker("embedded", tmp_path) as address,
            Stage(address, tmp_path, own_broker=own) as stage,
            listening(address, "#") as listener,
        ):
            await until(lambda: stage.publisher.connected)
            stage.publisher.offer_live(live(2.0))
            assert own.sent == [live(2.0)]
            assert (stage.publisher.delivery.live_sent, stage.publisher.delivery.live_dropped) == (1, 0)
            stage.publisher.offer(payload.state(TREE, "s", feedback(2.0), stale=False))
            await listener.next("state")
            assert "live/feedback" not in {topic for topic, _, _ in listener.heard}
        stage.publisher.offer_live(live(3.0))  # it is offline
        assert own.sent == [live(2.0)]
        assert stage.publisher.delivery.live_dropped == 1

    play(story())


@needs.mosquitto
def test_live_feedback_does_not_queue_before_a_hanging_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "LIVE_MAX_AGE_S", 60.0)  # the newest is sent when the broker is back
    monkeypatch.setattr(connection, "ACKNOWLEDGED_WITHIN_S", 60.0)  # the connection stays

    async def story() -> None:
        with mosquitto(tmp_path) as broker:
            address = Address(host="127.0.0.1", port=broker.port)
            async with Stage(address, tmp_path) as stage, listening(address, "live/feedback") as listener:
                await until(lambda: stage.publisher.connected)
                broker.freeze()
                await stage.happen(1)
                number = 0
                while stage.publisher.delivery.live_dropped < 60:
                    number += 1
                    stage.publisher.offer_live(live(float(number)))
                    await asyncio.sleep(0.01)
                sent = stage.publisher.delivery.live_sent
                broker.thaw()
                await listener.next(t_s=float(number))
                assert len(listener.heard) <= sent + 2

    play(story())


@both
def test_documents_are_published_again_on_a_new_connection(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_broker(kind, tmp_path) as address, Stage(address, tmp_path) as stage:
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
