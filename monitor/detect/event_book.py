"""The event book: it numbers events, keeps the open ones, joins those of one physical act, hands records out.

One act, one primary: of events that overlap or lie within 0.3 s the one that ranks highest is the primary, the
others carry its id in `part_of`. Where the primary becomes known later, the record is sent again.
"""

from typing import Any

import msgspec

from monitor.detect.detector import Correction, Detection, Ending, Silence
from monitor.detect.moment import Moment, seconds, steps
from monitor.events import AnyEvent, Assist, BottomRest, LoadStep, SensorFault, StackTouch, Unload
from monitor.vocabulary.lookup import row_of

ACT_STEPS = steps(0.3)  # events closer than this are one act: EVENTS.md 14
KEPT_STEPS = steps(30.0)  # an event may be dated back so far: what is known only after a repetition
KEPT_ASSIST_STEPS = steps(128.0)  # what explains an `assist` may be known only some repetitions later
UNRANKED = 1 << 30

AnyDetection = Detection[Any]  # of any kind of event


class EventBook:
    """Once a detection is entered, the book alone writes its record."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}  # primary events of this set by kind
        self._next_id = 1
        self._open: list[AnyDetection] = []
        self._recent: list[AnyDetection] = []  # ranked ones that a new event may still join
        self._records: list[AnyEvent] = []

    def take(self) -> list[AnyEvent]:
        """The records since the last call, in order."""
        records, self._records = self._records, []
        return records

    def start_set(self) -> None:
        self.counts = {}

    def enter(self, detection: AnyDetection, moment: Moment) -> None:
        """Number a new event, and join it to the act that it belongs to."""
        detection.event = msgspec.structs.replace(detection.event, id=self._next_id)
        self._next_id += 1
        if detection.end is None:
            self._open.append(detection)
        self._send_act(detection, moment)
        if detection.event.part_of is None and moment.set_number is not None:
            self._count(detection.event, 1)

    def close(self, ending: Ending, moment: Moment, *, cut: bool = False) -> None:
        """An open event has ended; `cut`: by silence, not by itself."""
        detection = ending.detection
        detection.end = max(ending.end, detection.start)
        self._open.remove(detection)
        self._rewrite(detection, ending.event)
        if isinstance(detection.event, StackTouch | BottomRest) and detection.event.ended_set:
            self._uncount(detection)  # what ends a set is no fault of the lifter's
        duration_s = seconds(detection.end - detection.start)
        self._resend(detection, duration_s=duration_s, closed_s=moment.found_s, **({"cut": True} if cut else {}))

    def correct(self, correction: Correction, moment: Moment) -> None:
        """Send a record again of which more is known; its act anew where its rank has changed."""
        detection, rank = correction.detection, _rank(correction.detection.event)
        self._rewrite(detection, correction.event)
        if _rank(detection.event) != rank:
            self._send_act(detection, moment)
        else:
            self._records.append(detection.event)

    def silence(self, silence: Silence, moment: Moment) -> None:
        """What is open of these kinds ends at the last good moment."""
        for detection in [one for one in self._open if isinstance(one.event, silence.kinds)]:
            self.close(Ending(detection, silence.end), moment, cut=True)

    def end_set(self, end: int, moment: Moment) -> None:
        """The set was over at moment `end`, and so is whatever of the lifter's doing is still open."""
        for detection in [one for one in self._open if not isinstance(one.event, SensorFault)]:
            self.close(Ending(detection, end), moment)

    def end(self, moment: Moment) -> None:
        """The stream is over: everything that is open ends."""
        for detection in list(self._open):
            self.close(Ending(detection, moment.now), moment, cut=True)

    def _rewrite(self, detection: AnyDetection, event: AnyEvent | None) -> None:
        """The event as its detector sees it now, with the keys that are the book's."""
        if event is not None:
            old = detection.event
            kept = {"id": old.id, "part_of": old.part_of, "closed_s": old.closed_s, "cut": old.cut}
            detection.event = msgspec.structs.replace(event, **kept)

    def _resend(self, detection: AnyDetection, **changes: Any) -> None:
        detection.event = msgspec.structs.replace(detection.event, **changes)
        self._records.append(detection.event)

    def _count(self, event: AnyEvent, by: int) -> None:
        """Primaries by kind, and by what else the vocabulary counts them as."""
        for key in {event.kind, row_of(event).counted_as}:
            self.counts[key] = self.counts.get(key, 0) + by

    def _uncount(self, detection: AnyDetection) -> None:
        if detection.event.part_of is None and self.counts.get(detection.event.kind):
            self._count(detection.event, -1)

    def _send_act(self, detection: AnyDetection, moment: Moment) -> None:
        """Send a record with the act that it belongs to, then those of which it is the primary."""
        lower = (
            self._explained(detection.event)
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

    def _explained(self, step: LoadStep) -> list[AnyDetection]:
        """What was taken for other people's force in the direction that the motor makes heavier, or lighter."""
        side = "heavier" if step.load_down_n > step.load_up_n else "lighter"
        return [
            other
            for other in self._recent
            if isinstance(other.event, Assist) and other.event.set == step.set and other.event.side == side
            if other.event.part_of is None
        ]

    def _join(self, detection: AnyDetection, now: int) -> list[AnyDetection]:
        """Find the act that the event belongs to; returns what has turned out to be part of it."""
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
        elif detection.event.part_of is not None:  # it outranks now what it was part of
            detection.event = msgspec.structs.replace(detection.event, part_of=None)
        return [other for other in act if other.event.part_of is None and _outranks(detection.event, other.event)]


def _outranks(one: AnyEvent, other: AnyEvent) -> bool:
    """Whether one may be the primary of the other; of an `unload` only an `assist` may."""
    return isinstance(one, Assist) if isinstance(other, Unload) else _rank(one) < _rank(other)


def _rank(event: AnyEvent) -> int:
    return row_of(event).rank or UNRANKED


def _may_be_joined(other: AnyDetection, since: int, now: int) -> bool:
    if other.end is None or other.end >= since:
        return True
    return isinstance(other.event, Assist) and other.end >= now - KEPT_ASSIST_STEPS


def _same_act(one: AnyDetection, other: AnyDetection) -> bool:
    return (other.end is None or one.start <= other.end + ACT_STEPS) and (
        one.end is None or other.start <= one.end + ACT_STEPS
    )
