"""The rows of the handout: one for each set of the visit, in the order in which they were done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from monitor.gym.handout.pictures import line_picture, window_picture
from monitor.gym.people.clients import Setting
from monitor.gym.workout.next_load import Suggestion
from monitor.gym.workout.visits import VisitSet
from monitor.profile.weights import weight
from monitor.report.markup import Markup, element
from monitor.report.tables import UNKNOWN
from monitor.report.words import LONG_S, count, duration, partial

NBSP = "\N{NO-BREAK SPACE}"
HEAD = ("Machine", "Load", "Time under load", "Skill", "Strength", "Ended", "Pause before", "Next load")
COLUMNS = ("machine", "load", "under-load", "figure", "figure", "ended", "pause", "next")
VISITS_DRAWN = 8
WINDOW_SHARE = 1.4  # of the longest window, that a picture is wide at least


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoutRow:
    """A set, how its machine is set for the client, and the client's set on it in each visit up to this one."""

    one: VisitSet
    setting: Setting
    suggestion: Suggestion | None  # None: a later set decides the next load
    history: Sequence[VisitSet]


def visit_table(rows: Sequence[HandoutRow]) -> Markup:
    widest_s = max(WINDOW_SHARE * max(row.setting.window_high_s for row in rows), max(r.one.under_load_s for r in rows))
    whole = element(
        "table",
        element("colgroup", *(element("col", class_=name) for name in COLUMNS)),
        element("thead", element("tr", *(element("th", name, scope="col") for name in HEAD))),
        element("tbody", *(_row(number, row, widest_s) for number, row in enumerate(rows, 1))),
        class_="visit",
    )
    return element("div", whole, class_="scroll", role="region", aria_label="Sets of the visit", tabindex=0)


def _row(number: int, row: HandoutRow, widest_s: float) -> Markup:
    one, history = row.one, row.history[-VISITS_DRAWN:]
    seat = f"Seat {one.seat}" if one.seat else ""
    skills = [before.skill for before in history]
    strengths_n = [before.strength_n for before in history]
    cells = (
        _figure(
            UNKNOWN if one.load_n is None else weight(one.load_n), count(one.reps, "rep") + partial(one.partial_reps)
        ),
        _under_load(one, row.setting, widest_s),
        _figure(_share(one.skill), _line("Skill", skills, _share)),
        _figure(_load(one.strength_n), _line("Strength", strengths_n, _load)),
        ended_words(one),
        _pause(one.pause_before_s),
        _next_load(row),
    )
    machine = element(
        "th", element("span", f"{number}. {one.label}", class_="label"), _small(seat, "seat"), scope="row"
    )
    return element("tr", machine, *(element("td", cell) for cell in cells))


def _figure(value: str, *more: str) -> Markup:
    said = [part if isinstance(part, Markup) else _small(part) for part in more if part]
    return element("div", element("b", value), *said)


def _small(text: str, kind: str | None = None) -> Markup:
    return element("small", text, class_=kind) if text else Markup("")


def _under_load(one: VisitSet, setting: Setting, widest_s: float) -> Markup:
    low_s, high_s = setting.window_low_s, setting.window_high_s
    where = "below" if one.under_load_s < low_s else "above" if one.under_load_s > high_s else "in"
    tension = "tension not known" if one.under_tension_s is None else f"{one.under_tension_s:.0f} s of it under tension"
    return _figure(
        f"{one.under_load_s:.0f} s",
        f"{where} the window, {low_s:g}\N{EN DASH}{high_s:g}{NBSP}s",
        window_picture(one.under_load_s, low_s, high_s, widest_s),
        tension,
    )


def _line(name: str, values: Sequence[float | None], words: Callable[[float | None], str]) -> Markup:
    label = f"{name} in the last {len(values)} visits: {', '.join(map(words, values))}"
    return line_picture(values, label) if len(values) > 1 else Markup("")


def ended_words(one: VisitSet) -> str:
    """How the set ended. Without a stall the sensors cannot tell failure from choice, so a trainer may mark it."""
    if one.marked_failure is not None:
        return f"{'at failure' if one.marked_failure else 'before failure'}, marked by the trainer"
    return "at failure" if one.failure else "no failure seen"


def _next_load(row: HandoutRow) -> Markup:
    if row.suggestion is None:
        return Markup(UNKNOWN)
    if row.setting.next_load_n is not None:
        return _figure(weight(row.setting.next_load_n), "chosen by the trainer")
    load_n = row.suggestion.load_n
    said = "suggested, not chosen" if load_n is not None else "not chosen"
    return _figure(_load(load_n), _small(f"{said}: {row.suggestion.reason}", "reason"))


def _pause(seconds: float | None) -> str:
    if seconds is None:
        return UNKNOWN
    return f"{seconds:.0f}{NBSP}s" if seconds < LONG_S else duration(seconds)


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0%}"


def _load(value_n: float | None) -> str:
    return UNKNOWN if value_n is None else weight(value_n)
