"""Decides whom the page server answers: by the names in a request, and by the token in its cookie.

Without tokens every visitor counts as local, so that is for loopback only.
"""

import hmac
import ipaddress
import re
import socket
from collections.abc import Mapping, Sequence, Set
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from websockets.datastructures import Headers

from monitor.display.answers import only
from monitor.mqtt.contract.roles import Role

COOKIE = "rep-monitor-token"  # of programs; a browser's has the machine in its name, as machines may share a computer
KEPT_S = 400 * 86_400  # the longest that browsers allow; renewed with each page
HOST = re.compile(r"((?P<name>[A-Za-z0-9._-]{1,253})|\[(?P<ipv6>[0-9A-Fa-f:.]{2,45})\])(:\d{1,5})?")


class PageRequest(NamedTuple):
    """One request: what it says, and how it came."""

    method: str
    url: SplitResult
    host: str
    headers: Headers
    address: str  # of the visitor
    is_secure: bool
    is_overheard: bool  # came through the network without TLS, although TLS is offered


class Admission:
    """The visitors' names, tokens and cookies at one machine's page."""

    def __init__(self, machine: str, tokens: Mapping[Role, str] | None) -> None:
        self._tokens = tokens
        self._cookie = f"{COOKIE}-{machine}"
        self._names = own_names()

    @property
    def is_open(self) -> bool:
        """Whether visitors need a token."""
        return self._tokens is not None

    def is_ours(self, host: str) -> bool:
        """Whether the Host is one of ours."""
        return is_own(host, self._names, is_open=self.is_open)

    def role(self, visit: PageRequest) -> Role | None:
        """The visitor's role; None if unknown."""
        if visit.is_overheard:
            return None
        if self._tokens is None:
            return Role.LOCAL
        try:
            cookies = SimpleCookie(only(visit.headers, "Cookie"))
        except CookieError:
            return None
        cookie = cookies.get(self._cookie) or cookies.get(COOKIE)
        return None if cookie is None else self.role_of(cookie.value)

    def role_of(self, token: str) -> Role | None:
        for role, expected in (self._tokens or {}).items():
            if hmac.compare_digest(token.encode(), expected.encode()):
                return role
        return None

    def cookie(self, role: Role, *, secure: bool) -> dict[str, str]:
        """The header that lets a browser in from now on; empty where no token is needed."""
        if self._tokens is None:
            return {}
        lasting = f"Path=/; Max-Age={KEPT_S}; HttpOnly; SameSite=Strict{'; Secure' * secure}"
        return {"Set-Cookie": f"{self._cookie}={self._tokens[role]}; {lasting}"}


def is_own(host: str, names: Set[str], *, is_open: bool) -> bool:
    """Whether a Host header names this computer. A foreign name server can point a name at us, but not an address.

    In a local network, anybody can announce a name that ends in .local. Where a token is needed (`is_open`), it may be
    one that this computer does not know of; without a token, only its own is accepted.
    """
    if (name := name_in(host)) is None:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in names or (is_open and name.endswith(".local"))
    return True


def name_in(host: str) -> str | None:
    """The name or address in a Host header, without the port; None if it is malformed."""
    match = HOST.fullmatch(host)
    return None if match is None else (match["name"] or match["ipv6"]).lower()


def is_from(host: str, headers: Headers) -> bool:
    """Whether the request comes from a page of this server; browsers name the page in the Origin header."""
    return is_origin_own(host, headers.get_all("Origin"))


def is_origin_own(host: str, origins: Sequence[str]) -> bool:
    """The same for the values of the Origin header; programs send none."""
    try:
        return not origins or (len(origins) == 1 and urlsplit(origins[0]).netloc.lower() == host.lower())
    except ValueError:
        return False


def own_names() -> set[str]:
    """The names of this computer, including its name in the local network."""
    name = socket.gethostname().lower()
    return {"localhost", name, f"{name.partition('.')[0]}.local"}
