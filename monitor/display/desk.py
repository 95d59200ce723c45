"""Lets new screens in: the two requests of the page that change something, both POST without a body.

    POST /code?role=display   a coach asks for a code: {"v", "code", "role", "valid_s", "link", "qr": {"size", "path"}}
    POST /pair                a new screen gives it in the header `Rep-Monitor-Code`, and gets its cookie: {"v", "role"}

The code is behind the `#` of the link, which browsers do not send, so that no log contains it.
"""

from http import HTTPStatus
from urllib.parse import parse_qs

import msgspec
from websockets.http11 import Response

from monitor.display import answers
from monitor.display.admission import Admission, PageRequest
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
        self._codes: PairingCodes[Role] = PairingCodes()

    def answer(self, visit: PageRequest, begin_at: str) -> Response | None:
        """None for another path, or where no visitor needs a code. `begin_at`: the host and port for a new screen."""
        if not self._admission.is_open:
            return None
        if visit.url.path == "/code":
            return self._invite(visit, begin_at)
        return self._let_in(visit) if visit.url.path == "/pair" else None

    def _invite(self, visit: PageRequest, begin_at: str) -> Response:
        if self._admission.role(visit) is not Role.COACH:
            return answers.text(HTTPStatus.FORBIDDEN, "Only a coach lets screens in.")
        role = Role.COACH if parse_qs(visit.url.query).get("role") == [Role.COACH] else Role.DISPLAY
        code = self._codes.make(role)
        link = f"http://{begin_at}/pair.html#{code}"
        return answers.json(
            msgspec.json.encode(Invitation(code=code, role=role, valid_s=VALID_S, link=link, qr=drawing(link)))
        )

    def _let_in(self, visit: PageRequest) -> Response:
        if visit.is_overheard:
            return answers.text(HTTPStatus.FORBIDDEN, "Give the code on the secure page.")
        try:
            role = self._codes.redeem(answers.only(visit.headers, CODE_HEADER), visit.address)
        except TooManyCodes:
            wait = {"Retry-After": str(WAIT_S)}
            return answers.text(HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong codes. Wait a minute.", wait)
        if role is None:
            return answers.text(HTTPStatus.FORBIDDEN, "This code is wrong, used or too old.")
        cookie = self._admission.cookie(role, secure=visit.is_secure)
        return answers.json(msgspec.json.encode({"v": 1, "role": role}), cookie)
