"""The sections of the report about the whole session; they need no script."""

from collections.abc import Sequence

from monitor.events import AnyEvent, Leak, SetEnd
from monitor.profile.derived import short_range_sentence
from monitor.profile.weights import weight
from monitor.report.advice import advice
from monitor.report.drawing import Mark
from monitor.report.gathering import Gathered
from monitor.report.leak_panel import leak_panel
from monitor.report.local_time import local_time
from monitor.report.markup import Markup, element
from monitor.report.session_story import SessionStory, SetStory, leaks, totals
from monitor.report.tables import UNKNOWN, row, table
from monitor.report.words import clock, count, duration, fault_words, no_strength, partial, times
from monitor.vocabulary.leaks import LEAKS
from monitor.vocabulary.lookup import row_of
from monitor.vocabulary.rows import Row


def header(gathered: Gathered, began_utc: str | None) -> Markup:
    machine, protocol = gathered.profile.machine, gathered.profile.protocol
    facts: list[str] = []
    if began_utc and (began := local_time(began_utc)) is not None:
        facts += [element("time", began, datetime=began_utc), " · "]
    if machine.kind != "static":
        facts.append(f"{protocol.positive_s:g} s up, {protocol.negative_s:g} s down")
    else:
        facts.append("static hold")
    facts.append(f" · {duration(gathered.length_s)} recorded")
    return element(
        "header",
        element("p", "Training report", class_="eyebrow"),
        element("h1", machine.id),
        element("p", *facts, class_="quiet"),
    )


def trouble(losses: Sequence[str]) -> Markup:
    """Missing parts of the recording; this section comes first."""
    if not losses:
        return Markup("")
    return element(
        "section",
        element("h2", "This recording is damaged"),
        element("p", "The report shows what is left of it. Missing parts are not estimated."),
        element("ul", *(element("li", sentence) for sentence in losses)),
        class_="trouble",
        id="damage",
    )


def figures(story: SessionStory, static: bool) -> Markup:
    all_ = totals(story)
    if not all_.sets:
        return element("p", "No set was found in this session.", class_="lead", id="figures")
    strength = UNKNOWN if all_.strength_n is None else weight(all_.strength_n, 0)
    heaviest = "the force that was held" if static else "the load" if all_.sets == 1 else "the heaviest set's load"
    load_known, completed = all_.under_tension_s is not None, all_.under_load_s is not None
    if all_.strength_n is None:
        heaviest = no_strength(load_known=load_known, completed=completed)
    cells = [_figure("Sets", str(all_.sets), "")]
    if not static:
        cells.append(_figure("Repetitions", str(all_.reps), partial(all_.partial_reps).strip(", ")))
    cells += [
        _figure(
            "Under load",
            UNKNOWN if all_.under_load_s is None else duration(all_.under_load_s),
            "the cable carried it" if completed else no_strength(load_known=False, completed=False),
        ),
        _figure(
            "Tension",
            UNKNOWN if all_.under_tension_s is None else duration(all_.under_tension_s),
            "of it in the band, not resting" if load_known else no_strength(load_known=False, completed=completed),
        ),
        _figure(
            "Skill",
            UNKNOWN if all_.skill is None else f"{all_.skill:.0%}",
            "of the judged time had no leak",
            "skill",
        ),
        _figure("Strength", strength, heaviest, "strength"),
    ]
    return element("dl", *cells, class_="figures", id="figures")


def set_table(story: SessionStory) -> Markup:
    """One row for each set; empty for a single set, because its heading is enough."""
    if len(story.sets) < 2:
        return Markup("")
    head = ("Set", "At", "Load", "Reps", "Under load", "Tension", "Skill", "Leaked most", "To do better")
    rows = []
    for one in story.sets:
        end = one.end
        cells = [
            element(
                "button", f"Set {one.number}", type="button", data_zoom=f"{one.from_s} {one.until_s}", class_="link"
            ),
            clock(one.from_s),
            UNKNOWN if end is None or end.working_load_n is None else weight(end.working_load_n),
            _reps_words(one),
            UNKNOWN if end is None else duration(end.under_load_s),
            UNKNOWN if end is None or end.under_tension_s is None else duration(end.under_tension_s),
            UNKNOWN if end is None or end.skill is None else f"{end.skill:.0%}",
            UNKNOWN if end is None or end.leak is None else _most(one, end.leak),
            advice(one) or "The recording ended within this set.",
        ]
        rows.append(row(cells))
    return element("section", element("h2", "Sets"), table(head, rows, "sets"), class_="block", id="sets")


def _most(one: SetStory, leak: Leak) -> str:
    """The cause of most leak; the faults if almost nothing leaked."""
    for key, seconds in leaks(leak):
        return f"{LEAKS[key].en.lower()} {seconds:.1f} s"
    return fault_words(one.moments) or "nothing"


def work_on(story: SessionStory) -> Markup:
    """What to work on in the next session; empty for a single set, whose own section has it."""
    remedy = advice(*story.sets)
    if len(story.sets) < 2 or remedy is None:
        return Markup("")
    all_ = totals(story)
    each = [one for one in map(advice, story.sets) if one is not None]
    where = f"What cost most in {each.count(remedy)} of {count(len(each), 'set')}." if remedy in each else None
    return element(
        "section",
        element(
            "div",
            element("h3", "What to work on"),
            element("p", remedy, class_="remedy"),
            element("p", where, class_="quiet") if where else None,
        ),
        leak_panel(all_.set_s, all_.leak),
        class_="block work-on",
        id="work-on",
    )


def found(story: SessionStory) -> Markup:
    """Explains the marks: each kind of event that was found, its meaning, and its number."""
    kinds: dict[str, list[AnyEvent]] = {}
    for event in story.events:
        if event.kind not in ("rep", "set_start", "set_end", "stage") and not getattr(event, "ended_set", False):
            kinds.setdefault(row_of(event).name.en, []).append(event)
    if not kinds:
        return Markup("")
    order = {"rough": 0, "leak": 1, "blind": 2, "plain": 3, "good": 4}
    ranked = sorted(kinds.values(), key=lambda events: (order[row_of(events[0]).tone], -len(events)))
    return element(
        "section",
        element("h2", "What was found, and what it means"),
        element("ul", *(_found_item(row_of(events[0]), events) for events in ranked), class_="found"),
        class_="block",
        id="found",
    )


def _found_item(row: Row, events: Sequence[AnyEvent]) -> Markup:
    return element(
        "li",
        element("span", class_=f"sign tone-{row.tone}", aria_hidden="true"),
        element(
            "div",
            element("b", row.name.en),
            " ",
            element("span", _often(events), class_="quiet"),
            element("p", row.why + (f" {row.remedy.en}" if row.remedy else "")),
        ),
    )


def _often(events: Sequence[AnyEvent]) -> str:
    """The number and duration, and the number of parts of other events, which do not count again."""
    primaries = [event for event in events if event.part_of is None]
    lasted_s = sum(event.duration_s or 0.0 for event in primaries)
    parts = len(events) - len(primaries)
    words = [
        times(len(primaries)) if primaries else "",
        duration(lasted_s) if lasted_s >= 0.05 else "",
        f"{times(parts)} as part of another event" if parts else "",
    ]
    return ", ".join(filter(None, words))


def event_list(marks: Sequence[Mark]) -> Markup:
    """All events as a table, folded until a reader opens it."""
    head = ("Time", "Set", "Rep", "What", "In numbers", "Lasted")
    rows = [
        row(
            [
                element("button", clock(mark.t_s), type="button", class_="link", data_show=mark.id),
                str(mark.set or ""),
                str(mark.rep or ""),
                element("span", mark.name, class_=f"tone-{mark.tone}-text" + (" part" if mark.part_of else "")),
                mark.what,
                f"{mark.lasts_s:.2f} s" if mark.lasts_s else "",
            ]
        )
        for mark in marks
    ]
    summary = element("summary", f"All {count(len(marks), 'event')}, one by one")
    return element("details", summary, table(head, rows, "events"), class_="block", id="events")


def blindness(gathered: Gathered, story: SessionStory, always: str) -> Markup:
    """What the sensors could not see in this session, and what they never see."""
    lines: list[str] = []
    by_name: dict[str, list[AnyEvent]] = {}
    for fault in story.sensor_faults:
        by_name.setdefault(row_of(fault).name.en, []).append(fault)
    for name, faults in sorted(by_name.items()):
        lasted_s = sum(fault.duration_s or 0.0 for fault in faults)
        lines.append(f"{name}: {times(len(faults))}, {lasted_s:.1f} s in all. Nothing was judged or filled in there.")
    machine = gathered.profile.machine
    ends = [one.end for one in story.sets if one.end is not None]
    if unknown := [end for end in ends if end.working_load_n is None]:
        lines.append(
            f"{_sets_words(unknown, ends)} the load was not known, so it could not be judged how much of that time was"
            " tension."
        )
    if learned := [end for end in ends if end.working_load_from == "learned"]:
        lines.append(
            f"{_sets_words(learned, ends)} the load was learned from the movement. Time before that was not judged and"
            " does not count in skill."
        )
    if machine.kind == "stack" and machine.top_m is None:
        known = "was learned from the repetitions" if gathered.limits.range_known else "was not known"
        lines.append(f"The working range {known}.")
    if (sentence := short_range_sentence(gathered.limits)) is not None:
        lines.append(f"{sentence[0].upper()}{sentence[1:]}.")
    items = [element("li", line) for line in lines]
    return element(
        "section",
        element("h2", "What the sensors could not see"),
        element("ul", *items) if items else None,
        element("p", always),
        element("p", "This is not a medical or safety device. What it reports about force is advice."),
        class_="block blind",
        id="blind",
    )


def _sets_words(some: Sequence[SetEnd], all_: Sequence[SetEnd]) -> str:
    if len(some) == len(all_):
        return "In every set" if len(some) > 1 else "In this set"
    return f"In {count(len(some), 'set')} ({', '.join(str(end.set) for end in some)})"


def _figure(name: str, value: str, note: str, kind: str = "") -> Markup:
    return element(
        "div", element("dt", name), element("dd", value), element("dd", note, class_="note"), class_=kind or None
    )


def _reps_words(one: SetStory) -> str:
    return (
        f"{len(one.reps)}{partial(one.partial_reps)}" if one.reps or not one.stages else count(len(one.stages), "stage")
    )
