"""The publisher at a broker that refuses it or is not there."""

from pathlib import Path

import aiomqtt
import pytest

from monitor.mqtt.client import connection, outbox, publisher
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.channel import PublishRefused
from monitor.mqtt.contract import payload
from tests import needs
from tests.mqtt.brokers import mosquitto
from tests.mqtt.live_packets import live
from tests.mqtt.stage import MACHINE, Stage, a_broker, listening, play, until
from tests.soak import Figure, soak


@soak
@needs.mosquitto
def test_a_refusal_is_noticed_reported_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    monkeypatch.setattr(outbox, "REFUSED_RETRY_S", 0.3)
    monkeypatch.setattr(publisher, "HEARTBEAT_S", 0.5)  # the status counts them all
    acl = f"topic read #\ntopic write rep/{MACHINE}/status\n"

    async def story() -> None:
        with mosquitto(tmp_path, acl) as broker:
            address = Address(host="127.0.0.1", port=broker.port)
            async with Stage(address, tmp_path) as stage, listening(address, "status", "event/+") as listener:
                await stage.happen(20)
                await listener.next("status", refused=20)
                await until(lambda: stage.publisher.delivery.events_refused >= 2)
                assert stage.bookmark._place.published_seq == 0
                broker.allow(acl + f"topic write rep/{MACHINE}/event/+\n")
                for seq in range(1, 21):
                    await listener.next("event/set_start", seq=seq)
                await listener.next("status", refused=0)
                figure(
                    "broker refuses events",
                    f"{stage.publisher.delivery.events_refused} refusals counted and in status, then all 20 published",
                )

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
                with pytest.raises(PublishRefused, match="135"):
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
