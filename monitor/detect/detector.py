"""What every detector is, and what it may return.

A detector is a class with public settings, private state, `watches` (the bits whose change wakes it), `due` (the moment
at which it wants to be woken even if nothing changes) and one way in, `update(moment)`. It writes nothing but its own
state, and returns what it has found; the panel folds that into the moment that the next detector sees.

It is also woken where an earlier detector has found a fact, and where the panel has a message for all. Waking it more
often must change nothing: the panel skips all other moments.
"""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from monitor.detect.moment import Fact, Moment
from monitor.events import AnyEvent, Event, SensorFault
from monitor.profile.limits import Limits

E = TypeVar("E", bound=AnyEvent)


class Detection(Generic[E]):
    """An event and the moments it spans. Its detector makes it; from then on the event book alone writes it."""

    __slots__ = ("end", "event", "start")

    def __init__(self, event: E, start: int, end: int | None = None) -> None:
        self.event = event  # the newest record
        self.start = start
        self.end = end  # None while it lasts


class Ending(NamedTuple):
    """A detection that went on is over; `event`: the whole record anew, where more is known of it."""

    detection: Detection[Any]
    end: int
    event: AnyEvent | None = None


class Correction(NamedTuple):
    """More is known of a detection: the whole record anew."""

    detection: Detection[Any]
    event: AnyEvent


class Silence(NamedTuple):
    """The sensors fell silent after moment `end`: what is open of these kinds ends there."""

    end: int
    kinds: tuple[type[Event], ...]


Finding = Detection[Any] | Ending | Correction | Silence | Fact | Limits
Findings = Sequence[Finding]
OF_LIFTER: tuple[type[Event], ...] = tuple(kind for kind in AnyEvent.__args__ if kind is not SensorFault)


class Detector(Protocol):
    """See the module's docstring."""

    watches: int

    @property
    def due(self) -> int: ...

    def update(self, moment: Moment) -> Findings: ...
