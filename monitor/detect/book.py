"""The book of events: it numbers them, keeps the open ones, joins those of one physical act, hands records out.

One act, one primary: of events that overlap or lie within 0.3 s the one that ranks highest is the primary, the
others carry its id in `part_of`. Where the primary becomes known later, the record is sent again.
"""

from typing import Any

import msgspec

from monitor.events import (
    AnyEvent,
    Drop,
    ForceCeiling,
    Jerk,
    LockoutRest,
    Phase,
    SensorFault,
    Slack,
    SpeedOver,
    StackTouch,
    TensionOut,
    Turnaround,
)
from monitor.signals.grid import STEP_S
from monitor.signals.track import Track

ACT_STEPS = round(0.3 / STEP_S)
KEPT_STEPS = 400  # an event may be dated back so far
RANKS: dict[type, int] = {
    SensorFault: 0,
    ForceCeiling: 1,
    Slack: 2,
    # a bounced turnaround: 3
    Drop: 4,
    Jerk: 5,
    # an abrupt turnaround: 6
    StackTouch: 7,
    LockoutRest: 8,
    TensionOut: 9,
    SpeedOver: 10,
}
UNRANKED = 99


class Entry:
    """One event: its newest record and the moments it spans."""

    __slots__ = ("end", "record", "start")

    def __init__(self, record: Any, start: int, end: int | None) -> None:
        self.record = record  # one of AnyEvent
        self.start = start
        self.end = end  # None while it lasts

    @property
    def rank(self) -> int:
        if isinstance(self.record, Turnaround):
            return {"bounce": 3, "abrupt": 6}.get(self.record.grade or "", UNRANKED)
        return RANKS.get(type(self.record), UNRANKED)


class Book:
    """`now`, `set_number`, `rep_number` and `phase` are kept by the spine; every record is stamped with them."""

    def __init__(self, session: str, track: Track) -> None:
        self.session = session
        self.track = track
        self.now = 0
        self.set_number: int | None = None
        self.rep_number: int | None = None
        self.phase: Phase = "rest"
        self.counts: dict[str, int] = {}  # primary events of this set by kind
        self._next_id = 1
        self._open: list[Entry] = []
        self._recent: list[Entry] = []  # ranked ones that a new event may still join
        self._told: list[AnyEvent] = []

    def take(self) -> list[AnyEvent]:
        """The records told since the last call."""
        told, self._told = self._told, []
        return told

    def open(self, kind: type[Any], start: int, **own: Any) -> Entry:
        """An interval has been recognised; it began at moment `start`."""
        return self._enter(kind, start, None, None, own)

    def tell(self, kind: type[Any], moment: int, end: int | None = None, **own: Any) -> Entry:
        """An event that is known whole: an instant, or from `moment` to `end`."""
        duration_s = 0.0 if end is None else seconds(end - moment)
        return self._enter(kind, moment, moment if end is None else end, duration_s, own)

    def close(self, entry: Entry, end: int, *, cut: bool = False, **own: Any) -> None:
        """The interval ended at moment `end`; `cut`: by silence, not by itself."""
        entry.end = max(end, entry.start)
        changes: dict[str, Any] = {"duration_s": seconds(entry.end - entry.start), "closed_s": self.found_s}
        if cut:
            changes["cut"] = True
        self._open.remove(entry)
        self.retell(entry, **changes, **own)

    def retell(self, entry: Entry, **changes: Any) -> None:
        """More is known of it now: the record is sent again under its id."""
        entry.record = msgspec.structs.replace(entry.record, **changes)
        self._told.append(entry.record)

    def cut(self, end: int, kinds: tuple[type[Any], ...] | None = None) -> None:
        """Silence: what is open (of these kinds) ends at the last good moment, but for what tells of the silence."""
        for entry in [entry for entry in self._open if not isinstance(entry.record, SensorFault)]:
            if kinds is None or isinstance(entry.record, kinds):
                self.close(entry, end, cut=True)

    def end_set(self, end: int) -> None:
        """The set was over at moment `end`, and so is whatever of the lifter's doing is still open."""
        for entry in [entry for entry in self._open if not isinstance(entry.record, SensorFault)]:
            self.close(entry, end)

    def end(self) -> None:
        """The stream is over: everything is."""
        for entry in list(self._open):
            self.close(entry, self.now, cut=True)

    def is_open(self, entry: Entry | None) -> bool:
        return entry is not None and entry.end is None

    @property
    def found_s(self) -> float:
        return round(float(self.track.found[self.track.at(self.now)]), 6)

    def _enter(
        self, kind: type[Any], start: int, end: int | None, duration_s: float | None, own: dict[str, Any]
    ) -> Entry:
        x = float(self.track.x[self.track.at(start)]) if start <= self.now else float("nan")
        t_s = seconds(start)
        common = {
            "id": self._next_id,
            "session": self.session,
            "set": self.set_number,
            "t_s": t_s,
            "found_s": max(self.found_s, t_s),
            "duration_s": duration_s,
            "rep": self.rep_number if self.set_number is not None else None,
            "phase": self.phase,
            "position_m": None if x != x else round(x, 5),
        }
        self._next_id += 1
        entry = Entry(kind(**{**common, **own}), start, end)
        if end is None:
            self._open.append(entry)
        self._tell_act(entry)
        if entry.record.part_of is None and self.set_number is not None:
            self._count(entry.record, 1)
        return entry

    def _count(self, record: Any, by: int) -> None:
        """Primaries by kind; turnarounds that are faults also by their grade."""
        grade = record.grade if isinstance(record, Turnaround) and record.grade in ("abrupt", "bounce") else None
        for key in (record.kind, grade):
            if key is not None:
                self.counts[key] = self.counts.get(key, 0) + by

    def regrade(self, entry: Entry, **changes: Any) -> None:
        """Tell an event again whose rank may have changed."""
        entry.record = msgspec.structs.replace(entry.record, **changes)
        self._tell_act(entry)

    def _tell_act(self, entry: Entry) -> None:
        """Tell an event with the act that it belongs to, then those of which it is the primary."""
        lower = self._join(entry)
        self._told.append(entry.record)
        primary = entry.record.id if entry.record.part_of is None else entry.record.part_of
        names = {other.record.id for other in lower}
        lower += [other for other in self._recent if other.record.part_of in names]
        for other in lower:
            if other.record.part_of is None and self.set_number is not None and other.record.set == self.set_number:
                self._count(other.record, -1)
            self.retell(other, part_of=primary)

    def _join(self, entry: Entry) -> list[Entry]:
        """Find the act that the event belongs to; returns what has turned out to be part of it."""
        if entry.rank == UNRANKED:
            return []
        since = min(entry.start, self.now - KEPT_STEPS) - ACT_STEPS
        kept = {other.record.id for other in self._recent if other.end is None or other.end >= since}
        self._recent = [other for other in self._recent if other.record.id in kept or other.record.part_of in kept]
        act = [other for other in self._recent if other is not entry and _same_act(entry, other)]
        if entry not in self._recent:
            self._recent.append(entry)
        higher = [other for other in act if other.rank < entry.rank]
        if higher:
            primary = min(higher, key=lambda other: (other.rank, other.record.id))
            part_of = primary.record.part_of if primary.record.part_of is not None else primary.record.id
            entry.record = msgspec.structs.replace(entry.record, part_of=part_of)
        elif entry.record.part_of is not None:  # it outranks now what it was part of
            entry.record = msgspec.structs.replace(entry.record, part_of=None)
        return [other for other in act if other.rank > entry.rank and other.record.part_of is None]


def _same_act(one: Entry, other: Entry) -> bool:
    return (other.end is None or one.start <= other.end + ACT_STEPS) and (
        one.end is None or other.start <= one.end + ACT_STEPS
    )


def seconds(steps: int) -> float:
    """Moments or steps in s, without the dust of binary fractions."""
    return round(steps * STEP_S, 6)
