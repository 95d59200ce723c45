"""The state folder of a machine, and the lock that only one daemon can hold.

$STATE_DIRECTORY | $XDG_STATE_HOME/rep-monitor | ~/.local/state/rep-monitor
    <machine>/
        events.db
        recordings/2026-11-23/081502-<session>.mcap
        lock
"""

import fcntl
import os
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Self

from monitor.state.whole_file import PRIVATE_FILE, owned_as_its_folder

PRIVATE_DIRECTORY = 0o750
LOOKS_AT_MOST, A_LOOK_S = 50, 0.01


class StateError(Exception):
    """The state folder cannot be used; the message names the reason and the remedy."""


class AlreadyRuns(StateError):
    """A daemon is running for this machine."""


def make_private(directory: Path) -> None:
    """Makes a folder and those above it, none of them open to everybody, whatever the umask is. Raises OSError."""
    for folder in (*reversed(directory.parents), directory):
        if not folder.exists():
            with suppress(FileExistsError):
                folder.mkdir(mode=PRIVATE_DIRECTORY)


def state_root() -> Path:
    """Raises StateError if this user has no home and the environment names no folder."""
    if given := os.environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])  # systemd may list several; the first is ours
    if home := os.environ.get("XDG_STATE_HOME"):
        return Path(home) / "rep-monitor"
    home = os.path.expanduser("~")
    if not home.startswith("/") or os.environ.get("HOME") == "":  # which expands to the root folder
        raise StateError("the home folder of this user is not known: set STATE_DIRECTORY to a writable folder")
    return Path(home) / ".local" / "state" / "rep-monitor"


def machines_with_a_store() -> list[str]:
    """The ids of all machines that have a store, sorted."""
    return sorted(path.parent.name for path in state_root().glob("*/events.db"))


def state_directory(machine: str) -> Path:
    """The machine's folder; it is made if it does not exist yet. Raises StateError."""
    directory = state_root() / machine
    try:
        if not directory.is_dir():
            make_private(directory)
            owned_as_its_folder(directory)
    except OSError as error:
        raise StateError(
            f"{directory} cannot be created ({error.strerror}): set STATE_DIRECTORY to a writable folder"
        ) from error
    return directory


def store_path(directory: Path) -> Path:
    return directory / "events.db"


def recording_path(directory: Path, created: datetime, session: str) -> Path:
    return directory / "recordings" / f"{created:%Y-%m-%d}" / f"{created:%H%M%S}-{session}.mcap"


def recordings(directory: Path) -> list[Path]:
    """All recordings of a machine, the oldest first."""
    return sorted((directory / "recordings").glob("*/*.mcap"))


class Lock:
    """The lock of the machine's one daemon; the kernel releases it however the daemon ends.

    The folder itself is locked, too: so the lock holds although somebody removes the file.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "lock"
        self._fd = self._folder_fd = -1

    def __enter__(self) -> Self:
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
        except OSError as error:
            raise StateError(f"{self._path} cannot be opened ({error.strerror}): make its folder writable") from error
        owned_as_its_folder(self._path)
        named = False
        try:
            self._folder_fd = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(self._folder_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            named = True
            with suppress(OSError):  # a full disk has no room for the pid
                os.ftruncate(fd, os.pwrite(fd, f"{os.getpid()}\n".encode(), 0))
            _lock_soon(fd)  # only now: who finds the file locked finds the pid of this process in it
        except OSError as error:
            holder = "" if named else os.pread(fd, 20, 0).decode(errors="replace").strip()
            if self._folder_fd >= 0:
                os.close(self._folder_fd)
            os.close(fd)
            raise AlreadyRuns(
                f"another rep-monitor (pid {holder or 'unknown'}) is running for machine {self._path.parent.name!r}:"
                " stop it first"
            ) from error
        self._fd = fd
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
        os.close(self._folder_fd)


def _lock_soon(fd: int) -> None:
    """Lock a file that a program may hold for a moment to see whether it is locked (`running.daemon_of`)."""
    for _ in range(LOOKS_AT_MOST):
        with suppress(BlockingIOError):
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(A_LOOK_S)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
