"""The tokens that open the page to a network: made once a machine and kept, so that a tablet's bookmark lasts."""

import os
import re
import secrets
from pathlib import Path

from monitor.feedback.roles import Role
from monitor.state import owned_as_its_folder

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
        fresh = path.with_suffix(".new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(f"{token}\n")
        owned_as_its_folder(fresh)
        os.replace(fresh, path)
    return token
