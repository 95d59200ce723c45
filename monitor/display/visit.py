"""Asks a page's server, like a browser, which machine it shows and how to reach its broker."""

import ssl
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, parse_qs, urlsplit
from urllib.request import HTTPSHandler, OpenerDirector, ProxyHandler, Request, build_opener

import msgspec

from monitor.display.admission import COOKIE
from monitor.display.server import PORTS_TRIED
from monitor.events import UNREADABLE
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.channel import BrokerGone, BrokerRefuses
from monitor.mqtt.contract.topics import ROOT, TopicTree
from monitor.profile.toml_document import ConfigError

PATIENCE_S = 3.0
MOST_BYTES = 64 * 1024
DEFAULT_PAGE = "http://127.0.0.1:8080/"


class _Config(msgspec.Struct):
    machine: str
    ws_url: str | None
    root: str = ROOT


class Shown(NamedTuple):
    """The machine of a page, and the address of its broker."""

    tree: TopicTree
    address: Address


def visit(url: str, machine: str | None = None, *, nearby: bool, ca_file: Path | None = None) -> Shown:
    """Asks the page at `url`; with `nearby` also the ports after it, in case its own was taken. Blocks.

    `ca_file` is the authority of a page over TLS. Raises BrokerGone if no such page answers, BrokerRefuses if it asks
    for a token or if its certificate is not trusted, OSError if the file cannot be read.
    """
    parts = page_address(url)
    host, first = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    token = next(iter(parse_qs(parts.query).get("token", [])), None)
    secure = parts.scheme == "https"
    opener = build_opener(ProxyHandler({}))
    if secure:
        opener = build_opener(ProxyHandler({}), HTTPSHandler(context=ssl.create_default_context(cafile=ca_file)))
    others: list[str] = []
    for port in range(first, first + (PORTS_TRIED if nearby else 1)):
        found = _config(opener, parts.scheme, host, port, token)
        if found is None:
            continue
        shown, outside = found
        if machine in (None, shown.machine):
            address = _address(host, port, secure, token, outside)
            return Shown(shown, msgspec.structs.replace(address, ca_file=None if ca_file is None else str(ca_file)))
        others.append(shown.machine)
    which = f"a page of {machine}" if machine else "a page"
    where = f"{host}:{first}" + (f" to {first + PORTS_TRIED - 1}" if nearby else "")
    there = f", only of {', '.join(others)}" if others else ""
    raise BrokerGone(
        f"no answer from {which} at {where}{there}: start `rep-monitor run`, or give its address with --page"
    )


def page_address(url: str) -> SplitResult:
    """Also accepts `gym-box:8080`. Raises ConfigError, whose message never contains the token."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise ConfigError(
            "--page is not an address: give http://gym-box:8080/?token=... as"
            " `rep-monitor access page --links` prints it"
        )
    return parts


def _config(
    opener: OpenerDirector, scheme: str, host: str, port: int, token: str | None
) -> tuple[TopicTree, str | None] | None:
    """The machine, and its broker's address if it differs from the page's; None if no such page answers."""
    name = f"[{host}]" if ":" in host else host
    headers = {} if token is None else {"Cookie": f"{COOKIE}={token}"}
    request = Request(f"{scheme}://{name}:{port}/config.json", headers=headers)
    try:
        with opener.open(request, timeout=PATIENCE_S) as answer:
            config = msgspec.json.decode(answer.read(MOST_BYTES), type=_Config)
        return TopicTree(config.machine, config.root), config.ws_url
    except HTTPError as error:
        with error:
            if error.code == HTTPStatus.FORBIDDEN:
                raise BrokerRefuses(
                    f"the page at {host}:{port} asks for a token: give with --page the address that"
                    " `rep-monitor access page --links` prints"
                ) from error
        return None
    except URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise BrokerRefuses(
                f"the certificate of the page at {host}:{port} is not trusted ({error.reason.verify_message}):"
                " give with --ca-file the page-ca.pem that `rep-monitor access tls` made"
            ) from error
        return None
    except (OSError, HTTPException, *UNREADABLE):  # no server, or another one
        return None


def _address(host: str, port: int, tls: bool, token: str | None, outside: str | None) -> Address:
    if outside is None:
        cookie = None if token is None else f"{COOKIE}={token}"
        return Address(host=host, port=port, tls=tls, websocket_path="/mqtt", cookie=cookie, version=4)
    parts = urlsplit(outside)
    secure = parts.scheme == "wss"
    port = parts.port or (443 if secure else 80)
    return Address(host=parts.hostname or host, port=port, tls=secure, websocket_path=parts.path or "/")
