"""Detects stalls in the positive, and how they end: the positive goes on, or the muscle fails.

Failure is detected from a stall alone: the sensors cannot distinguish a set that was given up from one that was ended
by choice.
"""

from typing import Any

import numpy as np

from monitor.detect.detector import Detection, Ending, Finding, Findings
from monitor.detect.moment import NEVER, Moment, Stalling, steps
from monitor.detect.pushing import Pushing
from monitor.events import Failure, Stall
from monitor.learning.load import SAME
from monitor.profile.limits import Limits
from monitor.profile.settings import DetectSettings
from monitor.signals.conditions import Bit


class StallDetector:
    """Reports `stall`, and the `failure` after it."""

    watches = Bit.KNOWN_X | Bit.STILL | Bit.MID | Bit.MOVE

    def __init__(self, detect: DetectSettings) -> None:
        self.stall = detect.stall
        self.failure = detect.failure
        self.due = NEVER
        self._since: int | None = None  # when the stillness began; slow movement does not break it
        self._stall: Detection[Stall] | None = None
        self._still_x_m = 0.0  # where it began
        self._x_m = 0.0  # where the last stall began
        self._candidate = False  # the stall was long enough: a descent now is failure
        self._failed = False  # in this set ...
        self._failed_n: float | None = None  # ... with this load: a drop set fails once a load
        self._pushing = Pushing(detect.failure.pushing)

    def update(self, moment: Moment) -> Findings:
        now = moment.slow_now
        x_m = moment.signals.x_m(now)
        findings: list[Finding] = []
        if moment.set_started is not None:
            self._failed = False
        if Stall in moment.silenced:
            self._stall = self._since = None
        going = moment.direction > 0 or self._stall is not None
        seen = x_m == x_m
        stuck = moment.in_set and moment.still and moment.on(Bit.MID) and going and seen and not moment.held
        if self._since is not None and self._stall is None and not (going and seen and not self._over(moment, x_m)):
            self._since = None
        if stuck and self._since is None:
            self._since, self._still_x_m = now, x_m
        if self._since is not None and self._stall is None and now - self._since + 1 >= steps(self.stall.hold_s):
            self._stall = Detection(Stall(**moment.stamp(self._since, phase="positive")), self._since)
            findings.append(self._stall)
            self._x_m = self._still_x_m
            self._candidate = False
        until = moment.stalling.until
        if self._stall is not None:
            findings += self._watch(moment, self._stall, x_m)
            until = until if self._stall is not None else now
        elif self._candidate:
            findings += self._fallen(moment, x_m)
        stalling = self._stall is not None
        if stalling != moment.stalling.open or until != moment.stalling.until:
            findings.append(Stalling(stalling, until))
        findings += self._pushing.update(moment)
        ended_stuck = stuck and self._since is None  # and may begin again at once, though no bit changes
        self.due = moment.now + 1 if ended_stuck else min(self._pushing.due, self._next(moment))
        return findings

    def _watch(self, moment: Moment, stall: Detection[Stall], x_m: float) -> list[Finding]:
        """Continue or end an open stall."""
        now = moment.slow_now
        lasted = now - stall.start
        self._candidate = self._candidate or lasted >= steps(self.failure.stall_s)
        findings = self._fail(moment) if lasted >= steps(self.failure.total_s) else []
        if self._over(moment, x_m):
            findings.append(Ending(stall, now))
            self._stall = self._since = None
            findings += self._fallen(moment, x_m)
        return findings

    def _over(self, moment: Moment, x_m: float) -> bool:
        """Whether a stall ends, or a stillness that is not a stall yet."""
        moved = moment.on(Bit.MOVE) or self._away(x_m) or bool(moment.turned.points)
        return moved or moment.held or not moment.in_set

    def _fallen(self, moment: Moment, x_m: float) -> list[Finding]:
        """After a long stall: failure if the stack sinks, none if it reaches the top."""
        if x_m <= self._sunk_m(moment.limits):
            return self._fail(moment)
        if x_m >= _top_m(moment.limits):
            self._candidate = False
        return []

    def _fail(self, moment: Moment) -> list[Finding]:
        again = self._failed and not self._other_load(moment)
        failed = self._candidate and not again and bool(moment.reps.full)
        if failed:
            self._failed, self._failed_n = True, moment.limits.selected_n
        self._candidate = self._candidate and self._stall is not None
        if not failed:
            return []
        failure = Detection(Failure(**moment.stamp(moment.now, moment.now)), moment.now, moment.now)
        self._pushing.follow(failure)
        return [failure]

    def _other_load(self, moment: Moment) -> bool:
        """Whether the pin was moved since the last failure; learning alone moves a load by less."""
        load_n = moment.limits.selected_n
        return load_n is not None and self._failed_n is not None and abs(load_n / self._failed_n - 1) > SAME

    def _next(self, moment: Moment) -> int:
        """When it will have stood, or moved, for enough; the positions that have arrived already show it."""
        signals, lag, limits = moment.signals, moment.signals.slow_lag, moment.limits
        stands = self._since is not None or self._stall is not None
        sinks = self._candidate and self._stall is None
        if not stands and not sinks:
            return NEVER
        x_m = signals.x[signals.row(moment.slow_now + 1) : signals.row(signals.end - lag)]
        gone = np.zeros(len(x_m), bool)
        if stands:
            gone |= self._away(x_m)
        if sinks:
            gone |= (x_m <= self._sunk_m(limits)) | (x_m >= _top_m(limits))
        due = moment.now + 1 + int(gone.argmax()) if gone.any() else signals.end
        if self._stall is not None:
            enough = self._stall.start + steps(self.failure.total_s)
        else:
            enough = NEVER if self._since is None else self._since + steps(self.stall.hold_s) - 1
        return min(due, enough + lag) if enough > moment.slow_now else due

    def _away(self, x_m: Any) -> Any:
        """Whether a position, or which of some, are further from where it stood than a stall travels."""
        return abs(x_m - self._still_x_m) > self.stall.travel_m

    def _sunk_m(self, limits: Limits) -> float:
        return self._x_m - self.failure.descent * limits.range_m


def _top_m(limits: Limits) -> float:
    return limits.top_m - limits.detect.rep.top * limits.range_m
