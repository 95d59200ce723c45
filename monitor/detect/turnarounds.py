"""Gives reversals their dwell, and grades turnarounds.

The dwell is the longest stretch of |v| < v_rest near the extreme. The slow velocity that shows it lags by `slow_lag`
steps. A reversal does not wait for that: its last moments are judged by shorter windows.
"""

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.detector import Correction, Detection, Finding, Findings
from monitor.detect.moment import NEVER, Fact, Moment, Stillness, Turned, TurningPoint, seconds, steps
from monitor.events import Grade, Turnaround
from monitor.profile.settings import DetectSettings
from monitor.signals.conditions import Bit
from monitor.signals.kernels import acceleration_kernel, slope_kernel
from monitor.signals.stretches import runs_of
from monitor.signals.zigzag import Reversal

KEPT_RUNS = 32  # stretches: more than a turnaround can have
PATIENT_STEPS = 32  # look-ahead for smooth or fair, which are not urgent: it separates encoder noise from heaves
UNSEEN_STEPS = steps(0.2)  # a turnaround counts as seen where less of it is missing


class TurnFinder:
    """Finds `Stillness`, and `Turned`: reversals with their dwell. It reports no event."""

    watches = Bit.KNOWN_X | Bit.STILL
    due = NEVER

    def __init__(self, lag: int) -> None:
        self.lag = lag
        self._runs: list[tuple[int, int]] = []  # past stretches of stillness
        self._since: int | None = None
        self._before = -NEVER  # the extreme of the previous turn

    def update(self, moment: Moment) -> Findings:
        if moment.after_silence:
            self._runs, self._since = [], None
        now, last = moment.slow_now, moment.stillness.last
        if moment.still and self._since is None:
            self._since = now
        elif not moment.still and self._since is not None:
            last = (self._since, now)
            self._runs = [*self._runs[-KEPT_RUNS:], last]
            self._since = None
        findings: list[Fact] = []
        if self._since != moment.stillness.since or last != moment.stillness.last:
            findings.append(Stillness(self._since, last))
        if moment.reversals:
            findings.append(Turned(tuple(self._turn(moment, reversal) for reversal in moment.reversals)))
        return findings

    def _turn(self, moment: Moment, reversal: Reversal) -> TurningPoint:
        """The turn with its longest stillness; a throw too small for a reversal may reach the extreme twice."""
        before, self._before = self._before, reversal.extreme
        stretches = [
            stretch
            for start, end in [*self._runs, *self._newest(moment)]
            if end > before
            for stretch in _at(moment, max(start, before), end, reversal.x_m, moment.limits.extreme_m)
        ]
        if not stretches:
            return TurningPoint(reversal, reversal.extreme, reversal.extreme)
        start, end = max(_joined(moment, stretches), key=lambda stretch: stretch[1] - stretch[0])
        return TurningPoint(reversal, start, end)

    def _newest(self, moment: Moment) -> list[tuple[int, int]]:
        """Stretches of stillness that are open, or that only windows shorter than the slow one show."""
        halves = range(self.lag + moment.signals.slow_lag - 1, self.lag - 1, -1)
        speeds_m_s = [_speed(moment, half) for half in halves]
        still = np.array([self._since is not None, *(abs(v) <= moment.limits.v_rest_m_s for v in speeds_m_s)])
        runs = runs_of(still, moment.slow_now)
        if self._since is not None:
            runs[0] = (self._since, runs[0][1])
        return runs


class TurnaroundDetector:
    """`turnaround`: `abrupt` and `bounce` as soon as they are known, `smooth` and `fair` when the window has passed."""

    watches = Bit.HARD | Bit.ODD | Bit.EMPTY

    def __init__(self, detect: DetectSettings, lag: int, count_m: float) -> None:
        self.settings = detect.turnaround
        self.wait = PATIENT_STEPS - lag
        self._patient = acceleration_kernel(PATIENT_STEPS, count_m, PATIENT_STEPS)
        self.hold = steps(detect.jerk.hold_s)
        self.due = NEVER
        self._hard: list[tuple[int, int]] = []  # past stretches of |a| > a_jerk that were long enough
        self._hard_since: int | None = None
        self._ungraded: list[TurningPoint] = []
        self._rebounding: tuple[TurningPoint, Detection[Turnaround]] | None = None
        self._over: int | None = None  # when the last set ended

    def update(self, moment: Moment) -> Findings:
        now = moment.now
        hard = moment.on(Bit.HARD)
        if moment.after_silence:
            self._hard, self._hard_since, self._ungraded, self._rebounding = [], None, [], None
        if hard and self._hard_since is None:
            self._hard_since = now
        elif not hard and self._hard_since is not None:
            if now - self._hard_since >= self.hold and moment.on(Bit.KNOWN_X):  # unless silence cut it
                self._hard = [*self._hard[-KEPT_RUNS:], (self._hard_since, now)]
            self._hard_since = None
        self._over = self._over if moment.set_over is None else moment.set_over
        full = [turn for turn in moment.turned.points if turn.reversal.full]
        self._ungraded += [turn for turn in full if not self._paused(moment, turn)]
        findings = self._rebound(moment)
        ungraded = []
        for turn in self._ungraded:
            graded = self._grade(moment, turn)
            if graded is None:
                ungraded.append(turn)
            else:
                findings += graded
        self._ungraded = ungraded
        self.due = self._next(moment)
        return findings

    def _paused(self, moment: Moment, turn: TurningPoint) -> bool:
        """Whether the turn lies before the first set of a stack machine, or between two; a dead cell shows no set."""
        dead = moment.trust.force_doubted or not moment.on(Bit.KNOWN_T)
        paused = moment.limits.kind == "stack" and not dead and (self._over is None or turn.middle >= self._over)
        return paused and not (moment.in_set and turn.dwell_start >= moment.set_start)

    def _grade(self, moment: Moment, turn: TurningPoint) -> list[Finding] | None:
        """The turnaround if it can be graded now, else None. A turnaround that the sensors did not see is dropped."""
        if _unseen(moment, turn):
            return []
        waits = moment.now < turn.dwell_end + self._window(moment)
        if self._is_hard(moment, turn) and not (_set_down(moment, turn) or _hung_up(moment, turn)):
            thrown = moment.on(Bit.EMPTY) and _touches(moment, turn)  # by its rubber: nobody pulls yet
            return None if thrown and waits else self._hard_turn(moment, turn)
        if waits:
            return None
        peak_m_s2 = self._peak(moment, turn)
        dwell = turn.dwell_end - turn.dwell_start
        smooth = peak_m_s2 <= moment.limits.a_turn_m_s2 and dwell <= steps(moment.limits.smooth_dwell_s)
        grade: Grade = "smooth" if smooth else "fair"
        return [self._detection(moment, turn, None if _touches(moment, turn) else grade, peak_m_s2)]

    def _is_hard(self, moment: Moment, turn: TurningPoint) -> bool:
        """Whether the acceleration around the turn was too high for long enough, as far as it is known now."""
        if moment.on(Bit.ODD):
            return False
        now, reach = moment.now, steps(self.settings.abrupt_window_s)
        running = self._hard_since if self._hard_since is not None and now - self._hard_since + 1 >= self.hold else None
        runs = [*self._hard, *([(running, now)] if running is not None else [])]
        return any(start <= turn.dwell_end + reach and end >= turn.dwell_start - reach for start, end in runs)

    def _hard_turn(self, moment: Moment, turn: TurningPoint) -> list[Finding]:
        lower = turn.reversal.at == "lower"
        low = turn.reversal.x_m - moment.limits.bottom_m < self.settings.bounce_m
        leaves = turn.dwell_end - turn.dwell_start < steps(self.settings.set_down_s)
        bounce = lower and leaves and (low or _touches(moment, turn))
        detection = self._detection(moment, turn, "bounce" if bounce else "abrupt", self._peak(moment, turn))
        if not (lower and leaves) or bounce:
            return [detection]
        self._rebounding = (turn, detection)
        return [detection, *self._rebound(moment)]

    def _window(self, moment: Moment) -> int:
        """Steps after the dwell after which a turnaround that is not abrupt can be graded."""
        abrupt = steps(self.settings.abrupt_window_s) + self.hold
        return max(steps(moment.limits.turn_window_s) + self.wait, abrupt)

    def _peak(self, moment: Moment, turn: TurningPoint) -> float:
        """The highest |a| around the turn, from the patient filter once its look-ahead has passed."""
        signals, window = moment.signals, steps(moment.limits.turn_window_s)
        start, end = turn.dwell_start - window, min(turn.dwell_end + window, moment.now) + 1
        settled = min(end, moment.now + 1 - self.wait)
        x = signals.part(signals.head_x, start + self.wait + 1 - len(self._patient), settled + self.wait)
        a = signals.part(signals.a, start, end).copy()
        if len(x) >= len(self._patient):
            patient = np.correlate(x, self._patient, mode="valid")
            seen = a[len(a) - (end - settled) - len(patient) : len(a) - (end - settled)]
            np.copyto(seen, patient, where=~np.isnan(patient))
        return float(np.fmax.reduce(np.abs(a)))

    def _rebound(self, moment: Moment) -> list[Finding]:
        """A lower turnaround that was reported as abrupt turns out to be a bounce when it throws the stack."""
        if self._rebounding is None:
            return []
        turn, detection = self._rebounding
        end = turn.dwell_end + steps(self.settings.rebound_s)
        v_m_s = moment.signals.part(moment.signals.v, turn.dwell_end, min(moment.now, end) + 1)
        thrown = float(np.nanmax(v_m_s)) > moment.limits.fast_up_m_s
        if thrown or moment.now >= end:
            self._rebounding = None
        return [Correction(detection, replace(detection.event, grade="bounce"))] if thrown else []

    def _detection(
        self, moment: Moment, turn: TurningPoint, grade: Grade | None, peak_m_s2: float
    ) -> Detection[Turnaround]:
        at = turn.reversal.at
        event = Turnaround(
            **moment.stamp(turn.middle, turn.middle, phase="upper_turn" if at == "upper" else "lower_turn"),
            at=at,
            grade=grade,
            dwell_s=seconds(turn.dwell_end - turn.dwell_start),
            peak_g=round(peak_m_s2 / G, 3),
        )
        return Detection(event, turn.middle, turn.middle)

    def _next(self, moment: Moment) -> int:
        due = NEVER
        if self._ungraded:
            due = min(turn.dwell_end for turn in self._ungraded) + self._window(moment)
        if self._ungraded and self._hard_since is not None and moment.now - self._hard_since + 1 < self.hold:
            due = min(due, self._hard_since + self.hold - 1)
        if self._rebounding is not None:
            due = min(due, moment.now + 1)
        return due


def _speed(moment: Moment, half: int) -> float:
    """The speed in the middle of the newest 2 * half + 1 steps; NaN if one of them is not known."""
    newest = moment.signals.part(moment.signals.head_x, moment.now - 2 * half, moment.now + 1)
    return float(newest @ slope_kernel(half)) if len(newest) == 2 * half + 1 else float("nan")


def _unseen(moment: Moment, turn: TurningPoint) -> bool:
    """Whether the position was unknown during the turn, or just before or after it."""
    reach = steps(moment.limits.detect.turnaround.abrupt_window_s)
    x = moment.signals.part(moment.signals.x, turn.dwell_start - reach, min(turn.dwell_end + reach, moment.now + 1))
    return int(np.count_nonzero(np.isnan(x))) >= UNSEEN_STEPS


def _at(moment: Moment, start: int, end: int, x_m: float, within_m: float) -> list[tuple[int, int]]:
    """Stretches of a stillness, moments `start` to `end`, near a position; a compressed rest is not travel.

    Where the stack stood before the oldest visible moment, it stood since the stillness began.
    """
    signals = moment.signals
    oldest = max(start, signals.oldest)
    lowest_m = 0.0 if moment.limits.kind == "stack" else -np.inf
    x = np.maximum(signals.x[signals.row(oldest) : signals.row(end)], lowest_m)
    runs = runs_of(np.abs(x - max(x_m, lowest_m)) <= within_m, oldest)
    return [(start if first == oldest else first, last) for first, last in runs]


def _joined(moment: Moment, stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join stretches that only a silence separates: the stack stood there before and after it."""
    signals, lag = moment.signals, moment.signals.slow_lag
    joined = stretches[:1]
    for start, end in stretches[1:]:
        first, last = joined[-1]
        seen = signals.part(signals.slow_v, last + lag, start + lag) + signals.part(signals.a, last + lag, start + lag)
        if start > last and bool(np.isnan(seen).all()):
            joined[-1] = (first, end)
        else:
            joined.append((start, end))
    return joined


def _touches(moment: Moment, turn: TurningPoint) -> bool:
    """Whether the stack met its rest in this turnaround."""
    if moment.limits.kind != "stack" or turn.reversal.at == "upper":
        return False
    return bool(_contact(moment, turn.dwell_start, turn.dwell_end + 1).any())


def _set_down(moment: Moment, turn: TurningPoint) -> bool:
    """Whether the stack stood on its rest for long; a landing bounces."""
    if not _touches(moment, turn):
        return False
    detect = moment.limits.detect
    join, least = steps(detect.stack_touch.join_s), steps(detect.turnaround.set_down_s)
    start = turn.dwell_start - least
    at = np.flatnonzero(_contact(moment, start, moment.now + 1))
    rests = np.split(at, np.flatnonzero(np.diff(at) > join) + 1)
    return any(len(rest) and int(rest[-1] - rest[0]) + 1 >= least for rest in rests)


def _hung_up(moment: Moment, turn: TurningPoint) -> bool:
    """Whether something else held the stack while it stood: what stopped it was not the lifter."""
    limits, signals = moment.limits, moment.signals
    if limits.kind != "stack" or turn.reversal.at != "lower":
        return False
    loose = signals.part(signals.fast_tension, turn.dwell_start, turn.dwell_end) < limits.held_n
    return int(np.count_nonzero(loose)) >= steps(limits.detect.held.hold_s)


def _contact(moment: Moment, start: int, end: int) -> NDArray[np.bool_]:
    """At which of these moments the stack is on its rest, as far as it is known now."""
    limits, signals = moment.limits, moment.signals
    on = signals.part(signals.x, start, end) <= limits.detect.set.off_rest_m + limits.doubt_m
    if limits.doubt_m:
        on &= signals.part(signals.fast_tension, start, end) < limits.half_load_n
    return on
