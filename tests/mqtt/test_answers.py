"""The publisher answers: commands are carried out once, missed events go to the client that asked."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from monitor.mqtt.client import answers, consumer
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
from tests.mqtt.stage import MACHINE, TREE, Stage, a_broker, both, command, listening, play, until


@both
def test_commands_are_carried_out_once_and_answered(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            a_broker(kind, tmp_path) as address,
            Stage(address, tmp_path) as stage,
            listening(address, "ack/+") as coach,
        ):
            await until(lambda: stage.publisher.connected)
            wanted = []
            for kind_of, fields in (
                (LifterCommand, {"lifter": "l-7"}),
                (ProtocolCommand, {"name": "5/5"}),
                (LoadCommand, {"load_n": 804.0}),
                (StopCommand, {}),
            ):
                wanted.append(order := command(kind_of, **fields))  # stamped now: soon it is stale
                for _ in range(2):
                    packet = payload.command(TREE, order)
                    await coach.client.publish(packet.topic, packet.payload, packet.qos)
                    answer = await coach.next(f"ack/{order.id}")
                    assert answer["ok"]
                    assert abs(answer["stamp_s"] - time.time()) < 60
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
                    ("stop", '{"id":"early","stamp_s":%f}' % (time.time() + 600), "stale"),
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
        async with (
            a_broker(kind, tmp_path) as address,
            listening(address, "event/+") as other,
            Stage(address, tmp_path) as stage,
        ):
            await stage.happen(100)
            assert [(await other.next())["seq"] for _ in range(100)] == list(range(1, 101))
            await until(lambda: stage.publisher.delivery.events_acknowledged == 100)
            async with listening(address, "resume/tv", "ack/+") as tv:
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
                assert other.heard[-1][1]["historical"] is False

    play(story())


@both
def test_a_consumer_gets_what_can_be_read_and_then_stops_asking(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of the store that cannot be read leave gaps in its numbers, also at its end."""
    monkeypatch.setattr(consumer, "ASK_PERIOD_S", 60.0)  # it asks again only if the answer leaves it behind

    async def story() -> None:
        async with (
            a_broker(kind, tmp_path) as address,
            listening(address, "event/+") as other,
            Stage(address, tmp_path) as stage,
        ):
            await stage.happen(8)
            await until(lambda: stage.publisher.delivery.events_acknowledged == 8)
            while (await other.next())["seq"] < 8:
                pass  # a broker acknowledges an event before it passes it on, also to those who subscribe meanwhile
            with closing(sqlite3.connect(stage.store.path, isolation_level=None, timeout=60)) as connection:
                connection.execute("UPDATE events SET kind = '#' WHERE seq IN (2, 3, 6, 8)")
            heard: list[int] = []

            async def deliver(record: ReceivedRecord) -> None:
                heard.append(record.seq)

            collector = Consumer(address, TREE, "collector", deliver, Ledger())
            running = asyncio.create_task(collector.run())
            await until(lambda: collector.ledger.seq == 8 and not collector.ledger.behind)
            assert heard == [1, 4, 5, 7]
            assert (collector.ledger.lost, collector.asked) == (4, 1)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    play(story())


@both
def test_an_answer_ends_when_the_client_that_asked_has_left(kind: str, tmp_path: Path) -> None:
    """Brokers with MQTT 5, and the own one, report that there is no subscriber."""

    async def story() -> None:
        async with a_broker(kind, tmp_path) as address, Stage(address, tmp_path) as stage:
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
