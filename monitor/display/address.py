"""The addresses at which people open the page: on this machine, or from the network with a token."""

import ipaddress
import socket
from pathlib import Path
from urllib.parse import quote

from monitor.display.token import kept_tokens
from monitor.mqtt.contract.roles import Role
from monitor.profile.profile import Profile


def page_url(bind: str, port: int, scheme: str = "http") -> str:
    """Without a token, because it is printed and logged."""
    everywhere = bind in ("", "0.0.0.0", "::")
    host = socket.gethostname() if everywhere else f"[{bind}]" if ":" in bind else bind
    return f"{scheme}://{host}:{port}/"


def is_open(bind: str) -> bool:
    """Whether the page is open to a network, so that visitors need a token."""
    try:
        return not ipaddress.ip_address(bind).is_loopback
    except ValueError:
        return bind != "localhost"


def addresses(profile: Profile, directory: Path, url: str | None = None) -> dict[Role, str]:
    """For each role the address to open once; it contains a secret. `url`: where the page really is."""
    display = profile.display
    if url is None and display.tls is not None:
        url = page_url(display.bind, display.tls_port, "https")
    url = url or page_url(display.bind, display.port)
    if not is_open(display.bind):
        return {Role.LOCAL: url}
    return {role: f"{url}?token={quote(token)}" for role, token in kept_tokens(directory).items()}
