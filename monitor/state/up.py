"""Where a running daemon can be asked: its broker and its page, in a small file of its folder while it runs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from monitor.events import UNREADABLE
from monitor.state.whole_file import write_whole

_log = logging.getLogger(__name__)


class Whereabouts(msgspec.Struct, frozen=True, kw_only=True):
    """No secret is in here: what a client needs beside its account."""

    broker_host: str
    broker_port: int
    page_url: str | None


@contextmanager
def told(directory: Path, where: Whereabouts) -> Iterator[None]:
    """The file is there until the block ends; a full disk keeps nobody from lifting."""
    path = _path(directory)
    try:
        write_whole(path, msgspec.json.encode(where))
    except OSError as error:
        _log.warning("%s cannot be written (%s): `doctor` will not find this daemon", path, error.strerror)
    try:
        yield
    finally:
        with suppress(OSError):  # who finds it finds nobody there
            path.unlink(missing_ok=True)


def whereabouts(directory: Path) -> Whereabouts | None:
    """None where nobody tells: no daemon, or one that was killed and left half a word."""
    try:
        return msgspec.json.decode(_path(directory).read_bytes(), type=Whereabouts)
    except (FileNotFoundError, *UNREADABLE):
        return None


def _path(directory: Path) -> Path:
    return directory / "up.json"
