"""The lifter's range, learned from the turns of the first two repetitions.

Bottom and top are the mean turns of the first two repetitions. Until then, what an earlier session of the same lifter
taught holds.
"""

import msgspec

NEEDED_REPS = 2  # one alone may be a trial
LEAST_RANGE_M = 0.05  # less is no working range but fidgeting


class LearnedRange(msgspec.Struct, frozen=True):
    """A lifter's range as a session has shown it: m above the rest."""

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
