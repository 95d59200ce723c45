"""Makes a page's WebSocket a connection to the embedded broker."""

import socket
from functools import lru_cache

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import OP_BINARY, Frame
from websockets.protocol import State

from monitor.mqtt.broker.guard import SEND_BUFFER_BYTES


@lru_cache(maxsize=4)  # a message goes to all pages before the next
def _frame(packet: bytes) -> bytes:
    return Frame(OP_BINARY, packet).serialize(mask=False)


class WebSocketLine:
    """Carries MQTT packets in binary messages, split in any way."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self.peer: tuple[str, int] = ("a page", int(connection.remote_address[1]))
        peer: socket.socket = connection.transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    async def pull(self) -> bytes:
        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed:
            return b""

    async def push(self, data: bytes) -> None:
        try:
            await self._connection.send(data)
        except ConnectionClosed as error:
            raise ConnectionResetError("the page has closed its connection") from error

    def push_now(self, data: bytes) -> None:
        if self._connection.state is State.OPEN:
            self._connection.transport.write(_frame(data))

    def unsent_bytes(self) -> int:
        return self._connection.transport.get_write_buffer_size()

    def abort(self) -> None:
        self._connection.transport.abort()

    async def close(self) -> None:
        if self.unsent_bytes():
            self.abort()
        else:
            await self._connection.close()
