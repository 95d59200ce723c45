"""Follows the zero of the force: what the cell reads while the stack rests and nothing pulls drifts slowly.

A hand that pulls on a resting stack comes suddenly, so its pull is not taken for the zero: between two looks the zero
may move by no more than `walk_n_per_minute` (EVENTS.md 10). After a set, that is enough for arms that hang on the
handle. They pull evenly for a while, whereas a zero that has drifted drifts on.
"""

import numpy as np

from monitor.detect.detector import Findings
from monitor.detect.moment import NEVER, Moment, ZeroFound, steps
from monitor.detect.since import is_look, next_look, since_when
from monitor.signals.conditions import Bit
from monitor.signals.grid import STEP_S
from monitor.signals.median import median

LOOK_STEPS = steps(1.0)  # of rest, over which a zero is measured
LEAST_S = 2.0  # a step that drift would make in less time is noise
ARMS_N = 5.0  # arms that hang on the handle pull by more
SHOWN_N = 0.25  # by so much a zero must be expected to drift on before it can be seen whether it does ...
GOES_ON = 0.5  # ... by this share of it
LONGEST_STEPS = steps(60.0)  # nobody hangs on evenly for longer
STEADY_S = 12.0  # the two halves of a look differ by less than the drift in this time
ZERO_STEP_N = 2.0**-10  # a binary fraction: sums of zeros are exact, however the stream is cut


class ZeroFinder:
    """Finds `ZeroFound` when the stack rests and the cell's steady level has drifted; it reports no event."""

    watches = Bit.CONTACT | Bit.STILL | Bit.KNOWN_T

    def __init__(self) -> None:
        self.due = NEVER
        self._since: int | None = None  # since when the stack rests
        self._first: tuple[int, float] | None = None  # the moment and the level of the first look at this rest
        self._known_at: int | None = None  # when the zero was last seen; it is trusted at the first moment

    def update(self, moment: Moment) -> Findings:
        if self._known_at is None and moment.on(Bit.KNOWN_T):
            self._known_at = moment.now
        resting = moment.limits.kind == "stack" and moment.on(Bit.CONTACT) and moment.still and moment.on(Bit.KNOWN_T)
        self._since = since_when(self._since, resting, moment.now)
        if self._since is None:
            self._first, self.due = None, NEVER
            return ()
        ripe = self._since + LOOK_STEPS
        self.due = next_look(moment.now, ripe, LOOK_STEPS)
        return self._look(moment) if is_look(moment.now, ripe, LOOK_STEPS) else ()

    def _look(self, moment: Moment) -> Findings:
        tension = moment.signals.part(moment.signals.tension, moment.now - LOOK_STEPS + 1, moment.now + 1)
        half = len(tension) // 2
        first_n, last_n = float(np.mean(tension[:half])), float(np.mean(tension[half:]))
        off_n = ZERO_STEP_N * round(median(tension) / ZERO_STEP_N)  # a pull that has just begun does not count
        walk_n_s = moment.limits.detect.zero.walk_n_per_minute / 60
        since = self._known_at
        assert since is not None
        allowed_n = walk_n_s * (LEAST_S + (moment.now - since) * STEP_S)
        steady = abs(first_n - last_n) < STEADY_S * walk_n_s
        if moment.trust.force_doubted or not steady or not abs(off_n) <= allowed_n:
            return ()
        if off_n > ARMS_N and not self._drifts_on(moment.now, since, off_n):
            return ()
        self._known_at, self._first = moment.now, None
        return (ZeroFound(off_n, since),) if abs(off_n) >= LEAST_S * walk_n_s else ()

    def _drifts_on(self, now: int, since: int, off_n: float) -> bool:
        """Whether a level that is by `off_n` higher than at moment `since` rises on this rest as it did before."""
        if self._first is None:
            self._first = now, off_n
        first, first_n = self._first
        expected_n = off_n * (now - first) / (now - since)
        shown = expected_n >= SHOWN_N and off_n - first_n >= GOES_ON * expected_n
        return shown or now - first >= LONGEST_STEPS
