"""Finds out when something holds the stack above its rest: a hook, a stop, a range limiter, a hand.

A stack that stands still off its rest without tension does not hang on its cable. That is the phase `held`, not a
fault (EVENTS.md 1.3). A machine's own stop may keep the cable loaded: there the stack stands completely still, lower
than any lifter turns.
"""

import numpy as np

from monitor.detect.detector import Findings
from monitor.detect.moment import NEVER, Hold, Moment, Stop, steps
from monitor.detect.since import is_look, next_look, since_when
from monitor.profile.settings import HeldSettings, SetSettings
from monitor.signals.conditions import Bit

DEAD_M = 0.001  # a stack on a stop moves by less: one count of a coarse encoder
AT_STOP_M = 0.0003  # a stack this near to its stop has arrived
SETTLES = 1.1  # counts: one, whatever its rounding
LEFT_M = 0.00005  # one that has moved by this much has left it: half a count of a fine encoder
LOOK_STEPS = steps(0.5)  # how often to check whether the stack stands completely still
LEAVING_STEPS = steps(2.0)  # after this time at most it is known that the stack has left its stop


class HoldFinder:
    """Finds `Hold`; it reports no event. Doubted readings neither begin nor end a hold."""

    watches = Bit.HANGS | Bit.STILL | Bit.KNOWN_T | Bit.CONTACT

    def __init__(self, settings: HeldSettings) -> None:
        self.hold = steps(settings.hold_s)
        self.due = NEVER
        self._since: int | None = None

    def update(self, moment: Moment) -> Findings:
        self.due = NEVER
        doubted = moment.trust.force_doubted or not moment.on(Bit.KNOWN_T)
        hangs = moment.still and (moment.on(Bit.HANGS) if not doubted else self._since is not None)
        self._since = since = since_when(self._since, hangs and not moment.on(Bit.CONTACT), moment.now)
        if since is not None and moment.now - since + 1 < self.hold:
            self.due, since = since + self.hold - 1, None
        return (Hold(since),) if since != moment.hold.since else ()


class StopFinder:
    """Finds `Stop`; it reports no event. Doubted readings and silence neither begin nor end a stop."""

    watches = Bit.HANGS | Bit.STILL | Bit.UP | Bit.DOWN | Bit.KNOWN_X | Bit.KNOWN_T | Bit.CONTACT

    def __init__(self, settings: SetSettings, count_m: float) -> None:
        """`count_m`: the step of the encoder."""
        self.settings = settings
        self.arrived_m = max(AT_STOP_M, SETTLES * count_m)  # while it settles, the last count may still change
        self.hold = steps(settings.end_rest_s)
        self.due = NEVER
        self._since: int | None = None
        self._stop: Stop | None = None

    def update(self, moment: Moment) -> Findings:
        self.due = NEVER
        if moment.limits.kind != "stack":
            return ()
        stop, self._stop = self._stop, self._seen(moment)
        if stop is None or self._stop is not None:
            return (self._stop,) if self._stop is not stop and self._stop is not None else ()
        return (Stop(stop.since, self._left(moment), stop.x_m),)

    def _seen(self, moment: Moment) -> Stop | None:
        if self._stop is not None and _unseen(moment, self._stop.x_m):
            return self._stop
        doubted = moment.trust.force_doubted or not moment.on(Bit.KNOWN_T)
        tight = not moment.on(Bit.CONTACT | Bit.HANGS) if not doubted else self._since is not None
        self._since = since_when(self._since, moment.still and tight, moment.now)
        if self._since is None:
            return None
        if self._stop is not None:
            return self._stop
        ripe = self._since + self.hold
        self.due = next_look(moment.now, ripe, LOOK_STEPS)
        return self._look(moment) if is_look(moment.now, ripe, LOOK_STEPS) else None

    def _look(self, moment: Moment) -> Stop | None:
        """The stop, if the stack has stood completely still for long enough where no lifter holds it."""
        assert self._since is not None
        x, x_m = moment.signals.part(moment.signals.x, self._since, moment.now + 1), moment.x_m
        far = np.flatnonzero(np.abs(x - x_m) > DEAD_M)
        since = moment.now + 1 - len(x) + (int(far[-1]) + 1 if len(far) else 0)
        lowest_m = _lowest_m(moment)
        margin_m = max(self.settings.stop_min_m, self.settings.stop_fraction * moment.limits.range_m)
        stands = moment.now - since >= self.hold - 1 and lowest_m is not None and x_m < lowest_m - margin_m
        if not stands:
            return None
        arrived = np.abs(moment.signals.part(moment.signals.x, since, moment.now + 1) - x_m) <= self.arrived_m
        return Stop(since + int(arrived.argmax()), None, x_m)

    def _left(self, moment: Moment) -> int:
        """When the stack left its stop."""
        assert self._stop is None
        start = moment.now - LEAVING_STEPS
        x = moment.signals.part(moment.signals.x, start, moment.now + 1)
        stood_m = x[np.argmax(~np.isnan(x))]
        at = np.flatnonzero(np.abs(x - stood_m) <= LEFT_M)
        return moment.now + 1 - len(x) + int(at[-1]) if len(at) else moment.now


def _unseen(moment: Moment, x_m: float) -> bool:
    """Whether nothing shows that the stack has left this height: its position was not known just now."""
    moves = moment.on(Bit.STILL | Bit.UP | Bit.DOWN)
    return not moves and (not moment.on(Bit.KNOWN_X) or abs(moment.x_m - x_m) <= DEAD_M)


def _lowest_m(moment: Moment) -> float | None:
    """The lowest height at which lifters turn here, as far as it is known; on a stop they only seem to turn."""
    limits, shown_m = moment.limits, moment.reps.lowest_m
    if limits.range_given:
        return limits.bottom_m
    learned_m = limits.bottom_m if limits.range_agreed else None
    return max((height_m for height_m in (shown_m, learned_m) if height_m is not None), default=None)
