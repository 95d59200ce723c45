"""Writes the output files of commands atomically."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """For a new file: yields a temporary path, which is renamed when the block succeeds. Raises OSError."""
    if path.exists():
        raise FileExistsError(17, "already exists: remove it or give another --out", str(path))
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.rename(path)
    except OSError as error:
        if error.filename is None:  # the error of a full disk has no path
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path, mode: int = 0o666) -> Iterator[IO[bytes]]:
    """Replaces a regular file when the block succeeds; writes directly to a pipe or device. Raises OSError.

    `mode`: of a new file, before the umask.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    part = path.with_name(path.name + ".part")
    try:
        part.touch(mode)
        with part.open("wb") as file:
            yield file
        os.replace(part, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        part.unlink(missing_ok=True)
