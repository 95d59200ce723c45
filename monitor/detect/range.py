"""The working range and the rest, learned from what the stack does.

Bottom and top are the mean turns of the first two repetitions; what an earlier session of the same lifter taught holds
until then. The rest is where the stack stands still without
tension: if the encoder has slipped since, that is not 0, and the zero is moved.
"""

import msgspec

from monitor.detect.conditions import Bit
from monitor.detect.scene import NEVER, Scene, steps

NEEDED_REPS = 2
LEAST_RANGE_M = 0.05
STILL_S = 0.5
LEAST_DRIFT_M = 0.0015  # a bumper gives by less
MOST_DRIFT_M = 0.03  # higher up something else holds the stack


class LearnedRange(msgspec.Struct, frozen=True):
    """What a session has taught of a lifter's range: m above the rest."""

    bottom_m: float
    top_m: float


class RangeLearner:
    """`update` with the turns of each repetition; the range once, when it is known."""

    def __init__(self) -> None:
        self._turns: list[tuple[float, float]] = []
        self.learned: LearnedRange | None = None

    def update(self, far_m: float, last_m: float) -> LearnedRange | None:
        if len(self._turns) == NEEDED_REPS:
            return None
        self._turns.append((min(far_m, last_m), max(far_m, last_m)))
        if len(self._turns) < NEEDED_REPS:
            return None
        bottom_m = sum(low for low, _ in self._turns) / NEEDED_REPS
        top_m = sum(high for _, high in self._turns) / NEEDED_REPS
        if top_m - bottom_m < LEAST_RANGE_M:
            self._turns.pop(0)
            return None
        self.learned = LearnedRange(bottom_m, top_m)
        return self.learned


class RestFinder:
    """Sets `drift_m` at the moment when the stack is seen to rest elsewhere than at 0; tells no event itself."""

    watches = Bit.KNOWN_X | Bit.UP | Bit.DOWN | Bit.EMPTY

    def __init__(self) -> None:
        self.due = NEVER
        self.drift_m = 0.0
        self._since: int | None = None

    def update(self, scene: Scene) -> None:
        self.drift_m, self.due = 0.0, NEVER
        resting = scene.limits.kind == "stack" and scene.on(Bit.EMPTY) and scene.still
        self._since = (self._since if self._since is not None else scene.now) if resting else None
        if self._since is None:
            return
        ripe = self._since + steps(STILL_S) + scene.slow_lag
        if scene.now < ripe:
            self.due = ripe
        elif scene.now == ripe:
            x_m = float(scene.track.x[scene.track.at(scene.now)])
            if LEAST_DRIFT_M < abs(x_m) < MOST_DRIFT_M:
                self.drift_m = x_m
