"""Keeps a fault that comes again and again from filling the log: ten lines of a kind a minute, then a count of them.

The kind of a line is its text before anything is filled in. Who wants to know every one looks at the counts in `info`.
"""

import logging
import time
from collections.abc import Callable

LINES = 10
PERIOD_S = 60.0


class LogLimit(logging.Filter):
    """For a handler."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        key = (record.name, str(record.msg))
        now_s = self._clock()
        kind = self._kinds.setdefault(key, _Kind(now_s))
        if now_s - kind.since_s >= PERIOD_S:
            if kind.unsaid:
                record.msg = f"{record.getMessage()} ({kind.unsaid} lines like this were not said)"
                record.args = None
            self._kinds[key] = kind = _Kind(now_s)
        kind.said += kind.said < LINES
        kind.unsaid += kind.full
        allowed = not kind.full
        kind.full = kind.said >= LINES
        return allowed


class _Kind:
    """Lines of one kind within a period."""

    def __init__(self, since_s: float) -> None:
        self.since_s = since_s
        self.said = self.unsaid = 0
        self.full = False
