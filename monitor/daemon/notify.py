"""Reports the daemon's state to the service manager, by systemd's notify protocol.

    READY=1        broker, page and store run; an absent device or external broker does not delay this
    WATCHDOG=1     the event loop runs, and the reader has turned since the last message
    STOPPING=1     the end has begun: a stop was requested, or an exception ends the daemon
    STATUS=        one line for `systemctl status`

Without $NOTIFY_SOCKET nothing is sent. A daemon that hangs sends nothing, and the manager restarts it. A stalling disk
is not a hang, because live feedback continues. From STOPPING=1 on, systemd waits for the end only.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping

PINGS_A_PERIOD = 4  # in a period of the watchdog, so that two may be late
READER_PAUSE_S = 5.0  # every source turns more often than this, with data or without
_log = logging.getLogger(__name__)


class ServiceManager:
    """`watchdog_s` is None if the manager has no watchdog for this process."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self.watchdog_s = _watchdog_s(environment)
        self.unsent = 0  # datagrams that the manager did not accept
        self._address = environment.get("NOTIFY_SOCKET", "")

    def send(self, **values: str | int) -> None:
        """Sends one datagram. A failure is counted, and logged once."""
        if not self._address:
            return
        address = self._address.replace("@", "\0", 1) if self._address.startswith("@") else self._address
        text = "\n".join(f"{name}={value}" for name, value in values.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto(text.encode(), address)
        except OSError as error:
            self.unsent += 1
            if self.unsent == 1:
                _log.warning("the service manager does not listen at %s: %s", self._address, error.strerror)

    @contextlib.asynccontextmanager
    async def watching(self, silent_s: Callable[[], float], status: Callable[[], str]) -> AsyncIterator[None]:
        """Reports ready, and then alive as long as the event loop runs and `silent_s` of the reader is short."""
        self.send(READY=1, STATUS=status())
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
        self.send(STOPPING=1, STATUS="stopping")

    async def _ping(self, watchdog_s: float, silent_s: Callable[[], float], status: Callable[[], str]) -> None:
        hangs = False
        while True:
            hung = silent_s() > READER_PAUSE_S
            if hung and not hangs:
                _log.error("the reader hangs for %.0f s: the service manager will restart the daemon", silent_s())
            if not hung:
                self.send(WATCHDOG=1, STATUS=status())
            hangs = hung
            await asyncio.sleep(watchdog_s / PINGS_A_PERIOD)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """The watchdog's period; None without a watchdog, or if it watches another process."""
    period_us = environment.get("WATCHDOG_USEC", "")
    if not period_us.isdecimal() or int(period_us) == 0:
        return None
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(period_us) / 1e6
