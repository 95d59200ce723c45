"""The daemons that run on this computer and keep their state below the same folder."""

import fcntl
import os
from pathlib import Path
from urllib.parse import urlsplit

from monitor.state.endpoints import Endpoints, read_endpoints


def daemon_of(directory: Path) -> tuple[int | None, Endpoints | None]:
    """The daemon that has locked this folder: its pid and its endpoints."""
    try:
        fd = os.open(directory / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):  # no daemon, or a folder that this user may not read
        return None, None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(fd, 20, 0).strip()
        return (int(pid) if pid.isdigit() else 0), read_endpoints(directory)
    finally:
        os.close(fd)
    return None, None


def machine_at_port(port: int, siblings_of: Path) -> str | None:
    """The other machine whose daemon serves its page on this port; `siblings_of` is one's own state folder."""
    for folder in sorted(path.parent for path in siblings_of.parent.glob("*/up.json")):
        if folder != siblings_of and port in _ports(read_endpoints(folder)) and daemon_of(folder)[0] is not None:
            return folder.name
    return None


def _ports(up: Endpoints | None) -> list[int | None]:
    urls = [] if up is None else [up.page_url, up.secure_url]
    return [urlsplit(url).port for url in urls if url is not None]
