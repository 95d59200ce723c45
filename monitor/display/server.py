"""Serves the page, and MQTT over WebSocket beside it, on one port.

    GET /                 the page's files (package data)
    GET /config.json      which machine, and where its broker takes WebSockets
    GET /history.json     the last sets from the store
    GET /recent.json      the feedback of the last minute
    GET /may.json         the page's role, and which commands it may send: {"v", "role", "may": ["resume", ...]}
    GET /mqtt, upgrade    a page's connection to the broker

Only GET is served, and HEAD as GET without the body. Neither changes anything: commands are MQTT messages, and the
broker checks each by the role of its connection. The server answers only to its own names (an address, localhost, this
computer's name), so that a foreign page cannot reach it under a foreign name, and never to a page of another server.
Where the page is open to a network, a token tells displays and coaches apart: the first time in the address, then in a
cookie.
"""

import asyncio
import hmac
import ipaddress
import logging
import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from types import TracebackType
from typing import Any, Protocol, Self, cast
from urllib.parse import parse_qs, urlsplit

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from monitor.display.address import page_url
from monitor.display.door import Door, LimitedConnection
from monitor.display.site import page_files
from monitor.display.visitors_log import VisitorsLog
from monitor.display.web_socket_line import WebSocketLine
from monitor.mqtt.broker.guard import MAX_PACKET_BYTES, Line
from monitor.mqtt.contract.roles import ANYBODY, Page, Role, may_send
from monitor.profile.profile import Profile
from monitor.store.database import StoreError

PORTS_TRIED = 20
READING = ("GET", "HEAD")
COOKIE = "rep-monitor-token"  # of programs; a browser's has the machine in its name, as machines may share a computer
HOST = re.compile(r"((?P<name>[A-Za-z0-9._-]{1,253})|\[(?P<ipv6>[0-9A-Fa-f:.]{2,45})\])(:\d{1,5})?")
BACKLOG = 16  # connections that the system may accept before the first is checked
ON_EVERY_ANSWER = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), serial=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
WRITE_LIMIT_BYTES = 1 << 20  # never reached: the guard drops a slow reader earlier
_log = logging.getLogger(__name__)

Document = Callable[[Role], Awaitable[bytes]]
History = Callable[[], dict[str, Any]]  # blocks on the disk; may raise StoreError
Recent = Callable[[], dict[str, Any]]


class PageServerError(Exception):
    """The page cannot be served; the message says why."""


class PageBroker(Protocol):
    """Takes a page's connection: the embedded broker, or a relay to the profile's."""

    async def serve(self, line: Line, page: Page) -> None: ...


class PageServer:
    """Serves between `async with` and its end. Without a broker, pages connect to the profile's `websocket_url`.

    Without tokens every visitor counts as local, so use that on loopback only.
    """

    def __init__(
        self,
        profile: Profile,
        broker: PageBroker | None,
        history: History | None = None,
        *,
        tokens: Mapping[Role, str] | None = None,
        recent: Recent | None = None,
    ) -> None:
        self.port = profile.display.port
        self.turned_away = 0  # because of their Host, Origin, token or path
        self.visitors = VisitorsLog()
        self.door = Door()
        self._bind = profile.display.bind
        self._broker = broker
        self._tokens = tokens
        self._files = page_files(profile.display.cues)
        self._documents: dict[str, Document] = {"/config.json": self._config, "/may.json": self._may}
        self._history = history
        self._recent = recent
        self._names = own_names()
        self._machine = profile.machine
        self._cookie = f"{COOKIE}-{profile.machine.id}"
        self._outside = profile.mqtt.websocket_url
        self._mode = "embedded" if profile.mqtt.host is None else "broker"

    async def __aenter__(self) -> Self:
        self._server = await self._listen()
        wanted, self.port = self.port, next(iter(self._server.sockets)).getsockname()[1]
        if wanted not in (0, self.port):
            _log.warning("port %d is taken: the page is on %d", wanted, self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """The page's address for a person, without a token."""
        return page_url(self._bind, self.port)

    async def _listen(self) -> Server:
        last = self.port + PORTS_TRIED - 1 if self.port else 0
        for port in range(self.port, last + 1):
            try:
                return await serve(
                    self._connected,
                    self._bind,
                    port,
                    subprotocols=[Subprotocol("mqtt")],
                    process_request=self._answer,
                    process_response=_complete,
                    compression=None,  # messages are small and frequent
                    max_size=MAX_PACKET_BYTES,
                    write_limit=WRITE_LIMIT_BYTES,
                    backlog=BACKLOG,
                    close_timeout=1,
                    server_header=None,
                    logger=self.visitors,
                    create_connection=cast(type[ServerConnection], self.door.connection),
                )
            except OSError as error:
                trouble = error.strerror or str(error)
        raise PageServerError(
            f"no port from {self.port} to {last} can be opened on {self._bind} ({trouble}): set [display] bind and port"
        )

    async def _connected(self, connection: ServerConnection) -> None:
        assert self._broker is not None  # else _answer has refused it
        assert connection.request is not None
        role = self._role(connection.request.headers)
        assert role is not None
        await self._broker.serve(WebSocketLine(connection), Page(role, self._machine.id))

    async def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """None accepts a WebSocket."""
        method = cast(LimitedConnection, connection).method
        if method not in READING:
            return _text(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are answered.", {"Allow": "GET, HEAD"})
        host = _one(request.headers, "Host")
        try:
            url = urlsplit(request.path)
        except ValueError:
            return self._turn_away(HTTPStatus.NOT_FOUND, "No such page.")
        if not self._is_ours(host):
            return self._turn_away(
                HTTPStatus.MISDIRECTED_REQUEST,
                "This server has another name. Use the address that `rep-monitor access page` prints.",
            )
        if not _is_from(host, request.headers):
            return self._turn_away(HTTPStatus.FORBIDDEN, "Requests from pages of other servers are refused.")
        if self._tokens is not None and (given := parse_qs(url.query).get("token")) is not None:
            return self._let_in(given[0], url.path)
        if (role := self._role(request.headers)) is None:
            return self._turn_away(HTTPStatus.FORBIDDEN, "This screen has no access. Ask staff for its link.")
        if url.path == "/mqtt" and self._broker is not None:
            if method != "GET" or _one(request.headers, "Upgrade").lower() != "websocket":
                return _text(HTTPStatus.UPGRADE_REQUIRED, "This address accepts only MQTT over WebSocket.")
            return None
        if url.path == "/history.json" and self._history is not None:
            return await self._past(host, self._history)
        if url.path == "/recent.json" and self._recent is not None:
            return self._give(host, msgspec.json.encode(self._recent()), "application/json")
        if (document := self._documents.get(url.path)) is not None:
            return self._give(host, await document(role), "application/json")
        if (file := self._files.get(url.path)) is None:
            return self._turn_away(HTTPStatus.NOT_FOUND, "No such page.")
        headers = {"Cache-Control": "no-cache", "ETag": file.tag, "Vary": "Accept-Encoding"}
        if _one(request.headers, "If-None-Match") == file.tag:
            return self._give(host, b"", file.type, headers, HTTPStatus.NOT_MODIFIED)  # replaces the cached headers
        if file.packed is not None and _takes_gzip(request.headers):
            return self._give(host, file.packed, file.type, headers | {"Content-Encoding": "gzip"})
        return self._give(host, file.data, file.type, headers)

    async def _past(self, host: str, history: History) -> Response:
        """If the disk fails the page gets an error and asks again."""
        try:
            sets = await asyncio.to_thread(history)
        except StoreError as error:
            _log.warning("no history for a page: %s", error)
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, "The store cannot be read at the moment.")
        return self._give(host, msgspec.json.encode(sets), "application/json")

    async def _may(self, role: Role) -> bytes:
        """With an own broker its access list decides, and this page has no account that may send commands."""
        may = ANYBODY if self._broker is None else may_send(role)
        return msgspec.json.encode({"v": 1, "role": role, "may": may})

    async def _config(self, role: Role) -> bytes:
        machine = {"machine": self._machine.id, "machines": [self._machine.id], "kind": self._machine.kind}
        return msgspec.json.encode(machine | {"ws_url": self._outside, "mode": self._mode})

    def _give(
        self,
        host: str,
        data: bytes,
        kind: str,
        headers: dict[str, str] | None = None,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        outside = "" if self._outside is None else "{0.scheme}://{0.netloc}".format(urlsplit(self._outside))
        sockets = f"ws://{host} wss://{host} {outside}".strip()
        policy = f"default-src 'self'; img-src 'self' data:; connect-src 'self' {sockets}; object-src 'none'; "
        policy += "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        return _response(status, data, (headers or {}) | {"Content-Type": kind, "Content-Security-Policy": policy})

    def _is_ours(self, host: str) -> bool:
        """Whether the Host is one of ours. A foreign name server can point a name at us, but not an address.

        In a local network, anybody can announce a name that ends in .local. Where a token is needed, it may be one
        that this computer does not know of; without a token, only its own is accepted.
        """
        if (match := HOST.fullmatch(host)) is None:
            return False
        name = (match["name"] or match["ipv6"]).lower()
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names or (self._tokens is not None and name.endswith(".local"))
        return True

    def _let_in(self, given: str, path: str) -> Response:
        if self._role_of(given) is None:
            return self._turn_away(
                HTTPStatus.FORBIDDEN, "Wrong token. Use the address that `rep-monitor access page` prints."
            )
        cookie = f"{self._cookie}={given}; Path=/; HttpOnly; SameSite=Strict"
        where = path if path in self._files else "/"
        return _response(HTTPStatus.SEE_OTHER, b"", {"Set-Cookie": cookie, "Location": where})

    def _role(self, headers: Headers) -> Role | None:
        """The visitor's role; None if unknown."""
        if self._tokens is None:
            return Role.LOCAL
        try:
            cookies = SimpleCookie(_one(headers, "Cookie"))
        except CookieError:
            return None
        cookie = cookies.get(self._cookie) or cookies.get(COOKIE)
        return None if cookie is None else self._role_of(cookie.value)

    def _role_of(self, given: str) -> Role | None:
        for role, token in (self._tokens or {}).items():
            if hmac.compare_digest(given.encode(), token.encode()):
                return role
        return None

    def _turn_away(self, status: HTTPStatus, sentence: str) -> Response:
        self.turned_away += 1
        return _text(status, sentence)


def _is_from(host: str, headers: Headers) -> bool:
    """Whether the request comes from a page of this server; browsers name the page in the Origin header."""
    origin = _one(headers, "Origin")
    given = len(headers.get_all("Origin"))
    return not given or (given == 1 and urlsplit(origin).netloc.lower() == host.lower())


def _takes_gzip(headers: Headers) -> bool:
    """Whether the visitor understands gzip; `gzip;q=0` says no."""
    words = [word.strip().lower() for value in headers.get_all("Accept-Encoding") for word in value.split(",")]
    return any(re.fullmatch(r"gzip(\s*;\s*q=(1(\.0*)?|0\.\d*[1-9]\d*))?", word) for word in words)


def _one(headers: Headers, name: str) -> str:
    """The header's value; empty if it is missing or given more than once."""
    values = headers.get_all(name)
    return values[0] if len(values) == 1 else ""


def _text(status: HTTPStatus, sentence: str, headers: dict[str, str] | None = None) -> Response:
    kind = {"Content-Type": "text/plain; charset=utf-8"}
    return _response(status, f"{sentence}\n".encode(), kind | (headers or {}))


def _response(status: HTTPStatus, data: bytes, headers: dict[str, str]) -> Response:
    framing = {"Content-Length": str(len(data)), "Connection": "close"}
    return Response(status.value, status.phrase, Headers(headers | framing), data)


def _complete(connection: ServerConnection, _: Request, response: Response) -> None:
    """Adds the missing headers to every answer, including those that `websockets` makes; HEAD gets no body."""
    for name, value in ON_EVERY_ANSWER.items():
        response.headers.setdefault(name, value)
    if cast(LimitedConnection, connection).method == "HEAD":
        response.body = b""


def own_names() -> set[str]:
    """The names of this computer, including its name in the local network."""
    name = socket.gethostname().lower()
    return {"localhost", name, f"{name.partition('.')[0]}.local"}
