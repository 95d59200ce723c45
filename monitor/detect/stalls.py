"""Stalls in the positive, and what they end in: the positive goes on, or the muscle has failed.

Failure is told from a stall alone: the sensors cannot tell a set that was given up from one that was ended by choice.
"""

from monitor.detect.book import Entry
from monitor.detect.scene import NEVER, Scene, steps
from monitor.events import Failure, Stall
from monitor.profile.settings import DetectSettings
from monitor.signals.conditions import Bit

LOOK_STEPS = 1  # while a stall is open or a failure possible, travel is looked at this often


class StallDetector:
    """`stall`, and `failure` after it."""

    watches = Bit.KNOWN_X | Bit.STILL | Bit.MID | Bit.MOVE

    def __init__(self, detect: DetectSettings) -> None:
        self.stall = detect.stall
        self.failure = detect.failure
        self.due = NEVER
        self._since: int | None = None  # stillness in the positive
        self._entry: Entry | None = None
        self._x_m = 0.0
        self._candidate = False  # the stall was long enough: a descent now is failure
        self._failed = False

    @property
    def failed(self) -> bool:
        """In this set."""
        return self._failed

    def start_set(self) -> None:
        self._failed = False

    def update(self, scene: Scene) -> None:
        now = scene.slow_now
        x_m = float(scene.track.x[scene.track.at(now)])
        if self._entry is not None and self._entry.end is not None:  # cut by silence
            self._entry = None
        stuck = scene.in_set and scene.still and scene.on(Bit.MID) and (scene.direction > 0 or self._entry is not None)
        if not stuck and self._entry is None:
            self._since = None
        elif stuck and self._since is None:
            self._since = now
        if self._since is not None and self._entry is None and now - self._since + 1 >= steps(self.stall.hold_s):
            self._entry = scene.book.open(Stall, self._since, phase="positive")
            self._x_m = float(scene.track.x[scene.track.at(self._since)])
            self._candidate = False
        if self._entry is not None:
            self._watch(scene, now, x_m)
        elif self._candidate:
            self._fallen(scene, x_m)
        scene.stalled = self._entry is not None
        ended_stuck = stuck and self._since is None  # and may begin anew at once, though no bit changes
        self.due = scene.now + 1 if ended_stuck else self._next(scene)

    def _watch(self, scene: Scene, now: int, x_m: float) -> None:
        assert self._entry is not None
        lasted = now - self._entry.start
        self._candidate = self._candidate or lasted >= steps(self.failure.stall_s)
        if lasted >= steps(self.failure.total_s):
            self._fail(scene)
        moved = scene.on(Bit.MOVE) or abs(x_m - self._x_m) > self.stall.travel_m or bool(scene.turns)
        if moved:
            scene.book.close(self._entry, now)
            scene.stuck_until = now
            self._entry = self._since = None
            self._fallen(scene, x_m)

    def _fallen(self, scene: Scene, x_m: float) -> None:
        limits = scene.limits
        if x_m <= self._x_m - self.failure.descent * limits.range_m:
            self._fail(scene)
        elif x_m >= limits.top_m - limits.detect.rep.top * limits.range_m:
            self._candidate = False

    def _fail(self, scene: Scene) -> None:
        if self._candidate and not self._failed and scene.reps_full:
            scene.book.tell(Failure, scene.now)
            self._failed = True
        self._candidate = self._candidate and self._entry is not None

    def _next(self, scene: Scene) -> int:
        if self._entry is not None or self._candidate:
            return scene.now + LOOK_STEPS
        if self._since is not None:
            return self._since + steps(self.stall.hold_s) - 1 + scene.slow_lag
        return NEVER
