"""Detects when a sensor cannot be trusted, so that this is reported and never counted as the lifter's fault.

It knows a hole in the stamps, a jump of the encoder, readings that the device flagged, and a cell that repeats its
value while the stack moves.
"""

from msgspec import UNSET
from msgspec.structs import replace

from firmware_bridge.samples import Flag
from monitor.detect.detector import OF_LIFTER, Correction, Detection, Ending, Finding, Findings, Silence
from monitor.detect.held_condition import HeldCondition
from monitor.detect.moment import NEVER, Flagged, Moment, SensorTrust, steps
from monitor.detect.since import since_when
from monitor.detect.slow_cell import Repeats, SlowCell
from monitor.events import Assist, FaultCause, ForceCeiling, SensorFault, Slack, Stamp, TensionOut, Unload
from monitor.profile.settings import SensorFaultSettings
from monitor.signals.conditions import Bit
from monitor.signals.grid import ROUGH, STEP_S, Hole

OF_FORCE = (Unload, Slack, TensionOut, ForceCeiling, Assist)  # events that end when the cell falls silent
NOISE = "noise"  # `detail` of a spike that is not alone
ROUGH_S = 0.5  # for this long after a rough reading the force is doubted
STALE_S = 0.2  # a cell that repeats its value for this long is doubted
FROZEN_READINGS, STALE_READINGS = 8, 4  # and for so many of its readings, where each comes repeatedly
KEPT_DOUBTS = 32  # stretches: more than one repetition, which is how far learning looks back
KEPT_HOLE_STEPS = steps(2.0)  # up to this long after its end a hole may be the cause of a silence
QUIET_S = 1.0  # flagged readings closer than this are one fault ...
QUIET_SPIKE_S = 0.3  # ... but spikes are dropped, and what happens after one is not part of it
LEFT_OUT = ("spike", "flagged", "encoder_slip")  # causes of flags that leave the other readings as they are
TURNED = "force below zero: the cell is wired the other way, or its calibration has the wrong sign"

Fault = Detection[SensorFault]


class FaultDetector:
    """`sensor_fault`, but for those that RestFinder and LessonDetector see. `lag`: of a moment behind the grid."""

    watches = Bit.KNOWN_X | Bit.KNOWN_T | Bit.FROZEN | Bit.UP | Bit.DOWN

    def __init__(self, settings: SensorFaultSettings, lag: int) -> None:
        self.settings = settings
        self.lag = lag
        self._holes: list[Hole] = []
        self._position_gap: Fault | None = None
        self._force_gap: Fault | None = None
        self._flag_fault: Fault | None = None
        self._flag_last = self._flag_stamp = 0
        self._now = 0
        self._rough_until = -NEVER
        self._stale_since: int | None = None
        self._stale_due = NEVER
        self._seen_x = self._seen_t = False
        self._repeats = Repeats()
        self._stale_steps = steps(STALE_S)
        self._frozen = HeldCondition(steps(settings.frozen_s), describe=_frozen)
        self._slow_cell = SlowCell()

    @property
    def due(self) -> int:
        due = min(self._frozen.due, self._stale_due)
        if self._rough_until > self._now:
            due = min(due, self._rough_until)
        if self._flag_fault is not None:
            due = min(due, self._quiet_from(self._flag_fault))
        return due

    def update(self, moment: Moment) -> Findings:
        self._now = moment.now
        findings = self._gaps(moment)
        for item in moment.news:
            if isinstance(item, Flagged):
                findings += self._flag(moment, item)
        findings += self._quiet(moment)
        moving = moment.on(Bit.UP) or moment.on(Bit.DOWN)
        self._learn_rate(moment, moving)
        stuck = self._frozen.detection is not None  # a fault once detected lasts, even while the stack stands
        frozen = moment.on(Bit.FROZEN) and not moment.held
        findings += self._frozen.update(moment, frozen and (moving or stuck), moment.now)
        doubted = self._stale(moment) or self._doubts_force(moment)
        return findings + self._trust(moment, doubted)

    def _learn_rate(self, moment: Moment, moving: bool) -> None:
        if moment.on(Bit.FROZEN) or self._stale_since is None or not moving:
            return
        usual = self._repeats.usual_after(moment.now - self._stale_since + 1)
        self._frozen.require(max(steps(self.settings.frozen_s), FROZEN_READINGS * usual))
        self._stale_steps = max(steps(STALE_S), STALE_READINGS * usual)

    def _doubts_force(self, moment: Moment) -> bool:
        saturated = self._flag_fault is not None and self._flag_fault.event.cause == "saturated"
        silent = self._force_gap is not None or self._frozen.detection is not None
        return silent or saturated or moment.now < self._rough_until

    def _trust(self, moment: Moment, doubted: bool) -> list[Finding]:
        """The stretches of doubted force, and the fault that leaves readings in doubt."""
        stretches, before = moment.trust.doubted, moment.trust.force_doubted
        if doubted and not before:
            stretches = (*stretches[-KEPT_DOUBTS:], (moment.now - self._stale_steps, NEVER))
        elif before and not doubted:
            stretches = (*stretches[:-1], (stretches[-1][0], moment.now))
        open_, flag = [self._position_gap, self._force_gap, self._frozen.detection], self._flag_fault
        if flag is not None and (doubted or flag.event.cause not in LEFT_OUT):
            open_.append(flag)
        trust = SensorTrust(stretches, next((fault.event.cause for fault in open_ if fault is not None), None))
        return [trust] if trust != moment.trust else []

    def _stale(self, moment: Moment) -> bool:
        """Whether the cell has repeated its value long enough to be doubted, if not yet long enough for a fault."""
        self._stale_since = since_when(self._stale_since, moment.on(Bit.FROZEN), moment.now)
        ripe = NEVER if self._stale_since is None else self._stale_since + self._stale_steps
        self._stale_due = ripe if moment.now < ripe else NEVER
        return moment.now >= ripe

    def _gaps(self, moment: Moment) -> list[Finding]:
        """Report silence of position and of force."""
        holes = [item for item in moment.news if isinstance(item, Hole)]
        self._holes += holes
        known_x, known_t = moment.on(Bit.KNOWN_X), moment.on(Bit.KNOWN_T)
        self._seen_x, self._seen_t = self._seen_x or known_x, self._seen_t or known_t
        findings: list[Finding] = []
        if self._seen_x:
            self._position_gap, found = self._gap(moment, self._position_gap, known_x, "position")
            findings += found
        slow = self._slow_cell.noticed([hole for hole in holes if hole.kind == "force"])
        if self._seen_t or slow or self._force_gap is not None:
            self._force_gap, found = self._gap(moment, self._force_gap, known_t, "force")
            findings += found
        if self._force_gap is not None and any(hole.kind == "force" and hole.pushes for hole in holes):
            findings.append(_named(self._force_gap, TURNED))
        elif self._force_gap is not None and slow:
            findings.append(_named(self._force_gap, f"force, {self._slow_cell.rate_hz:.1f} readings a second"))
        return findings

    def _gap(self, moment: Moment, gap: Fault | None, known: bool, kind: str) -> tuple[Fault | None, list[Finding]]:
        """A moment's window reaches `lag` steps ahead and behind, so a gap begins and ends `lag` steps off."""
        if not known and gap is None:
            start = moment.now + self.lag - 1
            hole = self._hole(kind, start)
            if hole is not None and hole.cause in ("frozen", "encoder_slip"):  # these are noticed late
                start = round(hole.from_s / STEP_S)
            fault = SensorFault(**moment.stamp(start), cause="gap" if hole is None else hole.cause, detail=kind)
            gap = Detection(fault, start)
            everything = kind == "position" or moment.limits.kind == "static"
            return gap, [gap, Silence(moment.now - 1, OF_LIFTER if everything else OF_FORCE)]
        if known and gap is not None:
            return None, [Ending(gap, max(gap.start + 1, moment.now - self.lag))]
        return gap, []

    def _hole(self, kind: str, start: int) -> Hole | None:
        """The hole that explains a silence from moment `start` on."""
        near = [hole for hole in self._holes if hole.kind == kind and hole.to_s >= (start - 1) * STEP_S]
        self._holes = [hole for hole in self._holes if hole.to_s >= (start - KEPT_HOLE_STEPS) * STEP_S]
        return near[0] if near and near[0].from_s <= (start + 2) * STEP_S else None

    def _flag(self, moment: Moment, flagged: Flagged) -> list[Finding]:
        """Take a flagged reading."""
        if flagged.flags & ROUGH:
            self._rough_until = moment.now + steps(ROUGH_S)
        cause, detail = _flag_cause(flagged.flags), NOISE if flagged.flags & ROUGH else UNSET
        if cause is None:
            return []
        findings: list[Finding] = []
        if self._flag_fault is not None and cause != self._flag_fault.event.cause:
            findings.append(self._end_flags(self._flag_fault))
        self._flag_last = moment.now
        self._flag_stamp = round(flagged.stamp_s / STEP_S)
        if self._flag_fault is None:
            start = min(self._flag_stamp, moment.now + self.lag)
            self._flag_fault = Detection(SensorFault(**moment.stamp(start), cause=cause, detail=detail), start)
            findings.append(self._flag_fault)
        elif detail is not UNSET and self._flag_fault.event.detail is UNSET:
            findings.append(_named(self._flag_fault, detail))
        return findings

    def _quiet(self, moment: Moment) -> list[Finding]:
        """End the fault once no reading has been flagged for long enough."""
        if self._flag_fault is None or moment.now < self._quiet_from(self._flag_fault):
            return []
        return [self._end_flags(self._flag_fault)]

    def _quiet_from(self, fault: Fault) -> int:
        return self._flag_last + steps(QUIET_SPIKE_S if fault.event.cause == "spike" else QUIET_S)

    def _end_flags(self, fault: Fault) -> Ending:
        self._flag_fault = None
        return Ending(fault, max(fault.start + 1, self._flag_stamp))


def _named(fault: Fault, detail: str) -> Correction:
    return Correction(fault, replace(fault.event, detail=detail))


def explains_nothing(fault: SensorFault) -> bool:
    """Whether only single readings are at fault, so that it explains no other event."""
    return fault.cause in LEFT_OUT and fault.detail is UNSET


def _flag_cause(flags: int) -> FaultCause | None:
    if flags & Flag.RESTART:
        return "restart"
    if flags & Flag.SATURATED:
        return "saturated"
    if flags & (Flag.DESYNC | Flag.LATE | Flag.TIMEOUT):
        return "flagged"
    if flags & (Flag.SUSPECT | ROUGH):
        return "spike"
    return "encoder_slip" if flags & Flag.SLIPPED else None


def _frozen(moment: Moment, stamp: Stamp, start: int, end: int) -> SensorFault:
    return SensorFault(**stamp, cause="frozen")
