"""Serves the gym's page with uvicorn, inside the gym's own event loop.

    with open_port(display) as port:     raises StateError where it is taken
        await serve_page(app, port)      until it is cancelled

The limits are like those of a machine's page: connections are counted before they can send anything, and a request must
be complete soon. Signals belong to the command, not to uvicorn.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from monitor.display.answers import ON_EVERY_ANSWER
from monitor.display.door import Door
from monitor.display.tls import PageTls, TlsFront, page_tls
from monitor.gym.configuration import GymPageSettings
from monitor.state.folders import StateError

BACKLOG = 16  # connections that the system may accept before the first is checked
MOST_CONNECTIONS = 256
MOST_CONNECTIONS_OF_A_PEER = 64
WHOLE_REQUEST_S = 15  # from the first moment on, or from the last answer, until a request must be complete
HEAD_BYTES = 16 * 1024  # of a request
ENDED_WITHIN_S = 2  # for answers that are on their way when the gym is stopped
BAD_REQUEST = "\r\n".join(
    ["HTTP/1.1 400 Bad Request", "Connection: close", "Content-Length: 0"]
    + [f"{name}: {value}" for name, value in ON_EVERY_ANSWER.items()]
    + ["", ""]
).encode()


class PagePort(NamedTuple):
    """A port that is open, but not served yet."""

    place: socket.socket
    tls: PageTls | None


@contextlib.contextmanager
def open_port(display: GymPageSettings) -> Iterator[PagePort]:
    """Raises StateError; ConfigError without a usable certificate."""
    tls = None if display.tls is None else page_tls(Path(display.tls))
    try:
        ways = socket.getaddrinfo(display.bind or None, display.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = ways[0]
        both = family == socket.AF_INET6 and display.bind in ("", "::")
        place = socket.create_server(address[:2], family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        trouble = str(error.strerror).partition(" (")[0]  # Python repeats the address there
        raise StateError(
            f"the gym's page cannot be opened at {display.bind}, port {display.port} ({trouble}):"
            " stop the program that has it, such as another gym, or give another [display] bind or port"
        ) from error
    with place:
        yield PagePort(place, tls)


async def serve_page(app: FastAPI, port: PagePort) -> None:
    """Serves until it is cancelled; then open connections end within two seconds."""
    door = Door()

    def connection(**options: Any) -> asyncio.Protocol:
        inner = LimitedRequests(door, **options)
        return inner if port.tls is None else TlsFront(port.tls.context, door, inner)

    server = PageUvicorn(
        uvicorn.Config(
            app,
            http=cast(type[asyncio.Protocol], connection),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",  # strangers who send nonsense do not fill the log; the gate logs our own errors
            access_log=False,  # addresses name clients
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=WHOLE_REQUEST_S,
            timeout_graceful_shutdown=ENDED_WITHIN_S,
            h11_max_incomplete_event_size=HEAD_BYTES,
        )
    )
    serving = asyncio.create_task(server.serve([port.place]), name="gym: uvicorn")
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        door.end_handshakes()
        await serving


class PageUvicorn(uvicorn.Server):
    """Leaves the signals to the command."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class LimitedRequests(H11Protocol):
    """A connection that is closed when it exceeds a limit."""

    def __init__(self, door: Door, **options: Any) -> None:
        super().__init__(**options)
        self._door = door
        self._ungreeted_as: str | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        peer = (transport.get_extra_info("peername") or ("gone",))[0]
        clients = [each.client for each in self.connections if isinstance(each, LimitedRequests)]
        of_the_peer = [None if client is None else client[0] for client in clients].count(peer)
        too_many = len(self.connections) > MOST_CONNECTIONS or of_the_peer > MOST_CONNECTIONS_OF_A_PEER
        if too_many or not self._door.enter(transport.get_extra_info("socket"), peer):
            self.transport.abort()
            return
        self._ungreeted_as = peer
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._greet()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._has_request:
            self._greet()

    def on_response_complete(self) -> None:
        super().on_response_complete()  # which may begin with the next request
        if not self._has_request and not self.transport.is_closing():
            self._expect_request()

    def send_400_response(self, msg: str) -> None:
        if not self._has_request:
            self.transport.write(BAD_REQUEST)
        self.transport.close()

    def shutdown(self) -> None:
        if self._has_request:
            super().shutdown()
        else:
            self.transport.abort()

    @property
    def _has_request(self) -> bool:
        """Whether a request has come completely, and is not answered yet."""
        return self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete

    def _expect_request(self) -> None:
        self._forget_deadline()
        self._deadline = self.loop.call_later(WHOLE_REQUEST_S, self.transport.abort)

    def _greet(self) -> None:
        self._forget_deadline()
        peer, self._ungreeted_as = self._ungreeted_as, None
        if peer is not None:
            self._door.greeted(peer)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
