"""Tells the service manager how the daemon fares: systemd's notify protocol, datagrams to the socket it names.

    READY=1        broker, page and store are up; a device or a broker that is away is no reason to wait
    WATCHDOG=1     the event loop turns (it is the one that says so) and the reader has turned since the last time
    STOPPING=1     a stop was asked for
    STATUS=        one line for `systemctl status`

Without $NOTIFY_SOCKET nothing is said. A daemon that hangs says nothing more, and the manager ends and restarts it; a
disk that stalls is no hang, for live feedback goes on without it.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping

PINGS_A_PERIOD = 4  # of the watchdog's: two may come late
READER_PAUSE_S = 5.0  # longer than this no source is silent, whether it has data or not
_log = logging.getLogger(__name__)


class ServiceManager:
    """`watchdog_s` is None where the manager does not watch."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self.watchdog_s = _watchdog_s(environment)
        self.unheard = 0  # datagrams that the manager did not take
        self._address = environment.get("NOTIFY_SOCKET", "")

    def tell(self, **said: str | int) -> None:
        """One datagram; a manager that does not listen is no trouble of the lifter's."""
        if not self._address:
            return
        address = self._address.replace("@", "\0", 1) if self._address.startswith("@") else self._address
        text = "\n".join(f"{name}={value}" for name, value in said.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.setblocking(False)
                line.sendto(text.encode(), address)
        except OSError as error:
            self.unheard += 1
            if self.unheard == 1:
                _log.warning("the service manager does not listen at %s: %s", self._address, error.strerror)

    @contextlib.asynccontextmanager
    async def watching(self, silent_s: Callable[[], float], status: Callable[[], str]) -> AsyncIterator[None]:
        """Ready now; alive as long as this loop turns and the reader's silence, in seconds, is short."""
        self.tell(READY=1, STATUS=status())
        if not self._address or self.watchdog_s is None:
            yield
            return
        pinging = asyncio.create_task(self._ping(self.watchdog_s, silent_s, status), name="watchdog")
        try:
            yield
        finally:
            pinging.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pinging

    def stopping(self) -> None:
        self.tell(STOPPING=1, STATUS="stopping")

    async def _ping(self, watchdog_s: float, silent_s: Callable[[], float], status: Callable[[], str]) -> None:
        hangs = False
        while True:
            hung = silent_s() > READER_PAUSE_S
            if hung and not hangs:
                _log.error("the reader has not turned for %.0f s: the service manager is to restart us", silent_s())
            if not hung:
                self.tell(WATCHDOG=1, STATUS=status())
            hangs = hung
            await asyncio.sleep(watchdog_s / PINGS_A_PERIOD)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """None: nobody watches, or it is another process that is watched."""
    period_us = environment.get("WATCHDOG_USEC", "")
    if not period_us.isdecimal() or int(period_us) == 0:
        return None
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(period_us) / 1e6
