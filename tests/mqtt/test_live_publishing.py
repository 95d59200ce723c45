"""Of live feedback only the newest is published."""

import asyncio
from pathlib import Path

import pytest

from monitor.mqtt.client import connection, publisher
from monitor.mqtt.client.connection import Address
from monitor.mqtt.contract import payload
from tests import needs
from tests.mqtt.brokers import mosquitto
from tests.mqtt.live_packets import feedback, live
from tests.mqtt.stage import TREE, Stage, a_broker, both, listening, play, until


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
