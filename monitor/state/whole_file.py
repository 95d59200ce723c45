"""Files that are there whole or not at all: after a power cut it is the old one or the new one.

Root works among a service's files (`forget`, `restore`, `calibrate`): what it makes there is the service's, and a link
that somebody has laid there leads it nowhere.
"""

import os
from pathlib import Path

PRIVATE_FILE = 0o640


def write_whole(path: Path, data: bytes, mode: int = PRIVATE_FILE) -> None:
    """On disk when it returns. Raises OSError with the path; then the old one is still there."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)  # of one that was cut short
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
        owned_as_its_folder(fresh)
        os.replace(fresh, path)
        sync_folder(path.parent)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def owned_as_its_folder(path: Path) -> None:
    """What root makes among a service's files is the service's."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid, follow_symlinks=False)


def sync_folder(folder: Path) -> None:
    """So that a new name in it outlives a power cut, too."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
