"""Gives repetitions their load when it becomes known only after they were reported."""

from collections import deque

import msgspec

from monitor.detect.detector import Correction, Detection
from monitor.detect.loads import PIN_STEPS
from monitor.detect.moment import Moment, seconds
from monitor.events import Rep
from monitor.profile.resistance import Resistance
from monitor.signals.stretches import runs_of

KEPT = 16  # repetitions of an unknown load: more than are done before it is learned


class UnweighedReps:
    """The repetitions of this set that were reported before the load was known."""

    def __init__(self) -> None:
        self._reps: deque[Detection[Rep]] = deque(maxlen=KEPT)
        self._resistance: Resistance | None = None  # by which they are judged

    def add(self, rep: Detection[Rep], moment: Moment) -> None:
        self._reps.append(rep)
        self._resistance = moment.limits.resistance

    def clear(self) -> None:
        self._reps.clear()

    def weigh(self, moment: Moment) -> list[Correction]:
        """Once the load is known, send the repetitions that were done with it again, with what it shows of them."""
        load_n, signals = moment.limits.load_n, moment.signals
        if load_n is None or not self._reps:
            return []
        found = []
        for one in self._reps:
            assert one.end is not None
            judged = moment.limits.resistance is self._resistance and one.start >= signals.oldest
            if not judged or _pin_may_have_moved(moment, one.end):
                continue
            in_band_s = seconds(signals.count(signals.in_band, one.start, one.end))
            rep = msgspec.structs.replace(one.event, load_n=round(load_n, 1), in_band_s=in_band_s)
            found.append(Correction(one, rep))
        self._reps.clear()
        return found


def _pin_may_have_moved(moment: Moment, since: int) -> bool:
    """Whether the stack has rested or hung for long enough since then."""
    limits, signals = moment.limits, moment.signals
    x, tension_n = (signals.part(of, since, moment.now + 1) for of in (signals.x, signals.tension))
    free = (x < limits.detect.set.off_rest_m) | (tension_n < limits.held_n)
    return any(end - start >= PIN_STEPS for start, end in runs_of(free, since))
