"""The tokens that open the page to a network: made once a machine and kept, so that a tablet's bookmark lasts."""

import re
import secrets
from pathlib import Path

from monitor.mqtt.contract.roles import Role
from monitor.state.whole_file import write_whole

_SHAPE = re.compile(r"[A-Za-z0-9_-]{16,64}")


def kept_tokens(directory: Path) -> dict[Role, str]:
    """One for each who may come from the network. Delete a file to have another at the next start."""
    return {role: _kept(directory / f"{role}_token") for role in (Role.DISPLAY, Role.COACH)}


def _kept(path: Path) -> str:
    try:
        token = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        token = ""
    if not _SHAPE.fullmatch(token):
        token = secrets.token_urlsafe(18)
        write_whole(path, f"{token}\n".encode(), 0o600)
    return token
