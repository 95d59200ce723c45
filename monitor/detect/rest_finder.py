"""The zero of the positions: a stack that stands still without tension, on its rest, is at x = 0.

Higher up, something else may hold it. It counts as resting there only if a doubt about the position explains the
height, or if it stood at the same height twice and was never lower in between. A device that counts lost counts of the
encoder makes such a doubt. So does a stack that seems to be below its rest while its cable carries it.
Where it hung before the doubt (a limiter), it hangs again if it stands nearer to that height than to its rest.
"""

import numpy as np

from firmware_bridge.samples import Flag
from monitor.detect.detector import Detection, Finding, Findings
from monitor.detect.moment import NEVER, Flagged, Moment, PlaceFound, steps
from monitor.detect.since import is_look, next_look, since_when
from monitor.events import SensorFault
from monitor.signals.conditions import Bit
from monitor.signals.position_tracker import PositionDoubt

STILL_S = 0.5  # longer than a slack cable can hang in a throw
CONTACT_S = 0.3  # in doubt, where the rest may be: without half its load the stack cannot stand in the air
SOON_S = 0.3  # after its position is known again: in which a stack that fell comes to stand
LEAST_DRIFT_M = 0.0015  # a rubber bumper gives by less
ASTRAY_M = 0.03  # an estimate of a lost position may be wrong by this much more than its doubt
MOST_SLIP_M = 0.015  # hooks, stops and range limiters are higher
SAME_M = 0.0015  # two contacts at the same height
SLIP_DOUBT_M = 0.005  # counts are lost one by one, in both directions
BELOW_STEPS = steps(0.12)  # for this long: a slow cell shows a landing late, and rubber yields
LOOK_STEPS = 12  # how often to look after that


class RestFinder:
    """Adds up the doubts about the position, and ends them when the stack rests.

    It finds `PlaceFound` when the stack rests elsewhere than at 0, or stands after a doubt on its rest or where it hung
    before. It reports a `sensor_fault` if the encoder has slipped further than the doubt explains.
    """

    watches = Bit.KNOWN_X | Bit.STILL | Bit.EMPTY | Bit.CONTACT | Bit.LIGHT

    def __init__(self) -> None:
        self.due = NEVER
        self._since: int | None = None
        self._looked = False  # at where it has stood since then
        self._pulled_since: int | None = None  # since when the stack seems to rest while its cable is pulled
        self._stood: tuple[int, float] | None = None  # when and where the stack last stood above its rest
        self._hung_m: float | None = None  # where it last hung while its position was sure
        self._known = self._hung = False  # its position; whether it hung when that was lost
        self._seen_again = -NEVER  # after the newest doubt
        self._placed = False  # it has stood since its height was found: what is said to be lost was lost before
        self._slips_only = True  # nothing else makes the present doubt

    def update(self, moment: Moment) -> Findings:
        doubts = [item for item in moment.news if isinstance(item, PositionDoubt)]
        limits, known = moment.limits, moment.on(Bit.KNOWN_X)
        if self._known and not known:
            self._hung = moment.held
        self._known = known
        self._seen_again = moment.now if doubts else self._seen_again
        for doubt in doubts:
            limits = limits.with_doubt(doubt.by_m)
        self._slips_only = not doubts and (self._slips_only or not limits.doubt_m)
        slipped = any(isinstance(item, Flagged) and item.flags & Flag.SLIPPED for item in moment.news)
        self._placed = self._placed and moment.still
        if slipped and not self._placed and limits.doubt_m < SLIP_DOUBT_M:
            limits = limits.with_doubt(SLIP_DOUBT_M - limits.doubt_m)
        found = self._look(moment, limits.doubt_m)
        below_m = self._below(moment)
        if below_m > limits.doubt_m:
            limits = limits.with_doubt(below_m - limits.doubt_m)
        return (limits, *found) if limits is not moment.limits else found

    def _look(self, moment: Moment, doubt_m: float) -> Findings:
        self.due = NEVER
        let_go = Bit.EMPTY | Bit.CONTACT if doubt_m else Bit.EMPTY  # in doubt, a contact has lost half its tension
        resting = moment.limits.kind == "stack" and moment.on(let_go) and moment.still
        self._since = since_when(self._since, resting, moment.now)
        if self._since is None:
            self._looked = False
            return ()
        loose = steps(STILL_S) + moment.signals.slow_lag
        ripe = self._since + (steps(CONTACT_S) if doubt_m and moment.on(Bit.CONTACT) else loose)
        if not self._looked and moment.now < ripe:
            self.due = ripe
        if self._looked or moment.now < ripe:
            return ()
        self._looked = True
        doubted = moment.trust.doubted
        if doubted and doubted[-1][1] > self._since:
            return ()  # only the cell's reading stood still
        off_m = moment.x_m
        moved = bool(doubt_m) or abs(off_m) > LEAST_DRIFT_M
        if self._hung_m is not None and abs(off_m - self._hung_m) < min(doubt_m, abs(off_m)):
            return self._moved(moment, PlaceFound(off_m - self._hung_m, None), doubt_m)
        by_place = off_m <= self._reach_m(moment, doubt_m) or self._fell(moment, self._since)
        if not doubt_m and off_m > MOST_SLIP_M:
            self._hung_m = off_m
        if not moved or not (by_place or self._stands_again(moment, off_m)):
            return ()
        return self._moved(moment, PlaceFound(off_m, self._since), doubt_m)

    def _below(self, moment: Moment) -> float:
        """How far below all contacts the stack seems to be although its cable carries it: it cannot be there, m."""
        limits, signals, now = moment.limits, moment.signals, moment.now
        pulled = limits.kind == "stack" and moment.on(Bit.CONTACT) and not moment.on(Bit.LIGHT)
        self._pulled_since = since_when(self._pulled_since, pulled, now)
        if self._pulled_since is None:
            return 0.0
        ripe, off_rest_m = self._pulled_since + BELOW_STEPS, limits.detect.set.off_rest_m
        self.due = min(self.due, next_look(now, ripe, LOOK_STEPS))
        if not is_look(now, ripe, LOOK_STEPS) or not moment.x_m <= off_rest_m:
            return 0.0
        x, tension_n = (signals.part(of, now - BELOW_STEPS, now + 1) for of in (signals.x, signals.fast_tension))
        carried = bool((tension_n >= limits.half_load_n).all())
        return -off_rest_m - float(np.max(x)) if carried else 0.0  # NaN where the position was not known

    def _fell(self, moment: Moment, since: int) -> bool:
        """Whether it has stood since it was seen again, and was carried before: then it fell, however far."""
        soon = self._seen_again + steps(SOON_S) + moment.signals.slow_lag
        return since <= soon and moment.limits.doubt_m > 0 and not self._hung

    def _reach_m(self, moment: Moment, doubt_m: float) -> float:
        """Below it, a stack that stands without tension is on its rest: there is nothing below a rest."""
        if not doubt_m:
            return moment.limits.detect.set.off_rest_m
        return MOST_SLIP_M if self._slips_only else moment.limits.detect.set.off_rest_m + doubt_m + ASTRAY_M

    def _stands_again(self, moment: Moment, off_m: float) -> bool:
        """Whether the stack came back to this height and was never lower since it first stood here."""
        before, self._stood = self._stood, (moment.now, off_m)
        if before is None or off_m > MOST_SLIP_M or abs(off_m - before[1]) > SAME_M:
            return False
        x = moment.signals.part(moment.signals.x, before[0], moment.now + 1)
        lifted = float(np.fmax.reduce(x)) - off_m > MOST_SLIP_M
        return lifted and off_m - float(np.fmin.reduce(x)) <= SAME_M

    def _moved(self, moment: Moment, found: PlaceFound, doubt_m: float) -> list[Finding]:
        self._stood, self._placed = None, True
        findings: list[Finding] = [found]
        off_m = found.off_m
        if abs(off_m) > max(moment.limits.detect.sensor_fault.jump_m, doubt_m):
            stamp = moment.stamp(moment.now, moment.now)
            slip = SensorFault(**stamp, cause="encoder_slip", detail=f"{off_m * 1000:.1f} mm")
            findings.append(Detection(slip, moment.now, moment.now))
        return findings
