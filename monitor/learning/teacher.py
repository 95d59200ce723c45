"""Learns from each repetition: load and friction, and the range where the profile has none."""

from typing import NamedTuple

from monitor.learning.curve import CurveFit, CurveLearner
from monitor.learning.load import ALIEN, TRUSTED_REPS, LoadFit, LoadLearner, lowered
from monitor.learning.range import LearnedRange, RangeLearner
from monitor.learning.step import StepLearner
from monitor.profile.limits import Limits
from monitor.profile.settings import LoadStepSettings, RangeSettings
from monitor.signals.conditions import SURE_M
from monitor.signals.signal_window import SignalWindow
from monitor.signals.stretches import Stretch, Stretches


class Lesson(NamedTuple):
    """The limits after a repetition; `wrong_load_n`: the given load, if another one is pulled."""

    limits: Limits
    wrong_load_n: float | None


class Teacher:
    """The learners of one session."""

    def __init__(
        self,
        plates_kg: tuple[float, ...] | None,
        range_given: bool,
        range_settings: RangeSettings,
        step_settings: LoadStepSettings,
        curve_known: bool = False,
    ) -> None:
        self._loads = LoadLearner(plates_kg)
        self._ranges = None if range_given else RangeLearner(range_settings)
        self._curves = CurveLearner(curve_known=curve_known)
        self._steps = StepLearner(step_settings.size, step_settings.reps)
        self.fit: LoadFit | None = None  # the load of the newest repetitions, before it is snapped

    @property
    def range(self) -> LearnedRange | None:
        """The range that the repetitions of this session agree on."""
        return None if self._ranges is None else self._ranges.agreed

    def forget_load(self) -> None:
        """Forget the load: the next set may have another."""
        self._loads.forget()

    def snapped(self, load_n: float) -> float:
        """The nearest load that the pin can select, where the profile lists them and one is near."""
        return self._loads.snapped(load_n)

    def correct_zero(self, load_n: float | None, by_n: float, since: int, now: int) -> float | None:
        """A learned load, after the cell's zero drifted up evenly between two moments; one of the machine's stays."""
        too_high_n = self._loads.correct_zero(by_n, since, now)
        if load_n is None or self._loads.is_listed(load_n):
            return load_n
        return self._loads.snapped(load_n - too_high_n)

    def learn_load(self, signals: SignalWindow, limits: Limits, doubted: Stretches, start: int, end: int) -> Lesson:
        """Learn from a repetition, moments `start` up to `end`; in the stretches `doubted` no force is known."""
        if limits.down != 1.0 and limits.friction_from == "unknown":
            return Lesson(limits, None)  # friction and the step cannot be distinguished
        curve = self._curves.update(signals, limits, doubted, start, end)
        if curve is not None:
            return self._learn_curve(limits, curve)
        if self._curves.fits and not limits.resistance_known:
            limits = limits.with_resistance(limits.resistance)
        fit = self._loads.update(signals, limits, doubted, start, end)
        if fit is None:
            return Lesson(limits, None)
        self.fit = fit
        return self._lesson(limits, fit.load_n, fit.friction, sure=fit.reps >= TRUSTED_REPS)

    def learn_lowered(
        self, signals: SignalWindow, limits: Limits, doubted: Stretches, up: Stretch, down: Stretch
    ) -> Limits:
        """From a repetition that somebody else lifted, while no load is confirmed."""
        if limits.friction is None and limits.selected_n is not None:
            return limits
        lowered_n = lowered(signals, limits, doubted, up, down)
        if limits.friction is None or lowered_n is None:
            return limits.with_lowered(lowered_n)
        load_n = self._loads.snapped(lowered_n / (1 - limits.friction))
        return limits.with_load(load_n, limits.friction, load_from="learned", friction_from=limits.friction_from)

    def forget_step(self) -> None:
        """Forget the step: in the next set both directions may have the same load."""
        self._steps.forget()

    def learn_step(self, signals: SignalWindow, limits: Limits, doubted: Stretches, start: int, end: int) -> Limits:
        """Learn from a repetition; the limits change once the way down is known to have another load."""
        step = self._steps.update(signals, limits, doubted, start, end)
        if step is None:
            return limits
        up_n = self._loads.snapped(step.up_n)
        if limits.load_from == "given" and limits.load_n is not None:
            up_n = limits.load_n
        self._loads.forget()
        learned = limits.with_load(
            up_n,
            limits.friction or 0.0,
            load_from="given" if limits.load_from == "given" else "learned",
            friction_from=limits.friction_from,
        )
        return learned.with_resistance(limits.resistance).with_step(step.down_n / step.up_n)

    def _learn_curve(self, limits: Limits, curve: CurveFit) -> Lesson:
        """Learn a curve: two repetitions agree on how the load varies along the way, or on the mass that moves."""
        self._loads.forget()
        limits = limits.with_resistance(curve.curve)
        return self._lesson(limits, curve.load_n, max(0.0, curve.friction), sure=not curve.lighter)

    def _lesson(self, limits: Limits, pulled_n: float, friction: float, *, sure: bool) -> Lesson:
        """What is pulled, N, and with which friction; what the profile gives stays, unless it is `sure` to be wrong."""
        pulled_n = self._loads.snapped(pulled_n)
        given_n = limits.load_n if limits.load_from == "given" else None
        wrong = sure and given_n is not None and abs(pulled_n / given_n - 1) > ALIEN
        trusted_n = None if wrong else given_n
        given_friction = limits.friction if limits.friction_from == "given" else None
        learned = limits.with_load(
            pulled_n if trusted_n is None else trusted_n,
            friction if given_friction is None else given_friction,
            load_from="learned" if trusted_n is None else "given",
            friction_from="learned" if given_friction is None else "given",
        )
        return Lesson(learned, given_n if wrong else None)

    def learn_range(self, limits: Limits, shown: LearnedRange) -> Limits:
        """Learn the range that a repetition shows."""
        if self._ranges is None or limits.doubt_m > SURE_M:
            return limits
        agreed_before = self._ranges.agreed is not None
        self._ranges.update(shown)
        limits = limits.with_short_range(self._ranges.too_short_m)
        if self._ranges.agreed is None and not limits.range_agreed:
            seen = self._ranges.seen
            return limits if seen is None else _ranged(limits, seen, agreed=False)
        if self._ranges.agreed is not None and not agreed_before:
            return _ranged(limits, self._ranges.agreed, agreed=True)
        return self.widen_range(limits, shown)

    def widen_range(self, limits: Limits, reached: LearnedRange) -> Limits:
        """Widen a learned range that a movement exceeds, at either end, by enough to make a reversal."""
        if self._ranges is None or not limits.range_agreed or limits.doubt_m > SURE_M:
            return limits
        low = reached.bottom_m < limits.bottom_m - limits.reversal_m
        high = reached.top_m > limits.top_m + limits.reversal_m
        wider = LearnedRange(reached.bottom_m if low else limits.bottom_m, reached.top_m if high else limits.top_m)
        if self._ranges.agreed is not None:
            self._ranges.agreed = wider
        return _ranged(limits, wider, agreed=True)


def _ranged(limits: Limits, learned: LearnedRange, *, agreed: bool) -> Limits:
    """The limits with this range; the same object if they have it already."""
    same = (limits.bottom_m, limits.top_m, limits.range_agreed) == (learned.bottom_m, learned.top_m, agreed)
    return limits if same and limits.range_known else limits.with_range(learned.bottom_m, learned.top_m, agreed=agreed)
