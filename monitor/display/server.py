"""Serves the page, and MQTT over WebSocket beside it, on one port.

    GET /                 the page's files (package data)
    GET /config.json      which machine, and where its broker takes WebSockets
    GET /history.json     the last sets from the store
    GET /recent.json      the feedback of the last minute
    GET /may.json         the page's role, and what it may: {"v", "role", "may": ["resume", ...], "invite": true}
    GET /mqtt, upgrade    a page's connection to the broker
    POST /code, /pair     let a new screen in (desk.py)
    GET /playback.json    where a recording is played: its place, see playback_desk.py
    POST /playback        pauses it, plays it on, goes elsewhere in it

HEAD is answered like GET without the body. Neither changes anything: commands are MQTT messages, and the broker checks
each by the role of its connection. The server answers only to its own names (an address, localhost, this computer's
name), so that a foreign page cannot reach it under a foreign name, and never to a page of another server.

Where the page is open to a network, a token tells displays and coaches apart: the first time in the address, or given
for a code, then in a cookie. Who has none gets the page that asks for a code, and the scripts and styles, which are no
secret. With a certificate the same is served over TLS on a second port; then whoever comes from the network without TLS
counts as one who has no token, and never sends one.

    GET /pairing.json     the port with TLS that this visitor should use: {"v", "secure_port", "language"}
    GET /rep-monitor.crt  the certificate of the authority, for new screens
"""

import asyncio
import logging
import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Protocol, Self, cast
from urllib.parse import parse_qs, urlsplit

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from monitor.display import answers
from monitor.display.address import is_open, page_url
from monitor.display.admission import Admission, PageRequest, is_from, name_in
from monitor.display.cue_packs import check_language
from monitor.display.desk import Desk
from monitor.display.door import Door, LimitedConnection
from monitor.display.playback_desk import PlaybackDesk, Player
from monitor.display.site import OF_EVERYBODY, WAITING_PAGE, File, page_files
from monitor.display.tls import PageTls, TlsFront
from monitor.display.visitors_log import VisitorsLog
from monitor.display.web_socket_line import WebSocketLine
from monitor.mqtt.broker.guard import MAX_PACKET_BYTES, Line
from monitor.mqtt.contract.roles import ANYBODY, Page, Role, may_send
from monitor.profile.profile import Profile
from monitor.store.database import StoreError
from monitor.worker_thread import finished

PORTS_TRIED = 20
BACKLOG = 16  # connections that the system may accept before the first is checked
PAIRING_PAGE = "/pair.html"
OPEN_PAGES = (PAIRING_PAGE, WAITING_PAGE)
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
        tls: PageTls | None = None,
        player: Player | None = None,
    ) -> None:
        self.port = profile.display.port
        self.secure_port: int | None = None
        self.turned_away = 0  # because of their Host, Origin, token or path
        self.visitors = VisitorsLog()
        self.door = Door()
        self._bind = profile.display.bind
        self._broker = broker
        self._admission = Admission(profile.machine.id, tokens)
        self._desk = Desk(self._admission)
        self._files = page_files(profile.display.cues, tls and tls.authority)
        self._tls = tls
        self._secure_port = profile.display.tls_port
        self._servers: list[Server] = []
        self._display = profile.display
        check_language(self._files.keys(), profile.display.language)
        self._documents: dict[str, Document] = {"/config.json": self._config, "/may.json": self._may}
        self._history = history
        self._recent = recent
        self._playback = None if player is None else PlaybackDesk(player)
        self._machine = profile.machine
        self._tree = profile.topic_tree
        self._outside = profile.mqtt.websocket_url
        self._mode = "embedded" if profile.mqtt.host is None else "broker"

    async def __aenter__(self) -> Self:
        try:
            self.port = await self._listen(self.port, self.door.connection)
            if self._tls is not None:
                self.secure_port = await self._listen(self._secure_port, self._secured)
        except PageServerError:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        self.door.end_handshakes()
        for server in self._servers:
            server.close()
        for server in self._servers:
            await server.wait_closed()

    @property
    def url(self) -> str:
        """The page's address for a person, without a token."""
        return page_url(self._bind, self.port)

    @property
    def secure_url(self) -> str | None:
        """The same over TLS; None without a certificate."""
        return None if self.secure_port is None else page_url(self._bind, self.secure_port, "https")

    async def _listen(self, wanted: int, connection: Callable[..., asyncio.Protocol]) -> int:
        """Returns the port. Raises PageServerError."""
        last = wanted + PORTS_TRIED - 1 if wanted else 0
        for port in range(wanted, last + 1):
            try:
                server = await serve(
                    self._connected,
                    self._bind,
                    port,
                    subprotocols=[Subprotocol("mqtt")],
                    process_request=self._answer,
                    process_response=answers.complete,
                    compression=None,  # messages are small and frequent
                    max_size=MAX_PACKET_BYTES,
                    write_limit=WRITE_LIMIT_BYTES,
                    backlog=BACKLOG,
                    close_timeout=1,
                    server_header=None,
                    logger=self.visitors,
                    create_connection=cast(type[ServerConnection], connection),
                )
            except OSError as error:
                trouble = error.strerror or str(error)
                continue
            self._servers.append(server)
            got = int(next(iter(server.sockets)).getsockname()[1])
            if wanted not in (0, got):
                _log.warning("port %d is taken: the page is on %d", wanted, got)
            return got
        raise PageServerError(
            f"no port from {wanted} to {last} can be opened on {self._bind} ({trouble}): set [display] bind and port"
        )

    def _secured(self, protocol: ServerProtocol, server: Server, **options: Any) -> TlsFront:
        assert self._tls is not None
        return TlsFront(self._tls.context, self.door, self.door.connection(protocol, server, **options))

    async def _connected(self, connection: ServerConnection) -> None:
        assert self._broker is not None  # else _answer has refused it
        assert connection.request is not None
        role = self._admission.role(self._visit(cast(LimitedConnection, connection), connection.request))
        assert role is not None
        await self._broker.serve(WebSocketLine(connection), Page(role, self._tree))

    async def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """None accepts a WebSocket."""
        try:
            visit = self._visit(cast(LimitedConnection, connection), request)
        except ValueError:
            return self._turn_away(HTTPStatus.NOT_FOUND, "No such page.")
        if not self._admission.is_ours(visit.host):
            return self._turn_away(
                HTTPStatus.MISDIRECTED_REQUEST,
                "This server has another name. Use the address that `rep-monitor access page` prints.",
            )
        if not is_from(visit.host, visit.headers):
            return self._turn_away(HTTPStatus.FORBIDDEN, "Requests from pages of other servers are refused.")
        if self._playback is not None and (shown := self._playback.answer(visit)) is not None:
            return shown
        if visit.method == "POST" and (done := self._desk.answer(visit, self._begin_at(visit.host))):
            return done
        if visit.method not in ("GET", "HEAD"):
            return answers.text(
                HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are answered.", {"Allow": "GET, HEAD"}
            )
        if self._admission.is_open and (given := parse_qs(visit.url.query).get("token")) is not None:
            return self._let_in(given[0], visit)
        role = self._admission.role(visit)
        path = visit.url.path
        if (file := self._files.get(path)) is not None:
            return self._show(file, visit, role)
        if path == OF_EVERYBODY:
            port = self.secure_port if visit.is_overheard else None
            ways = {"v": 1, "secure_port": port, "language": self._display.language}
            return self._give(visit.host, msgspec.json.encode(ways), "application/json")
        if role is None:
            return self._turn_away(HTTPStatus.FORBIDDEN, "This screen has no access. Ask staff for a code.")
        if path == "/mqtt" and self._broker is not None:
            if visit.method != "GET" or answers.only(visit.headers, "Upgrade").lower() != "websocket":
                return answers.text(HTTPStatus.UPGRADE_REQUIRED, "This address accepts only MQTT over WebSocket.")
            return None
        return await self._inform(visit, role)

    def _visit(self, connection: LimitedConnection, request: Request) -> PageRequest:
        """Raises ValueError for an address that cannot be read."""
        return PageRequest(
            method=connection.method,
            url=urlsplit(request.path),
            host=answers.only(request.headers, "Host"),
            headers=request.headers,
            address=connection.remote_address[0],
            is_secure=connection.is_secure,
            is_overheard=self._tls is not None and not connection.is_secure and not connection.is_from_here,
        )

    def _begin_at(self, host: str) -> str:
        """Where a new screen begins: as the coach has come here, but without TLS, which it does not trust yet.

        A coach at this computer has come by an address that leads a tablet to itself.
        """
        name = name_in(host) or ""
        if not is_open(name):
            name = socket.gethostname()
        elif self._tls is None:
            return host
        return f"[{name}]:{self.port}" if ":" in name else f"{name}:{self.port}"

    def _show(self, file: File, visit: PageRequest, role: Role | None) -> Response:
        """A file. A visitor without a role gets only the page that asks for a code."""
        more = {"Cache-Control": "no-cache", "ETag": file.tag, "Vary": "Accept-Encoding"}
        if file.is_page and visit.url.path not in OPEN_PAGES:
            if role is None:
                return answers.see(PAIRING_PAGE)
            more |= self._admission.cookie(role, secure=visit.is_secure)  # a screen that is in use stays known
        if answers.only(visit.headers, "If-None-Match") == file.tag:
            return self._give(visit.host, b"", file.type, more, HTTPStatus.NOT_MODIFIED)  # replaces the cached headers
        if _takes_gzip(visit.headers) and (packed := file.packed) is not None:
            return self._give(visit.host, packed, file.type, more | {"Content-Encoding": "gzip"})
        return self._give(visit.host, file.data, file.type, more)

    async def _inform(self, visit: PageRequest, role: Role) -> Response:
        path, host = visit.url.path, visit.host
        if path == "/history.json" and self._history is not None:
            return await self._past(host, self._history)
        if path == "/recent.json" and self._recent is not None:
            return self._give(host, msgspec.json.encode(self._recent()), "application/json")
        if (document := self._documents.get(path)) is not None:
            return self._give(host, await document(role), "application/json")
        return self._turn_away(HTTPStatus.NOT_FOUND, "No such page.")

    async def _past(self, host: str, history: History) -> Response:
        """If the disk fails the page gets an error and asks again."""
        try:
            sets = await finished(history)
        except StoreError as error:
            _log.warning("no history for a page: %s", error)
            return answers.text(HTTPStatus.SERVICE_UNAVAILABLE, "The store cannot be read at the moment.")
        return self._give(host, msgspec.json.encode(sets), "application/json")

    async def _may(self, role: Role) -> bytes:
        """With an own broker its access list decides, and this page has no account that may send commands."""
        may = ANYBODY if self._broker is None or self._playback is not None else may_send(role)
        invite = self._admission.is_open and role is Role.COACH
        return msgspec.json.encode({"v": 1, "role": role, "may": may, "invite": invite})

    async def _config(self, role: Role) -> bytes:
        machine = {
            "machine": self._machine.id,
            "machines": [self._machine.id],
            "root": self._tree.root,
            "kind": self._machine.kind,
        }
        shown = {"language": self._display.language, "unit": self._display.units}
        broker = {"ws_url": self._outside, "mode": self._mode, "playback": self._playback is not None}
        return msgspec.json.encode(machine | shown | broker)

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
        return answers.answer(status, data, (headers or {}) | {"Content-Type": kind, "Content-Security-Policy": policy})

    def _let_in(self, given: str, visit: PageRequest) -> Response:
        if visit.is_overheard:
            return answers.see(PAIRING_PAGE)
        if (role := self._admission.role_of(given)) is None:
            return self._turn_away(
                HTTPStatus.FORBIDDEN, "Wrong token. Use the address that `rep-monitor access page` prints."
            )
        path = visit.url.path if visit.url.path in self._files else "/"
        return answers.see(path, self._admission.cookie(role, secure=visit.is_secure))

    def _turn_away(self, status: HTTPStatus, sentence: str) -> Response:
        self.turned_away += 1
        return answers.text(status, sentence)


def _takes_gzip(headers: Headers) -> bool:
    """Whether the visitor understands gzip; `gzip;q=0` says no."""
    words = [word.strip().lower() for value in headers.get_all("Accept-Encoding") for word in value.split(",")]
    return any(re.fullmatch(r"gzip(\s*;\s*q=(1(\.0*)?|0\.\d*[1-9]\d*))?", word) for word in words)
