"""Lets new screens in: the two requests of the page that change something, both POST without a body.

    POST /code?role=display   a coach asks for a code: {"v", "code", "role", "valid_s", "link", "qr": {"size", "path"}}
    POST /pair                a new screen gives it in the header `Rep-Monitor-Code`, and gets its cookie: {"v", "role"}

The code is behind the `#` of the link, which browsers do not send, so that no log contains it.
"""

from http import HTTPStatus
from urllib.parse import SplitResult, parse_qs

import msgspec
from websockets.datastructures import Headers
from websockets.http11 import Response

from monitor.display import answers
from monitor.display.admission import Admission
from monitor.display.pairing import VALID_S, PairingCodes, TooManyCodes
from monitor.display.qr_code import QrDrawing, drawing
from monitor.mqtt.contract.roles import Role

CODE_HEADER = "Rep-Monitor-Code"
WAIT_S = 60


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A code, and the link that carries it."""

    v: int = 1
    code: str
    role: Role
    valid_s: float
    link: str
    qr: QrDrawing


class Desk:
    """Answers at one machine's page."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._codes = PairingCodes()

    def answer(self, url: SplitResult, host: str, headers: Headers, address: str) -> Response | None:
        """`address` is the visitor's. None for another path, or where no visitor needs a code."""
        if not self._admission.is_open:
            return None
        if url.path == "/code":
            return self._invite(url, host, headers)
        return self._let_in(headers, address) if url.path == "/pair" else None

    def _invite(self, url: SplitResult, host: str, headers: Headers) -> Response:
        if self._admission.role(headers) is not Role.COACH:
            return answers.text(HTTPStatus.FORBIDDEN, "Only a coach lets screens in.")
        role = Role.COACH if parse_qs(url.query).get("role") == [Role.COACH] else Role.DISPLAY
        code = self._codes.make(role)
        link = f"http://{host}/pair.html#{code}"
        return answers.json(
            msgspec.json.encode(Invitation(code=code, role=role, valid_s=VALID_S, link=link, qr=drawing(link)))
        )

    def _let_in(self, headers: Headers, address: str) -> Response:
        try:
            role = self._codes.redeem(answers.only(headers, CODE_HEADER), address)
        except TooManyCodes:
            wait = {"Retry-After": str(WAIT_S)}
            return answers.text(HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong codes. Wait a minute.", wait)
        if role is None:
            return answers.text(HTTPStatus.FORBIDDEN, "This code is wrong, used or too old.")
        return answers.json(msgspec.json.encode({"v": 1, "role": role}), self._admission.cookie(role))
