"""THE SPINE: samples in, events and feedback out. No I/O, no clock but the session's.

    samples -> grid -> motion -> conditions (bits, whole blocks at once) -> detectors (only where something changes)

A daemon calls it with five samples, a re-analysis with half a million: it is one piece of code, and the events are the
same, byte for byte. That holds because every stage is either elementwise, or a fold whose state is carried, and because
a detector may do nothing between a change of its bits and its `due`. When what the bits are compared with changes (a
load is learned), the rest of the block is compared anew from that moment on.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.samples import Samples
from monitor.detect.book import Book
from monitor.detect.feedback import Live
from monitor.detect.jerks import SurgeDetector
from monitor.detect.phase import phase_of
from monitor.detect.repetitions import RepDetector
from monitor.detect.rest_finder import RestFinder
from monitor.detect.rests import ContactDetector, LockoutDetector
from monitor.detect.scene import Detector, Scene
from monitor.detect.sensor_faults import FaultDetector
from monitor.detect.sets import SetDetector
from monitor.detect.speed_over import SpeedDetector
from monitor.detect.stalls import StallDetector
from monitor.detect.static import StageDetector
from monitor.detect.summary import Account, summary
from monitor.detect.teacher import Teacher
from monitor.detect.tension import TensionDetector
from monitor.detect.turnarounds import TurnaroundDetector, TurnFinder
from monitor.events import AnyEvent, Feedback, SensorFault, SetEnd, SetStart, Update
from monitor.learning.load import LoadFit
from monitor.learning.range import LearnedRange
from monitor.profile.limits import Limits, limits_of
from monitor.profile.profile import Profile
from monitor.signals.conditions import Bit, evaluate
from monitor.signals.grid import STEP_S, Grid
from monitor.signals.motion import Motion
from monitor.signals.place import Doubt, Place
from monitor.signals.track import Track
from monitor.signals.zigzag import Zigzag

BLOCK_STEPS = 2048
FEEDBACK_STEPS = 8  # 25 times a second
DEFAULT_COUNT_M = 1e-4
OnPositions = Callable[[NDArray[np.float64], NDArray[np.float64]], None]  # session times; m above the rest


class Spine:
    """One session of one machine. `feedback=False` leaves out what only an eye needs.

    `learned` is what the lifter's last session taught; it counts where the profile has no range.
    """

    def __init__(
        self, profile: Profile, session: str, *, feedback: bool = True, learned: LearnedRange | None = None
    ) -> None:
        limits = limits_of(profile)
        given_range = limits.range_known
        if learned is not None and not given_range:
            limits = limits.with_range(learned.bottom_m, learned.top_m)
        detect = profile.detect
        count_m = abs(profile.calibration.metres_per_count) if profile.calibration else DEFAULT_COUNT_M
        self.session = session
        self.on_positions: OnPositions | None = None  # somebody who draws what detection goes by
        static = limits.kind == "static"
        fault, averages = detect.sensor_fault, detect.cell.window_s >= 2 * detect.cell.period_s
        self._grid = Grid(fault.gap_s, fault.jump_m, averages=averages, has_position=not static)
        self._place = Place(count_m)
        self._motion = Motion(detect.motion, detect.cell, limits.v_rest_m_s, count_m)
        self._track = Track()
        self._book = Book(session, self._track)
        self._scene = Scene(self._track, self._book, limits, self._motion.slow_lag)
        self._long_gap = round(limits.long_gap_s / STEP_S)
        self._zigzag = Zigzag(self._long_gap)
        self._teacher = Teacher(profile.machine.plates_kg, given_range)
        self._account = Account()
        self._live = Live()
        self._with_feedback = feedback
        self._sets = 0
        self._bits = 0
        self._unknown_since: int | None = None

        self._faults = FaultDetector(detect.sensor_fault, self._motion.lag)
        self._rest = RestFinder()
        self._turns = TurnFinder(detect.motion.extreme_m, self._motion.lag)
        self._set = SetDetector(detect.set)
        self._rep = RepDetector(detect.rep)
        self._stall = StallDetector(detect)
        self._contact = ContactDetector(detect)
        self._turnaround = TurnaroundDetector(detect, self._motion.lag, count_m)
        protocol = profile.protocol
        self._stages = StageDetector(detect.failure, protocol.stages, protocol.stages_s, profile.machine.peak_n)
        # In this order: what a later one reads of the scene, an earlier one has written.
        self._before: tuple[Detector, ...] = (self._rest, self._faults, self._turns, self._set)
        tension = TensionDetector(detect)
        of_movement: tuple[Detector, ...] = (
            self._rep,
            self._stall,
            tension,
            SurgeDetector(detect.jerk),
            self._turnaround,
            self._contact,
            LockoutDetector(limits.lockout_dwell_s),
            SpeedDetector(detect.speed_over),
        )
        self._after: tuple[Detector, ...] = (self._stages, tension) if static else of_movement
        self._dues: list[int] = []

    @property
    def limits(self) -> Limits:
        """What is known by now."""
        return self._scene.limits

    @property
    def learned(self) -> LearnedRange | None:
        """What this session has taught, for the lifter's next."""
        return self._teacher.range

    @property
    def load_fit(self) -> LoadFit | None:
        """What the newest repetitions pulled, whatever the pin can select."""
        return self._teacher.fit

    def update(self, samples: Samples) -> Update:
        """All that these samples taught."""
        events: list[AnyEvent] = []
        feedback: list[Feedback] = []
        placed = self._place.update(self._grid.update(samples))
        steps = placed.steps
        lag = self._motion.lag
        self._faults.note(
            [hole._replace(step=hole.step - lag) for hole in steps.holes],
            [(step - lag, stamp_s, flags) for step, stamp_s, flags in steps.flagged],
        )
        self._rest.doubts += [Doubt(doubt.step - lag, doubt.by_m) for doubt in placed.doubts]
        signals = self._motion.update(placed)
        n = len(signals.found_s)
        for low in range(0, n, BLOCK_STEPS):
            block = signals.part(low, min(n, low + BLOCK_STEPS))
            self._track.append(block, self._scene.limits.rest_m)
            end = block.first + len(block.found_s)
            self._run(block.first, end, events, feedback)
            if self.on_positions is not None:
                at_s = STEP_S * np.arange(block.first + lag, end + lag, dtype=np.float64)
                self.on_positions(at_s, self._track.part(self._track.head_x, block.first, end))
        return Update(events, feedback)

    def finish(self) -> Update:
        """The stream has ended: what is open ends at the last good moment."""
        if self._track.first is not None:
            self._scene.now = self._book.now = self._track.end - 1
        self._book.end()
        return Update(self._book.take(), [])

    def _run(self, start: int, end: int, events: list[AnyEvent], feedback: list[Feedback]) -> None:
        while start < end:
            start = self._walk(start, end, events, feedback)

    def _walk(self, start: int, end: int, events: list[AnyEvent], feedback: list[Feedback]) -> int:
        """From change to change; returns where the limits changed, or the end."""
        scene, track = self._scene, self._track
        limits = scene.limits
        bits = evaluate(track, limits, start, end, scene.slow_lag)
        changes = (np.flatnonzero(bits != np.concatenate(([self._bits], bits[:-1]))) + start).tolist()
        zigzag_before = self._zigzag.state()
        x = track.x[track.at(start) : track.at(end)]
        reversals = self._zigzag.scan(x, start, limits.reversal_m)
        confirmed = [reversal.confirmed for reversal in reversals]
        feedback_at = self._next_feedback(start)
        i = j = 0
        following = start
        self._note_dues()
        while True:
            moment = min(
                changes[i] if i < len(changes) else end,
                confirmed[j] if j < len(confirmed) else end,
                feedback_at,
                max(following, min(self._dues)),
            )
            if moment >= end:
                self._bits = int(bits[-1])
                return end
            scene.now = self._book.now = moment
            before, scene.bits = self._bits, int(bits[moment - start])
            self._bits = scene.bits
            scene.reversals = []
            while i < len(changes) and changes[i] <= moment:
                i += 1
            while j < len(confirmed) and confirmed[j] <= moment:
                scene.reversals.append(reversals[j])
                scene.direction = -1 if reversals[j].at == "upper" else 1
                j += 1
            self._step(before ^ scene.bits)
            told = self._book.take()
            if told:
                events += told
                self._live.note(told, moment)
            if moment == feedback_at:
                feedback.append(
                    self._live.feedback(scene, self._account, self._faults.cause, moment + self._motion.lag)
                )
                feedback_at = self._next_feedback(moment + 1)
            following = moment + 1
            if scene.limits is not limits:
                self._zigzag.restore(zigzag_before)
                self._zigzag.shift(limits.rest_m - scene.limits.rest_m)  # as the track was
                self._zigzag.scan(x[: following - start], start, limits.reversal_m)
                return following

    def _next_feedback(self, moment: int) -> int:
        """Feedback falls on fixed steps of the grid's head."""
        if not self._with_feedback:
            return 1 << 62
        lag = self._motion.lag
        return -(-(moment + lag) // FEEDBACK_STEPS) * FEEDBACK_STEPS - lag

    def _step(self, changed: int) -> None:
        """One moment through the detectors that it concerns."""
        scene, book, now = self._scene, self._book, self._scene.now
        scene.rep_told = scene.nudged = False
        self._number()
        if changed & Bit.KNOWN_X:
            self._silence()
        doubt = scene.force_doubt
        touched = False
        for detector in self._before:
            if changed & detector.watches or detector.due <= now or scene.reversals or scene.turns:
                detector.update(scene)
                touched = True
        bounds = self._set.started is not None or self._set.ended is not None
        self._rezero()
        stirred = bounds or bool(scene.reversals or scene.turns) or doubt != scene.force_doubt
        book.phase = phase_of(scene)
        if self._set.started is not None:
            self._start_set(self._set.started)
        self._number()
        for detector in self._after:
            if stirred or scene.nudged or changed & detector.watches or detector.due <= now:
                detector.update(scene)
                touched = True
        if touched:
            self._note_dues()
        if scene.rep_told:
            assert self._rep.last is not None
            self._teacher.learn(scene, *self._rep.last)
        self._account.update(scene)
        if self._set.ended is not None and scene.in_set:
            self._end_set(self._set.ended)
            self._note_dues()
        self._set.started = self._set.ended = None
        scene.turns = []
        if self._with_feedback or touched:
            book.phase = phase_of(scene)
            self._live.follow(scene, book.phase)

    def _number(self) -> None:
        """The repetition that this moment belongs to."""
        scene = self._scene
        if scene.limits.kind != "static":
            told = scene.reps_full + scene.reps_partial
            again = Bit.UP if scene.limits.starts_up else Bit.DOWN  # the movement that a repetition begins with
            self._book.rep_number = told + 1 + (scene.rep_pending and scene.on(again))

    def _note_dues(self) -> None:
        """When each detector wants to be woken, of itself."""
        self._dues = [detector.due for detector in self._before] + [detector.due for detector in self._after]

    def _silence(self) -> None:
        scene = self._scene
        if scene.on(Bit.KNOWN_X):
            if self._unknown_since is not None and scene.now - self._unknown_since > self._long_gap:
                self._turns.forget()
                self._rep.forget()
                self._turnaround.forget()
                scene.direction = 0
            self._unknown_since = None
        elif self._unknown_since is None:
            self._unknown_since = scene.now

    def _start_set(self, moment: int) -> None:
        scene = self._scene
        self._sets += 1
        scene.in_set, scene.set_start = True, moment
        scene.reps_full = scene.reps_partial = 0
        self._book.set_number, self._book.counts = self._sets, {}
        self._account.start(scene, moment)
        self._stall.start_set()
        self._book.tell(SetStart, moment, rep=None)

    def _end_set(self, moment: int) -> None:
        scene, limits = self._scene, self._scene.limits
        self._contact.end_set(scene)
        static = limits.kind == "static"
        if static:
            self._stages.end_set(scene, moment)
        times_s = self._account.times_s(scene, moment)
        strength_n = self._stages.highest_n if static else limits.load_n
        failed = self._stall.failed or (static and self._stages.failed)
        scene.in_set = False
        self._book.end_set(moment)
        for detector in self._after:
            detector.update(scene)
        self._book.tell(SetEnd, moment, **summary(scene, times_s, strength_n, failed))
        self._book.set_number = self._book.rep_number = None
        if limits.load_from == "learned":
            self._teacher.forget_load()

    def _rezero(self) -> None:
        """The stack stands on its rest, wherever the encoder thinks that is."""
        scene, drift_m, self._rest.drift_m = self._scene, self._rest.drift_m, None
        if drift_m is None:
            return
        if abs(drift_m) > max(scene.limits.detect.sensor_fault.jump_m, scene.limits.doubt_m):
            self._book.tell(SensorFault, scene.now, cause="encoder_slip", detail=f"{drift_m * 1000:.1f} mm")
        scene.limits = scene.limits.with_rest(drift_m)
        self._track.shift(drift_m)
        self._rep.shift(drift_m)


__all__ = ["STEP_S", "Spine"]
