"""Reversals get their dwell; turnarounds get their grade.

The dwell is the longest stretch of |v| < v_rest at the extreme, within 3 mm of it. The slow velocity that tells it lags
behind by `slow_lag` steps. A reversal does not wait for it: its last moments are judged by shorter windows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.book import Entry
from monitor.detect.scene import NEVER, Scene, Turn, steps
from monitor.events import Turnaround
from monitor.profile.settings import DetectSettings
from monitor.signals.conditions import Bit
from monitor.signals.grid import STEP_S
from monitor.signals.kernels import acceleration_kernel, slope_kernel
from monitor.signals.zigzag import Reversal

KEPT_RUNS = 32
PATIENT_STEPS = 32  # smooth or fair is not urgent: so far ahead is looked to tell a step of the encoder from a heave
UNSEEN_STEPS = steps(0.2)  # a turnaround that is missing for less has been seen


class TurnFinder:
    """Fills `scene.turns` (and no event): reversals with their dwell, in order."""

    watches = Bit.KNOWN_X | Bit.STILL
    due = NEVER

    def __init__(self, extreme_m: float, lag: int) -> None:
        self.extreme_m = extreme_m
        self.lag = lag
        self._runs: list[tuple[int, int]] = []  # past stretches of stillness
        self._since: int | None = None
        self._before = -NEVER  # the extreme of the turn before

    def update(self, scene: Scene) -> None:
        now = scene.slow_now
        if scene.still and self._since is None:
            self._since = now
        elif not scene.still and self._since is not None:
            scene.last_still = (self._since, now)
            self._runs = [*self._runs[-KEPT_RUNS:], scene.last_still]
            self._since = None
        scene.still_since = self._since
        scene.turns += [self._turn(scene, reversal) for reversal in scene.reversals]

    def forget(self) -> None:
        self._runs, self._since = [], None

    def _turn(self, scene: Scene, reversal: Reversal) -> Turn:
        """With the longest stillness at the extreme; what is thrown up by less than a reversal may come to it twice."""
        before, self._before = self._before, reversal.extreme
        stretches = [
            stretch
            for start, end in [*self._runs, *self._newest(scene)]
            if end > before
            for stretch in _at(scene, max(start, before), end, reversal.x_m, self.extreme_m)
        ]
        if not stretches:
            return Turn(reversal, reversal.extreme, reversal.extreme)
        start, end = max(_joined(scene, stretches), key=lambda stretch: stretch[1] - stretch[0])
        return Turn(reversal, start, end)

    def _newest(self, scene: Scene) -> list[tuple[int, int]]:
        """Stretches of stillness that are not over, or that only shorter windows than the slow one have seen."""
        halves = range(self.lag + scene.slow_lag - 1, self.lag - 1, -1)
        speeds_m_s = [_speed(scene, half) for half in halves]
        still = np.array([self._since is not None, *(abs(v) <= scene.limits.v_rest_m_s for v in speeds_m_s)])
        runs = _runs(still, scene.slow_now)
        if self._since is not None:
            runs[0] = (self._since, runs[0][1])
        return runs


class TurnaroundDetector:
    """`turnaround`: `abrupt` and `bounce` as soon as that is known, `smooth` and `fair` when the window has passed."""

    watches = Bit.HARD | Bit.ODD

    def __init__(self, detect: DetectSettings, lag: int, count_m: float) -> None:
        self.settings = detect.turnaround
        self.wait = PATIENT_STEPS - lag
        self._patient = acceleration_kernel(PATIENT_STEPS, count_m, PATIENT_STEPS)
        self.hold = steps(detect.jerk.hold_s)
        self.due = NEVER
        self._hard: list[tuple[int, int]] = []  # past runs of |a| > a_jerk that were long enough
        self._hard_since: int | None = None
        self._ungraded: list[Turn] = []
        self._rebounding: tuple[Turn, Entry] | None = None

    def update(self, scene: Scene) -> None:
        now = scene.now
        hard = scene.on(Bit.HARD)
        if hard and self._hard_since is None:
            self._hard_since = now
        elif not hard and self._hard_since is not None:
            if now - self._hard_since >= self.hold and scene.on(Bit.KNOWN_X):  # not where it ran into silence
                self._hard = [*self._hard[-KEPT_RUNS:], (self._hard_since, now)]
            self._hard_since = None
        self._ungraded += [turn for turn in scene.turns if turn.reversal.full]
        self._rebound(scene)
        self._ungraded = [turn for turn in self._ungraded if not self._grade(scene, turn)]
        self.due = self._next(scene)

    def forget(self) -> None:
        self._hard, self._hard_since, self._ungraded, self._rebounding = [], None, [], None

    def _abrupt(self, scene: Scene, turn: Turn) -> bool:
        """Tell the turnaround if it is abrupt or a bounce, as far as is known by now."""
        if scene.on(Bit.ODD):
            return False
        now, reach = scene.now, steps(self.settings.abrupt_window_s)
        running = self._hard_since if self._hard_since is not None and now - self._hard_since + 1 >= self.hold else None
        runs = [*self._hard, *([(running, now)] if running is not None else [])]
        if not any(start <= turn.dwell_end + reach and end >= turn.dwell_start - reach for start, end in runs):
            return False
        lower = turn.reversal.at == "lower"
        low = turn.reversal.x_m - scene.limits.bottom_m < self.settings.bounce_m
        bounce = lower and (low or _touches(scene, turn))
        entry = self._tell(scene, turn, "bounce" if bounce else "abrupt", self._peak(scene, turn))
        if lower and not bounce:
            self._rebounding = (turn, entry)
            self._rebound(scene)
        return True

    def _grade(self, scene: Scene, turn: Turn) -> bool:
        """Tell the turnaround if it can be graded by now; one that nobody saw is none of the lifter's."""
        if _unseen(scene, turn):
            return True
        if self._abrupt(scene, turn):
            return True
        if scene.now < turn.dwell_end + self._window(scene):
            return False
        peak = self._peak(scene, turn)
        dwell = turn.dwell_end - turn.dwell_start
        smooth = peak <= scene.limits.a_turn_m_s2 and dwell <= steps(scene.limits.smooth_dwell_s)
        self._tell(scene, turn, None if _touches(scene, turn) else "smooth" if smooth else "fair", peak)
        return True

    def _window(self, scene: Scene) -> int:
        """When it has passed, what is not abrupt can be graded."""
        abrupt = steps(self.settings.abrupt_window_s) + self.hold
        return max(steps(scene.limits.turn_window_s) + self.wait, abrupt)

    def _peak(self, scene: Scene, turn: Turn) -> float:
        """The highest |a| around the turn: of the newest moments at first sight, of the others patiently."""
        track, window = scene.track, steps(scene.limits.turn_window_s)
        start, end = turn.dwell_start - window, min(turn.dwell_end + window, scene.now) + 1
        settled = min(end, scene.now + 1 - self.wait)
        x = track.part(track.head_x, start + self.wait + 1 - len(self._patient), settled + self.wait)
        a = track.part(track.a, start, end).copy()
        if len(x) >= len(self._patient):
            patient = np.correlate(x, self._patient, mode="valid")
            seen = a[len(a) - (end - settled) - len(patient) : len(a) - (end - settled)]
            np.copyto(seen, patient, where=~np.isnan(patient))
        return float(np.nanmax(np.abs(a)))

    def _rebound(self, scene: Scene) -> None:
        """A lower turnaround that was told as abrupt turns out a bounce when it throws the stack."""
        if self._rebounding is None:
            return
        turn, entry = self._rebounding
        end = turn.dwell_end + steps(self.settings.rebound_s)
        part = scene.track.part(scene.track.v, turn.dwell_end, min(scene.now, end) + 1)
        if float(np.nanmax(part)) > scene.limits.fast_up_m_s:
            scene.book.regrade(entry, grade="bounce")
            self._rebounding = None
        elif scene.now >= end:
            self._rebounding = None

    def _tell(self, scene: Scene, turn: Turn, grade: str | None, peak_m_s2: float) -> Entry:
        own: dict[str, Any] = {
            "at": turn.reversal.at,
            "grade": grade,
            "dwell_s": round((turn.dwell_end - turn.dwell_start) * STEP_S, 3),
            "peak_g": round(peak_m_s2 / G, 3),
            "phase": "upper_turn" if turn.reversal.at == "upper" else "lower_turn",
        }
        return scene.book.tell(Turnaround, turn.middle, **own)

    def _next(self, scene: Scene) -> int:
        due = NEVER
        if self._ungraded:
            due = min(turn.dwell_end for turn in self._ungraded) + self._window(scene)
        if self._ungraded and self._hard_since is not None and scene.now - self._hard_since + 1 < self.hold:
            due = min(due, self._hard_since + self.hold - 1)
        if self._rebounding is not None:
            due = min(due, scene.now + 1)
        return due


def _speed(scene: Scene, half: int) -> float:
    """Over the newest 2 * half + 1 steps: the speed in the middle of them. NaN where one is not known."""
    newest = scene.track.part(scene.track.head_x, scene.now - 2 * half, scene.now + 1)
    return float(newest @ slope_kernel(half)) if len(newest) == 2 * half + 1 else float("nan")


def _unseen(scene: Scene, turn: Turn) -> bool:
    """The stack turned while, or just before or after, nobody knew where it was."""
    reach = steps(scene.limits.detect.turnaround.abrupt_window_s)
    x = scene.track.part(scene.track.x, turn.dwell_start - reach, min(turn.dwell_end + reach, scene.now + 1))
    return int(np.isnan(x).sum()) >= UNSEEN_STEPS


def _at(scene: Scene, start: int, end: int, x_m: float, within_m: float) -> list[tuple[int, int]]:
    """Stretches of moments `start` to `end` at a place."""
    track = scene.track
    start = max(start, track.first or 0)
    return _runs(np.abs(track.x[track.at(start) : track.at(end)] - x_m) <= within_m, start)


def _joined(scene: Scene, stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that nothing but silence parts are one: it stood there before, and does so after."""
    track, lag = scene.track, scene.slow_lag
    joined = stretches[:1]
    for start, end in stretches[1:]:
        first, last = joined[-1]
        seen = track.part(track.slow_v, last + lag, start + lag) + track.part(track.a, last + lag, start + lag)
        if start > last and bool(np.isnan(seen).all()):
            joined[-1] = (first, end)
        else:
            joined.append((start, end))
    return joined


def _runs(mask: NDArray[np.bool_], start: int) -> list[tuple[int, int]]:
    """Stretches of moments, of which the first is `start`, that are so."""
    edges = (np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8))) + start).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _touches(scene: Scene, turn: Turn) -> bool:
    """The stack met its rest in this turnaround."""
    if scene.limits.kind != "stack" or turn.reversal.at == "upper":
        return False
    track = scene.track
    x = track.part(track.x, turn.dwell_start, turn.dwell_end + 1)
    tension = track.part(track.fast_tension, turn.dwell_start, turn.dwell_end + 1)
    return bool(((x < scene.limits.rest_reach_m) & (tension < scene.limits.half_load_n)).any())
