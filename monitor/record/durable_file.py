"""A file that only grows, on a disk that may stall, fill up or fail; no byte is dropped before it is on the disk."""

import contextlib
import errno
import os
from pathlib import Path

from monitor.state.folders import make_private
from monitor.state.whole_file import PRIVATE_FILE, sync_folder


class DurableFile:
    """`append` keeps bytes in memory, `sync` writes them to disk; after a failed `sync` they are still in memory.

    After a failed fdatasync the state of the kernel's pages is unknown, and a second call on the same descriptor may
    report success wrongly. So a failure closes the descriptor, and the next attempt opens the file again and rewrites
    everything after the part that is known to be on disk.
    """

    def __init__(self, path: Path, reserve_bytes: int = 0) -> None:
        """`sync` treats the disk as full when only `reserve_bytes` are free."""
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
        """Raises OSError; may be called again."""
        if not self._pending:
            return
        data = b"".join(self._pending)
        self._pending = [data]
        try:
            if self._fd < 0:
                self._open()
            self._spare_the_reserve(len(data))
            written = 0
            while written < len(data):  # a disk that fills up accepts a part of a write
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
            raise OSError(errno.ENOSPC, "No space left except the reserve for events", str(self.path))

    def close(self) -> None:
        """Closes the descriptor; pending bytes stay pending."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with contextlib.suppress(OSError):  # only `sync` confirms data, and it has already reported errors
                os.close(fd)

    def _open(self) -> None:
        if not self._made:
            make_private(self.path.parent)
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
            self._made = True
            for directory in (self.path.parent, self.path.parent.parent):  # the name must survive too
                sync_folder(directory)
            return
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
        if os.fstat(self._fd).st_size < self.durable_bytes:
            raise OSError(errno.EIO, "the file was shortened by another program", str(self.path))
        os.lseek(self._fd, self.durable_bytes, os.SEEK_SET)
