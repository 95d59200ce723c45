"""Estimates the device's clock against the host's, from PING and PONG.

The device read its clock halfway between sending and arrival, with an error of at most half the round trip. So the
shortest round trip is the best: of every `_WINDOW` pings the shortest counts. The first and the last of the windows
give the drift (a ceramic resonator has up to 5000 ppm, a crystal 50).
"""

from collections import deque
from dataclasses import dataclass

from firmware_bridge.formats.clock import WRAP_U32
from firmware_bridge.formats.messages import Pong

_WINDOW = 16
_WINDOWS = 16  # kept for the drift: about four minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceClock:
    """One moment on both clocks."""

    device_us: int  # as the device stamps it, wrapping at 2**32
    host_ns: int  # the host's monotonic clock
    round_trip_us: int  # twice the largest possible error of the above
    drift_ppm: float | None = None  # how much faster it runs than the host's; None: not known yet


class ClockEstimate:
    """Give it every ping and pong; `best` is the estimate."""

    def __init__(self) -> None:
        self._token = 0
        self._sent_ns = 0
        self._window: list[DeviceClock] = []
        self._shortest: deque[DeviceClock] = deque(maxlen=_WINDOWS)

    def ping(self, now_ns: int) -> int:
        """A ping is sent now; returns its token."""
        self._token = (self._token + 1) % WRAP_U32
        self._sent_ns = now_ns
        return self._token

    def pong(self, pong: Pong, now_ns: int) -> None:
        """An answer came. An answer to an older ping, or a second one, is ignored."""
        if pong.token != self._token or not self._sent_ns:
            return
        held_us = (pong.t_tx_us - pong.t_rx_us) % WRAP_U32
        round_trip_us = (now_ns - self._sent_ns) // 1000 - held_us
        middle_us = (pong.t_rx_us + held_us // 2) % WRAP_U32
        host_ns = (now_ns + self._sent_ns) // 2
        self._sent_ns = 0
        if round_trip_us < 0:
            return  # impossible: the device says it held the ping for longer than the round trip took
        if len(self._window) == _WINDOW:
            self._shortest.append(_shortest(self._window))
            self._window.clear()
        self._window.append(DeviceClock(device_us=middle_us, host_ns=host_ns, round_trip_us=round_trip_us))

    @property
    def best(self) -> DeviceClock | None:
        """The shortest of the last pings, with the drift since the first window in memory."""
        if not self._window:
            return None
        last = self._shortest[-1] if len(self._window) < _WINDOW // 2 and self._shortest else _shortest(self._window)
        if not self._shortest or self._shortest[0] is last:
            return last
        first = self._shortest[0]
        host_us = (last.host_ns - first.host_ns) / 1000
        device_us = (last.device_us - first.device_us) % WRAP_U32
        return DeviceClock(
            device_us=last.device_us,
            host_ns=last.host_ns,
            round_trip_us=last.round_trip_us,
            drift_ppm=round((device_us / host_us - 1) * 1e6, 1),
        )


def _shortest(window: list[DeviceClock]) -> DeviceClock:
    return min(window, key=lambda one: one.round_trip_us)
