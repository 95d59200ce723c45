"""The device's wrapping stamps laid onto one clock that never wraps.

A stamp says only where the device's clock stands within its range (u32 microseconds: 71.6 minutes). The arrival time
says in which lap, for nothing arrives before it was measured: a stamp is the newest moment that fits it and is not more
than `_AHEAD_US` ahead of what arrivals allow. That bridges any silence, however long, and unmasks a restarted
device whose clock went back to zero, even where a naive unwrapping would see a lap.

A restart is believed when the device tells of a new boot, or when two stamps in a row agree with each other and not
with the clock; the first of the two is refused. A single impossible stamp (a damaged frame whose checksum fits by
chance) is refused and changes nothing. After a restart arrival times bridge the gap.
"""

import numpy as np
from numpy.typing import NDArray

WRAP_U32 = 2**32
_AHEAD_US = 60_000_000  # after a stall of the host arrivals lag behind the stamps; no buffer holds a minute

Whole = NDArray[np.int64]


class StampClock:
    """Lay stamps, given in the order of the wire, onto microseconds from the first one."""

    def __init__(self, wrap_us: int = WRAP_U32, back_us: int = 0) -> None:
        self.wrap_us = wrap_us
        self.back_us = back_us  # how far stamps may go back within the order of the wire
        self.restarts = 0  # gaps that were bridged by arrival times
        self.inferred = 0  # restarts that the stamps betrayed and of which the device has not told
        self._boots = 0
        self._last: tuple[int, int, int] | None = None  # the stamp, when it arrived in ns, and where it was laid
        self._suspect: tuple[int, int] | None = None  # the stamp, and when it arrived in ns

    def place(self, stamp_us: int, received_ns: int, boots: int = 0) -> int | None:
        """Where the next stamp lies, None where it cannot be. `boots`: how many the device has told of until now."""
        told = boots != self._boots and self._is_news(boots)
        if self._last is None:
            at_us = 0
        else:
            last_us, last_ns, last_at_us = self._last
            elapsed_us = (received_ns - last_ns) // 1000
            newest_us = elapsed_us + _AHEAD_US
            step_us = newest_us - (newest_us - (stamp_us - last_us)) % self.wrap_us
            impossible = step_us < -self.back_us
            if told or (impossible and self._agrees_with_suspect(stamp_us, received_ns)):
                self.restarts += 1
                self.inferred += not told
                step_us = max(elapsed_us, 1)
            elif impossible:
                self._suspect = stamp_us, received_ns
                return None
            at_us = last_at_us + step_us
        self.follow(stamp_us, received_ns, at_us)
        return at_us

    def foresee(self, stamps_us: Whole, received_ns: Whole, boots: int = 0) -> Whole:
        """Where `place` would lay these, up to the first that is not the plain next one; `follow` makes it so."""
        if self._last is None or boots != self._boots:
            return stamps_us[:0]
        last_us, last_ns, last_at_us = self._last
        newest_us = np.diff(received_ns, prepend=last_ns) // 1000 + _AHEAD_US
        steps_us = newest_us - (newest_us - np.diff(stamps_us, prepend=last_us)) % self.wrap_us
        impossible = steps_us < -self.back_us
        fit = int(impossible.argmax()) if impossible.any() else len(stamps_us)
        return last_at_us + np.cumsum(steps_us[:fit])

    def follow(self, stamp_us: int, received_ns: int, at_us: int) -> None:
        """All up to this one are where they were foreseen."""
        self._last = stamp_us, received_ns, at_us
        self._suspect = None

    def _is_news(self, boots: int) -> bool:
        """Whether the device told of a boot that its stamps had not betrayed before."""
        told = boots - self._boots
        self._boots = boots
        if self.inferred:
            self.inferred -= 1
            told -= 1
        return told > 0

    def _agrees_with_suspect(self, stamp_us: int, received_ns: int) -> bool:
        if self._suspect is None:
            return False
        suspect_us, suspect_ns = self._suspect
        newest_us = (received_ns - suspect_ns) // 1000 + _AHEAD_US
        return newest_us - (newest_us - (stamp_us - suspect_us)) % self.wrap_us >= -self.back_us
