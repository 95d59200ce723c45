"""The page and MQTT-over-WebSocket on one port: what a tablet needs is one address.

    GET /                 the page's files (package data)
    GET /config.json      which machine, and where its broker takes WebSockets
    GET /history.json     the last sets from the store
    GET /mqtt, Upgrade    a connection into the embedded broker

Nothing changes by GET, and there is no other method. Who comes under a foreign name (DNS rebinding) is turned away: the
Host
must be an address, `localhost`, `*.local` or this machine's own name. The page loads from here only (CSP).
"""

import asyncio
import contextlib
import ipaddress
import mimetypes
import socket
from collections.abc import Callable
from http import HTTPStatus
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from monitor.feedback.embedded_broker import PAGE, EmbeddedBroker
from monitor.profile import Profile
from monitor.store.database import StoreError

PORTS_TRIED = 20
OUTSIDE_WEBSOCKET_PORT = 9001  # where mosquitto commonly takes WebSockets
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
    "Connection": "close",
}
POLICY = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; style-src 'self' 'unsafe-inline'"
mimetypes.add_type("text/javascript", ".js")
History = Callable[[], dict[str, Any]]  # waits for the disk


class PageServerError(Exception):
    """The page cannot be served; the sentence says why."""


class PageServer:
    """Up between `async with` and its end; without a broker of ours the page is sent to the profile's."""

    def __init__(self, profile: Profile, broker: EmbeddedBroker | None, history: History | None = None) -> None:
        self.url = ""
        self.turned_away = 0  # for their Host or their path
        self._bind, self._port = profile.display.bind, profile.display.port
        self._broker = broker
        self._history = history
        self._root = Path(str(resources.files("monitor.display") / "page"))
        ws_url = None if broker else f"ws://{profile.mqtt.host}:{OUTSIDE_WEBSOCKET_PORT}/mqtt"
        machine = profile.machine
        self._config = msgspec.json.encode(
            {"machine": machine.id, "ws_url": ws_url, "machines": [machine.id], "kind": machine.kind}
        )
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        for port in range(self._port, self._port + PORTS_TRIED):
            try:
                self._server = await serve(
                    self._connected,
                    self._bind,
                    port,
                    subprotocols=[Subprotocol("mqtt")],
                    process_request=self._answer,
                    compression=None,
                    max_size=64 << 10,
                )
                break
            except OSError as error:
                trouble = error
        if self._server is None:
            last = self._port + PORTS_TRIED - 1
            raise PageServerError(
                f"no port from {self._port} to {last} can be opened on {self._bind} ({trouble.strerror}):"
                " set [display] bind and port"
            )
        host = self._bind if ":" not in self._bind else f"[{self._bind}]"
        self.url = f"http://{host}:{port}/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _connected(self, socket: ServerConnection) -> None:
        if self._broker is None:
            await socket.close(1011, "the broker is another one: see /config.json")
        else:
            await self._broker.serve(_SocketLine(socket))

    async def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        if not _is_ours(request.headers.get("Host", "")):
            self.turned_away += 1
            return _response(HTTPStatus.MISDIRECTED_REQUEST, b"this machine goes by another name\n", "text/plain")
        path = request.path.partition("?")[0]
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return None if path == "/mqtt" else self._absent()
        if path == "/config.json":
            return _response(HTTPStatus.OK, self._config, "application/json")
        if path == "/history.json" and self._history is not None:
            try:
                history = await asyncio.to_thread(self._history)
            except StoreError as error:
                return _response(HTTPStatus.SERVICE_UNAVAILABLE, f"{error}\n".encode(), "text/plain")
            return _response(HTTPStatus.OK, msgspec.json.encode(history), "application/json")
        file = (self._root / (path.lstrip("/") or "index.html")).resolve()
        if self._root.resolve() not in file.parents or not file.is_file():
            return self._absent()
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return _response(HTTPStatus.OK, file.read_bytes(), kind)

    def _absent(self) -> Response:
        self.turned_away += 1
        return _response(HTTPStatus.NOT_FOUND, b"absent\n", "text/plain")


def _response(status: HTTPStatus, data: bytes, kind: str) -> Response:
    text = "; charset=utf-8" if kind.startswith("text/") or kind == "application/json" else ""
    headers = {"Content-Type": kind + text, "Content-Length": str(len(data)), "Content-Security-Policy": POLICY}
    return Response(status, status.phrase, Headers({**headers, **HEADERS}), data)


def _is_ours(host: str) -> bool:
    """A name that only this machine's neighbours use."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    name = name.strip("[]").lower()
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(name))
    return name == "localhost" or name.endswith(".local") or name == socket.gethostname().lower()


class _SocketLine:
    """A WebSocket as the broker wants its connections."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket
        self.peer = (PAGE, 0)

    async def pull(self) -> bytes:
        try:
            return await self._socket.recv(decode=False)
        except ConnectionClosed:
            return b""

    async def push(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(data)

    def unsent_bytes(self) -> int:
        return self._socket.transport.get_write_buffer_size()

    def abort(self) -> None:
        self._socket.transport.abort()

    async def close(self) -> None:
        await self._socket.close()
