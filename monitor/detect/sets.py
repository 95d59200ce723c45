"""Where a set begins and ends, by machine.

stack   off the rest and loaded for 0.3 s begins it; 5 s on the rest, or 5 s without tension off it, ends it
motor   the first repetition that is pulled begins it; 5 s without movement or force ends it
squat   (negative first) the first movement beyond the hysteresis begins it; 5 s of stillness ends it
"""

from monitor.detect.conditions import Bit
from monitor.detect.scene import NEVER, Scene, steps
from monitor.detect.settings import Set as Settings


class SetDetector:
    """Says when (`started`, `ended`: moments, or None); the pipeline tells the events."""

    watches = Bit.KNOWN_X | Bit.STILL | Bit.UP | Bit.DOWN | Bit.OFF | Bit.CONTACT | Bit.EMPTY | Bit.PULL

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.due = NEVER
        self.started: int | None = None
        self.ended: int | None = None
        self._off_since: int | None = None
        self._over_since: int | None = None

    def update(self, scene: Scene) -> None:
        self.started = self.ended = None
        self.due = NEVER
        if scene.limits.kind == "motor":
            self._motor(scene)
        elif scene.limits.kind == "static":
            self._held(scene, Bit.PULL, Bit.EMPTY)
        elif scene.limits.starts_up:
            self._held(scene, Bit.OFF, Bit.CONTACT | Bit.EMPTY)
        else:
            self._squat(scene)

    def _held(self, scene: Scene, begun: int, over: int) -> None:
        now = scene.now
        if not scene.in_set:
            self._over_since = None
            self._off_since = (self._off_since if self._off_since is not None else now) if scene.on(begun) else None
            if self._off_since is not None:
                if now - self._off_since + 1 >= steps(self.settings.start_hold_s):
                    self.started, self._off_since = self._off_since, None
                else:
                    self.due = self._off_since + steps(self.settings.start_hold_s) - 1
            return
        self._over(scene.on(over), now)

    def _over(self, over: bool, now: int) -> None:
        if not over:
            self._over_since = None
            return
        if self._over_since is None:
            self._over_since = now
        if now - self._over_since >= steps(self.settings.end_rest_s):
            self.ended, self._over_since = self._over_since, None
        else:
            self.due = self._over_since + steps(self.settings.end_rest_s)

    def _motor(self, scene: Scene) -> None:
        if scene.in_set:
            self._over(scene.still or not scene.on(Bit.PULL), scene.now)
            return
        self._over_since = None
        if scene.direction > 0 and scene.on(Bit.PULL) and scene.on(Bit.UP) and scene.last_still is not None:
            self.started = scene.last_still[1]

    def _squat(self, scene: Scene) -> None:
        if scene.in_set:
            self._over(scene.still, scene.now)
            return
        for turn in scene.turns:
            if turn.reversal.at == "upper":
                self.started = turn.dwell_end
