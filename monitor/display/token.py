"""The secrets of clients, made once for each machine and kept, so that bookmarks stay valid."""

import re
import secrets
from pathlib import Path

from monitor.mqtt.contract.roles import Role
from monitor.state.small_file import read_small
from monitor.state.whole_file import write_new

_SHAPE = re.compile(r"[A-Za-z0-9_-]{16,64}")


def kept_tokens(directory: Path) -> dict[Role, str]:
    """One token for each role of a page from the network. A deleted file is replaced at the next start."""
    return {role: kept_token(directory, role) for role in (Role.DISPLAY, Role.COACH)}


def kept_token(directory: Path, role: Role) -> str:
    """The token of one role; a page's, or the password of a collector at the embedded broker."""
    path = directory / f"{role}_token"
    while True:
        try:
            token = read_small(path).decode("ascii", "replace").strip()
            if _SHAPE.fullmatch(token):
                return token
            path.unlink()
        except FileNotFoundError:
            pass
        try:
            write_new(path, f"{secrets.token_urlsafe(18)}\n".encode(), 0o600)
        except FileExistsError:
            continue  # another program has just made it
