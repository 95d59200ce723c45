"""What the sensors cannot be believed in, told as an event and never as a lifter's fault.

A hole in the stamps, a jump of the encoder, readings that the device flagged, a cell that repeats itself while the
stack moves, a force that does not fit load, friction and acceleration.
"""

from typing import Any

import msgspec

from firmware_bridge.samples import Flag
from monitor.detect.book import Entry
from monitor.detect.interval import Run
from monitor.detect.scene import NEVER, Scene, steps
from monitor.detect.slow_cell import SlowCell
from monitor.events import ForceCeiling, SensorFault, Slack, TensionOut, Unload
from monitor.profile.settings import SensorFaultSettings
from monitor.signals.conditions import Bit
from monitor.signals.grid import ROUGH, STEP_S, Hole
from monitor.signals.place import LOST_M

OF_FORCE = (Unload, Slack, TensionOut, ForceCeiling)  # what a silent cell cuts
ROUGH_S = 0.5  # for so long after a reading that leapt the others are not believed either
MISFIT_JOIN_S = 3.0  # at a turnaround nothing is to be seen of it
STALE_S = 0.2
KEPT_DOUBTS = 32
LOOSE_S = 0.03  # nothing hangs still for so long without tension: it rests, or its encoder does not see it fall
QUIET_S = 1.0  # flagged readings closer than this are one fault


class FaultDetector:
    """`sensor_fault`; what the grid has seen is noted in the order of the stream."""

    watches = Bit.KNOWN_X | Bit.KNOWN_T | Bit.FROZEN | Bit.MISFIT | Bit.UP | Bit.DOWN | Bit.EMPTY | Bit.STILL

    def __init__(self, settings: SensorFaultSettings, lag: int) -> None:
        self.settings = settings
        self.lag = lag
        self.holes: list[Hole] = []
        self.flagged: list[tuple[int, float, int]] = []  # first moment made in the knowledge of it, stamp, flags
        self._position_gap: Entry | None = None
        self._force_gap: Entry | None = None
        self._flag_entry: Entry | None = None
        self._flag_last = self._flag_stamp = 0
        self._flag_cause: str | None = None
        self._now = 0
        self._rough_until = -NEVER
        self._stale_since: int | None = None
        self._stale_due = NEVER
        self._seen_x = self._seen_t = False
        self._frozen = Run(SensorFault, steps(settings.frozen_s), describe=_cause_frozen)
        self._misfit = Run(SensorFault, steps(settings.mismatch_s), steps(MISFIT_JOIN_S), describe=_cause_mismatch)
        self._loose_since: int | None = None
        self._loose_due = NEVER
        self._slow_cell = SlowCell()

    @property
    def due(self) -> int:
        due = min(self._frozen.due, self._misfit.due, self._loose_due, self._stale_due, self._slow_cell.due)
        if self._rough_until > self._now:
            due = min(due, self._rough_until)
        if self.flagged:
            due = min(due, self.flagged[0][0])
        if self._flag_entry is not None:
            due = min(due, self._flag_last + steps(QUIET_S))
        return due

    @property
    def cause(self) -> str | None:
        """Of an open fault, the newest."""
        for entry in (self._position_gap, self._force_gap, self._flag_entry, self._frozen.entry, self._misfit.entry):
            if entry is not None and entry.end is None:
                return str(entry.record.cause)
        return None

    def note(self, holes: list[Hole], flagged: list[tuple[int, float, int]]) -> None:
        """What the grid has seen, with the moments at which it is known."""
        self.holes += holes
        self.flagged += flagged
        self._slow_cell.note(holes)

    def update(self, scene: Scene) -> None:
        self._now = scene.now
        self._seen_x = self._seen_x or scene.on(Bit.KNOWN_X)
        self._seen_t = self._seen_t or scene.on(Bit.KNOWN_T)
        if self._seen_x:
            self._position_gap = self._gap(scene, self._position_gap, scene.on(Bit.KNOWN_X), "position")
        slow = self._slow_cell.noticed(scene.now)
        if self._seen_t or slow or self._force_gap is not None:
            self._force_gap = self._gap(scene, self._force_gap, scene.on(Bit.KNOWN_T), "force")
        if slow and self._force_gap is not None:
            scene.book.retell(self._force_gap, detail=f"force, {self._slow_cell.rate_hz:.1f} readings a second")
        self._flags(scene)
        moving = scene.on(Bit.UP) or scene.on(Bit.DOWN)
        stuck = self._frozen.entry is not None  # known to be, whatever the stack does now
        self._frozen.update(scene, scene.on(Bit.FROZEN) and (moving or stuck), scene.now)
        self._misfit.update(scene, scene.on(Bit.MISFIT) and not scene.on(Bit.FROZEN), scene.now)
        stale = self._stale(scene)
        railed = self._flag_entry if self._flag_cause == "saturated" else None
        doubts = (self._force_gap, railed, self._frozen.entry)
        doubted = scene.force_doubt
        scene.force_doubt = sum(entry is not None and entry.end is None for entry in doubts) + stale
        scene.force_doubt += scene.now < self._rough_until
        self._note_doubt(scene, bool(doubted))
        self._lose_place(scene)

    def _note_doubt(self, scene: Scene, before: bool) -> None:
        """For those who look back."""
        if scene.force_doubt and not before:
            scene.doubted = [*scene.doubted[-KEPT_DOUBTS:], (scene.now - steps(STALE_S), NEVER)]
        elif before and not scene.force_doubt:
            scene.doubted[-1] = (scene.doubted[-1][0], scene.now)

    def _lose_place(self, scene: Scene) -> None:
        """The cable has gone loose, and the stack stands where it did."""
        limits, now = scene.limits, scene.now
        self._loose_due = NEVER
        if not (scene.still and scene.on(Bit.EMPTY) and limits.kind == "stack") or scene.force_doubt:
            self._loose_since = None
            return
        self._loose_since = now if self._loose_since is None else self._loose_since
        enough = self._loose_since + steps(LOOSE_S)
        if now < enough:
            self._loose_due = enough
        elif now == enough and scene.in_set:
            x_m = float(scene.track.x[scene.track.at(now)])
            if x_m > limits.rest_reach_m:
                scene.book.tell(SensorFault, self._loose_since, now, cause="mismatch", detail="position")
                scene.limits = limits.with_doubt(LOST_M)

    def _stale(self, scene: Scene) -> bool:
        """The cell repeats itself for long enough not to be asked about tension, if not for a fault yet."""
        self._stale_due = NEVER
        if not scene.on(Bit.FROZEN):
            self._stale_since = None
            return False
        if self._stale_since is None:
            self._stale_since = scene.now
        if scene.now - self._stale_since >= steps(STALE_S):
            return True
        self._stale_due = self._stale_since + steps(STALE_S)
        return False

    def _gap(self, scene: Scene, entry: Entry | None, known: bool, kind: str) -> Entry | None:
        """A moment's window reaches `lag` steps ahead and behind: what is not known begins, and ends, so much later."""
        if not known and entry is None:
            start = scene.now + self.lag - 1
            hole = self._hole(kind, start)
            if hole is not None and hole.cause in ("frozen", "encoder_slip"):  # which takes a while to see
                start = round(hole.from_s / STEP_S)
            entry = scene.book.open(SensorFault, start, cause="gap" if hole is None else hole.cause, detail=kind)
            everything = kind == "position" or scene.limits.kind == "static"
            scene.book.cut(scene.now - 1, None if everything else OF_FORCE)
        elif known and entry is not None and entry.end is None:
            scene.book.close(entry, max(entry.start + 1, scene.now - self.lag))
            entry = None
        return entry

    def _hole(self, kind: str, start: int) -> Hole | None:
        """The one that a silence from moment `start` on comes from."""
        known = [hole for hole in self.holes if hole.step <= start - self.lag + 1]  # by this moment
        near = [hole for hole in known if hole.kind == kind and hole.to_s >= (start - 1) * STEP_S]
        self.holes = [hole for hole in self.holes if hole.to_s >= (start - 400) * STEP_S]
        return near[0] if near and near[0].from_s <= (start + 2) * STEP_S else None

    def _flags(self, scene: Scene) -> None:
        while self.flagged and self.flagged[0][0] <= scene.now:
            _, stamp_s, flags = self.flagged.pop(0)
            if flags & ROUGH:
                self._rough_until = scene.now + steps(ROUGH_S)
            cause = _flag_cause(flags)
            if cause is None:
                continue
            if self._flag_entry is not None and cause != self._flag_cause:
                scene.book.close(self._flag_entry, max(self._flag_entry.start + 1, self._flag_stamp))
                self._flag_entry = None
            self._flag_last = scene.now
            self._flag_stamp = round(stamp_s / STEP_S)
            if self._flag_entry is None:
                self._flag_cause = cause
                moment = min(round(stamp_s / STEP_S), scene.now + self.lag)
                self._flag_entry = scene.book.open(SensorFault, moment, cause=cause)
        if self._flag_entry is not None and scene.now - self._flag_last >= steps(QUIET_S):
            scene.book.close(self._flag_entry, max(self._flag_entry.start + 1, self._flag_stamp))
            self._flag_entry = None


def _flag_cause(flags: int) -> str | None:
    if flags & Flag.RESTART:
        return "restart"
    if flags & Flag.SATURATED:
        return "saturated"
    if flags & (Flag.DESYNC | Flag.LATE | Flag.TIMEOUT):
        return "flagged"
    if flags & (Flag.SUSPECT | ROUGH):
        return "spike"
    return "encoder_slip" if flags & Flag.SLIPPED else None


def _cause_frozen(scene: Scene, start: int, end: int) -> dict[str, Any]:
    return {"cause": "frozen"}


def _cause_mismatch(scene: Scene, start: int, end: int) -> dict[str, Any]:
    return {"cause": "mismatch", "detail": msgspec.UNSET}
