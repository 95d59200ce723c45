"""THE SPINE: samples in, events and feedback out. No I/O, no clock but the session's.

    samples -> grid -> tracker -> motion -> conditions (bits, whole blocks) -> panel of detectors (where bits change)

A daemon calls it with five samples, a re-analysis with half a million: the code is the same, and so are the events,
byte for byte. That holds because every stage is either elementwise or a fold whose state is carried, and because
nothing happens in a detector between a change of its bits and its `due`. When the limits change (a load is learned),
the bits of the rest of the block are computed again.
"""

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.samples import Samples
from monitor.detect.feedback import LiveFeedback
from monitor.detect.moment import Flagged, News, first_moment, steps
from monitor.detect.panel import DetectorPanel, detectors_after, detectors_before
from monitor.events import AnyEvent, Feedback, Update
from monitor.learning.load import LoadFit
from monitor.learning.machine import LearnedMachine
from monitor.learning.range import LearnedRange
from monitor.learning.teacher import Teacher
from monitor.profile.limits import Limits, limits_of
from monitor.profile.profile import Profile
from monitor.signals.conditions import evaluate
from monitor.signals.grid import STEP_S, Grid, Steps
from monitor.signals.motion import MotionFilter
from monitor.signals.position_tracker import PositionTracker, TrackedSteps
from monitor.signals.signal_window import SignalWindow
from monitor.signals.zigzag import Reversal, Zigzag

BATCH_ROWS = 1 << 14  # samples at once: what is computed of them fits into the cache of a core
BLOCK_STEPS = 2048  # 10 s at once: bounds the memory of a call
WEIGH_STEPS = 4096  # how often the position tracker is given the moving mass, whatever the batches are
DEFAULT_COUNT_M = 1e-4  # of an encoder, where the profile has no calibration
OnPositions = Callable[[NDArray[np.float64], NDArray[np.float64]], None]  # session times; m above the rest


class Spine:
    """One session of one machine. `feedback=False` leaves out the live feedback.

    `learned` is the range from the lifter's last session; it is used where the profile has none. `encoder_step_m` is
    the step that the samples themselves show; it is used where the profile has no `metres_per_count`. `machine` is
    what earlier sessions taught of the machine.
    """

    def __init__(
        self,
        profile: Profile,
        session: str,
        *,
        feedback: bool = True,
        learned: LearnedRange | None = None,
        encoder_step_m: float | None = None,
        machine: LearnedMachine | None = None,
    ) -> None:
        limits = limits_of(profile)
        if machine is not None:
            limits = limits.with_machine(machine.friction, machine.zero_n, machine.resistance)
        given_range = limits.range_known
        if learned is not None and not given_range:
            limits = limits.with_range(learned.bottom_m, learned.top_m, agreed=True)
        detect = profile.detect
        given_m = abs(profile.calibration.metres_per_count) if profile.calibration else 0.0
        count_m = given_m or encoder_step_m or DEFAULT_COUNT_M
        self.session = session
        self.on_positions: OnPositions | None = None  # gets the positions that detection works with
        static = limits.kind == "static"
        fault, averages = detect.sensor_fault, detect.cell.conversions >= 2
        self._grid = Grid(fault.gap_s, fault.jump_m, limits.lift_off_n, averages=averages, has_position=not static)
        self._tracker = PositionTracker(count_m, limits.inertia)
        self._weigh_at = WEIGH_STEPS
        self._motion = MotionFilter(detect.motion, detect.cell, limits.v_rest_m_s, count_m)
        self._signals = SignalWindow(self._motion.slow_lag)
        self._news: deque[News] = deque()  # about moments that are still to come
        self._zigzag = Zigzag(steps(limits.long_gap_s))
        self._scanned = 0, self._zigzag.state()  # the first moment of the last scan, and the state before it
        self._reversals: deque[Reversal] = deque()  # that it has found, and that are still to come
        curve_known = profile.machine.resistance in ("constant", "curve")
        self._teacher = Teacher(profile.machine.plates_kg, given_range, detect.range, detect.load_step, curve_known)
        self._live = LiveFeedback(self._motion.lag) if feedback else None
        before = detectors_before(profile, self._motion.lag, count_m)
        after = detectors_after(profile, limits, self._teacher, self._motion.lag, count_m)
        self._panel = DetectorPanel(before, after, first_moment(self._signals, session, limits))

    @property
    def limits(self) -> Limits:
        """The limits as they are known now."""
        return self._panel.moment.limits

    @property
    def learned(self) -> LearnedRange | None:
        """The range that this session has taught, for the lifter's next one."""
        return self._teacher.range

    @property
    def machine(self) -> LearnedMachine:
        """What is known about the machine now, for later sessions."""
        limits = self.limits
        friction = limits.friction if limits.friction_from == "learned" else None
        return LearnedMachine(friction=friction, resistance=limits.resistance, zero_n=limits.zero_n)

    @property
    def load_fit(self) -> LoadFit | None:
        """The load of the newest repetitions, before it is snapped to a plate."""
        return self._teacher.fit

    def update(self, samples: Samples) -> Update:
        """The events and the feedback that these samples complete."""
        events: list[AnyEvent] = []
        feedback: list[Feedback] = []
        for low in range(0, len(samples), BATCH_ROWS):
            self._update(samples.rows(slice(low, low + BATCH_ROWS)), events, feedback)
        return Update(events, feedback)

    def _update(self, samples: Samples, events: list[AnyEvent], feedback: list[Feedback]) -> None:
        """One batch of bounded length."""
        steps = self._grid.update(samples)
        while (ahead := self._weigh_at - steps.first) < len(steps.found_s):
            if ahead > 0:
                early, steps = steps.split(ahead)
                self._follow(early, events, feedback)
            self._tracker.weigh(self.limits.inertia)
            self._weigh_at += WEIGH_STEPS * (1 + max(0, -ahead) // WEIGH_STEPS)
        self._follow(steps, events, feedback)

    def _follow(self, steps: Steps, events: list[AnyEvent], feedback: list[Feedback]) -> None:
        """Steps between which the mass that the tracker knows stays the same."""
        tracked = self._tracker.update(steps)
        lag = self._motion.lag
        self._news.extend(_news(tracked, lag))
        signals = self._motion.update(tracked)
        n = len(signals.found_s)
        for low in range(0, n, BLOCK_STEPS):
            block = signals.part(low, min(n, low + BLOCK_STEPS))
            self._signals.append(block, self.limits.rest_m, self.limits.zero_n)
            end = block.first + len(block.found_s)
            start = block.first
            self._scan(start, end)
            while start < end:
                start = self._walk(start, end, events, feedback)
            if self.on_positions is not None:
                at_s = STEP_S * np.arange(block.first + lag, end + lag, dtype=np.float64)
                self.on_positions(at_s, self._signals.part(self._signals.head_x, block.first, end))

    def finish(self) -> Update:
        """The stream has ended: open events end at the last good moment."""
        if self._signals.first is not None:
            self._signals.look_from(self._signals.end - 1)
            self._panel.finish(self._signals.end - 1)
        return Update(self._panel.take(), [])

    def _walk(self, start: int, end: int, events: list[AnyEvent], feedback: list[Feedback]) -> int:
        """Step from change to change; returns the moment after the limits changed, or the end."""
        signals, panel, news = self._signals, self._panel, self._news
        limits = panel.moment.limits
        bits = evaluate(signals, limits, start, end)
        seen = np.concatenate(([panel.moment.bits], bits)) & panel.watches
        changes: list[int] = ((seen[1:] != seen[:-1]).nonzero()[0] + start).tolist()
        reversals = self._reversals
        changes.append(end)
        live = self._live
        if live is not None:
            live.look(signals, limits, start, end)
        i = 0
        following = start
        while True:
            now = min(changes[i], max(following, panel.due))
            if reversals:
                now = min(now, reversals[0].confirmed)
            if news:
                now = min(now, max(following, news[0].step))
            if live is not None:
                feedback += live.before(min(now, end), panel.moment, panel.tally)
            if now >= end:
                return end
            i += changes[i] == now
            signals.look_from(now)
            turned = (reversals.popleft(),) if reversals and reversals[0].confirmed == now else ()
            panel.step(now, int(bits[now - start]), turned, _until(news, now) if news else ())
            records = panel.take()
            events += records
            learned = panel.moment.limits is not limits
            if live is not None:
                if learned:
                    live.look(signals, self.limits, now, now + 1)
                live.follow(panel.moment)
                live.note(records, now)
                feedback += live.before(now + 1, panel.moment, panel.tally)
            following = now + 1
            if learned:
                self._scan_again(limits, following, end)
                return following

    def _scan(self, start: int, end: int) -> None:
        """Find the reversals that will be confirmed in moments `start` to `end`."""
        self._scanned = start, self._zigzag.state()
        x = self._signals.x[self._signals.row(start) : self._signals.row(end)]
        self._reversals = deque(self._zigzag.scan(x, start, self.limits.reversal_m))

    def _scan_again(self, before: Limits, following: int, end: int) -> None:
        """The limits have changed: scan again from moment `following` if this concerns reversals."""
        if (before.reversal_m, before.rest_m) == (self.limits.reversal_m, self.limits.rest_m):
            return
        start, state = self._scanned
        self._zigzag.restore(state)
        self._zigzag.shift(before.rest_m - self.limits.rest_m)  # like the signals
        x = self._signals.x[self._signals.row(start) : self._signals.row(following)]
        self._zigzag.scan(x, start, before.reversal_m)
        self._scan(following, end)


def _news(tracked: TrackedSteps, lag: int) -> list[News]:
    """What the stream has shown, in order, each with the moment from which on it is known."""
    news: list[News] = [
        *(hole._replace(step=hole.step - lag) for hole in tracked.steps.holes),
        *(Flagged(step - lag, stamp_s, flags) for step, stamp_s, flags in tracked.steps.flagged),
        *(doubt._replace(step=doubt.step - lag) for doubt in tracked.doubts),
    ]
    return sorted(news, key=lambda item: item.step)


def _until(news: deque[News], now: int) -> tuple[News, ...]:
    """Take what is known by a moment."""
    taken = []
    while news and news[0].step <= now:
        taken.append(news.popleft())
    return tuple(taken)


__all__ = ["STEP_S", "Spine"]
