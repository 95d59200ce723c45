"""Measures how long a lifter keeps pushing after failure, and adds it to the failure's record."""

from msgspec.structs import replace

from monitor.detect.detector import Correction, Detection
from monitor.detect.moment import NEVER, Moment, seconds
from monitor.events import Failure

LOOK_STEPS = 8  # how often to look at the tension


class Pushing:
    """Call `follow` with a failure, then `update` at `due`. A lifter who pulls `share` of the load still pushes."""

    def __init__(self, share: float) -> None:
        self.due = NEVER
        self._share = share
        self._failure: Detection[Failure] | None = None
        self._looked = 0  # the lifter pushed up to this moment
        self._load_n = 0.0  # the load by which that was judged

    def follow(self, failure: Detection[Failure]) -> None:
        self._failure, self._looked, self.due = failure, failure.start, failure.start + LOOK_STEPS

    def update(self, moment: Moment) -> list[Correction]:
        """The completed record, once the tension has dropped or the set is over."""
        failure = self._failure
        over = moment.set_over is not None
        if failure is None:
            return []
        if self._load_n != _load_n(moment):
            self._change_load(_load_n(moment), failure.start, moment.now)
        if moment.now < self.due and not over:
            return []
        until = moment.now + 1 if moment.set_over is None else max(self._looked, moment.set_over)
        dropped = self._dropped(moment, until)
        self._looked = until if dropped is None else dropped
        if dropped is None and not over:
            self.due = self._next(moment)
            return []
        self._failure, self.due = None, NEVER
        held_s = seconds(self._looked - failure.start)
        return [Correction(failure, replace(failure.event, held_s=held_s))]

    def _change_load(self, load_n: float, start: int, now: int) -> None:
        """From the next look on judge by another load; the looks before this moment have found nothing."""
        looks = max(0, now - start - 1) // LOOK_STEPS
        if looks:
            self._looked = max(self._looked, start + looks * LOOK_STEPS + 1)
        self._load_n, self.due = load_n, start + (looks + 1) * LOOK_STEPS

    def _dropped(self, moment: Moment, until: int) -> int | None:
        """When, from the moment looked at last, the tension first dropped."""
        tension_n = moment.signals.part(moment.signals.tension, self._looked, until)
        dropped = ~(tension_n >= self._share * _load_n(moment))
        return self._looked + int(dropped.argmax()) if dropped.any() else None

    def _next(self, moment: Moment) -> int:
        """The first look, of those every `LOOK_STEPS`, that can find more; the signals that have arrived show it."""
        dropped = self._dropped(moment, moment.signals.end) if moment.signals.end > self._looked else None
        looks = (moment.signals.end if dropped is None else dropped) - moment.now
        return moment.now + LOOK_STEPS * max(1, -(-looks // LOOK_STEPS))


def _load_n(moment: Moment) -> float:
    """The load; until it is known, twice the limit that is used for half of it."""
    load_n = moment.limits.selected_n
    return 2 * moment.limits.half_load_n if load_n is None else load_n
