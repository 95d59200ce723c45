"""Limits repeated log lines: ten of a kind in a minute, then the number of suppressed lines.

The kind of a line is its text before its values are filled in. `info` contains complete counters.
"""

import logging
import time
from collections.abc import Callable

LINES = 10
PERIOD_S = 60.0


class LogLimit(logging.Filter):
    """A filter for a log handler."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[str, str], _LineKind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        key = (record.name, str(record.msg))
        now_s = self._clock()
        kind = self._kinds.setdefault(key, _LineKind(now_s))
        if now_s - kind.since_s >= PERIOD_S:
            if kind.suppressed:
                record.msg = f"{record.getMessage()} ({kind.suppressed} lines like this were suppressed)"
                record.args = None
            self._kinds[key] = kind = _LineKind(now_s)
        kind.logged += kind.logged < LINES
        kind.suppressed += kind.full
        allowed = not kind.full
        kind.full = kind.logged >= LINES
        return allowed


class _LineKind:
    """Lines of one kind within a period."""

    def __init__(self, since_s: float) -> None:
        self.since_s = since_s
        self.logged = self.suppressed = 0
        self.full = False
