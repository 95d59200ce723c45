"""The endpoints of a running daemon, its broker and its page, in a small file of the machine's folder."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from monitor.events import UNREADABLE
from monitor.state.small_file import read_small
from monitor.state.whole_file import write_whole

_log = logging.getLogger(__name__)


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """What a client needs besides its account. Contains no secret."""

    broker_host: str
    broker_port: int
    page_url: str | None
    secure_url: str | None = None  # of the page over TLS


@contextmanager
def announced(directory: Path, endpoints: Endpoints) -> Iterator[None]:
    """The file exists until the block ends. A file that cannot be written is logged; the daemon runs without it."""
    path = _path(directory)
    try:
        write_whole(path, msgspec.json.encode(endpoints))
    except OSError as error:
        _log.warning("%s cannot be written (%s): `doctor` will not find this daemon", path, error.strerror)
    try:
        yield
    finally:
        with suppress(OSError):  # a leftover file is harmless: nobody answers at its addresses
            path.unlink(missing_ok=True)


def read_endpoints(directory: Path) -> Endpoints | None:
    """None if no daemon has announced itself, or if the file cannot be read."""
    try:
        return msgspec.json.decode(read_small(_path(directory)), type=Endpoints)
    except (OSError, *UNREADABLE):
        return None


def _path(directory: Path) -> Path:
    return directory / "up.json"
