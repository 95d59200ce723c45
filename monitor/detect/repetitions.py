"""Repetitions: one positive and one negative between three turns.

A repetition is told once, when it ends: when its second movement has been reversed, or when the stack has come to
rest for `SETTLED_S`. The excursion counts from the lower of its neighbouring turns, not below the rest.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.book import seconds
from monitor.detect.scene import NEVER, Scene, Turn, steps
from monitor.events import Rep
from monitor.profile.settings import RepSettings
from monitor.signals.conditions import Bit
from monitor.signals.zigzag import Reversal

SETTLED_S = 0.5
CRUISE_M_S2 = 0.03 * G


class RepDetector:
    """`rep`, and the sticking that is a note on it."""

    watches = Bit.KNOWN_X | Bit.STILL | Bit.UP | Bit.DOWN | Bit.CONTACT | Bit.EMPTY | Bit.PULL | Bit.SLOW

    def __init__(self, settings: RepSettings) -> None:
        self.settings = settings
        self.due = NEVER
        self.last: tuple[Turn, Turn, float, int] | None = None  # of the newest: two turns, where and when it ended
        self._turns: list[Turn] = []  # the turn that the swing began with, and the one at its far end
        self._told_to: int | None = None  # the repetition in progress was told already, when the stack settled here
        self._slow_since: int | None = None
        self._sticking = False
        self._pulling = False

    def update(self, scene: Scene) -> None:
        self._note_sticking(scene)
        for turn in scene.turns:
            self._turn(scene, turn)
        self._pull(scene)
        self._settle(scene)
        scene.rep_pending = (
            len(self._turns) == 2 and self._told_to is None and self._counts(scene, self._turns[0], self._turns[1])
        )

    def shift(self, by_m: float) -> None:
        """The zero of the positions was moved up."""
        self._turns = [replace(turn, reversal=turn.reversal.shifted(by_m)) for turn in self._turns]

    def forget(self) -> None:
        self._turns, self._told_to, self._slow_since, self._sticking = [], None, None, False

    def _turn(self, scene: Scene, turn: Turn) -> None:
        outer = "lower" if scene.limits.starts_up else "upper"
        if turn.reversal.at != outer:
            self._turns = [*self._turns[:1], turn] if self._turns else []
            return
        if len(self._turns) == 2 and self._told_to is None:
            self._finish(scene, turn)
        self._turns, self._told_to = [turn], None
        self._sticking = False

    def _settle(self, scene: Scene) -> None:
        """It stands where a repetition ends, and goes no further."""
        self.due = NEVER
        if len(self._turns) != 2 or self._told_to is not None or scene.still_since is None:
            return
        going = scene.direction > 0 if scene.limits.starts_up else scene.direction < 0
        hold = None if going or not scene.still else self._hold(scene)
        if hold is None:
            return
        if scene.slow_now - scene.still_since >= hold:
            x_m = float(scene.track.x[scene.track.at(scene.now)])
            at: Literal["lower", "upper"] = "lower" if scene.limits.starts_up else "upper"
            rest = Reversal(scene.now, scene.still_since, x_m, at, True)
            self._finish(scene, Turn(rest, scene.still_since, scene.slow_now))
            self._told_to = scene.still_since
        else:
            self.due = scene.still_since + scene.slow_lag + hold

    def _hold(self, scene: Scene) -> int | None:
        """How long it must stand here for the repetition to be over; None: here it is not."""
        limits = scene.limits
        x_m = float(scene.track.x[scene.track.at(scene.now)])
        if not limits.starts_up:  # the lifter stands upright, or the set is over
            upright = limits.range_known and x_m >= limits.top_m - self.settings.top * limits.range_m
            return steps(SETTLED_S if upright else limits.detect.set.end_rest_s)
        if limits.kind == "stack":
            down = scene.on(Bit.CONTACT)
        else:
            down = scene.on(Bit.EMPTY) and x_m < limits.bottom_m + self.settings.excursion * limits.range_m
        return steps(SETTLED_S) if down else None

    def _pull(self, scene: Scene) -> None:
        """On a motor a leg begins where it is pulled: what the motor moved by itself before was positioning."""
        still = scene.last_still
        if not scene.limits.driven or scene.direction < 0 or still is None or len(self._turns) != 1:
            return
        if scene.on(Bit.PULL) and scene.on(Bit.UP) and still[0] > self._turns[0].dwell_end and not self._pulling:
            x_m = float(scene.track.x[scene.track.at(still[1])])
            self._turns = [Turn(Reversal(scene.now, still[1], x_m, "lower", False), *still)]
        self._pulling = scene.on(Bit.PULL)

    def _counts(self, scene: Scene, first: Turn, middle: Turn, last: Turn | None = None) -> bool:
        return self._excursion_m(scene, first, middle, last) >= self.settings.excursion * scene.limits.range_m

    def _excursion_m(self, scene: Scene, first: Turn, middle: Turn, last: Turn | None) -> float:
        ends = [turn.reversal.x_m for turn in (first, last) if turn is not None]
        if scene.limits.starts_up:
            floor = -scene.limits.doubt_m if scene.limits.kind == "stack" else -np.inf
            return middle.reversal.x_m - max(floor, min(ends))
        return max(ends) - middle.reversal.x_m

    def _finish(self, scene: Scene, last: Turn) -> None:
        first, middle = self._turns
        if not self._counts(scene, first, middle, last):
            return
        start, end = first.dwell_end, max(last.dwell_start, first.dwell_end + 1)
        if scene.limits.driven and not self._pulled(scene, start, end):
            return
        track, limits = scene.track, scene.limits
        rom_m = self._excursion_m(scene, first, middle, last)
        top = middle if limits.starts_up else last
        short = limits.top_m - top.reversal.x_m > self.settings.top * limits.range_m + limits.doubt_m
        small = rom_m < self.settings.partial * limits.range_m - limits.doubt_m
        partial = limits.range_known and (small or short)
        up, down = (start, middle.dwell_start), (middle.dwell_end, end)
        if not limits.starts_up:
            up, down = down, up
        tension = track.part(track.tension, start, end)
        known = tension[~np.isnan(tension)]
        scene.book.tell(
            Rep,
            start,
            end,
            rep=scene.reps_full + scene.reps_partial + 1 if scene.in_set else None,
            partial=bool(partial),
            positive_s=seconds(max(0, up[1] - up[0])),
            negative_s=seconds(max(0, down[1] - down[0])),
            upper_dwell_s=_dwell_s(middle if limits.starts_up else first),
            lower_dwell_s=_dwell_s(first if limits.starts_up else middle),
            rom_m=round(rom_m, 4),
            peak_velocity_m_s=_peak(track.part(track.v, start, end), 4),
            peak_g=_peak(track.part(track.a, start, end) / G, 3),
            tension_min_n=round(float(known.min()), 1) if len(known) else None,
            tension_mean_n=round(float(known.mean()), 1) if len(known) else None,
            tension_max_n=round(float(known.max()), 1) if len(known) else None,
            in_band_s=seconds(track.count(track.in_band, start, end)) if limits.load_n is not None else None,
            sticking=self._sticking,
        )
        if partial:
            scene.reps_partial += 1
        else:
            scene.reps_full += 1
        scene.rep_told = True
        self.last = (first, middle, last.reversal.x_m, end)

    def _pulled(self, scene: Scene, start: int, end: int) -> bool:
        tension = scene.track.part(scene.track.fast_tension, start, end)
        return bool((tension >= scene.limits.lift_off_n).any())

    def _note_sticking(self, scene: Scene) -> None:
        now = scene.slow_now
        slow = scene.on(Bit.SLOW) and scene.direction > 0
        if slow and self._slow_since is None:
            self._slow_since = now
        elif not slow and self._slow_since is not None:
            stall = steps(scene.limits.detect.stall.hold_s)  # what lasts longer is more than sticking
            if steps(self.settings.sticking_min_s) <= now - self._slow_since < stall:
                self._sticking = True
                scene.stuck_until = now
            self._slow_since = None


def _dwell_s(turn: Turn) -> float:
    return seconds(turn.dwell_end - turn.dwell_start)


def _peak(values: np.ndarray[tuple[int], np.dtype[np.float64]], digits: int) -> float:
    return round(float(np.nanmax(np.abs(values))), digits)
