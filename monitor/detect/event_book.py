"""The event book numbers events, keeps the open ones, joins the events of one physical act, and returns records.

Each act has one primary event: of events that overlap or lie within 0.3 s, the one with the highest rank. The others
carry its id in `part_of`. If the primary becomes known later, the records of the others are sent again.
"""

from typing import Any

import msgspec

from monitor.detect.detector import Correction, Detection, Ending, Silence
from monitor.detect.moment import Moment, seconds, steps
from monitor.detect.sensor_faults import explains_nothing
from monitor.events import AnyEvent, Assist, BottomRest, ForceCeiling, LoadStep, SensorFault, StackTouch, Unload
from monitor.profile.limits import Limits
from monitor.vocabulary.lookup import row_of

ACT_STEPS = steps(0.3)  # events closer than this are one act: EVENTS.md 14
KEPT_STEPS = steps(30.0)  # how far an event may be dated back: some are known only after a repetition
KEPT_ASSIST_STEPS = steps(128.0)  # what a motor explains is known only some repetitions later
UNRANKED = 1 << 30  # behind all ranks

AnyDetection = Detection[Any]  # of any kind of event


class EventBook:
    """Once a detection is entered, only the book changes its record."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}  # primary events of this set by kind
        self._next_id = 1
        self._open: list[AnyDetection] = []
        self._recent: list[AnyDetection] = []  # those with a rank that a new event may still join
        self._records: list[AnyEvent] = []

    def take(self) -> list[AnyEvent]:
        """The records since the last call, in order."""
        records, self._records = self._records, []
        return records

    def start_set(self) -> None:
        self.counts = {}

    def enter(self, detection: AnyDetection, moment: Moment, rep: int | None = None) -> None:
        """Number a new event, and join it to its act; `rep`: the repetition that it belongs to."""
        detection.event = msgspec.structs.replace(detection.event, id=self._next_id, rep=rep)
        self._next_id += 1
        if detection.end is None:
            self._open.append(detection)
        self._send_act(detection, moment)
        if detection.event.part_of is None and moment.set_number is not None:
            self._count(detection.event, 1)

    def close(self, ending: Ending, moment: Moment, *, cut: bool = False) -> None:
        """End an open event; `cut`: because the sensors fell silent."""
        detection = ending.detection
        detection.end = max(ending.end, detection.start)
        self._open.remove(detection)
        self._rewrite(detection, ending.event)
        duration_s = seconds(detection.end - detection.start)
        self._resend(detection, duration_s=duration_s, closed_s=moment.found_s, **({"cut": True} if cut else {}))

    def correct(self, correction: Correction, moment: Moment) -> None:
        """Send a record again when more is known; if its rank has changed, find its act again."""
        detection, rank = correction.detection, _rank(correction.detection.event)
        self._rewrite(detection, correction.event)
        if _rank(detection.event) != rank:
            self._send_act(detection, moment)
        else:
            self._records.append(detection.event)

    def silence(self, silence: Silence, moment: Moment) -> None:
        """End the open events of these kinds at the last good moment."""
        for detection in [one for one in self._open if isinstance(one.event, silence.kinds)]:
            self.close(Ending(detection, silence.end), moment, cut=True)

    def end_set(self, end: int, moment: Moment) -> None:
        """End the lifter's open events: the set ended at moment `end`."""
        for detection in [one for one in self._open if not isinstance(one.event, SensorFault)]:
            self.close(Ending(detection, end), moment)

    def end(self, moment: Moment) -> None:
        """End all open events: the stream has ended."""
        for detection in list(self._open):
            self.close(Ending(detection, moment.now), moment, cut=True)

    def _rewrite(self, detection: AnyDetection, event: AnyEvent | None) -> None:
        """Take the event as its detector sees it now, and keep the keys that the book sets."""
        if event is not None:
            old = detection.event
            kept = {"id": old.id, "rep": old.rep, "part_of": old.part_of, "closed_s": old.closed_s, "cut": old.cut}
            detection.event = msgspec.structs.replace(event, **kept)
            if isinstance(event, StackTouch | BottomRest) and event.ended_set:
                self._uncount(detection)  # the contact that ends a set is not a fault

    def _resend(self, detection: AnyDetection, **changes: Any) -> None:
        detection.event = msgspec.structs.replace(detection.event, **changes)
        self._records.append(detection.event)

    def _count(self, event: AnyEvent, by: int) -> None:
        """Count primary events by kind, and under the other names that the vocabulary gives them."""
        for key in {event.kind, row_of(event).counted_as}:
            self.counts[key] = self.counts.get(key, 0) + by

    def _uncount(self, detection: AnyDetection) -> None:
        if detection.event.part_of is None and self.counts.get(detection.event.kind):
            self._count(detection.event, -1)

    def _send_act(self, detection: AnyDetection, moment: Moment) -> None:
        """Send a record with its act, then the records whose primary it is."""
        lower = (
            self._explained(detection.event, moment.limits)
            if isinstance(detection.event, LoadStep)
            else self._join(detection, moment.now)
        )
        self._records.append(detection.event)
        primary = detection.event.id if detection.event.part_of is None else detection.event.part_of
        ids = {other.event.id for other in lower}
        lower += [other for other in self._recent if other.event.part_of in ids]
        for other in lower:
            primary_before = other.event.part_of is None
            if primary_before and moment.set_number is not None and other.event.set == moment.set_number:
                self._count(other.event, -1)
            self._resend(other, part_of=primary)

    def _explained(self, step: LoadStep, limits: Limits) -> list[AnyDetection]:
        """The events that a load step explains: in the direction in which the motor changes the load, up to its load.

        An `assist` is one, and a `force_ceiling` of a repetition in which the load was not known for long enough.
        """
        side = "heavier" if step.load_down_n > step.load_up_n else "lighter"
        heavy_n = limits.detect.force_ceiling.factor * (1 + (limits.friction or 0.0)) * step.load_down_n
        return [
            other
            for other in self._recent
            if other.event.set == step.set and other.event.part_of is None
            if (isinstance(other.event, Assist) and other.event.side == side)
            or (isinstance(other.event, ForceCeiling) and other.event.peak_tension_n <= heavy_n)
        ]

    def _join(self, detection: AnyDetection, now: int) -> list[AnyDetection]:
        """Find the act of the event; return the detections that now turn out to be part of it."""
        if _rank(detection.event) == UNRANKED and not isinstance(detection.event, Unload):
            return []
        since = min(detection.start, now - KEPT_STEPS) - ACT_STEPS
        kept = {other.event.id for other in self._recent if _may_be_joined(other, since, now)}
        self._recent = [other for other in self._recent if other.event.id in kept or other.event.part_of in kept]
        act = [other for other in self._recent if other is not detection and _same_act(detection, other)]
        if detection not in self._recent:
            self._recent.append(detection)
        higher = [other for other in act if _outranks(other.event, detection.event)]
        if higher:
            primary = min(higher, key=lambda other: (_rank(other.event), other.event.id)).event
            part_of = primary.part_of if primary.part_of is not None else primary.id
            detection.event = msgspec.structs.replace(detection.event, part_of=part_of)
        elif detection.event.part_of is not None:  # it now outranks its former primary
            detection.event = msgspec.structs.replace(detection.event, part_of=None)
        return [other for other in act if other.event.part_of is None and _outranks(detection.event, other.event)]


def _outranks(one: AnyEvent, other: AnyEvent) -> bool:
    """Whether `one` may be the primary of `other`; only an `assist` may be the primary of an `unload`."""
    return isinstance(one, Assist) if isinstance(other, Unload) else _rank(one) < _rank(other)


def _rank(event: AnyEvent) -> int:
    if isinstance(event, SensorFault) and explains_nothing(event):
        return UNRANKED
    return row_of(event).rank or UNRANKED


def _may_be_joined(other: AnyDetection, since: int, now: int) -> bool:
    if other.end is None or other.end >= since:
        return True
    return isinstance(other.event, Assist | ForceCeiling) and other.end >= now - KEPT_ASSIST_STEPS


def _same_act(one: AnyDetection, other: AnyDetection) -> bool:
    return (other.end is None or one.start <= other.end + ACT_STEPS) and (
        one.end is None or other.start <= one.end + ACT_STEPS
    )
