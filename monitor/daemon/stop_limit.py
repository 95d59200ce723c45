"""Ends the process when a stop does not come to its end, for example because a disk hangs.

A stop waits for the disk, because what was received is worth more than a quick end. But nothing can interrupt a thread
that waits for a disk. So the process ends after `WITHIN_S`, or at another Ctrl-C, and the log says what may be missing.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence

from monitor.exit_codes import ExitCode

WITHIN_S = 85.0  # the service manager kills the daemon after 90 s (TimeoutStopSec), without a word
HINT_S = 3.0  # a stop usually takes less than a second
ONE_PRESS_S = 1.0  # some programs that start others pass on the terminal's Ctrl-C a second time
LOGGED_WITHIN_S = 1.0  # the log may be on the disk that hangs
_log = logging.getLogger(__name__)


class StopLimit:
    """The end of the process, from `begin` to `done`."""

    def __init__(self, leave: Callable[[int], None] = os._exit) -> None:
        self.missing: Callable[[], Sequence[str]] = list  # returns sentences on what is not on the disk yet
        self._leave = leave
        self._began_s: float | None = None
        self._timers: list[threading.Timer] = []

    def begin(self) -> None:
        """The stop begins."""
        if self._began_s is None:
            self._began_s = time.monotonic()
            self._after(WITHIN_S, lambda: self._give_up(f"the stop has taken {WITHIN_S:.0f} s", ExitCode.FAILED))

    def interrupt(self) -> None:
        """Ctrl-C: begins the stop, or ends the process if the stop has lasted for a moment."""
        if self._began_s is None:
            self.begin()
            self._after(HINT_S, self._hint)
        elif time.monotonic() - self._began_s >= ONE_PRESS_S:
            self._give_up("Ctrl-C again", ExitCode.INTERRUPTED)

    def done(self) -> None:
        """The stop has come to its end."""
        for timer in self._timers:
            timer.cancel()

    def _after(self, pause_s: float, act: Callable[[], None]) -> None:
        timer = threading.Timer(pause_s, act)  # a thread, because the event loop may wait for the disk, too
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def _hint(self) -> None:
        _log.warning("stopping takes longer than usual; Ctrl-C again ends it, and what is not on the disk yet is lost")

    def _give_up(self, why: str, status: ExitCode) -> None:
        self.done()

        def say() -> None:
            _log.error("%s: ending without what is not on the disk yet", why)
            for sentence in self.missing():
                _log.error("%s", sentence)

        saying = threading.Thread(target=say, daemon=True)
        saying.start()
        saying.join(LOGGED_WITHIN_S)
        self._leave(status)
