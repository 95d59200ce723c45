"""What the routes share, and who may call them: most ask for a `Reader` or a `Trainer`."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie

from monitor.display.admission import COOKIE
from monitor.display.pairing import PairingCodes
from monitor.gym.collector.collector import Collector
from monitor.gym.database.database import Database
from monitor.gym.web.floor_view import FloorView
from monitor.gym.web.logins import Login, Logins, PageRole
from monitor.gym.web.problem import Refusal

_cookie = APIKeyCookie(
    name=COOKIE,
    scheme_name="login",
    description="What `POST /api/pair` sets; a browser's has the port in its name.",
    auto_error=False,
)


@dataclass(frozen=True, kw_only=True)
class House:
    """One gym's page.

    `cookie`: the name of the cookie of browsers, which share it among the ports of a computer. `url`: where other
    computers find the page, if they can.
    """

    database: Database
    collector: Collector
    logins: Logins
    codes: PairingCodes[PageRole]
    floor: FloorView
    cookie: str
    url: str | None


def house_of(request: Request) -> House:
    house = request.app.state.house
    assert isinstance(house, House)
    return house


TheHouse = Annotated[House, Depends(house_of)]


async def known_login(request: Request, house: TheHouse, programs: Annotated[str | None, Security(_cookie)]) -> Login:
    token = request.cookies.get(house.cookie) or programs
    if not token:
        raise Refusal(HTTPStatus.UNAUTHORIZED, "This screen has no access. Ask a trainer for a code.", WHO)
    if not house.logins.loaded:
        await asyncio.to_thread(house.logins.load)
    login = house.logins.by_token(token)
    if login is None:
        raise Refusal(HTTPStatus.UNAUTHORIZED, "This screen has no access any more. Ask a trainer for a code.", WHO)
    return login


WHO = {"WWW-Authenticate": "Code"}  # RFC 9110 demands one; browsers know no such scheme and ask nobody
Reader = Annotated[Login, Depends(known_login)]


def trainers_login(login: Reader) -> Login:
    if login.role != "trainer":
        raise Refusal(HTTPStatus.FORBIDDEN, "A display only shows. Use a trainer's screen for this.")
    return login


Trainer = Annotated[Login, Depends(trainers_login)]
