"""Asks a page's server, as a browser would, which machine it shows and where its broker takes WebSockets."""

import json
from http import HTTPStatus
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from monitor.display.server import COOKIE, PORTS_TRIED
from monitor.feedback.connection import Address, BrokerGone, BrokerRefuses

PATIENCE_S = 3.0
MOST_BYTES = 64 * 1024
DEFAULT_PAGE = "http://127.0.0.1:8080/"


class Shown(NamedTuple):
    """The machine of a page, and the way to its broker."""

    machine: str
    address: Address


def visit(url: str, machine: str | None = None, *, nearby: bool) -> Shown:
    """`nearby`: where the port was taken, the page is on one of the next. Waits for the network.

    Raises BrokerGone where no such page answers, BrokerRefuses where it asks for a token.
    """
    parts = urlsplit(url)
    host, first = parts.hostname or "127.0.0.1", parts.port or (443 if parts.scheme == "https" else 80)
    token = next(iter(parse_qs(parts.query).get("token", [])), None)
    others: list[str] = []
    for port in range(first, first + (PORTS_TRIED if nearby else 1)):
        told = _config(parts.scheme or "http", host, port, token)
        if told is None:
            continue
        shown, outside = told
        if machine in (None, shown):
            return Shown(shown, _address(host, port, parts.scheme == "https", token, outside))
        others.append(shown)
    which = f"a page of {machine}" if machine else "a page"
    where = f"{host}:{first}" + (f" to {first + PORTS_TRIED - 1}" if nearby else "")
    there = f", only of {', '.join(others)}" if others else ""
    raise BrokerGone(f"there is not {which} at {where}{there}: start `rep-monitor run`, or say where with --page")


def _config(scheme: str, host: str, port: int, token: str | None) -> tuple[str, str | None] | None:
    """Machine, and its broker's address where that is not the page's own; None where no page of ours answers."""
    name = f"[{host}]" if ":" in host else host
    headers = {} if token is None else {"Cookie": f"{COOKIE}={token}"}
    request = Request(f"{scheme}://{name}:{port}/config.json", headers=headers)
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=PATIENCE_S) as answer:
            told = json.loads(answer.read(MOST_BYTES))
        return str(told["machine"]), None if told["ws_url"] is None else str(told["ws_url"])
    except HTTPError as error:
        with error:
            if error.code == HTTPStatus.FORBIDDEN:
                raise BrokerRefuses(
                    f"the page at {host}:{port} asks for a token: give the address that `rep-monitor access page` tells"
                    " with --page"
                ) from error
        return None
    except (OSError, ValueError, KeyError, TypeError):  # nobody there, or somebody else
        return None


def _address(host: str, port: int, tls: bool, token: str | None, outside: str | None) -> Address:
    if outside is None:
        cookie = None if token is None else f"{COOKIE}={token}"
        return Address(host=host, port=port, tls=tls, websocket_path="/mqtt", cookie=cookie, version=4)
    parts = urlsplit(outside)
    secure = parts.scheme == "wss"
    port = parts.port or (443 if secure else 80)
    return Address(host=parts.hostname or host, port=port, tls=secure, websocket_path=parts.path or "/")
