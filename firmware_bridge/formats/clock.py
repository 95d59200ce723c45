"""Turns the device's stamps, which wrap, into times on one clock that never wraps.

A stamp gives the device's clock within its range (u32 microseconds: 71.6 minutes). The arrival time says in which lap,
because nothing arrives before it was measured: a stamp means the newest moment that fits it and that is at most
`_AHEAD_US` ahead of what arrivals allow. This works over a silence of any length. It also detects a restarted device,
whose clock went back to zero, where simple unwrapping would see one lap more.

A restart is accepted when the device reports a new boot, or when two stamps in a row agree with each other and not with
the clock; the first of the two is then refused. A single impossible stamp (a damaged frame whose CRC fits by chance) is
refused and changes nothing. Arrival times bridge the gap of a restart.

Where nothing protects a stamp (`guarded`), one that runs ahead of its arrival by more than a few steps is refused like
an impossible one, unless the next stamp agrees with it: then the lines between have been lost.

>>> clock = StampClock()
>>> clock.place(4_294_967_000, received_ns=0), clock.place(704, received_ns=1_000_000)      # the stamp has wrapped
(0, 1000)
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

WRAP_U32 = 2**32
_STEPS = 4  # usual ones, and `_LEAST_US`: so far ahead of its arrival an unprotected stamp may run
_LEAST_US = 20_000
_USUAL_US = 250_000  # no board is slower
_DRIFT = 100  # a clock that is 1 part in 100 too fast does no harm
_AHEAD_US = 60_000_000  # after a stall of the host, arrivals lag behind the stamps; no buffer holds a minute

Whole = NDArray[np.int64]


class StampClock:
    """Turns stamps, in the order of the wire, into microseconds from the first one."""

    def __init__(self, wrap_us: int = WRAP_U32, back_us: int = 0, *, guarded: bool = False) -> None:
        self.wrap_us = wrap_us
        self.guarded = guarded
        self.back_us = back_us  # how far a stamp may lie before the one that came before it
        self.restarts = 0  # gaps that were bridged by arrival times
        self.inferred = 0  # restarts that the stamps show and that the device has not reported
        self._boots = 0
        self._last: tuple[int, int, int] | None = None  # stamp in us, arrival in ns, time on the clock in us
        self._suspect: tuple[int, int] | None = None  # stamp in us, arrival in ns
        self._steps_us: deque[int] = deque(maxlen=5)  # the last differences, where stamps are guarded
        self._newest_us: int | None = None  # the last stamp, accepted or not
        self._lead_us = 0  # how far the clock has run ahead of arrivals since the first stamp

    def place(self, stamp_us: int, received_ns: int, boots: int = 0) -> int | None:
        """The time of the next stamp, None if it is impossible. `boots`: how many the device has reported until now."""
        if self.guarded:
            self._note_step(stamp_us)
        reported = boots != self._boots and self._is_news(boots)
        if self._last is None:
            at_us = 0
        else:
            last_us, last_ns, last_at_us = self._last
            elapsed_us = (received_ns - last_ns) // 1000
            newest_us = elapsed_us + _AHEAD_US
            step_us = newest_us - (newest_us - (stamp_us - last_us)) % self.wrap_us
            impossible = step_us < -self.back_us
            if reported or (impossible and self._agrees_with_suspect(stamp_us, received_ns)):
                self.restarts += 1
                self.inferred += not reported
                step_us = max(elapsed_us, 1)
            elif impossible or not self._keeps_pace(step_us, elapsed_us, stamp_us, received_ns):
                self._suspect = stamp_us, received_ns
                return None
            at_us = last_at_us + step_us
        self.follow(stamp_us, received_ns, at_us)
        return at_us

    def foresee(self, stamps_us: Whole, received_ns: Whole, boots: int = 0) -> Whole:
        """The times that `place` would give, up to the first stamp that needs a closer look. `follow` accepts them."""
        if self._last is None or boots != self._boots:
            return stamps_us[:0]
        last_us, last_ns, last_at_us = self._last
        newest_us = (received_ns - preceding(last_ns, received_ns)) // 1000 + _AHEAD_US
        steps_us = newest_us - (newest_us - (stamps_us - preceding(last_us, stamps_us))) % self.wrap_us
        impossible = steps_us < -self.back_us
        fit = int(impossible.argmax()) if impossible.any() else len(stamps_us)
        return last_at_us + np.cumsum(steps_us[:fit])

    def follow(self, stamp_us: int, received_ns: int, at_us: int) -> None:
        """Accept what was foreseen, up to this stamp."""
        self._last = stamp_us, received_ns, at_us
        self._suspect = None

    def _is_news(self, boots: int) -> bool:
        """Whether the device reports a boot that its stamps have not shown before."""
        news = boots - self._boots
        self._boots = boots
        if self.inferred:
            self.inferred -= 1
            news -= 1
        return news > 0

    def _note_step(self, stamp_us: int) -> None:
        """Keep the difference to the last stamp; a wrong digit makes two of five wrong."""
        if self._newest_us is not None:
            self._steps_us.append(min((stamp_us - self._newest_us) % self.wrap_us, _USUAL_US))
        self._newest_us = stamp_us

    def _keeps_pace(self, step_us: int, elapsed_us: int, stamp_us: int, received_ns: int) -> bool:
        """Whether a guarded stamp is at most as far ahead of its arrival as lines in one read are.

        It may be further ahead if the next one is, too: lines were lost. But the clock as a whole stays with arrivals.
        """
        if not self.guarded:
            return True
        usual_us = sorted(self._steps_us)[len(self._steps_us) // 2] if len(self._steps_us) > 2 else _USUAL_US
        most_us = _LEAST_US + _STEPS * usual_us
        lead_us = max(self._lead_us + step_us - elapsed_us - elapsed_us // _DRIFT, -_AHEAD_US)
        if lead_us > _AHEAD_US:
            return False
        if step_us > elapsed_us + most_us:
            if self._suspect is None:
                return False
            suspect_us, suspect_ns = self._suspect
            if (stamp_us - suspect_us) % self.wrap_us > (received_ns - suspect_ns) // 1000 + most_us:
                return False
        self._lead_us = lead_us
        return True

    def _agrees_with_suspect(self, stamp_us: int, received_ns: int) -> bool:
        if self._suspect is None:
            return False
        suspect_us, suspect_ns = self._suspect
        newest_us = (received_ns - suspect_ns) // 1000 + _AHEAD_US
        return newest_us - (newest_us - (stamp_us - suspect_us)) % self.wrap_us >= -self.back_us


def preceding(before: int, values: Whole) -> Whole:
    """What comes before each value; `before`: before the first one."""
    ones_before = np.empty_like(values)
    ones_before[:1], ones_before[1:] = before, values[:-1]
    return ones_before
