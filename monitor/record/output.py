"""Files that a command writes for a person: new ones only, and whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write: a neighbour that takes the path's name when all went well. Raises OSError with the path."""
    if path.exists():
        raise FileExistsError(17, "exists already: remove it or give another --out", str(path))
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.rename(path)
    except OSError as error:
        if error.filename is None:  # a full disk does not say whose it is
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        part.unlink(missing_ok=True)
