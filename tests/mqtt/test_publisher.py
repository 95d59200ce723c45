"""The publisher as its broker and clients see it, over absences, refusals and old connections."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import aiomqtt
import msgspec
import pytest

from monitor.events import Feedback
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.client import answers, connection, outbox, publisher
from monitor.mqtt.client.connection import Address
from monitor.mqtt.client.consumer import Consumer
from monitor.mqtt.client.ledger import Ledger, ReceivedRecord
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import (
    LifterCommand,
    LoadCommand,
    ProtocolCommand,
    ResumeCommand,
    StopCommand,
)
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
                for outdated in (b'{"v":1,"state":"offline","conn":0}', b"offline"):
                    repairs = stage.publisher.delivery.status_repairs
                    await listener.client.publish(f"rep/{MACHINE}/status", outdated, 1, retain=True)
                    await until(lambda: stage.publisher.delivery.status_repairs > repairs)  # noqa: B023
                await until(lambda: not stage.publisher._status_changed.is_set())
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
                await until(lambda: stage.publisher.delivery.acknowledgements_missed == 1)
                assert stage.bookmark._place.published_seq == 0
                broker.kill()
                broker.start()
                await until(lambda: stage.publisher.delivery.events_acknowledged == 5)

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
def test_the_newest_live_feedback_wins_and_older_is_dropped(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            a_broker(kind, tmp_path) as address,
            Stage(address, tmp_path) as stage,
            listening(address, "live/feedback") as listener,
        ):
            stage.publisher.offer_live(live(0.0))
            await asyncio.sleep(publisher.LIVE_MAX_AGE_S + 0.1 if not stage.publisher.connected else 0)
            await until(lambda: stage.publisher.connected)
            for number in range(1, 101):
                stage.publisher.offer_live(live(float(number)))
            assert (await listener.next(t_s=100.0))["v"] == 1
            sent = stage.publisher.delivery.live_sent
            assert len(listener.heard) == sent <= 2
            assert stage.publisher.delivery.live_dropped == 101 - sent

    play(story())


@needs.mosquitto
def test_live_feedback_does_not_queue_before_a_hanging_broker(tmp_path: Path) -> None:
    async def story() -> None:
        with mosquitto(tmp_path) as broker:
            address = Address(host="127.0.0.1", port=broker.port)
            async with Stage(address, tmp_path) as stage, listening(address, "live/feedback") as listener:
                await until(lambda: stage.publisher.connected)
                broker.freeze()
                await stage.happen(1)
                for number in range(150):
                    stage.publisher.offer_live(live(float(number)))
                    await asyncio.sleep(0.02)
                sent = stage.publisher.delivery.live_sent
                assert stage.publisher.delivery.live_dropped >= 60
                broker.thaw()
                await listener.next(t_s=149.0)
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
                await until(lambda: stage.publisher.delivery.connections == 2)
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
def test_commands_are_carried_out_once_and_answered(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            a_broker(kind, tmp_path) as address,
            Stage(address, tmp_path) as stage,
            listening(address, "ack/+") as coach,
        ):
            await until(lambda: stage.publisher.connected)
            wanted = [
                command(LifterCommand, lifter="l-7"),
                command(ProtocolCommand, name="5/5"),
                command(LoadCommand, load_n=804.0),
                command(StopCommand),
            ]
            for order in wanted:
                for _ in range(2):
                    packet = payload.command(TREE, order)
                    await coach.client.publish(packet.topic, packet.payload, packet.qos)
                    answer = await coach.next(f"ack/{order.id}")
                    assert answer["ok"]
                    assert abs(answer["stamp_s"] - time.time()) < 5
            assert stage.commands == wanted

    play(story())


@both
def test_invalid_commands_are_refused_counted_and_answered(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_broker(kind, tmp_path) as address, listening(address, "ack/+") as coach:
            retained = payload.command(TREE, command(StopCommand, id="kept"))
            await coach.client.publish(retained.topic, retained.payload, 1, retain=True)
            async with Stage(address, tmp_path) as stage:
                assert (await coach.next("ack/kept"))["error"] == "retained"
                stamp = f'"stamp_s":{time.time()}'
                for name, body, error in (
                    ("stop", '{"id":"old","stamp_s":%f}' % (time.time() - 11), "stale"),
                    ("stop", '{"id":"early","stamp_s":%f}' % (time.time() + 11), "stale"),
                    ("tare", f'{{"id":"x",{stamp}}}', "unknown"),
                    ("lifter", f'{{"id":"y",{stamp}}}', "malformed"),
                    ("stop", f'{{"id":"z",{stamp},"now":true}}', "malformed"),
                    ("load", f'{{"id":"l",{stamp},"load_n":1e9}}', "malformed"),
                    ("resume", f'{{"id":"r",{stamp},"client":"a/b","after":0}}', "malformed"),
                    ("resume", f'{{"id":"s",{stamp},"client":"a","after":-1}}', "malformed"),
                    ("stop", f'{{"id":"{"l" * 5000}",{stamp}}}', None),
                    ("stop", f'{{"id":"#",{stamp}}}', None),
                    ("stop", "[]", None),
                    ("stop", "\x00", None),
                    ("stop", "", None),
                ):
                    await coach.client.publish(f"rep/{MACHINE}/cmd/{name}", body.encode(), 1)
                    if error is not None:
                        identity = msgspec.json.decode(body)["id"]
                        answer = await coach.next(f"ack/{identity}")
                        assert (answer["ok"], answer["error"]) == (False, error)
                        assert answer["detail"]
                await until(lambda: stage.publisher.delivery.commands == 14)
                counts = {"retained": 1, "stale": 2, "unknown": 1, "malformed": 10}
                await until(lambda: stage.publisher.delivery.commands_refused == counts)
                assert stage.commands == []
            async with listening(address, "cmd/#", "ack/+") as late:
                await late.client.publish(f"rep/{MACHINE}/ack/marker", b"{}", 1)
                await late.next("ack/marker")
                assert len(late.heard) == 1, "the retained command has been removed from the broker"

    play(story())


@both
def test_a_command_published_with_the_retain_flag_is_refused_even_live(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            a_broker(kind, tmp_path) as address,
            Stage(address, tmp_path) as stage,
            listening(address, "ack/+") as coach,
        ):
            await until(lambda: stage.publisher.connected)
            packet = payload.command(TREE, command(StopCommand, id="live"))
            await coach.client.publish(packet.topic, packet.payload, 1, retain=True)
            assert (await coach.next("ack/live"))["error"] == "retained"
            assert stage.commands == []

    play(story())


@both
def test_resume_sends_missed_events_to_the_client_that_asked_only(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "ASK_PERIOD_S", 60.0)  # the second request comes too soon on any computer

    async def story() -> None:
        async with a_broker(kind, tmp_path) as address, Stage(address, tmp_path) as stage:
            await stage.happen(100)
            await until(lambda: stage.publisher.delivery.events_acknowledged == 100)
            async with listening(address, "event/+") as other, listening(address, "resume/tv", "ack/+") as tv:
                asked = command(ResumeCommand, client="tv", after=40, store_id=stage.store.store_id)
                packet = payload.command(TREE, asked)
                await tv.client.publish(packet.topic, packet.payload, 1)
                end = await tv.next(mark="end")
                answer = [body for topic, body, _ in tv.heard if topic == "resume/tv"]
                assert answer[0] == end | {"mark": "begin", "after": 40}
                assert [body["seq"] for body in answer[1:-1]] == list(range(41, 101))
                assert (end["first_seq"], end["last_seq"], end["after"]) == (1, 100, 100)
                again = payload.command(TREE, command(ResumeCommand, id="again", client="tv", after=40))
                await tv.client.publish(again.topic, again.payload, 1)
                assert (await tv.next("ack/again"))["error"] == "too_many"
                elsewhere = payload.command(TREE, command(ResumeCommand, client="tv2", after=40, store_id="another"))
                async with listening(address, "resume/tv2") as tv2:
                    await tv2.client.publish(elsewhere.topic, elsewhere.payload, 1)
                    assert (await tv2.next(mark="begin"))["after"] == 0
                    await tv2.next(mark="end")
                await stage.happen(1)
                assert (await other.next())["seq"] == 101
                assert other.heard[0][1]["historical"] is False

    play(story())


@both
def test_a_consumer_gets_what_can_be_read_and_then_stops_asking(kind: str, tmp_path: Path) -> None:
    """Rows of the store that cannot be read leave gaps in its numbers, also at its end."""

    async def story() -> None:
        async with a_broker(kind, tmp_path) as address, Stage(address, tmp_path) as stage:
            await stage.happen(8)
            await until(lambda: stage.publisher.delivery.events_acknowledged == 8)
            with closing(sqlite3.connect(stage.store.path, isolation_level=None, timeout=10)) as connection:
                connection.execute("UPDATE events SET kind = '#' WHERE seq IN (2, 3, 6, 8)")
            heard: list[int] = []

            async def deliver(record: ReceivedRecord) -> None:
                heard.append(record.seq)

            consumer = Consumer(address, TREE, "collector", deliver, Ledger())
            running = asyncio.create_task(consumer.run())
            await until(lambda: consumer.ledger.seq == 8 and not consumer.ledger.behind)
            assert heard == [1, 4, 5, 7]
            assert (consumer.ledger.lost, consumer.asked) == (4, 1)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    play(story())


def test_an_answer_ends_when_the_client_that_asked_has_left(tmp_path: Path) -> None:
    """A broker with MQTT 5 reports that there is no subscriber."""

    async def story() -> None:
        async with a_broker("mosquitto", tmp_path) as address, Stage(address, tmp_path) as stage:
            await stage.happen(2000)
            await until(lambda: stage.publisher.delivery.events_acknowledged == 2000)
            asked = payload.command(TREE, command(ResumeCommand, client="tv", after=0))
            async with listening(address, "resume/tv") as tv:
                await tv.client.publish(asked.topic, asked.payload, 1)
                await tv.next(mark="begin")
            await until(lambda: not stage.publisher._answers.running)
            assert stage.publisher.delivery.resumes_abandoned == 1
            assert stage.publisher.delivery.events_resumed < 2000

    play(story())


def test_the_embedded_broker_is_asked_whether_anybody_listens() -> None:
    async def story() -> None:
        async with EmbeddedBroker() as broker:
            async with aiomqtt.Client(broker.host, broker.port) as tv:
                await tv.subscribe("rep/m/resume/+")
                assert broker.has_subscriber("rep/m/resume/tv")
                assert not broker.has_subscriber("rep/m/ack/tv")
            await until(lambda: not broker.has_subscriber("rep/m/resume/tv"))

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
