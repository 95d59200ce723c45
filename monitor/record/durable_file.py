"""A file that only grows, on a disk that may stall, fill up or fail: nothing is given up before it is on it."""

import contextlib
import errno
import os
from pathlib import Path

from monitor.state.folders import PRIVATE_DIRECTORY
from monitor.state.whole_file import PRIVATE_FILE, sync_folder


class DurableFile:
    """`append` keeps bytes in memory, `sync` brings them to disk; after a failed `sync` they are all still there.

    A failed fdatasync leaves the kernel's pages in a state that nobody knows, and a second one on the same
    descriptor may lie. So a failure drops the descriptor, and the next attempt opens the file anew and writes again
    everything behind what is known to be on disk.
    """

    def __init__(self, path: Path, reserve_bytes: int = 0) -> None:
        """The last `reserve_bytes` of the disk are somebody else's: where they begin, it is full."""
        self.path = path
        self._reserve_bytes = reserve_bytes
        self.durable_bytes = 0
        self._pending: list[bytes] = []
        self._made = False
        self._fd = -1

    def append(self, data: bytes) -> None:
        if data:
            self._pending.append(data)

    def sync(self) -> None:
        """Raises OSError, and may be called again."""
        if not self._pending:
            return
        data = b"".join(self._pending)
        self._pending = [data]
        try:
            if self._fd < 0:
                self._open()
            self._spare_the_reserve(len(data))
            written = 0
            while written < len(data):  # a disk that fills up takes a part of a write first
                written += os.write(self._fd, data[written:] if written else data)
            os.fdatasync(self._fd)
        except OSError:
            self.close()
            raise
        self.durable_bytes += len(data)
        self._pending = []

    def _spare_the_reserve(self, more_bytes: int) -> None:
        disk = os.fstatvfs(self._fd)
        if disk.f_bavail * disk.f_frsize - more_bytes < self._reserve_bytes:
            raise OSError(errno.ENOSPC, "No space left but what events need", str(self.path))

    def close(self) -> None:
        """Lets go of the descriptor; what is pending stays so."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with contextlib.suppress(OSError):  # what it could tell, sync has told: only that vouches for data
                os.close(fd)

    def _open(self) -> None:
        if not self._made:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIRECTORY)
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
            self._made = True
            for directory in (self.path.parent, self.path.parent.parent):  # the name must survive too
                sync_folder(directory)
            return
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
        if os.fstat(self._fd).st_size < self.durable_bytes:
            raise OSError(errno.EIO, "somebody cut the file", str(self.path))
        os.lseek(self._fd, self.durable_bytes, os.SEEK_SET)
