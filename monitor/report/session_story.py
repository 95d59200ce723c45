"""The events of a session, sorted into sets, each by its last record."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.events import AnyEvent, Leak, Rep, SensorFault, SetEnd, SetStart, Stage, Turnaround
from monitor.vocabulary.leaks import LEAKS

LEAST_S = 0.05


@dataclass
class SetStory:
    """One set; `end` is None if the recording ended within it."""

    number: int
    start: SetStart | None = None
    end: SetEnd | None = None
    reps: list[Rep] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    moments: list[AnyEvent] = field(default_factory=list)  # all other events, in time order

    @property
    def from_s(self) -> float:
        """Its first event: the first repetition begins on the rest, before `set_start`."""
        return min(event.t_s for event in self.events)

    @property
    def until_s(self) -> float:
        return self.end.t_s if self.end else max(event.t_s + (event.duration_s or 0.0) for event in self.events)

    @property
    def events(self) -> list[AnyEvent]:
        ends: list[AnyEvent] = [event for event in (self.start, self.end) if event is not None]
        return in_time([*ends, *self.reps, *self.stages, *self.moments])

    @property
    def unjudged_s(self) -> float:
        """Seconds of it that could not be judged."""
        return _unjudged_s(self.end) if self.end else 0.0

    @property
    def partial_reps(self) -> int:
        return sum(rep.partial for rep in self.reps)

    def turn(self, rep: Rep, at: str) -> Turnaround | None:
        """The turnaround of a repetition at one end, `upper` or `lower`."""
        return next(
            (turn for turn in self.moments if isinstance(turn, Turnaround) and (turn.rep, turn.at) == (rep.rep, at)),
            None,
        )


@dataclass
class SessionStory:
    """Every event once, by its last record."""

    sets: list[SetStory]
    outside: list[AnyEvent]

    @property
    def events(self) -> list[AnyEvent]:
        return in_time([*self.outside, *(event for one in self.sets for event in one.events)])

    @property
    def sensor_faults(self) -> list[SensorFault]:
        return [event for event in self.events if isinstance(event, SensorFault)]


@dataclass(frozen=True)
class Totals:
    """All sets together. Skill (time without a leak) and strength (greatest load) are two numbers, never one."""

    sets: int
    reps: int
    partial_reps: int
    under_load_s: float | None  # None: no set was completed
    under_tension_s: float | None
    set_s: float | None  # of the sets that `leak` is of
    leak: Leak | None
    skill: float | None
    strength_n: float | None


def story_of(records: Iterable[AnyEvent]) -> SessionStory:
    """The story of all records, both opening and closing ones."""
    events = in_time({event.id: event for event in records}.values())
    sets: dict[int, SetStory] = {}
    outside: list[AnyEvent] = []
    for event in events:
        if event.set is None:
            outside.append(event)
            continue
        story = sets.setdefault(event.set, SetStory(event.set))
        match event:
            case SetStart():
                story.start = event
            case SetEnd():
                story.end = event
            case Rep():
                story.reps.append(event)
            case Stage():
                story.stages.append(event)
            case _:
                story.moments.append(event)
    return SessionStory([sets[number] for number in sorted(sets)], outside)


def totals(story: SessionStory) -> Totals:
    """Tension, leak and skill come from the judged sets: those whose load was known."""
    ends = [one.end for one in story.sets if one.end is not None]
    tension_s = [end.under_tension_s for end in ends if end.under_tension_s is not None]
    leaked = [(end.leak, length_s(end)) for end in ends if end.leak is not None]
    leak = Leak(**{key: sum(getattr(one, key) for one, _ in leaked) for key in Leak.__struct_fields__})
    skills = [(end.skill, length_s(end) - _unjudged_s(end)) for end in ends if end.skill is not None]
    judged_s = sum(seconds for _, seconds in skills)
    strengths = [end.strength_n for end in ends if end.strength_n is not None]
    return Totals(
        sets=len(story.sets),
        reps=sum(len(one.reps) for one in story.sets),
        partial_reps=sum(one.partial_reps for one in story.sets),
        under_load_s=sum(end.under_load_s for end in ends) if ends else None,
        under_tension_s=sum(tension_s) if tension_s else None,
        set_s=sum(seconds for _, seconds in leaked) if leaked else None,
        leak=leak if leaked else None,
        skill=sum(skill * seconds for skill, seconds in skills) / judged_s if judged_s > 0 else None,
        strength_n=max(strengths, default=None),
    )


def length_s(end: SetEnd) -> float:
    """What the seconds of leak are part of. Records of old versions counted the time under load."""
    return end.under_load_s if end.set_s is None else end.set_s


def _unjudged_s(end: SetEnd) -> float:
    return end.leak.unjudged_s if end.leak else 0.0


def leaks(leak: Leak) -> list[tuple[str, float]]:
    """Field and seconds of each cause that is not negligible, the largest first."""
    parts = [(key, float(getattr(leak, key))) for key in LEAKS]
    return sorted((part for part in parts if part[1] >= LEAST_S), key=lambda part: -part[1])


def lost_s(leak: Leak) -> float:
    """Seconds of all causes together."""
    return sum(float(getattr(leak, key)) for key in LEAKS)


def in_time(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    return sorted(events, key=lambda event: (event.t_s, event.id))
