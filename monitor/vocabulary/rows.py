"""What a row of the vocabulary is."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Tone = Literal["plain", "good", "leak", "rough", "blind"]
Lane = Literal["sets", "stages", "reps", "turns", "heaves", "rests", "less", "more", "sensors"]
FAULT_TONES: tuple[Tone, ...] = ("leak", "rough")


class Words(NamedTuple):
    """One text in each language of the page."""

    en: str
    de: str


class Row(NamedTuple):
    """One kind of event, or one grade of a kind: events of that kind whose fields have the values of `when`.

    tone          plain: for the record; good: well done; leak: tension leaks away; rough: so does care, or force is too
                  high; blind: the sensors cannot be believed. The lifter's faults are those that leak or are rough
    lane          where the report draws it
    icon          the page's symbol for it
    why           what it is, for somebody who reads a report
    remedy        what the lifter does better
    cue           what the display shows at once, one of `cues.CUES`
    listed        worth a line of its own for a trainer who looks on
    leak          the field of `Leak` that holds its seconds
    counted_as    its key in the counts of a set's summary
    rank          place among events of one act: the lowest is the primary (EVENTS.md 14); None: it joins no act
    cost_s        how many seconds of leak one of it is as bad as: it takes little time but spoils a repetition
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
        """The lifter's, unless it is part of another event: see `lookup.is_fault`."""
        return self.tone in FAULT_TONES

    @property
    def counted_as(self) -> str:
        """Turnarounds that are faults are counted by their grade."""
        return self.key.partition(".")[2] if self.fault and self.kind == "turnaround" else self.kind
