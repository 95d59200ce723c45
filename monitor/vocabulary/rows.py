"""The type of a row of the vocabulary."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Tone = Literal["plain", "good", "leak", "rough", "blind"]
Lane = Literal["sets", "stages", "reps", "turns", "heaves", "rests", "less", "more", "sensors"]
FAULT_TONES: tuple[Tone, ...] = ("leak", "rough")


class Words(NamedTuple):
    """A text in each language of the page."""

    en: str
    de: str


class Row(NamedTuple):
    """A kind of event, or a grade of it: it fits events of that kind whose fields have the values of `when`.

    tone          plain: for the record; good: done well; leak: tension leaks; rough: thrown, dropped or too much force;
                  blind: the sensors cannot be believed. Leak and rough are the lifter's faults
    lane          the lane of the report that shows it
    icon          its symbol on the page
    why           what it means, for a reader of the report
    remedy        what the lifter should do instead
    cue           the cue that the display gives, one of `cues.CUES`
    listed        whether it gets its own line in a list for a trainer
    leak          the field of `Leak` that holds its seconds
    counted_as    its key in the counts of a set's summary
    rank          order among events of one act: the lowest is the primary (EVENTS.md 14); None: joins no act
    cost_s        the weight of one such fault for advice, in seconds of leak
    """

    key: str
    tone: Tone
    lane: Lane
    icon: str
    name: Words
    why: str
    when: Mapping[str, str | bool] = {}
    remedy: Words | None = None
    cue: str | None = None
    listed: bool = True
    leak: str | None = None
    rank: int | None = None
    cost_s: int = 0

    @property
    def kind(self) -> str:
        return self.key.partition(".")[0]

    @property
    def fault(self) -> bool:
        """True for a fault of the lifter. For an event use `lookup.is_fault`."""
        return self.tone in FAULT_TONES

    @property
    def counted_as(self) -> str:
        """The kind; for turnarounds that are faults, the grade."""
        return self.key.partition(".")[2] if self.fault and self.kind == "turnaround" else self.kind
