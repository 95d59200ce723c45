"""Where a running daemon can be asked: its broker and its page, in a small file of its folder while it runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from monitor.custody.forgetting import write_whole


class Whereabouts(msgspec.Struct, frozen=True, kw_only=True):
    """No secret is in here: what a client needs beside its account."""

    broker_host: str
    broker_port: int
    page_url: str | None


@contextmanager
def told(directory: Path, where: Whereabouts) -> Iterator[None]:
    """The file is there until the block ends."""
    path = _path(directory)
    write_whole(path, msgspec.json.encode(where))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def whereabouts(directory: Path) -> Whereabouts | None:
    """None where nobody tells: no daemon, or one that was killed and left half a word."""
    try:
        return msgspec.json.decode(_path(directory).read_bytes(), type=Whereabouts)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _path(directory: Path) -> Path:
    return directory / "up.json"
