"""Stands before all routes: refuses foreign names and pages and long bodies, and completes every answer's headers."""

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.display.admission import is_origin_own, is_own, own_names
from monitor.display.answers import ON_EVERY_ANSWER
from monitor.gym.web.problem import problem, unexpected

MOST_BYTES = 64 * 1024  # of a body
MOST_BYTES_OF = {"/api/people.csv": 1024 * 1024}
MOST_DISCARDED_BYTES = 16 * 1024 * 1024  # read before a refusal: who still sends would see a reset, not the answer


class Gate:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._names = own_names()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered = False

        async def complete(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                headers = MutableHeaders(scope=message)
                for name, value in ON_EVERY_ANSWER.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._admit(scope, receive, complete)
        except ClientDisconnect:
            return
        except Exception as error:
            answer = unexpected(error, scope["method"])
            if not answered:
                await answer(scope, receive, complete)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        host = hosts[0] if len(hosts) == 1 else ""
        if not is_own(host, self._names, is_open=True):
            sentence = "This server has another name. Use the address that `rep-monitor gym code` prints."
            await problem(HTTPStatus.MISDIRECTED_REQUEST, sentence)(scope, receive, send)
            return
        if not is_origin_own(host, headers.getlist("origin")):
            sentence = "Requests from pages of other servers are refused."
            await problem(HTTPStatus.FORBIDDEN, sentence)(scope, receive, send)
            return
        most = MOST_BYTES_OF.get(scope["path"], MOST_BYTES)
        body = await _body(headers, receive, most)
        if body is None:
            sentence = f"This is too long: at most {most // 1024} KB are taken."
            refusal = problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, sentence, {"Connection": "close"})
            await refusal(scope, receive, send)
            return
        await self._app(scope, _first(body, receive), send)


async def _body(headers: Headers, receive: Receive, most: int) -> bytes | None:
    """The body, or None if it is longer than `most`. Raises ClientDisconnect if it is cut off."""
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MOST_DISCARDED_BYTES:
        return None
    body, came = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        came += len(part)
        if came <= most:
            body += part
        if came > MOST_DISCARDED_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body) if came <= most else None


def _first(body: bytes, receive: Receive) -> Receive:
    """Gives the application the body, then what comes from the server."""
    waiting = [body]

    async def read() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return read
