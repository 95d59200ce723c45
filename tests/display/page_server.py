"""The page and MQTT-over-WebSocket on one port of loopback, for the tests of the page."""

import contextlib
import mimetypes
from pathlib import Path

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from monitor import display
from monitor.feedback.embedded_broker import PAGE, EmbeddedBroker

PAGE_FOLDER = Path(str(display.__file__)).parent / "page"


class PageServer:
    """Keeps its port over `close` and `open`."""

    def __init__(self, machine: str) -> None:
        self.port = 0
        config = {"machine": machine, "ws_url": None, "machines": [machine], "kind": "stack"}
        self.more = {"/config.json": msgspec.json.encode(config)}
        self._server: Server | None = None

    async def open(self, broker: EmbeddedBroker) -> None:
        async def connected(socket: ServerConnection) -> None:
            await broker.serve(_SocketLine(socket))

        self._server = await serve(
            connected,
            "127.0.0.1",
            self.port,
            subprotocols=[Subprotocol("mqtt")],
            process_request=self._answer,
            compression=None,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return None
        path = request.path.split("?")[0]
        file = PAGE_FOLDER / (path.lstrip("/") or "index.html")
        data = self.more.get(path) or (file.read_bytes() if file.is_file() else None)
        if data is None:
            return connection.respond(404, "absent\n")
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        headers = {"Content-Type": kind, "Content-Length": str(len(data)), "Connection": "close"}
        return Response(200, "OK", Headers(headers), data)


class _SocketLine:
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
