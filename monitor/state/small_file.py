"""Reads files that somebody else may have put there: regular ones of bounded size only, no device and no pipe."""

import errno
import os
import stat
from pathlib import Path

MOST_BYTES = 1 << 20


def read_small(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """Raises OSError with the path if it is no regular file, or larger."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # the last: a pipe without a writer does not block
    try:
        kind = os.fstat(fd).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "It is not a regular file", str(path))
        with os.fdopen(fd, "rb", closefd=False) as file:
            data = file.read(most_bytes + 1)
    finally:
        os.close(fd)
    if len(data) > most_bytes:
        raise OSError(errno.EFBIG, f"It is larger than {most_bytes} bytes", str(path))
    return data
