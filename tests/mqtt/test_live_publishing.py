"""Live feedback is published at once, and only the newest where it has to wait."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.mqtt.client import connection, publisher
from monitor.mqtt.client.address import Address
from tests import needs
from tests.mqtt.brokers import mosquitto
from tests.mqtt.live_packets import live
from tests.mqtt.stage import Stage, a_broker, both, listening, play, until


@both
def test_live_feedback_that_has_waited_too_long_is_dropped(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_broker(kind, tmp_path) as address:
            stage = Stage(address, tmp_path)
            stage.publisher.offer_live(live(1.0))
            stage.publisher.offer_live(live(2.0))  # there is no connection yet: the newer one waits
            assert stage.publisher.delivery.live_dropped == 1
            await asyncio.sleep(publisher.LIVE_MAX_AGE_S)
            async with stage:
                await until(lambda: stage.publisher.delivery.live_dropped == 2)
                assert stage.publisher.delivery.live_sent == 0

    play(story())


@both
def test_live_feedback_that_waits_for_a_connection_is_sent_there(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "LIVE_MAX_AGE_S", 60.0)  # what is new does not become old on a slow computer

    async def story() -> None:
        async with a_broker(kind, tmp_path) as address, listening(address, "live/feedback") as listener:
            stage = Stage(address, tmp_path)
            stage.publisher.offer_live(live(1.0))
            async with stage:
                await listener.next(t_s=1.0)
            assert (stage.publisher.delivery.live_sent, stage.publisher.delivery.live_dropped) == (1, 0)

    play(story())


@both
def test_live_feedback_is_sent_at_once(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            a_broker(kind, tmp_path) as address,
            Stage(address, tmp_path) as stage,
            listening(address, "live/feedback") as listener,
        ):
            await until(lambda: stage.publisher.connected)
            for number in range(1, 4):
                stage.publisher.offer_live(live(float(number)))
                assert stage.publisher.delivery.live_sent == number
                await listener.next(t_s=float(number))
            assert stage.publisher.delivery.live_dropped == 0

    play(story())


def test_the_daemon_needs_no_connection_to_the_broker_in_its_process(tmp_path: Path) -> None:
    """The client library is not even loaded."""
    story = """
import asyncio, sys
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.contract.payload import Packet

async def story():
    async with EmbeddedBroker() as broker, broker.open("me", Packet("a/status", b"", 1, True)) as channel:
        await channel.subscribe(["a/cmd/#"])
        for topic in ("a/status", "a/cmd/stop"):
            await channel.publish(Packet(topic, b"{}", 1, False))
        print(*await anext(channel.messages()), broker.counts.connections)

asyncio.run(story())
import monitor.daemon.serve
print(sorted({"aiomqtt", "paho"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", story], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "a/cmd/stop b'{}' False 0\n[]\n"


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
