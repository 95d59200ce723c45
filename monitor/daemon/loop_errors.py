"""Logs errors that asyncio cannot pass on: a full table of descriptors as one sentence, all others unchanged."""

import asyncio
import errno
import logging
from typing import Any

FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_log = logging.getLogger(__name__)


def report_loop_errors(loop: asyncio.AbstractEventLoop) -> None:
    """asyncio itself stops accepting for a second when the system refuses a connection."""
    loop.set_exception_handler(_report)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in FULL and "socket" in context:
        _log.warning("a connection has to wait (%s): raise the limit of open files", error.strerror)
        return
    loop.default_exception_handler(context)
