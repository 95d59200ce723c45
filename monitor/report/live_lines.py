"""Makes the lines of a live terminal, readable without colour: tension bar, position ladder, events in words."""

import math
from typing import Any, NamedTuple

from monitor.events import AnyEvent, BottomRest, Failure, Feedback, LockoutRest, Rep, SetEnd, SetStart, Stage
from monitor.profile.weights import weight
from monitor.report.words import rep_notes
from monitor.vocabulary.lookup import name_of, row_of

FULL = 1.5  # of the load, at the end of the bar
STYLE = {"low": "yellow", "in": "blue", "high": "red", None: "dim"}
WORD = {"low": "LOW", "in": "IN BAND", "high": "HIGH", None: ""}


class Glyphs(NamedTuple):
    """The characters that a terminal can show."""

    full: str = "█"
    empty: str = "░"
    band: str = "▒"
    rail: str = "─"
    here: str = "●"
    pace: str = "◇"
    both: str = "◆"
    stop: str = "│"


UNICODE = Glyphs()
ASCII = Glyphs("#", ".", ":", "-", "O", "^", "@", "|")


def bar(now: Feedback | None, half: float, cells: int, glyphs: Glyphs = UNICODE) -> Any:
    """Filled up to the tension. The band is shaded beyond that, and marked by `stop`s within it."""
    from rich.text import Text

    tension = None if now is None else now.tension
    filled = 0 if tension is None else round(min(FULL, max(0.0, tension)) / FULL * cells)
    low, high = (round((1 + side * half) / FULL * cells) for side in (-1, 1))
    beyond = "".join(glyphs.band if low <= cell < high else glyphs.empty for cell in range(filled, cells))
    within = "".join(glyphs.stop if cell in (low, high) else glyphs.full for cell in range(filled))
    return Text.assemble((within, STYLE[None if now is None else now.band]), (beyond, "dim"))


def ladder(now: Feedback | None, cells: int, glyphs: Glyphs = UNICODE) -> str:
    """The travel from bottom (left) to top (right), with the position and the pace on it."""
    rail = [glyphs.rail] * cells
    pace = None if now is None else _cell(now.pace, cells)
    here = None if now is None else _cell(now.position, cells)
    if pace is not None:
        rail[pace] = glyphs.pace
    if here is not None:
        rail[here] = glyphs.both if here == pace else glyphs.here
    return "".join(rail)


def _cell(share: float | None, cells: int) -> int | None:
    return None if share is None else min(cells - 1, max(0, math.floor(share * cells)))


def event_words(event: AnyEvent) -> str | None:
    """One event in words; None if it is not worth a line."""
    match event:
        case SetStart():
            return f"set {event.set} begins"
        case Rep():
            notes = f" ({', '.join(rep_notes(event))})" if rep_notes(event) else ""
            return f"rep {event.rep}{notes}: {event.positive_s:.1f} s up, {event.negative_s:.1f} s down"
        case SetEnd():
            held = "" if event.under_tension_s is None else f", {event.under_tension_s:.0f} s of it tension"
            load = "" if event.strength_n is None else f" at {weight(event.strength_n)}"
            return f"set over: {event.reps} reps{load}, {event.under_load_s:.0f} s under load{held}"
        case LockoutRest() | BottomRest():
            if event.duration_s is None or getattr(event, "ended_set", False):
                return None
            return f"{name_of(event)}: {event.duration_s:.1f} s"
        case Failure():
            return "failure: the muscle could not go on"
        case Stage():
            return f"stage {event.stage}: {weight(event.target_n)}"
    row = row_of(event)
    return row.name.en if event.part_of is None and row.listed else None


def is_news(record: AnyEvent) -> bool:
    """Whether to show the event now: an interval when it begins, a rest when it has ended."""
    match record:
        case SetStart() | SetEnd() | Rep():
            return True
        case Failure():
            return record.held_s is None
        case LockoutRest() | BottomRest():
            return record.duration_s is not None and record.part_of is None
    return record.part_of is None and (record.duration_s is None or record.kind == "turnaround")


def is_loud(event: AnyEvent) -> bool:
    """Start, end or failure of a set."""
    return isinstance(event, SetStart | SetEnd | Failure)


def load_words(now: Feedback | None) -> str:
    if now is None or now.load_n is None:
        return "load not known yet"
    return weight(now.load_n) + (", learned" if now.load_from == "learned" else "")
