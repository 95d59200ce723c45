"""A collector, and nobody else, learns who lifted."""

import asyncio
from pathlib import Path

import aiomqtt
import pytest

from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import ForgetCommand, SetsCommand
from tests.mqtt.stage import MACHINE, TREE, Stage, a_broker, both, command, listening, play, until
from tests.record.sessions import jerk, set_end

ADA = "ada-of-the-gym"


@both
def test_the_sets_after_an_event_come_with_their_lifters(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_broker(kind, tmp_path) as address, Stage(address, tmp_path) as stage:
            store = stage.store
            for number, lifter in enumerate([None, ADA, None, ADA], 1):
                session = f"s{number}"
                store.begin_session(session, lifter=lifter)
                stage.publisher.events(store.append([jerk(1, session=session), set_end(2, 1, session)]))
            async with listening(address, "sets/+", "ack/+") as collector:
                await until(lambda: stage.publisher.connected)
                asked = payload.command(TREE, command(SetsCommand, client="gym", after=2, store_id=store.store_id))
                await collector.client.publish(asked.topic, asked.payload, 1)
                end = await collector.next("sets/gym", mark="end")
            answer = [body for topic, body, _ in collector.heard if topic == "sets/gym"]
            assert answer[0] == end | {"mark": "begin", "after": 2}
            assert [(body["seq"], body["session"], body["lifter"]) for body in answer[1:-1]] == [
                (4, "s2", ADA),
                (6, "s3", None),
                (8, "s4", ADA),
            ]
            assert all(body["kind"] == "set_end" and body["reps"] == 8 for body in answer[1:-1])
            assert end["last_seq"] == 8

    play(story())


def test_at_the_embedded_broker_only_an_account_is_a_collector() -> None:
    private = [f"rep/m/{name}" for name in ("cmd/sets", "cmd/forget", "sets/gym")]

    async def story() -> None:
        async with EmbeddedBroker(passwords={"daemon": "pw", "collector": "pw2"}) as broker:

            def client(account: str | None, password: str | None = None) -> aiomqtt.Client:
                return aiomqtt.Client(broker.host, broker.port, username=account, password=password)

            async with client("daemon", "pw") as daemon, client("collector", "pw2") as gym, client(None) as anyone:
                for each in (daemon, gym, anyone):
                    await each.subscribe("rep/#", 1)
                for sender in (anyone, gym):
                    for topic in private:
                        await sender.publish(topic, ADA.encode(), 1)
                await gym.publish("rep/m/last", b"", 1)
                arrived: dict[str, list[str]] = {}
                for name, each in (("daemon", daemon), ("gym", gym), ("anyone", anyone)):
                    arrived[name] = []
                    async for message in each.messages:
                        if message.topic.value == "rep/m/last":
                            break
                        arrived[name].append(message.topic.value)
            assert arrived == {"daemon": private, "gym": private, "anyone": []}
            for account, password in (("collector", "wrong"), ("collector", None), ("collector", ""), ("ada", "pw")):
                with pytest.raises(aiomqtt.MqttError):
                    async with client(account, password):
                        pass

    play(story())


def test_a_retained_answer_reaches_no_other_client(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_broker("embedded", tmp_path) as address, listening(address) as daemon:
            await daemon.client.publish(f"rep/{MACHINE}/sets/gym", b"{}", 1, retain=True)
            await daemon.next("sets/gym")
            async with aiomqtt.Client(address.host, address.port) as late:
                await late.subscribe("rep/#", 1)
                await late.publish(f"rep/{MACHINE}/last", b"", 1)
                assert (await anext(aiter(late.messages))).topic.value == f"rep/{MACHINE}/last"

    play(story())


def test_a_slow_forget_delays_no_other_command(tmp_path: Path) -> None:
    released = asyncio.Event()

    async def story() -> None:
        async with a_broker("embedded", tmp_path) as address, Stage(address, tmp_path) as stage:

            async def slowly(asked: object) -> str:
                await released.wait()
                return "removed from 1 set"

            stage.publisher._requests._handler = slowly
            async with listening(address, "ack/+", "sets/+") as gym:
                await until(lambda: stage.publisher.connected)
                for asked in (
                    command(ForgetCommand, id="forget", lifter=ADA),
                    command(SetsCommand, id="sets", client="gym", after=0),
                ):
                    packet = payload.command(TREE, asked)
                    await gym.client.publish(packet.topic, packet.payload, 1)
                assert (await gym.next("ack/sets"))["ok"]
                released.set()
                assert (await gym.next("ack/forget"))["detail"] == "removed from 1 set"

    play(story())
