"""The zero of the positions: a stack that stands still without tension, low down, rests at x = 0."""

from monitor.detect.detector import Detection, Finding, Findings
from monitor.detect.moment import NEVER, Moment, RestFound, steps
from monitor.events import SensorFault
from monitor.signals.conditions import Bit
from monitor.signals.position_tracker import PositionDoubt

STILL_S = 0.5  # longer than a slack cable can hang in a throw
LEAST_DRIFT_M = 0.0015  # a rubber bumper gives by less
MOST_DRIFT_M = 0.03  # higher up, something other than the rest holds the stack


class RestFinder:
    """Adds up the doubts about the position, and ends them where the stack rests.

    `RestFound` at the moment when the stack is seen to rest elsewhere than at 0, or after a doubt; a `sensor_fault`
    where the encoder has slipped further than the doubt explains.
    """

    watches = Bit.KNOWN_X | Bit.STILL | Bit.EMPTY

    def __init__(self) -> None:
        self.due = NEVER
        self._since: int | None = None

    def update(self, moment: Moment) -> Findings:
        doubts = [item for item in moment.news if isinstance(item, PositionDoubt)]
        limits = moment.limits
        for doubt in doubts:
            limits = limits.with_doubt(doubt.by_m)
        found = self._look(moment, limits.doubt_m)
        return (limits, *found) if doubts else found

    def _look(self, moment: Moment, doubt_m: float) -> Findings:
        self.due = NEVER
        resting = moment.limits.kind == "stack" and moment.on(Bit.EMPTY) and moment.still
        self._since = (self._since if self._since is not None else moment.now) if resting else None
        if self._since is None:
            return ()
        ripe = self._since + steps(STILL_S) + moment.signals.slow_lag
        if moment.now < ripe:
            self.due = ripe
        if moment.now != ripe:
            return ()
        doubted = moment.trust.doubted
        if doubted and doubted[-1][1] > self._since:
            return ()  # the cell has only stood still
        off_m = moment.x_m
        moved = bool(doubt_m) or abs(off_m) > LEAST_DRIFT_M
        if not moved or off_m >= MOST_DRIFT_M + doubt_m:  # there is nothing below a rest
            return ()
        return self._moved(moment, off_m, doubt_m)

    def _moved(self, moment: Moment, off_m: float, doubt_m: float) -> list[Finding]:
        findings: list[Finding] = [RestFound(off_m)]
        if abs(off_m) > max(moment.limits.detect.sensor_fault.jump_m, doubt_m):
            stamp = moment.stamp(moment.now, moment.now)
            slip = SensorFault(**stamp, cause="encoder_slip", detail=f"{off_m * 1000:.1f} mm")
            findings.append(Detection(slip, moment.now, moment.now))
        return findings
