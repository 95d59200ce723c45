"""The log of the page's server: counts broken handshakes of visitors, logs its own errors."""

import logging

from websockets.exceptions import ConnectionClosed, InvalidHandshake

_log = logging.getLogger(__name__)
THEIRS = (InvalidHandshake, ConnectionClosed, EOFError, OSError)


class VisitorsLog(logging.Logger):
    """The logger of one server. Visitors who send nonsense, or leave during a request, do not fill the log.

    Where a request is sound and what follows it is not, `websockets` ends the connection, answers the request
    nevertheless, and logs its own assertion as an error, before the handshake counts as failed.
    """

    def __init__(self) -> None:
        super().__init__(_log.name, logging.ERROR)
        self.parent = _log
        self.handshakes_failed = 0

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, THEIRS) and record.msg == "opening handshake failed":
            self.handshakes_failed += 1
            return False
        return not (isinstance(error, AssertionError) and record.msg == "unexpected internal error")
