"""The page's server: history from the store, and what visitors who break off leave in the log."""

import asyncio
import json
import logging
import socket
import struct
from functools import partial
from pathlib import Path

import pytest

from monitor.display.server import PageServer
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.store.history import last_sets
from monitor.store.store import Store
from tests.mqtt.page_requests import get, profile, upgrade
from tests.mqtt.stage import play, until
from tests.record.sessions import jerk, set_end


def test_history_comes_from_the_store_oldest_first(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        async with PageServer(profile(), None, partial(last_sets, store)) as server:
            assert json.loads((await get(server, "/history.json")).body) == {"v": 1, "sets": []}
            store.begin_session("s1", lifter="Ada")
            store.append([jerk(1), set_end(2)])
            store.append([set_end(3, set_number=2)])
            answer = await get(server, "/history.json")
            assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
            assert answer.headers["x-content-type-options"] == "nosniff"
            sets = json.loads(answer.body)["sets"]
            assert [(record["kind"], record["id"]) for record in sets] == [("set_end", 2), ("set_end", 3)]
            assert all(record["ended_utc"].endswith("+00:00") for record in sets)
            assert b"Ada" not in answer.body
            assert (await get(server, "/history.json", host="evil.example")).status == 421

    with Store(tmp_path / "events.db") as store:
        play(story(store))


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HT", b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n", b"x" * 20_000],
    ids=["nothing", "half a request", "tls", "no colon", "endless"],
)
@pytest.mark.parametrize("end", ["closed", "reset"])
def test_a_broken_handshake_is_counted_and_not_logged(
    sent: bytes, end: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story() -> None:
        async with PageServer(profile(), None) as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            if end == "reset":  # as a browser that is killed
                peer = writer.get_extra_info("socket")
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.write(sent)
            await asyncio.sleep(0)
            writer.close()
            await until(lambda: server.visitors.handshakes_failed == 1)
            assert (await get(server)).status == 200  # the next one is served

    play(story())
    assert caplog.records == []
    assert capsys.readouterr() == ("", "")


def test_a_lost_mqtt_connection_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with EmbeddedBroker() as broker, PageServer(profile(), broker) as server:
            for _ in range(3):
                assert await upgrade(server) == 101  # and gone

    play(story())
    ours = [record for record in caplog.records if not record.name.startswith("amqtt")]  # its complaints are counted
    assert ours == []


def test_our_own_errors_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> dict[str, object]:
        raise ValueError("a bug in the history")

    async def story() -> None:
        async with PageServer(profile(), None, broken) as server:
            assert (await get(server, "/history.json")).status == 500
            assert server.visitors.handshakes_failed == 0

    play(story())
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "a bug in the history" in caplog.text
