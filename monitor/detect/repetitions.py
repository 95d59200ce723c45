"""Repetitions: one positive and one negative between three turns.

A repetition is reported when its second movement has been reversed, or sooner, when the stack stands where a
repetition ends. If the movement goes on after all, the record is sent again. The excursion counts from the lower of its
neighbouring turns, not below the rest.
"""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.detector import Correction, Detection, Finding, Findings
from monitor.detect.moment import NEVER, Moment, RepFinished, Reps, RepWentOn, TurningPoint, seconds, steps
from monitor.detect.rep_effort import lifted, pulled
from monitor.detect.rep_shape import segmented_of, start_of
from monitor.detect.unweighed import UnweighedReps
from monitor.events import Rep
from monitor.learning.range import LearnedRange
from monitor.profile.limits import Limits
from monitor.profile.settings import RepSettings
from monitor.signals.conditions import Bit
from monitor.signals.zigzag import Reversal

LATE_STEPS = 4  # the reading that completes a moment may arrive this much later
EDGE_STEPS = 8  # by how much a coarse encoder shows the edge of a dwell late; a slow filter does so again by its lag
SAME_END_STEPS = steps(0.05)  # an end that moves by less is not worth another record


class RepDetector:
    """Reports `rep`, and finds the sticking within it."""

    watches = Bit.KNOWN_X | Bit.STILL | Bit.UP | Bit.DOWN | Bit.CONTACT | Bit.EMPTY | Bit.PULL | Bit.SLOW

    def __init__(self, settings: RepSettings, lag: int) -> None:
        """`lag`: of a moment behind the grid, in steps."""
        self.settings = settings
        self.lag = lag
        self.due = NEVER
        self._full = self._partial = 0  # in this set
        self._turns: list[TurningPoint] = []  # the turn that the swing began with, and the one at its far end
        self._settled: Detection[Rep] | None = None  # of these turns: reported when the stack stood at its end
        self._stands: int | None = None  # since when it stands at its end, in which a hand may tremble
        self._unweighed = UnweighedReps()
        self._lowest_m = self._lowest_before_m = np.inf  # lowest end off the rest: of all; of all but the last
        self._handed = False  # before the first repetition something held the stack: the lifter takes it over
        self._slow_since: int | None = None
        self._sticking = False
        self._sticking_since = self._sticking_until = -NEVER
        self._pulling = False

    def update(self, moment: Moment) -> Findings:
        self._listen(moment)
        self._note_sticking(moment)
        findings: list[Finding] = [*self._unweighed.weigh(moment)]
        for turn in moment.turned.points:
            findings += self._turn(moment, turn)
        self._pull(moment)
        self._take_over(moment)
        findings += self._settle(moment)
        swings = len(self._turns) == 2 and self._settled is None
        pending = swings and self._counts(moment, self._turns[0], self._turns[1])
        lowest_m = self._lowest_before_m if np.isfinite(self._lowest_before_m) else None
        reps = Reps(self._full, self._partial, pending, lowest_m, self._sticking_since, self._sticking_until)
        return [*findings, reps] if reps != moment.reps else findings

    def _listen(self, moment: Moment) -> None:
        """Take the messages of the panel."""
        if moment.set_started is not None:
            self._full = self._partial = 0
            self._lowest_m = self._lowest_before_m = np.inf
            self._unweighed.clear()
        if moment.set_over is not None and not moment.limits.starts_up:
            self._turns, self._settled = [], None  # the next set begins upright: what was set down is no repetition
        if moment.after_silence:
            self._turns, self._settled, self._slow_since, self._sticking = [], None, None, False
        if moment.zero_moved_m:
            self._lowest_m -= moment.zero_moved_m
            self._lowest_before_m -= moment.zero_moved_m
            self._turns = [
                msgspec.structs.replace(turn, reversal=turn.reversal.shifted(moment.zero_moved_m))
                for turn in self._turns
            ]

    def _turn(self, moment: Moment, turn: TurningPoint) -> list[Finding]:
        self._stands = None
        outer = "lower" if moment.limits.starts_up else "upper"
        if turn.reversal.at != outer:
            self._turns = [*self._turns[:1], turn] if self._turns else []
            return []
        findings: list[Finding] = []
        if len(self._turns) == 2:
            findings = self._finish(moment, turn) if self._settled is None else self._amend(moment, self._settled, turn)
        self._turns, self._settled = [turn], None
        self._sticking = False
        return findings

    def _settle(self, moment: Moment) -> list[Finding]:
        """Finish the repetition once the stack has stood where repetitions end."""
        self.due = NEVER
        stood = self._stood(moment)
        if stood is None:
            return []
        since, until = stood
        going = moment.direction > 0 if moment.limits.starts_up else moment.direction < 0
        hold = None if going else self._hold(moment, moment.signals.x_m(since))
        if hold is None:
            return []
        if moment.slow_now - since < hold:
            self.due = since + moment.signals.slow_lag + hold
            return []
        last = _standing(moment, since, since + hold if until is None else until)
        return self._finish(moment, last) if self._settled is None else self._amend(moment, self._settled, last)

    def _stood(self, moment: Moment) -> tuple[int, int | None] | None:
        """Since when the stack stands after its second movement, or from when to when it stood before it moved back."""
        still = moment.stillness
        if len(self._turns) != 2:
            return None
        if still.since is not None:
            if not moment.still:
                return None
            if self._stands is None or self._settled is not None or _has_moved(moment, self._stands, still.since):
                self._stands = still.since
            return self._stands, None
        back = moment.on(Bit.UP) if moment.limits.starts_up else moment.on(Bit.DOWN)
        if not back or self._settled is not None or still.last is None or self._stands is None:
            return None
        return (self._stands, still.last[1]) if _on_way_back(moment, self._stands) else None

    def _hold(self, moment: Moment, x_m: float) -> int | None:
        """How many steps the stack must stand at `x_m` for the repetition to end; None: no repetition ends there."""
        limits = moment.limits
        soon = steps(self.settings.end_s) - 2 * moment.signals.slow_lag - self.lag - LATE_STEPS - EDGE_STEPS
        near_m = self.settings.end * limits.range_m
        if not limits.starts_up:  # the lifter stands upright, or the set is over
            upright = limits.range_known and x_m >= limits.top_m - near_m
            return soon if upright else steps(limits.detect.set.end_rest_s)
        lowest_m = self._lowest_m if np.isfinite(self._lowest_m) else limits.bottom_m
        near = x_m <= max(limits.bottom_m, lowest_m) + near_m or moment.held
        near |= not limits.range_known and self._is_back(x_m)
        low = x_m < limits.bottom_m + self.settings.excursion * limits.range_m
        down = moment.on(Bit.CONTACT) if limits.kind == "stack" else moment.on(Bit.EMPTY) and low
        return soon if near or down else None

    def _is_back(self, x_m: float) -> bool:
        """Whether too little of the way back is left to make a repetition; a pause on the way is not its end."""
        began_m, far_m = (turn.reversal.x_m for turn in self._turns)
        return x_m - began_m < self.settings.excursion * (far_m - began_m)

    def _pull(self, moment: Moment) -> None:
        """On a motor a leg begins where the lifter pulls; earlier movement was positioning by the motor."""
        still = moment.stillness.last
        if not moment.limits.driven or moment.direction < 0 or still is None or len(self._turns) != 1:
            return
        pull = moment.on(Bit.PULL)
        if pull and moment.on(Bit.UP) and still[0] > self._turns[0].dwell_end and not self._pulling:
            self._turns = [_beginning(moment, *still)]
        self._pulling = pull

    def _take_over(self, moment: Moment) -> None:
        """A repetition that a helper began, up to a hook or a stop, begins again where the lifter takes over."""
        first = not moment.in_set or not self._full + self._partial
        if moment.held or moment.stop.stands:
            self._handed = first and moment.limits.starts_up and len(self._turns) < 2
        elif self._handed and moment.on(Bit.UP) and (still := moment.stillness.last) is not None:
            self._handed = False
            self._turns = [_beginning(moment, *still)] if len(self._turns) < 2 else self._turns

    def _counts(
        self, moment: Moment, first: TurningPoint, middle: TurningPoint, last: TurningPoint | None = None
    ) -> bool:
        return _excursion_m(moment, first, middle, last) >= moment.limits.excursion_m

    def _finish(self, moment: Moment, last: TurningPoint) -> list[Finding]:
        first, middle = self._turns
        if not self._counts(moment, first, middle, last):
            return []
        start, end = _span(moment, first, middle, last)
        if not pulled(moment, start, end):
            return []
        follows = self._full + self._partial > 0 and _turned_in_the_air(moment, first)
        finished = RepFinished(first, middle, last.reversal.x_m, end, follows)
        rep = self._rep(moment, finished, last, start)
        self._count(rep, 1)
        self._lowest_before_m = self._lowest_m
        self._lower(moment, last)
        self._settled = Detection(rep, start, end)
        if rep.load_n is None and rep.set is not None:
            self._unweighed.add(self._settled, moment)
        return [self._settled, finished]

    def _lower(self, moment: Moment, last: TurningPoint) -> None:
        """Note how low the newest repetition ended, unless on the rest."""
        if last.reversal.x_m > moment.limits.detect.set.off_rest_m + moment.limits.doubt_m:
            self._lowest_m = min(self._lowest_m, last.reversal.x_m)

    def _amend(self, moment: Moment, reported: Detection[Rep], last: TurningPoint) -> list[Finding]:
        """The movement of a reported repetition went on: correct its end if that has moved."""
        first, middle = self._turns
        before, start = reported.event, reported.start
        end = max(last.dwell_start, start + 1)
        moved = abs(seconds(end - start) - (before.duration_s or 0.0)) > seconds(SAME_END_STEPS)
        if not moved or moment.set_number != before.set:
            return []
        if np.isnan(moment.signals.part(moment.signals.a, start, end)).all():  # it moved out of sight
            return []
        follows = (before.rep or 1) > 1 and _turned_in_the_air(moment, first)
        rep = self._rep(moment, RepFinished(first, middle, last.reversal.x_m, end, follows), last, start)
        kept: dict[str, Any] = {"found_s": before.found_s, "set": before.set, "rep": before.rep, "phase": before.phase}
        if before.load_n is not None and rep.load_n is None:  # by now it is only presumed for the next one
            kept |= {"load_n": before.load_n, "in_band_s": before.in_band_s}
        rep = msgspec.structs.replace(rep, **kept)
        self._lower(moment, last)
        self._count(before, -1)
        self._count(rep, 1)
        return [Correction(reported, rep), RepWentOn(end)]

    def _count(self, rep: Rep, by: int) -> None:
        if rep.partial:
            self._partial += by
        else:
            self._full += by

    def _rep(self, moment: Moment, finished: RepFinished, last: TurningPoint, start: int) -> Rep:
        limits, signals = moment.limits, moment.signals
        first, middle, end = finished.first, finished.middle, finished.end
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
            assisted=lifted(moment, up, down),
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
            stall = steps(moment.limits.detect.stall.hold_s)  # longer is a stall, not sticking
            goes_on = moment.on(Bit.UP)  # otherwise it was the turn of a positive that did not reach the top
            if goes_on and steps(self.settings.sticking_min_s) <= now - self._slow_since < stall:
                self._sticking = True
                self._sticking_since, self._sticking_until = self._slow_since, now
            self._slow_since = None


def _beginning(moment: Moment, since: int, until: int) -> TurningPoint:
    """The lower turn at which the stack stood from one moment up to another, before it is pulled."""
    x_m = moment.signals.x_m(until)
    if x_m != x_m:  # it went out of sight just then
        x_m = moment.signals.x_m(until - 1)
    return TurningPoint(Reversal(moment.now, until, x_m, "lower", False), since, until)


def _turned_in_the_air(moment: Moment, turn: TurningPoint) -> bool:
    """Whether the lifter turned the stack there: it did not stand on its rest, nor so long that it may be on a stop."""
    settings = moment.limits.detect.set
    off_the_rest = turn.reversal.x_m > settings.off_rest_m + moment.limits.doubt_m
    return moment.limits.starts_up and off_the_rest and turn.dwell_end - turn.dwell_start < steps(settings.end_rest_s)


def _has_moved(moment: Moment, since: int, again: int) -> bool:
    """Whether the stack, which stands again, stood elsewhere before; a hand that trembles moves it by less."""
    return not abs(moment.signals.x_m(again) - moment.signals.x_m(since)) <= moment.limits.extreme_m


def _on_way_back(moment: Moment, since: int) -> bool:
    """Whether the stack has not gone further since it stood."""
    further_m = moment.signals.x_m(since) - moment.x_m
    return (further_m if moment.limits.starts_up else -further_m) <= moment.limits.extreme_m


def _standing(moment: Moment, since: int, until: int) -> TurningPoint:
    """The turn at which the stack stood between two moments, if it goes no further."""
    x = moment.signals.part(moment.signals.x, since, until + 1)
    up = moment.limits.starts_up
    extreme_m = float(np.fmin.reduce(x) if up else np.fmax.reduce(x))
    far = np.flatnonzero(np.abs(x - extreme_m) > moment.limits.extreme_m)
    start = since + (int(far[-1]) + 1 if len(far) else 0)
    reversal = Reversal(moment.now, start, extreme_m, "lower" if up else "upper", True)
    return TurningPoint(reversal, start, until)


def _span(moment: Moment, first: TurningPoint, middle: TurningPoint, last: TurningPoint) -> tuple[int, int]:
    """The moments of a repetition between these turns, without the rise of a rubber bumper before lift-off."""
    start, off_m = first.dwell_end, moment.limits.detect.set.off_rest_m
    if moment.limits.kind == "stack" and moment.limits.starts_up:
        on = np.flatnonzero(moment.signals.part(moment.signals.x, start, middle.dwell_start) <= off_m)
        start += int(on[-1]) + 1 if len(on) else 0
    return start, max(last.dwell_start, start + 1)


def _excursion_m(moment: Moment, first: TurningPoint, middle: TurningPoint, last: TurningPoint | None) -> float:
    ends_m = [turn.reversal.x_m for turn in (first, last) if turn is not None]
    if moment.limits.starts_up:
        floor_m = -moment.limits.doubt_m if moment.limits.kind == "stack" else -np.inf
        return middle.reversal.x_m - max(floor_m, min(ends_m))
    return max(ends_m) - middle.reversal.x_m


def _dwell_s(turn: TurningPoint) -> float:
    return seconds(turn.dwell_end - turn.dwell_start)


def _peak(values: NDArray[np.float64], digits: int) -> float | None:
    """The greatest magnitude of those that are known; None if none is."""
    peak = float(np.fmax.reduce(np.abs(values)))
    return None if peak != peak else round(peak, digits)
