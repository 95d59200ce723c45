"""The client of aiomqtt, without its task and paho's system calls for each message: one read and one write a wake.

aiomqtt 2.5 makes a task for each message that arrives, paho 2 reads each in four calls of `recv`, and each
acknowledgement is a call of `send`. These were two thirds of what a collector of many machines did. A message of QoS 0
passes paho by, which makes an object for an acknowledgement that never comes.
"""

import asyncio
import contextlib
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

import aiomqtt

from monitor.mqtt.client.channel import Received

READ_BYTES = 65_536
MOST_HELD_BYTES = 65_536
DISCONNECT = 0xE0
WINDOW = 16  # messages with QoS 1 in one read: the broker, which sends 20 unacknowledged ones, waits for us
HURRY_S = 0.1


class LeanClient(aiomqtt.Client):
    """`arrived` are the messages; `news` is set when there are some, or the connection has ended.

    `gathered_s`: each read waits that long after the one before, unless the broker waits for acknowledgements.
    """

    def __init__(self, *args: Any, gathered_s: float = 0.0, **named: Any) -> None:
        super().__init__(*args, **named)
        self.arrived: deque[Received] = deque()
        self.news = asyncio.Event()
        self._gathered_s = gathered_s
        self._in_window = 0
        self._hurry_until_s = 0.0
        self._thread = threading.get_ident()

    def begin_messages(self) -> None:
        """To be called when the client is connected."""
        self._disconnected.add_done_callback(lambda _: self.news.set())

    @property
    def has_ended(self) -> bool:
        return self._disconnected.done() or self._client.socket() is None

    def _on_message(self, client: Any, userdata: Any, message: Any) -> None:
        self._in_window += message.qos > 0
        self.arrived.append(Received(message.topic, message.payload, message.retain))
        self.news.set()

    def _on_socket_open(self, client: Any, userdata: Any, sock: Any) -> None:
        buffered = client._sock = BufferedSocket(sock)
        super()._on_socket_open(client, userdata, buffered)
        self._loop.call_soon_threadsafe(self._begin_reading, buffered)  # instead of the reader that aiomqtt has set

    def _on_socket_close(self, client: Any, userdata: Any, sock: Any) -> None:
        if sock.fileno() >= 0 and threading.get_ident() == self._thread:
            self._loop.remove_writer(sock.fileno())
        super()._on_socket_close(client, userdata, sock)

    def _begin_reading(self, sock: "BufferedSocket") -> None:
        if sock.fileno() >= 0:
            self._loop.add_reader(sock.fileno(), self._read, sock)

    def _read(self, sock: "BufferedSocket") -> None:
        self._in_window = 0
        with self._ending_on_error():
            self._client.loop_read()
            while sock.pending() and sock.fileno() >= 0:
                self._client.loop_read()
        if self._gathered_s and sock.fileno() >= 0:
            self._gather(sock)

    def _gather(self, sock: "BufferedSocket") -> None:
        now_s = self._loop.time()
        if self._in_window >= WINDOW:
            self._hurry_until_s = now_s + HURRY_S
        if now_s > self._hurry_until_s:
            self._loop.remove_reader(sock.fileno())
            self._loop.call_later(self._gathered_s, self._begin_reading, sock)

    def _on_socket_register_write(self, client: Any, userdata: Any, sock: Any) -> None:
        """Writes in the next turn of the event loop; aiomqtt waits for the selector, which only a full socket needs."""
        if threading.get_ident() == self._thread:
            self._loop.call_soon(self._write, sock)
        else:  # connecting runs in a thread
            self._loop.call_soon_threadsafe(self._write, sock)

    def write_now(self, packet: bytes) -> bool:
        """Writes a whole packet behind those that wait. False if the connection has ended."""
        sock = self._client.socket()
        if self._disconnected.done() or not isinstance(sock, BufferedSocket):
            return False
        self._write(sock, packet)
        return True

    def _write(self, sock: "BufferedSocket", packet: bytes = b"") -> None:
        if sock.fileno() < 0:
            return
        with self._ending_on_error():
            sock.hold()
            if self._client.want_write():
                self._client.loop_write()
            if packet:
                sock.send(packet)
            sock.flush()
            if sock.fileno() >= 0:
                if sock.full or self._client.want_write():
                    self._loop.add_writer(sock.fileno(), self._write, sock)
                else:
                    self._loop.remove_writer(sock.fileno())

    @contextlib.contextmanager
    def _ending_on_error(self) -> Iterator[None]:
        """As in aiomqtt: the connection is broken and ends with this error."""
        try:
            yield
        except Exception as error:
            if not self._disconnected.done():
                self._disconnected.set_exception(error)


class BufferedSocket:
    """A non-blocking socket that reads ahead, and between `hold` and `flush` keeps what is to be sent."""

    def __init__(self, sock: Any) -> None:
        self._socket = sock
        self._ahead = b""
        self._at = 0
        self._held = bytearray()
        self._holding = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def recv(self, size: int) -> bytes:
        if self._at == len(self._ahead):
            self._ahead, self._at = self._socket.recv(READ_BYTES), 0
        begin, self._at = self._at, min(self._at + size, len(self._ahead))
        return bytes(self._ahead[begin : self._at])

    def pending(self) -> int:
        """Bytes that can be read although the selector does not know of them."""
        below = self._socket.pending() if hasattr(self._socket, "pending") else 0
        return len(self._ahead) - self._at + int(below)

    @property
    def full(self) -> bool:
        """True if the kernel has not taken everything."""
        return bool(self._held)

    def send(self, data: bytes) -> int:
        """Raises BlockingIOError if the kernel takes nothing more."""
        last = data[0] & 0xF0 == DISCONNECT  # after which the socket is closed at once
        if self._holding and not last and len(self._held) < MOST_HELD_BYTES:
            self._held += data
            return len(data)
        self._flush()
        if self._held:
            raise BlockingIOError
        return int(self._socket.send(data))

    def hold(self) -> None:
        self._holding = True

    def flush(self) -> None:
        """Raises OSError if the connection is broken."""
        self._holding = False
        self._flush()

    def _flush(self) -> None:
        while self._held:
            try:
                del self._held[: self._socket.send(self._held)]
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
