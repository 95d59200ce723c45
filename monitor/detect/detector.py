"""The protocol of all detectors, and the types that they may return.

A detector is a class with public settings, private state, `watches` (the bits whose change wakes it), `due` (the moment
at which it wants to be woken even if nothing changes) and one entry point, `update(moment)`. It changes only its own
state and returns its findings; the panel folds them into the moment that the next detector sees.

The panel also wakes it when an earlier detector has found a fact, and when there is a message for all detectors.
Additional calls of `update` must change nothing: the panel skips all other moments.
"""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from monitor.detect.moment import Fact, Moment
from monitor.events import AnyEvent, Event, SensorFault
from monitor.profile.limits import Limits

E = TypeVar("E", bound=AnyEvent)


class Detection(Generic[E]):
    """An event and the moments that it spans. A detector creates it; afterwards only the event book changes it."""

    __slots__ = ("end", "event", "start")

    def __init__(self, event: E, start: int, end: int | None = None) -> None:
        self.event = event  # the newest record
        self.start = start
        self.end = end  # None while it lasts


class Ending(NamedTuple):
    """An open detection has ended; `event`: its complete new record, if more is known about it."""

    detection: Detection[Any]
    end: int
    event: AnyEvent | None = None


class Correction(NamedTuple):
    """More is known about a detection; `event`: its complete new record."""

    detection: Detection[Any]
    event: AnyEvent


class Silence(NamedTuple):
    """The sensors fell silent after moment `end`: open events of these kinds end there."""

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
