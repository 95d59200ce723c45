"""Lets screens in, says who a screen is, and lets it go."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from pydantic import Field

from monitor.display.address import is_open
from monitor.display.admission import KEPT_S
from monitor.display.pairing import VALID_S, TooManyCodes
from monitor.display.qr_code import drawing
from monitor.gym.database.errors import DatabaseAway
from monitor.gym.web.house import Reader, TheHouse, Trainer
from monitor.gym.web.logins import PageRole
from monitor.gym.web.problem import Refusal
from monitor.gym.web.request_body import RequestBody
from monitor.gym.web.texts import Line, LoginId

WAIT_S = 60
router = APIRouter(prefix="/api", tags=["access"])


class PairRequest(RequestBody):
    """A code as a person typed it. `name`: what the screen is called in the list of logins."""

    code: Annotated[str, Field(min_length=1, max_length=32)]
    name: Line = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Me:
    """Who this screen is."""

    role: PageRole
    name: str


class CodeRequest(RequestBody):
    """What the new screen may do."""

    role: PageRole


@dataclass(frozen=True, kw_only=True, slots=True)
class QrPath:
    """The dark modules as the path of an SVG of this width."""

    size: int
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ScreenCode:
    """Lets one screen in. `url` has the code behind `#`, which browsers do not send."""

    code: str
    role: PageRole
    url: str
    expires_unix_s: float
    qr: QrPath


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedLogin:
    """A screen that is let in. `login_id` is no secret."""

    login_id: str
    role: PageRole
    name: str
    used_unix_s: float
    is_this: bool  # the one that asks


@router.post("/pair", status_code=HTTPStatus.NO_CONTENT)
async def pair(asked: PairRequest, request: Request, house: TheHouse) -> Response:
    """Lets a screen in with a code of a trainer, and sets its cookie."""
    await asyncio.to_thread(house.logins.load)  # so that a code is not spent while the database is away
    address = request.client.host if request.client is not None else ""
    try:
        role = house.codes.redeem(asked.code, address)
    except TooManyCodes:
        wait = {"Retry-After": str(WAIT_S)}
        raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong codes. Wait a minute.", wait) from None
    if role is None:
        raise Refusal(HTTPStatus.FORBIDDEN, "This code is wrong, used or too old. Ask a trainer for a new one.")
    earlier = request.cookies.get(house.cookie)
    token = await asyncio.to_thread(house.logins.add, role, asked.name or role, earlier)
    if await request.is_disconnected():  # nobody receives the cookie
        login = house.logins.by_token(token)
        if login is not None:
            await asyncio.to_thread(house.logins.remove, login)
    answer = Response(status_code=HTTPStatus.NO_CONTENT)
    _keep(answer, request, house.cookie, token)
    return answer


@router.get("/me")
def me(login: Reader, request: Request, response: Response, house: TheHouse) -> Me:
    """Says who this screen is, and keeps it logged in."""
    with suppress(DatabaseAway):  # the next time, then
        house.logins.note_use(login)
    if (token := request.cookies.get(house.cookie)) is not None:
        _keep(response, request, house.cookie, token)
    return Me(role=login.role, name=login.name)


@router.post("/logout", status_code=HTTPStatus.NO_CONTENT)
def logout(login: Reader, house: TheHouse) -> Response:
    """Withdraws this screen's access."""
    house.logins.remove(login)
    answer = Response(status_code=HTTPStatus.NO_CONTENT)
    answer.delete_cookie(house.cookie, httponly=True, samesite="strict")
    return answer


@router.post("/codes")
async def make_code(asked: CodeRequest, request: Request, house: TheHouse, _: Trainer) -> ScreenCode:
    """Makes a code that lets one more screen in, within five minutes."""
    code = house.codes.make(asked.role)
    base = f"{request.url.scheme}://{request.headers['host']}/"
    if not is_open(urlsplit(base).hostname or "") and house.url is not None:  # another screen is elsewhere
        base = house.url
    url = f"{base}#{code}"
    qr = drawing(url)
    expires_unix_s = time.time() + VALID_S
    return ScreenCode(
        code=code, role=asked.role, url=url, expires_unix_s=expires_unix_s, qr=QrPath(size=qr.size, path=qr.path)
    )


@router.get("/logins")
def list_logins(login: Trainer, house: TheHouse) -> list[ListedLogin]:
    """Every screen that is let in, those used last first."""
    known = sorted(house.logins.load().values(), key=lambda each: -each.used_unix_s)
    return [
        ListedLogin(
            login_id=each.login_id,
            role=each.role,
            name=each.name,
            used_unix_s=each.used_unix_s,
            is_this=each.token_hash == login.token_hash,
        )
        for each in known
    ]


@router.delete("/logins/{login_id}", status_code=HTTPStatus.NO_CONTENT)
def withdraw_login(login_id: LoginId, house: TheHouse, _: Trainer) -> Response:
    """Withdraws a screen's access, for example that of a tablet that was lost."""
    found = [each for each in house.logins.load().values() if each.login_id == login_id]
    if not found:
        raise Refusal(HTTPStatus.NOT_FOUND, "No screen is logged in under this id.")
    house.logins.remove(found[0])
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _keep(answer: Response, request: Request, cookie: str, token: str) -> None:
    secure = request.url.scheme == "https"
    answer.set_cookie(cookie, token, max_age=KEPT_S, httponly=True, samesite="strict", secure=secure)
