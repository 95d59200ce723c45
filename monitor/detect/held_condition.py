"""Opens an event when a condition has held for a while; most detectors are built on it.

condition   ___####__########################_##________
                   |<- hold ->|                 |<- join ->|
                   start      opened            end        closed
"""

from collections import deque
from collections.abc import Callable
from typing import Generic

from monitor.detect.detector import Detection, E, Ending, Findings
from monitor.detect.moment import NEVER, Moment, steps
from monitor.events import Phase, Stamp, stamp_of

Describe = Callable[[Moment, Stamp, int, int], E]  # the event from one moment up to another
Foresee = Callable[[Moment, int, int], int]
Believe = Callable[[Moment, int, int], bool]
DOUBTED_STEPS = steps(0.2)  # a condition that has been doubted for this long starts again
KEPT = 16  # events: more than one repetition has before its load is known


class HeldCondition(Generic[E]):
    """Open an event once the condition has held for `hold` steps; stretches closer than `join` are one event.

    `phase` replaces the phase of the moment. `foresee` returns for how many more steps the condition will hold,
    from the steps for which it has held and from `hold`: with it, the event is opened as soon as that is enough.
    `believe` judges the stretch between two moments: with it, the event is opened only when it returns true.
    """

    def __init__(
        self,
        hold: int,
        join: int = 0,
        *,
        describe: Describe[E],
        phase: Phase | None = None,
        foresee: Foresee | None = None,
        believe: Believe | None = None,
    ) -> None:
        self.hold = hold
        self.join = join
        self.due = NEVER
        self.detection: Detection[E] | None = None  # the open one
        self._foresee = foresee
        self._believe = believe
        self._describe = describe
        self._phase: Phase | None = phase
        self._since: int | None = None  # when the present stretch began
        self._on_since: int | None = None  # the same, including the time for which it was doubted
        self._ended: int | None = None  # when the last stretch of the open event ended
        self._found: deque[Detection[E]] = deque(maxlen=KEPT)  # the newest, open or closed

    def require(self, hold: int) -> None:
        """From now on the condition must hold for so many steps."""
        self.hold = hold

    def update(self, moment: Moment, on: bool, now: int, *, wait: bool = False) -> Findings:
        """Take the condition at moment `now`; call this at every change and at `due`.

        `wait`: open no event yet.
        """
        if not on and self._since is None and self.detection is None:
            return ()  # as most of the time
        if self.detection is not None and isinstance(self.detection.event, moment.silenced):
            self.detection = self._since = self._ended = None
        if on and self._since is None:
            self._since = self._on_since = now
        elif not on and self._since is not None:
            if self.detection is not None and self._ended is None:
                self._ended = now
            self._since = None
        if self._since is not None and self.detection is None and self._believe is not None:
            whole = self._on_since if self._on_since is not None else now
            explained = moment.assistance.explains(whole, now + 1)
            self._since = whole if explained else max(self._since, now - DOUBTED_STEPS)
        findings: Findings = ()
        waits = self.detection is None and (wait or self._reported(moment))
        if self._since is not None and not waits and self._holds(moment, self._since, now):
            if self.detection is None:
                stamp = moment.stamp(self._since, phase=self._phase)
                event = self._describe(moment, stamp, self._since, now + 1)
                self.detection = Detection(event, self._since)
                self._found.append(self.detection)
                findings = (self.detection,)
            self._ended = None
        joining = self._since is not None and self._ended is not None and self._since - self._ended < self.join
        if self.detection is not None and self._ended is not None and now - self._ended >= self.join and not joining:
            findings = (*findings, self._close(moment, self.detection, self._ended))
        self.due = self._next(now)
        return findings

    def _reported(self, moment: Moment) -> bool:
        """Whether this past moment, which is judged only now, was a part of an event already."""
        since = self._since
        if moment.known_at is None or since is None:
            return False
        return any(one.start <= moment.now and (one.end is None or since <= one.end) for one in self._found)

    def _close(self, moment: Moment, detection: Detection[E], end: int) -> Ending:
        event = self._describe(moment, stamp_of(detection.event), detection.start, end)
        self.detection = self._ended = None
        return Ending(detection, end, event)

    def _holds(self, moment: Moment, since: int, now: int) -> bool:
        held = now - since + 1
        if held < self.hold:
            if self._foresee is None:
                return False
            if held + self._foresee(moment, held, self.hold) < self.hold:
                return False
        return self.detection is not None or self._believe is None or self._believe(moment, since, now + 1)

    def _next(self, now: int) -> int:
        if self._since is not None and (self.detection is None or self._ended is not None):
            return max(now + 1, self._since + (0 if self._foresee else self.hold - 1))
        if self._ended is not None:
            return self._ended + self.join
        return NEVER
