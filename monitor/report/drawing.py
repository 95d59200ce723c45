"""The data that the page's script draws: curves, marks and sets in one JSON object."""

import msgspec

from monitor.events import AnyEvent, Rep, Stage
from monitor.profile.weights import newtons_per_unit, unit_name
from monitor.report.curve import Curve, Packed
from monitor.report.gathering import Gathered
from monitor.report.session_story import SessionStory, SetStory
from monitor.report.words import clock, describe
from monitor.vocabulary.lookup import row_of
from monitor.vocabulary.rows import Lane, Tone

LANES: dict[Lane, str] = {  # from top to bottom
    "sets": "Set",
    "stages": "Stage",
    "reps": "Repetition",
    "turns": "Turn",
    "heaves": "Heave, drop",
    "rests": "Rest, stop",
    "less": "Too little",
    "more": "Too much",
    "sensors": "Sensors",
}
TARGET_SEEN_AFTER_S = 1.0  # detection reports a set some time after it began


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event: its place in the timeline, and its texts."""

    id: int
    kind: str
    lane: Lane
    tone: Tone
    t_s: float
    lasts_s: float
    name: str
    when: str
    what: str
    why: str
    remedy: str = ""
    shape: str = ""
    label: str = ""
    set: int | None = None
    rep: int | None = None
    part_of: int | None = None


class TargetStretch(msgspec.Struct, frozen=True):
    """A stretch with one target force, in kg or lb; `band` is the half-width of the band around it, a share."""

    from_s: float
    until_s: float
    load: float
    band: float


class Path(msgspec.Struct, frozen=True):
    """A repetition for the overlay."""

    set: int
    rep: int
    from_s: float
    until_s: float
    partial: bool


class Span(msgspec.Struct, frozen=True):
    """A set's stretch of the session."""

    set: int
    from_s: float
    until_s: float


class Tempo(msgspec.Struct, frozen=True):
    """The agreed tempo of one repetition, and its range."""

    up_s: float
    down_s: float
    starts_up: bool
    bottom_m: float
    top_m: float


class Drawing(msgspec.Struct, frozen=True):
    length_s: float
    weight_unit: str
    newtons_per_unit: float  # of weight
    lanes: dict[str, str]  # lanes with at least one mark, from top to bottom
    curves: dict[str, Packed]
    tempo: Tempo | None  # None: nothing moves
    stretches: list[TargetStretch]
    sets: list[Span]
    reps: list[Path]
    marks: list[Mark]


def drawing(gathered: Gathered, story: SessionStory) -> Drawing:
    marks = [mark(event) for event in story.events]
    used = {one.lane for one in marks}
    static = gathered.profile.machine.kind == "static"
    curves: dict[str, Curve] = {"force": gathered.force, "tension": gathered.tension}
    if not static:
        curves |= {"position": gathered.position, "pace": gathered.pace}
    limits = gathered.limits
    return Drawing(
        length_s=gathered.length_s,
        weight_unit=unit_name(),
        newtons_per_unit=newtons_per_unit(),
        lanes={lane: words for lane, words in LANES.items() if lane in used},
        curves={name: curve.packed() for name, curve in curves.items() if not curve.is_empty},
        tempo=None
        if static
        else Tempo(limits.positive_s, limits.negative_s, limits.starts_up, limits.bottom_m, limits.top_m),
        stretches=_stretches(gathered, story),
        sets=[Span(one.number, one.from_s, one.until_s) for one in story.sets],
        reps=[_path(one, rep) for one in story.sets for rep in one.reps],
        marks=marks,
    )


def mark(event: AnyEvent) -> Mark:
    row = row_of(event)
    return Mark(
        id=event.id,
        kind=event.kind,
        lane=row.lane,
        tone=row.tone,
        t_s=event.t_s,
        lasts_s=event.duration_s or 0.0,
        name=row.name.en,
        when=clock(event.t_s) + (f", {event.duration_s:.1f} s long" if event.duration_s else ""),
        what=describe(event),
        why=row.why,
        remedy=row.remedy.en if row.remedy else "",
        shape=row.key.rpartition(".")[2],
        label=_label(event),
        set=event.set,
        rep=event.rep,
        part_of=event.part_of,
    )


def _label(event: AnyEvent) -> str:
    """The text inside its bar."""
    match event:
        case Rep():
            return f"{event.rep or ''}{'½' if event.partial else ''}"
        case Stage():
            return str(event.stage)
    return ""


def _path(one: SetStory, rep: Rep) -> Path:
    return Path(one.number, rep.rep or 0, rep.t_s, rep.t_s + (rep.duration_s or 0.0), rep.partial)


def _stretches(gathered: Gathered, story: SessionStory) -> list[TargetStretch]:
    """Each stretch begins with its set, unless the load had to be learned first."""
    sets = {one.number: one for one in story.sets}
    found = []
    for target in gathered.targets:
        one = sets.get(target.set)
        if one is None:
            continue
        began_s = one.start.t_s if one.start is not None else one.from_s
        from_s = began_s if target.from_s - began_s < TARGET_SEEN_AFTER_S else target.from_s
        until_s = min(target.until_s, one.until_s)
        if until_s > from_s:
            found.append(TargetStretch(from_s, until_s, target.load_n / newtons_per_unit(), gathered.limits.band))
    return found
