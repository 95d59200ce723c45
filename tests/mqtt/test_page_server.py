"""What the page server needs from its computer: a broker, the store, a free port."""

import asyncio
import json
import threading
from typing import Any

import aiomqtt
import pytest

from monitor.display.server import PageServer, PageServerError
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.store.database import StoreError
from tests.mqtt.page_requests import get, profile, upgrade
from tests.mqtt.stage import play, until


def test_mqtt_over_the_web_socket_reads_everything_and_sends_commands() -> None:
    async def whole() -> None:
        async with EmbeddedBroker() as broker, PageServer(profile(), broker) as server:
            page = aiomqtt.Client(
                "127.0.0.1",
                server.port,
                transport="websockets",
                websocket_path="/mqtt",
                identifier="page-1",
            )
            async with page, aiomqtt.Client("127.0.0.1", broker.port) as local:
                await page.subscribe("rep/m/#", 1)
                await local.subscribe("rep/m/cmd/#", 1)
                for number in range(50):
                    await local.publish("rep/m/live/feedback", json.dumps({"n": number}), 0)
                    message = await anext(page.messages)
                    assert json.loads(bytes(message.payload)) == {"n": number}
                big = bytes(100_000)
                await local.publish("rep/m/event/rep", big, 1)
                assert (await anext(page.messages)).payload == big
                await page.publish("rep/m/event/rep", b"{}", 1)
                await page.publish("rep/m/cmd/resume", b"{}", 1)
                assert str((await anext(local.messages)).topic) == "rep/m/cmd/resume"
            assert broker.counts.connections == 2

    play(whole())


def test_a_broker_may_accept_web_sockets_at_another_address() -> None:
    url = "wss://gym.example:443/mqtt/ws"

    async def story() -> None:
        async with PageServer(profile(host="broker.lan", websocket_url=url), None) as server:
            assert json.loads((await get(server, "/config.json")).body)["ws_url"] == url
            policy = (await get(server)).headers["content-security-policy"]
            assert " wss://gym.example:443;" in policy
            assert "broker.lan" not in policy
            assert (await get(server, "/history.json")).status == 404
            assert await upgrade(server) == 404

    play(story())


def test_a_store_that_cannot_be_read_is_reported() -> None:
    def refuse() -> dict[str, Any]:
        raise StoreError("input/output error")

    async def story() -> None:
        async with PageServer(profile(), None, refuse) as server:
            answer = await get(server, "/history.json")
            assert (answer.status, answer.body) == (503, b"The store cannot be read at the moment.\n")
            assert (await get(server)).status == 200

    play(story())


def test_nonsense_behind_a_request_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """`websockets` fails an assertion when the answer is ready, and logs it with a traceback."""
    asked, ready = threading.Event(), threading.Event()

    def slow_history() -> dict[str, Any]:
        asked.set()
        ready.wait()
        return {}

    async def story() -> None:
        async with PageServer(profile(), None, slow_history) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET /history.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await until(asked.is_set)
            writer.write(b"\xff\xff")
            try:
                assert await reader.read() == b"", "the connection is ended at once"
            finally:
                ready.set()
                writer.close()
            await until(lambda: server.visitors.handshakes_failed == 1)
        assert not caplog.records

    play(story())


def test_if_the_port_is_taken_the_next_free_one_is_used() -> None:
    async def story() -> None:
        async with PageServer(profile(), None) as first, PageServer(profile(first.port), None) as second:
            assert first.port < second.port < first.port + 20
            assert str(second.port) in second.url
        with pytest.raises(PageServerError, match=r"192\.0\.2\.1"):
            async with PageServer(profile(8080, "192.0.2.1"), None):
                pass

    play(story())
