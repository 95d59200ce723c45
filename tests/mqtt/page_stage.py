"""A page server with the broker of its machine."""

from collections.abc import Awaitable, Callable
from typing import Any

from monitor.display.server import PageServer
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.contract.roles import Role
from tests.mqtt.page_requests import profile
from tests.mqtt.stage import play


def history() -> dict[str, Any]:
    return {"v": 1, "sets": []}


def with_server(story: Callable[[PageServer], Awaitable[None]], tokens: dict[Role, str] | None = None) -> None:
    async def whole() -> None:
        async with EmbeddedBroker() as broker, PageServer(profile(), broker, history, tokens=tokens) as server:
            await story(server)

    play(whole())
