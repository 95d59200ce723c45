"""Writes the output files of commands atomically."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """For a new file: yields a temporary path, which is renamed when the block succeeds. Raises OSError."""
    if path.exists():
        raise FileExistsError(17, "already exists: remove it or give another --out", str(path))
    part = _part_of(path)
    try:
        yield part
        part.rename(path)
    except OSError as error:
        if error.filename in (None, str(part)):  # the error of a full disk has no path
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
    part = _part_of(path)
    try:
        part.touch(mode)
        with part.open("wb") as file:
            yield file
        os.replace(part, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        part.unlink(missing_ok=True)


def check_place(path: Path) -> None:
    """Before work that nobody wants to repeat. Raises OSError where no file can be written to this path."""
    if path.exists() and not path.is_file() and not path.is_dir():
        return  # a device
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    part = _part_of(path)
    try:
        part.touch()
        part.unlink()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _part_of(path: Path) -> Path:
    """A name of its own: what a program that was killed has left, or another one writes, is in nobody's way."""
    return path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
