"""An event that is a condition held for a while: the shape that most events share.

condition   ___####__########################_##________
                   |<- hold ->|                 |<- join ->|
                   t_s        opened            end        closed
"""

from collections.abc import Callable
from typing import Any

from monitor.detect.book import Entry
from monitor.detect.scene import NEVER, Scene
from monitor.signals.grid import STEP_S

Describe = Callable[[Scene, int, int], dict[str, Any]]
Foresee = Callable[[Scene, int], int]
DOUBTED_STEPS = round(0.2 / STEP_S)  # what has not been believed for so long is not what will be
Believe = Callable[[Scene, int, int], bool]


class Run:
    """Open a record once the condition has held for `hold` steps; runs closer than `join` are one.

    With `foresee` (how many steps more it will hold, at this moment) it is opened as soon as it is going to be `hold`
    long, but not before `early` steps. With `believe` (of the run from one moment to another) it is opened only once
    that says so.
    """

    def __init__(
        self,
        kind: type[Any],
        hold: int,
        join: int = 0,
        *,
        describe: Describe,
        early: int | None = None,
        foresee: Foresee | None = None,
        believe: Believe | None = None,
    ) -> None:
        self.kind = kind
        self.hold = hold
        self.join = join
        self.due = NEVER
        self.entry: Entry | None = None
        self._early = hold if early is None else early
        self._foresee = foresee
        self._believe = believe
        self._describe = describe  # the record's own keys, from moment to moment
        self._since: int | None = None  # the present run began
        self._ended: int | None = None  # the last run of the open record ended
        self._first = 0

    def update(self, scene: Scene, on: bool, now: int, *, wait: bool = False) -> None:
        """`on` at moment `now`; call it at every change and at `due`. While it shall `wait` nothing is opened."""
        if self.entry is not None and self.entry.end is not None:  # cut by silence
            self.entry = self._since = self._ended = None
        if on and self._since is None:
            self._since = now
        elif not on and self._since is not None:
            if self.entry is not None and self._ended is None:
                self._ended = now
            self._since = None
        if self._since is not None and self.entry is None and self._believe is not None:
            self._since = max(self._since, now - DOUBTED_STEPS)
        if self._since is not None and not (wait and self.entry is None) and self._holds(scene, self._since, now):
            if self.entry is None:
                self._first = self._since
                self.entry = scene.book.open(self.kind, self._first, **self._describe(scene, self._first, now + 1))
            self._ended = None
        joining = self._since is not None and self._ended is not None and self._since - self._ended < self.join
        if self.entry is not None and self._ended is not None and now - self._ended >= self.join and not joining:
            scene.book.close(self.entry, self._ended, **self._describe(scene, self._first, self._ended))
            self.entry = self._ended = None
        self.due = self._next(now)

    def _holds(self, scene: Scene, since: int, now: int) -> bool:
        held = now - since + 1
        if held < self.hold:
            if held < self._early or self._foresee is None:
                return False
            if held + self._foresee(scene, self.hold) < self.hold:
                return False
        return self.entry is not None or self._believe is None or self._believe(scene, since, now + 1)

    def _next(self, now: int) -> int:
        if self._since is not None and (self.entry is None or self._ended is not None):
            return max(now + 1, self._since + self._early - 1)
        if self._ended is not None:
            return self._ended + self.join
        return NEVER
