"""The rights of pages by role, judged by what arrives, at the embedded broker and through the relay."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiomqtt
import pytest

from monitor.display.server import PageServer
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.broker.relay import Relay
from monitor.mqtt.client.address import Address
from monitor.mqtt.contract.commands import COMMANDS
from monitor.mqtt.contract.roles import Role, may_send
from tests.mqtt.page_client import TOKENS, cookie_of, page
from tests.mqtt.page_requests import get, profile, upgrade
from tests.mqtt.stage import a_broker, both, play

TOPICS = [
    *(f"cmd/{name}" for name in (*COMMANDS, "tare", "", "STOP", "stop/now")),
    "status", "info", "live/feedback", "state", "event/rep", "set", "session/s", "ack/a", "resume/c", "sets/c", "",
]  # fmt: skip


def daemon_at(broker: Address) -> aiomqtt.Client:
    return aiomqtt.Client(broker.host, broker.port, username=broker.username, password=broker.password)


Story = Callable[[Address, PageServer], Awaitable[None]]
PAGES = [role for role in Role if role is not Role.COLLECTOR]


def with_page(kind: str, role: Role, folder: Path, story: Story) -> None:
    """mosquitto allows everything here, so that a refusal comes from the relay."""

    async def whole() -> None:
        tokens = None if role is Role.LOCAL else TOKENS
        if kind == "embedded":
            async with (
                EmbeddedBroker(passwords={"daemon": "pw"}) as broker,
                PageServer(profile(), broker, tokens=tokens) as server,
            ):
                await story(Address(host="127.0.0.1", port=broker.port, username="daemon", password="pw"), server)
            return
        async with (
            a_broker(kind, folder) as address,
            PageServer(profile(host="127.0.0.1"), Relay(address), tokens=tokens) as server,
        ):
            await story(address, server)

    play(whole())


@both
@pytest.mark.parametrize("role", PAGES)
def test_a_page_can_publish_only_the_commands_of_its_role(kind: str, role: Role, tmp_path: Path) -> None:
    async def story(broker: Address, server: PageServer) -> None:
        async with page(server, role) as tablet, daemon_at(broker) as daemon:
            await daemon.subscribe("#", 1)
            for topic in TOPICS:
                await tablet.publish(f"rep/m/{topic}", b"{}", 1)
            await tablet.publish("elsewhere", b"{}", 1)
            await tablet.publish("rep/another/cmd/resume", b"{}", 1)
            await tablet.publish("rep/m/cmd/resume", b"the last", 1)
            arrived = []
            async for message in daemon.messages:
                if message.payload == b"the last":
                    break
                arrived.append(str(message.topic))
        assert arrived == [f"rep/m/cmd/{name}" for name in COMMANDS if name in may_send(role)]
        assert set(arrived) == {"rep/m/cmd/resume"} or role is not Role.DISPLAY

    with_page(kind, role, tmp_path, story)


@both
@pytest.mark.parametrize("role", PAGES)
def test_a_page_reads_everything_except_commands(kind: str, role: Role, tmp_path: Path) -> None:
    async def story(broker: Address, server: PageServer) -> None:
        async with page(server, role) as tablet, daemon_at(broker) as local:
            await tablet.subscribe("rep/#", 1)
            await tablet.subscribe("rep/m/cmd/+", 1)
            for topic in (*TOPICS, "last"):
                await local.publish(f"rep/m/{topic}", b"{}", 1)
            arrived = []
            async for message in tablet.messages:
                arrived.append(str(message.topic).removeprefix("rep/m/"))
                if arrived[-1] == "last":
                    break
        assert arrived == [topic for topic in (*TOPICS, "last") if not topic.startswith(("cmd/", "sets/"))]

    with_page(kind, role, tmp_path, story)


@both
@pytest.mark.parametrize("role", PAGES)
def test_the_page_gets_its_role_and_rights(kind: str, role: Role, tmp_path: Path) -> None:
    async def story(_: Address, server: PageServer) -> None:
        cookie = cookie_of(role)
        answer = await get(server, "/may.json", **({"Cookie": cookie} if cookie else {}))
        assert answer.headers["cache-control"] == "no-store"
        rights = {"role": role, "may": list(may_send(role)), "invite": role is Role.COACH}
        assert json.loads(answer.body) == {"v": 1, **rights}

    with_page(kind, role, tmp_path, story)


def test_the_commands_of_each_role() -> None:
    assert may_send(Role.DISPLAY) == ("resume",)
    assert may_send(Role.LOCAL) == may_send(Role.COACH) == ("resume", "lifter", "protocol", "load", "stop")
    assert may_send(Role.COLLECTOR) == tuple(COMMANDS)
    assert set(COMMANDS) - set(may_send(Role.COACH)) == {"sets", "forget"}


def test_each_token_opens_its_role_and_replaces_the_one_before(tmp_path: Path) -> None:
    async def story(_: Address, server: PageServer) -> None:
        for role, token in TOKENS.items():
            let_in = await get(server, f"/trainer.html?token={token}", Cookie=cookie_of(Role.DISPLAY) or "")
            assert (let_in.status, let_in.headers["location"]) == (303, "/trainer.html")
            assert let_in.headers["cache-control"] == "no-store"
            cookie = let_in.headers["set-cookie"].split(";")[0]
            assert json.loads((await get(server, "/may.json", Cookie=cookie)).body)["role"] == role
        for cookie in ("", "rep-monitor-token=", "rep-monitor-token=the-display-s-toke", "=;=;"):
            assert (await get(server, "/may.json", Cookie=cookie)).status == 403
            assert await upgrade(server, Cookie=cookie) == 403

    with_page("embedded", Role.COACH, tmp_path, story)


def test_a_page_that_connects_to_the_broker_directly_may_only_resume() -> None:
    async def story() -> None:
        async with PageServer(profile(host="broker.lan", websocket_url="ws://broker.lan:9001"), None) as server:
            assert json.loads((await get(server, "/may.json")).body)["may"] == ["resume"]

    play(story())


@both
def test_no_http_get_sends_a_command(kind: str, tmp_path: Path) -> None:
    async def story(broker: Address, server: PageServer) -> None:
        async with aiomqtt.Client("127.0.0.1", broker.port) as daemon:
            await daemon.subscribe("#", 1)
            for path in ("/cmd/stop", "/rep/m/cmd/stop", "/?cmd=stop", "/may.json?stop", "/mqtt?stop", "/stop"):
                await get(server, path)
            await daemon.publish("nothing/before", b"", 1)
            assert str((await anext(daemon.messages)).topic) == "nothing/before"

    with_page(kind, Role.LOCAL, tmp_path, story)
