"""Where a set begins and ends, by machine.

stack   off the rest and loaded for 0.3 s begins it; 5 s on the rest, or 5 s without tension off it, ends it
motor   the first repetition that is pulled begins it; 5 s with neither movement nor force ends it
squat   (no stack, negative first) the first movement beyond the hysteresis begins it; 5 s of stillness ends it
"""

from monitor.detect.scene import NEVER, Scene, steps
from monitor.profile.settings import SetSettings
from monitor.signals.conditions import Bit


class SetDetector:
    """Says when (`started`, `ended`: moments, or None); the spine tells the events."""

    watches = Bit.KNOWN_X | Bit.STILL | Bit.UP | Bit.DOWN | Bit.OFF | Bit.CONTACT | Bit.EMPTY | Bit.PULL | Bit.KNOWN_T

    def __init__(self, settings: SetSettings) -> None:
        self.settings = settings
        self.due = NEVER
        self.started: int | None = None
        self.ended: int | None = None
        self._off_since: int | None = None
        self._over_since: int | None = None
        self._leg: tuple[int, float] | None = None  # motor: when and where the present leg began, m
        self._top_m = -float("inf")  # of this leg
        self._pulled = self._pulling = False  # in this leg; now

    def update(self, scene: Scene) -> None:
        self.started = self.ended = None
        self.due = NEVER
        if scene.limits.kind == "stack":
            self._held(scene, Bit.OFF, Bit.CONTACT | Bit.EMPTY)
        elif scene.limits.kind == "static":
            self._held(scene, Bit.PULL, Bit.EMPTY)
        elif scene.limits.driven:
            self._motor(scene)
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
        silent = scene.still and not scene.on(Bit.KNOWN_T)  # the stack stands as it stood
        self._over(self._over_since is not None if silent else scene.on(over), now)

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
            self._leg, scene.pulled = None, False
            self._over(scene.still and not scene.on(Bit.PULL), scene.now)
            return
        self._over_since = None
        x_m = float(scene.track.x[scene.track.at(scene.now)])
        if any(reversal.at == "lower" for reversal in scene.reversals):
            self._leg = None  # the next one begins at this turn, once it is known
        for turn in scene.turns:
            if turn.reversal.at == "lower":
                self._begin(turn.dwell_end, turn.reversal.x_m)
            else:
                self._top_m = max(self._top_m, turn.reversal.x_m)
        pull, still = scene.on(Bit.PULL), scene.last_still
        if self._leg is not None:
            afresh = pull and not self._pulling and scene.on(Bit.UP)
            if afresh and still is not None and still[0] > self._leg[0]:  # put in place until here, pulled from here
                self._begin(still[1], float(scene.track.x[scene.track.at(still[1])]))
            high = x_m - self._leg[1] >= self._excursion_m(scene)
            if scene.direction > 0 or high:  # near the bottom again, it is the next one that is pulled
                self._pulled = self._pulled or pull
            self._follow(scene, self._leg, max(self._top_m, x_m))
        self._pulling = pull
        pulled = self._leg is not None and self._pulled
        scene.nudged, scene.pulled = scene.nudged or pulled != scene.pulled, pulled

    def _begin(self, moment: int, x_m: float) -> None:
        self._leg, self._top_m, self._pulled = (moment, x_m), x_m, False

    def _follow(self, scene: Scene, leg: tuple[int, float], top_m: float) -> None:
        """The set begins once it is sure that the leg is going to count."""
        if self._pulled and top_m - leg[1] >= self._excursion_m(scene):
            self.started = leg[0]
        elif self._pulled and scene.on(Bit.UP):
            self.due = scene.now + 1

    def _excursion_m(self, scene: Scene) -> float:
        return scene.limits.detect.rep.excursion * scene.limits.range_m

    def _squat(self, scene: Scene) -> None:
        if scene.in_set:
            self._over(scene.still, scene.now)
            return
        for turn in scene.turns:
            if turn.reversal.at == "upper":
                self.started = turn.dwell_end
