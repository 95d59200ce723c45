"""What each repetition teaches: load and friction, and the range where the profile has none."""

from monitor.detect.scene import Scene, Turn
from monitor.events import SensorFault
from monitor.learning.load import ALIEN, TRUSTED_REPS, LoadFit, LoadLearner
from monitor.learning.range import LearnedRange, RangeLearner


class Teacher:
    """Puts what was learned into the scene's limits; a load that does not fit the profile's is told."""

    def __init__(self, plates_kg: tuple[float, ...] | None, range_known: bool) -> None:
        self._loads = LoadLearner(plates_kg)
        self._ranges = None if range_known else RangeLearner()
        self.fit: LoadFit | None = None  # what the newest repetitions pulled, before it is snapped to a load

    @property
    def range(self) -> LearnedRange | None:
        return None if self._ranges is None else self._ranges.learned

    def forget_load(self) -> None:
        """The next set may be done with another."""
        self._loads.forget()

    def learn(self, scene: Scene, first: Turn, middle: Turn, last_m: float, end: int) -> None:
        """From a repetition between its first turn's dwell and moment `end`."""
        if scene.limits.kind == "stack":
            self._learn_load(scene, first.dwell_end, end)
        learned = None if self._ranges is None else self._ranges.update(middle.reversal.x_m, last_m)
        if learned is not None:
            scene.limits = scene.limits.with_range(learned.bottom_m, learned.top_m)

    def _learn_load(self, scene: Scene, start: int, end: int) -> None:
        limits = scene.limits
        fit = self._loads.update(scene.track, limits, scene.slow_lag, scene.doubted, start, end)
        if fit is None:
            return
        self.fit = fit
        learned_n = self._loads.snapped(fit.level)
        given_n = limits.load_n if limits.load_from == "given" else None
        if given_n is not None and fit.reps >= TRUSTED_REPS and abs(learned_n / given_n - 1) > ALIEN:
            detail = f"{learned_n:.0f} N is pulled, the profile says {given_n:.0f} N"
            scene.book.tell(SensorFault, scene.now, cause="load", detail=detail)
            given_n = None
        friction_given = limits.friction is not None and limits.friction_from == "given"
        scene.limits = limits.with_load(
            learned_n if given_n is None else given_n,
            limits.friction if friction_given and limits.friction is not None else fit.friction,
            load_from="learned" if given_n is None else "given",
            friction_from="given" if friction_given else "learned",
        )
