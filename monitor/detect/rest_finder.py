"""The zero of the positions: a stack that stands still without tension, low down, rests at x = 0."""

from monitor.detect.scene import NEVER, Scene, steps
from monitor.signals.conditions import Bit
from monitor.signals.place import Doubt

STILL_S = 0.5
LEAST_DRIFT_M = 0.0015  # a bumper gives by less
MOST_DRIFT_M = 0.03  # higher up something else holds the stack


class RestFinder:
    """Knows how far the place is in doubt, and ends the doubt where the stack rests; tells no event itself.

    `doubts` come from the placing of the steps, by moment; `drift_m` is set at the moment when the stack is seen to
    rest elsewhere than at 0, or after a doubt.
    """

    watches = Bit.KNOWN_X | Bit.STILL | Bit.EMPTY

    def __init__(self) -> None:
        self.doubts: list[Doubt] = []
        self.drift_m: float | None = None
        self._since: int | None = None
        self._ripe = NEVER

    @property
    def due(self) -> int:
        return min(self._ripe, self.doubts[0].step if self.doubts else NEVER)

    def update(self, scene: Scene) -> None:
        self.drift_m, self._ripe = None, NEVER
        while self.doubts and self.doubts[0].step <= scene.now:
            scene.limits = scene.limits.with_doubt(self.doubts.pop(0).by_m)
        resting = scene.limits.kind == "stack" and scene.on(Bit.EMPTY) and scene.still
        self._since = (self._since if self._since is not None else scene.now) if resting else None
        if self._since is None:
            return
        ripe = self._since + steps(STILL_S) + scene.slow_lag
        if scene.now < ripe:
            self._ripe = ripe
        elif scene.now == ripe:
            if scene.doubted and scene.doubted[-1][1] > self._since:
                return  # the cell has only stood still
            x_m, doubt_m = float(scene.track.x[scene.track.at(scene.now)]), scene.limits.doubt_m
            if doubt_m or abs(x_m) > LEAST_DRIFT_M:
                self.drift_m = x_m if x_m < MOST_DRIFT_M + doubt_m else None  # there is nothing below a rest
