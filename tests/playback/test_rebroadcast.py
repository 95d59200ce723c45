"""A replay over MQTT: everything is published, and nothing can be mistaken for live."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.exit_codes import ExitCode
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.channel import Received
from monitor.mqtt.client.connection import connect
from monitor.mqtt.contract.payload import Packet
from tests import needs
from tests.mqtt.brokers import free_port, mosquitto
from tests.mqtt.stage import until

RECORDINGS = Path(__file__).parents[1] / "recordings"
CLEAN = RECORDINGS / "clean.mcap"
ROOT = "rep/clean/replay/clean/"


@asynccontextmanager
async def listening(port: int) -> AsyncIterator[list[Received]]:
    """Everything that is published during the block."""
    heard: list[Received] = []
    async with connect(Address(host="127.0.0.1", port=port), "listener") as connection:
        await connection.subscribe(["#"])

        async def listen() -> None:
            async for message in connection.messages():
                heard.append(message)

        listener = asyncio.create_task(listen())
        try:
            yield heard
        finally:
            listener.cancel()
            await asyncio.wait([listener])


def config(folder: Path, port: int, more: str = "") -> Path:
    path = folder / "m.toml"
    path.write_text(
        '[machine]\nid = "clean"\nkind = "stack"\nrest_m = 0\nbottom_m = 0.03\ntop_m = 0.48\nfriction = 0.06\n'
        f'working_load_n = 784.532\n[protocol]\nname = "4/4"\n[mqtt]\nport = {port}\n{more}'
    )
    return path


async def replayed(config: Path, port: int, speed: str = "max") -> tuple[int, list[Received]]:
    async with listening(port) as heard:
        status = await asyncio.to_thread(
            main, ["replay", str(CLEAN), "--publish", "--speed", speed, "--config", str(config)]
        )
        async with asyncio.timeout(60):
            await until(lambda: {ROOT + "set", ROOT + "live/feedback"} <= {message.topic for message in heard})
        return status, heard


def check(status: int, heard: list[Received]) -> None:
    """All events came once, in order, below the replay's topic, not retained and marked as historical."""
    assert status == 0
    assert heard
    assert all(message.topic.startswith(ROOT) and not message.retained for message in heard)
    events = [json.loads(message.payload) for message in heard if message.topic.startswith(ROOT + "event/")]
    expected = [json.loads(line) for line in CLEAN.with_suffix(".events.jsonl").read_bytes().splitlines()]
    envelope = {"v", "seq", "store_id", "historical"}
    assert [{key: value for key, value in event.items() if key not in envelope} for event in events] == expected
    assert [event["seq"] for event in events] == list(range(1, len(expected) + 1))
    assert all(event["historical"] is True for event in events)
    assert [m.topic for m in heard if m.topic.startswith(ROOT + "event/")] == [
        f"{ROOT}event/{event['kind']}" for event in expected
    ]
    feedback = [json.loads(message.payload) for message in heard if message.topic == ROOT + "live/feedback"]
    assert feedback
    assert {message["session"] for message in feedback} == {"clean"}
    (summary,) = (json.loads(message.payload) for message in heard if message.topic == ROOT + "set")
    assert summary["reps"] == 5


@needs.mosquitto
def test_the_broker_of_the_profile_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with mosquitto(tmp_path) as broker:
        profile = config(tmp_path, broker.port, 'host = "127.0.0.1"\n')
        check(*asyncio.run(replayed(profile, broker.port)))

        async def later() -> list[str]:
            """What a client gets that comes later, up to a message of its own."""
            address = Address(host="127.0.0.1", port=broker.port)
            async with listening(broker.port) as heard, connect(address, "another") as another:
                await another.publish(Packet("own", b"", 1, False))
                async with asyncio.timeout(60):
                    await until(lambda: bool(heard))
                return [message.topic for message in heard]

        assert asyncio.run(later()) == ["own"]
    out = capsys.readouterr().out
    assert f"publishing clean under {ROOT} at 127.0.0.1:{broker.port}" in out
    assert "event records published" in out


def test_without_one_a_broker_at_the_port_is_used(tmp_path: Path) -> None:
    async def run() -> tuple[int, list[Received]]:
        async with EmbeddedBroker() as broker:
            return await replayed(config(tmp_path, broker.port), broker.port)

    check(*asyncio.run(run()))


def test_without_any_broker_it_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile = config(tmp_path, port := free_port())
    assert main(["replay", str(CLEAN), "--publish", "--speed", "max", "--config", str(profile)]) == ExitCode.FAILED
    err = capsys.readouterr().err
    assert f"no broker answers at 127.0.0.1:{port}" in err
    assert "start the daemon" in err


def test_a_missing_broker_is_reported_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    profile = config(tmp_path, port, 'host = "127.0.0.1"\n')
    assert main(["replay", str(CLEAN), "--publish", "--speed", "max", "--config", str(profile)]) == ExitCode.FAILED
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"no broker answers at 127.0.0.1:{port}" in err


@needs.mosquitto
@pytest.mark.may_leak  # aiomqtt's misc loop: cancelled when its socket closes, it ends one turn of the loop later
def test_a_refusal_names_the_right_that_is_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with mosquitto(tmp_path, acl="topic read #\n") as broker:
        profile = config(tmp_path, broker.port, 'host = "127.0.0.1"\n')
        assert main(["replay", str(CLEAN), "--publish", "--speed", "max", "--config", str(profile)]) == ExitCode.FAILED
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "a replay needs the right to write to rep/clean/replay/clean/#" in err


def test_a_password_is_not_sent_to_another_computer_without_tls(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same check as for the daemon."""
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "password").chmod(0o600)
    path = config(tmp_path, 1, 'host = "192.0.2.1"\nusername = "daemon"\npassword_file = "password"\n')
    assert main(["replay", str(CLEAN), "--publish", "--config", str(path)]) == ExitCode.BAD_INPUT
    assert "the network can read the password" in capsys.readouterr().err


def test_a_password_file_that_all_can_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "password").chmod(0o644)
    path = config(tmp_path, 1, 'host = "127.0.0.1"\nusername = "daemon"\npassword_file = "password"\n')
    assert main(["replay", str(CLEAN), "--publish", "--config", str(path)]) == ExitCode.BAD_INPUT
    assert "can be read by every user" in capsys.readouterr().err
