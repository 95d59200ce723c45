"""A page's MQTT connection over WebSocket."""

import aiomqtt

from monitor.display.server import PageServer
from monitor.mqtt.contract.roles import Role

TOKENS = {Role.DISPLAY: "the-display-s-token", Role.COACH: "the-coach-s-token"}


def cookie_of(role: Role) -> str | None:
    return f"rep-monitor-token={TOKENS[role]}" if role in TOKENS else None


def page(server: PageServer, role: Role, name: str = "a-page") -> aiomqtt.Client:
    cookie = cookie_of(role)
    return aiomqtt.Client(
        "127.0.0.1",
        server.port,
        transport="websockets",
        websocket_path="/mqtt",
        websocket_headers={"Cookie": cookie} if cookie else None,
        identifier=name,
    )
