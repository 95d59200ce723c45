"""The answers of the page server, and the headers that every answer has."""

from http import HTTPStatus
from typing import cast

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from monitor.display.door import LimitedConnection

ON_EVERY_ANSWER = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), serial=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def text(status: HTTPStatus, sentence: str, headers: dict[str, str] | None = None) -> Response:
    kind = {"Content-Type": "text/plain; charset=utf-8"}
    return answer(status, f"{sentence}\n".encode(), kind | (headers or {}))


def json(data: bytes, headers: dict[str, str] | None = None) -> Response:
    return answer(HTTPStatus.OK, data, {"Content-Type": "application/json"} | (headers or {}))


def see(path: str, headers: dict[str, str] | None = None) -> Response:
    """Sends the browser to another page of this server."""
    return answer(HTTPStatus.SEE_OTHER, b"", {"Location": path} | (headers or {}))


def answer(status: HTTPStatus, data: bytes, headers: dict[str, str]) -> Response:
    framing = {"Content-Length": str(len(data)), "Connection": "close"}
    return Response(status.value, status.phrase, Headers(headers | framing), data)


def complete(connection: ServerConnection, _: Request, response: Response) -> None:
    """Adds the missing headers to every answer, including those that `websockets` makes; HEAD gets no body."""
    for name, value in ON_EVERY_ANSWER.items():
        response.headers.setdefault(name, value)
    if cast(LimitedConnection, connection).method == "HEAD":
        response.body = b""


def only(headers: Headers, name: str) -> str:
    """The header's value; empty if it is missing or given more than once."""
    values = headers.get_all(name)
    return values[0] if len(values) == 1 else ""
