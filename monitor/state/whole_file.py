"""Writes files atomically: after a power cut a file has its old content or its new content, never a part.

Several programs and threads may write one file at the same moment: each has a part file of its own, and the last one to
finish wins. A part file is locked while it is written, so one without a lock was left by a program that was killed; the
next write of the file removes it.

Root also works in the folder of a service (`forget`, `restore`, `calibrate`). A file that root makes there belongs to
the service, and symbolic links there are not followed.
"""

import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

PRIVATE_FILE = 0o640
PART_BYTES = 1 << 20


def write_whole(path: Path, data: bytes, mode: int = PRIVATE_FILE) -> None:
    """The data is on disk when this returns. Raises OSError with the path; the old file then still exists."""
    _write(path, [data], mode)


def write_new(path: Path, data: bytes, mode: int = PRIVATE_FILE) -> None:
    """The same for a file that several programs may want to make at the same moment: the first one makes it.

    Raises FileExistsError for the others.
    """
    _write(path, [data], mode, new=True)


def copy_whole(source: Path, path: Path, mode: int = PRIVATE_FILE) -> None:
    """As `write_whole`, with the content of a file of any size."""
    _write(path, parts_of(source), mode)


def parts_of(path: Path) -> Iterator[bytes]:
    """The content of a file, a part at a time."""
    with path.open("rb") as file:
        while part := file.read(PART_BYTES):
            yield part


def _write(path: Path, parts: Iterable[bytes], mode: int, *, new: bool = False) -> None:
    fresh = None
    try:
        _remove_left_parts(path)
        fd, fresh = _locked_part(path, mode)
        with os.fdopen(fd, "wb") as file:
            owned_as_its_folder(fresh)
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(fd)
            if new:
                os.link(fresh, path, follow_symlinks=False)
                fresh.unlink()
            else:
                os.replace(fresh, path)
        sync_folder(path.parent)
    except OSError as error:
        if fresh is not None:
            fresh.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def _locked_part(path: Path, mode: int) -> tuple[int, Path]:
    while True:
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if os.fstat(fd).st_nlink:
            return fd, part
        os.close(fd)  # before it was locked, another writer removed it


def _remove_left_parts(path: Path) -> None:
    for left in path.parent.iterdir():
        if left.name.startswith(f".{path.name}.") and left.name.endswith(".new"):
            with suppress(OSError):  # is being written, or is no file
                fd = os.open(left, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    left.unlink()
                finally:
                    os.close(fd)


def owned_as_its_folder(path: Path) -> None:
    """Gives a file that root has made to the owner of its folder."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid, follow_symlinks=False)


def sync_folder(folder: Path) -> None:
    """Syncs a folder, so that a new name in it survives a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
