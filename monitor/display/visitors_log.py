"""What websockets logs: a visitor's broken handshake is counted, trouble of ours is told."""

import logging

from websockets.exceptions import ConnectionClosed, InvalidHandshake

_log = logging.getLogger(__name__)
THEIRS = (InvalidHandshake, ConnectionClosed, EOFError, OSError)


class VisitorsLog(logging.Logger):
    """For one server. Who leaves in the middle of a request, or sends nonsense, is no line in anybody's log."""

    def __init__(self) -> None:
        super().__init__(_log.name, logging.ERROR)
        self.parent = _log
        self.handshakes_failed = 0

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, THEIRS) and record.msg == "opening handshake failed":
            self.handshakes_failed += 1
            return False
        return True
