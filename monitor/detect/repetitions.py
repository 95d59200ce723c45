"""Repetitions: one positive and one negative between three turns.

A repetition is reported once, when it ends: when its second movement has been reversed, or when the stack has come to
rest for `SETTLED_S`. The excursion counts from the lower of its neighbouring turns, not below the rest.
"""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.detector import Detection, Finding, Findings
from monitor.detect.moment import NEVER, Moment, RepFinished, Reps, TurningPoint, seconds, steps
from monitor.detect.rep_shape import segmented_of, start_of
from monitor.events import Rep
from monitor.learning.range import LearnedRange
from monitor.profile.limits import Limits
from monitor.profile.settings import RepSettings
from monitor.signals.conditions import Bit
from monitor.signals.zigzag import Reversal

SETTLED_S = 0.5  # a stack that rests for so long ends its repetition


class RepDetector:
    """`rep`, and the sticking that is a note on it."""

    watches = Bit.KNOWN_X | Bit.STILL | Bit.UP | Bit.DOWN | Bit.CONTACT | Bit.EMPTY | Bit.PULL | Bit.SLOW

    def __init__(self, settings: RepSettings) -> None:
        self.settings = settings
        self.due = NEVER
        self._full = self._partial = 0  # in this set
        self._turns: list[TurningPoint] = []  # the turn that the swing began with, and the one at its far end
        self._settled = False  # the repetition in progress was reported already, when the stack settled here
        self._slow_since: int | None = None
        self._sticking = False
        self._sticking_until = -NEVER
        self._pulling = False

    def update(self, moment: Moment) -> Findings:
        self._listen(moment)
        self._note_sticking(moment)
        findings: list[Finding] = []
        for turn in moment.turned.points:
            findings += self._turn(moment, turn)
        self._pull(moment)
        findings += self._settle(moment)
        swings = len(self._turns) == 2 and not self._settled
        pending = swings and self._counts(moment, self._turns[0], self._turns[1])
        reps = Reps(self._full, self._partial, pending, self._sticking_until)
        return [*findings, reps] if reps != moment.reps else findings

    def _listen(self, moment: Moment) -> None:
        """Messages of the panel."""
        if moment.set_started is not None:
            self._full = self._partial = 0
        if moment.after_silence:
            self._turns, self._settled, self._slow_since, self._sticking = [], False, None, False
        if moment.zero_moved_m:
            self._turns = [
                msgspec.structs.replace(turn, reversal=turn.reversal.shifted(moment.zero_moved_m))
                for turn in self._turns
            ]

    def _turn(self, moment: Moment, turn: TurningPoint) -> list[Finding]:
        outer = "lower" if moment.limits.starts_up else "upper"
        if turn.reversal.at != outer:
            self._turns = [*self._turns[:1], turn] if self._turns else []
            return []
        findings: list[Finding] = []
        if len(self._turns) == 2 and not self._settled:
            findings = self._finish(moment, turn)
        self._turns, self._settled = [turn], False
        self._sticking = False
        return findings

    def _settle(self, moment: Moment) -> list[Finding]:
        """The stack stands where a repetition ends, and goes no further."""
        self.due = NEVER
        since = moment.stillness.since
        if len(self._turns) != 2 or self._settled or since is None:
            return []
        going = moment.direction > 0 if moment.limits.starts_up else moment.direction < 0
        hold = None if going or not moment.still else self._hold(moment)
        if hold is None:
            return []
        if moment.slow_now - since < hold:
            self.due = since + moment.signals.slow_lag + hold
            return []
        at: Literal["lower", "upper"] = "lower" if moment.limits.starts_up else "upper"
        rest = Reversal(moment.now, since, moment.x_m, at, True)
        findings = self._finish(moment, TurningPoint(rest, since, moment.slow_now))
        self._settled = True
        return findings

    def _hold(self, moment: Moment) -> int | None:
        """How many steps it must stand here for the repetition to be over; None: no repetition ends here."""
        limits = moment.limits
        if not limits.starts_up:  # the lifter stands upright, or the set is over
            upright = limits.range_known and moment.x_m >= limits.top_m - self.settings.top * limits.range_m
            return steps(SETTLED_S if upright else limits.detect.set.end_rest_s)
        if limits.kind == "stack":
            down = moment.on(Bit.CONTACT)
        else:
            low = moment.x_m < limits.bottom_m + self.settings.excursion * limits.range_m
            down = moment.on(Bit.EMPTY) and low
        return steps(SETTLED_S) if down else None

    def _pull(self, moment: Moment) -> None:
        """On a motor a leg begins where it is pulled: what the motor moved by itself before was positioning."""
        still = moment.stillness.last
        if not moment.limits.driven or moment.direction < 0 or still is None or len(self._turns) != 1:
            return
        pull = moment.on(Bit.PULL)
        if pull and moment.on(Bit.UP) and still[0] > self._turns[0].dwell_end and not self._pulling:
            start = Reversal(moment.now, still[1], moment.signals.x_m(still[1]), "lower", False)
            self._turns = [TurningPoint(start, *still)]
        self._pulling = pull

    def _counts(
        self, moment: Moment, first: TurningPoint, middle: TurningPoint, last: TurningPoint | None = None
    ) -> bool:
        return _excursion_m(moment, first, middle, last) >= moment.limits.excursion_m

    def _finish(self, moment: Moment, last: TurningPoint) -> list[Finding]:
        first, middle = self._turns
        if not self._counts(moment, first, middle, last):
            return []
        start, end = first.dwell_end, max(last.dwell_start, first.dwell_end + 1)
        if moment.limits.driven and not _pulled(moment, start, end):
            return []
        finished = RepFinished(first, middle, last.reversal.x_m, end)
        rep = self._rep(moment, finished, last)
        if rep.partial:
            self._partial += 1
        else:
            self._full += 1
        return [Detection(rep, start, end), finished]

    def _rep(self, moment: Moment, finished: RepFinished, last: TurningPoint) -> Rep:
        limits, signals = moment.limits, moment.signals
        first, middle, end = finished.first, finished.middle, finished.end
        start = first.dwell_end
        rom_m = _excursion_m(moment, first, middle, last)
        up, down = (start, middle.dwell_start), (middle.dwell_end, end)
        if not limits.starts_up:
            up, down = down, up
        tension_n = signals.part(signals.tension, start, end)
        known_n = tension_n[~np.isnan(tension_n)]
        stamp = moment.stamp(start, end)
        stamp["rep"] = self._full + self._partial + 1 if moment.in_set else None
        return Rep(
            **stamp,
            partial=self._is_partial(limits, finished.shown, rom_m, top=middle if limits.starts_up else last),
            positive_s=seconds(max(0, up[1] - up[0])),
            negative_s=seconds(max(0, down[1] - down[0])),
            upper_dwell_s=_dwell_s(middle if limits.starts_up else first),
            lower_dwell_s=_dwell_s(first if limits.starts_up else middle),
            rom_m=round(rom_m, 4),
            peak_velocity_m_s=_peak(signals.part(signals.v, start, end), 4),
            peak_g=_peak(signals.part(signals.a, start, end) / G, 3),
            tension_min_n=round(float(known_n.min()), 1) if len(known_n) else None,
            tension_mean_n=round(float(known_n.mean()), 1) if len(known_n) else None,
            tension_max_n=round(float(known_n.max()), 1) if len(known_n) else None,
            in_band_s=seconds(signals.count(signals.in_band, start, end)) if limits.load_n is not None else None,
            load_n=None if moment.limits.load_n is None else round(moment.limits.load_n, 1),
            sticking=self._sticking,
            assisted=_lifted(moment, up, down),
            start=start_of(moment, finished, limits.selected_n or (float(known_n.mean()) if len(known_n) else None)),
            segmented=segmented_of(moment, up, down, self.settings),
        )

    def _is_partial(self, limits: Limits, shown: LearnedRange, rom_m: float, top: TurningPoint) -> bool:
        limits = limits.including(shown.bottom_m, shown.top_m)
        short = limits.top_m - top.reversal.x_m > self.settings.top * limits.range_m + limits.doubt_m
        small = rom_m < self.settings.partial * limits.range_m - limits.doubt_m
        return small or short

    def _note_sticking(self, moment: Moment) -> None:
        now = moment.slow_now
        slow = moment.on(Bit.SLOW) and moment.direction > 0
        if slow and self._slow_since is None:
            self._slow_since = now
        elif not slow and self._slow_since is not None:
            stall = steps(moment.limits.detect.stall.hold_s)  # what lasts longer is more than sticking
            if steps(self.settings.sticking_min_s) <= now - self._slow_since < stall:
                self._sticking = True
                self._sticking_until = now
            self._slow_since = None


def _excursion_m(moment: Moment, first: TurningPoint, middle: TurningPoint, last: TurningPoint | None) -> float:
    ends_m = [turn.reversal.x_m for turn in (first, last) if turn is not None]
    if moment.limits.starts_up:
        floor_m = -moment.limits.doubt_m if moment.limits.kind == "stack" else -np.inf
        return middle.reversal.x_m - max(floor_m, min(ends_m))
    return max(ends_m) - middle.reversal.x_m


def _pulled(moment: Moment, start: int, end: int) -> bool:
    tension_n = moment.signals.part(moment.signals.fast_tension, start, end)
    return bool((tension_n >= moment.limits.lift_off_n).any())


def _lifted(moment: Moment, up: tuple[int, int], down: tuple[int, int]) -> bool:
    """Whether somebody else did the positive: the cable hardly carried anything through most of it.

    While the load is unknown, what the lifter lowered stands for it: alone, nobody pulls less on the way up.
    """
    limits, signals = moment.limits, moment.signals
    if limits.kind != "stack":
        return False
    raised_n, lowered_n = (signals.part(signals.tension, *way) for way in (up, down))
    if limits.selected_n is not None:
        load_n = limits.selected_n
    else:
        load_n = float(np.nan_to_num(np.nanmean(lowered_n))) if not np.isnan(lowered_n).all() else 0.0
    return bool(np.mean(raised_n < limits.detect.assist.lifted * load_n) > 0.5)


def _dwell_s(turn: TurningPoint) -> float:
    return seconds(turn.dwell_end - turn.dwell_start)


def _peak(values: NDArray[np.float64], digits: int) -> float:
    return round(float(np.nanmax(np.abs(values))), digits)
