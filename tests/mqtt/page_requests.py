"""Requests to the page server over a plain socket, and a profile with a page."""

import asyncio
import contextlib
import socket
import struct

from monitor.display.server import PageServer
from monitor.profile.profile import DisplaySettings, MachineSettings, MqttSettings, Profile


def profile(port: int = 0, bind: str = "127.0.0.1", host: str | None = None, **more: str) -> Profile:
    machine, cues = MachineSettings(id=more.get("machine", "m"), kind="stack"), more.get("cues")
    mqtt = MqttSettings(host=host, websocket_url=more.get("websocket_url"))
    return Profile(machine=machine, display=DisplaySettings(bind=bind, port=port, tls_port=0, cues=cues), mqtt=mqtt)


class Answer:
    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.status = int(first.split()[1]) if first else 0
        self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


async def get(server: PageServer, path: str = "/", host: str = "localhost", method: str = "GET", **more: str) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {host}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in more.items()),
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    answer = Answer(await reader.read())
    writer.close()
    await writer.wait_closed()
    return answer


async def upgrade(server: PageServer, path: str = "/mqtt", **more: str) -> int:
    """The status of an attempt to open a WebSocket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    headers = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    headers |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "mqtt"} | more
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    status = int((await reader.readline()).split()[1])
    writer.transport.abort()
    return status


def half_open(port: int, first: bytes = b"GET / HT", source: str = "127.0.0.1") -> socket.socket:
    """A connection that sends the beginning of a request; its end is a reset."""
    peer = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        peer.sendall(first)
    return peer
