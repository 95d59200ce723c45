"""A stopped or cancelled client ends, whatever it is doing in that turn of the event loop."""

import asyncio
import gc
import socket
from pathlib import Path
from typing import Any

import pytest

from monitor.mqtt.client import connection, publisher
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.channel import BrokerGone
from monitor.mqtt.client.connection import connect
from tests.mqtt.stage import Stage, a_broker, play, until


@pytest.mark.parametrize("turns", range(6))
def test_a_stop_right_after_a_change_of_the_link(turns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task that waits for the change is woken and cancelled in the same turn, so a cancellation could be lost."""
    monkeypatch.setattr(publisher, "STATUS_PERIOD_S", 0.0)

    async def story() -> None:
        async with a_broker("embedded", tmp_path) as address, Stage(address, tmp_path) as stage:
            await until(lambda: stage.publisher.connected)
            await until(stage.publisher._documents_published.is_set)  # its first messages are sent
            stage.publisher.set_link("wrong_device")
            for _ in range(turns):
                await asyncio.sleep(0)
            stage.publisher.stop()

    play(story())


@pytest.mark.parametrize("which", ["on_subscribe", "on_disconnect"])
def test_a_client_that_is_cancelled_as_the_broker_answers_is_cancelled(which: str, tmp_path: Path) -> None:
    """aiomqtt waits with `asyncio.wait_for`, which in Python 3.11 drops a cancellation that comes with the answer."""

    async def story() -> None:
        async with a_broker("embedded", tmp_path) as address:

            async def client() -> None:
                async with connect(address, "brief") as connection:
                    answered = getattr(connection._paho, which)

                    def answer_and_cancel(*arguments: Any) -> None:
                        answered(*arguments)
                        running.cancel()

                    setattr(connection._paho, which, answer_and_cancel)
                    await connection.subscribe(["rep/m/status"])

            running = asyncio.create_task(client())
            with pytest.raises(asyncio.CancelledError):
                await running

    play(story())


def test_a_broker_that_hangs_in_the_handshake_of_tls_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its warning would be an error here."""
    monkeypatch.setattr(connection, "CONNECT_WITHIN_S", 0.2)

    async def story() -> None:
        with socket.create_server(("127.0.0.1", 0)) as hung:
            address = Address(host="127.0.0.1", port=hung.getsockname()[1], tls=True)
            with pytest.raises(BrokerGone):
                async with connect(address, "a-client"):
                    pass
        gc.collect()

    play(story())
