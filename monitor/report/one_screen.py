"""A session on one screen of a terminal: one line for each set, where tension leaked, and the faults."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from monitor.profile.weights import unit_name, weight, weight_number
from monitor.report.advice import advice
from monitor.report.blindness import BLIND, BLIND_STATIC
from monitor.report.gathering import Gathered
from monitor.report.session_story import SessionStory, SetStory, leaks, totals
from monitor.report.tables import UNKNOWN
from monitor.report.words import count, duration, fault_words, no_strength, times
from monitor.vocabulary.leaks import LEAKS
from monitor.vocabulary.lookup import name_of

SETS_SHOWN = 8  # the last ones; the page has all of them
BAR_CELLS = 24


def one_screen(gathered: Gathered, story: SessionStory) -> list[Any]:
    """Returns renderables for a rich console."""
    from rich.text import Text

    machine, protocol = gathered.profile.machine, gathered.profile.protocol
    static = machine.kind == "static"
    tempo = "static hold" if static else f"{protocol.positive_s:g} s up, {protocol.negative_s:g} s down"
    title = Text.assemble((machine.id, "bold"), f"  {tempo}, {duration(gathered.length_s)} recorded")
    if not story.sets:
        return [title, Text("No set was found.", "bold"), *_blindness(story, static)]
    parts: list[Any] = [title, Text(), _sets(story.sets, static)]
    if len(story.sets) > SETS_SHOWN:
        parts.append(Text(f"  and {count(len(story.sets) - SETS_SHOWN, 'earlier set')}", "dim"))
    parts += [Text(), *_leaked(story), *_faults(story)]
    all_ = totals(story)
    skill = "not known" if all_.skill is None else f"{all_.skill:.0%} of the judged time had no leak"
    completed = all_.under_load_s is not None
    unknown = f"not known: {no_strength(load_known=all_.under_tension_s is not None, completed=completed)}"
    strength = unknown if all_.strength_n is None else weight(all_.strength_n)
    parts.append(Text.assemble(("Skill     ", "dim"), (skill, "bold")))
    parts.append(Text.assemble(("Strength  ", "dim"), (strength, "bold")))
    return [*parts, Text(), *_blindness(story, static)]


def _sets(sets: Sequence[SetStory], static: bool) -> Any:
    from rich.table import Table

    table = Table(box=None, header_style="bold dim", pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("SET", f"LOAD {unit_name()}", "STAGES" if static else "REPS", "UNDER LOAD", "TENSION", "SKILL"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("TO DO BETTER")
    for one in sets[-SETS_SHOWN:]:
        end = one.end
        reps = f"{len(one.reps)}" + (f" ({one.partial_reps} partial)" if one.partial_reps else "")
        table.add_row(
            str(one.number),
            UNKNOWN if end is None or end.working_load_n is None else weight_number(end.working_load_n),
            str(len(one.stages)) if static else reps,
            UNKNOWN if end is None else duration(end.under_load_s),
            UNKNOWN if end is None or end.under_tension_s is None else duration(end.under_tension_s),
            UNKNOWN if end is None or end.skill is None else f"{end.skill:.0%}",
            advice(one) or "The recording ended within this set.",
        )
    return table


def _leaked(story: SessionStory) -> list[Any]:
    from rich.text import Text

    lost_s = dict.fromkeys(LEAKS, 0.0)
    for one in story.sets:
        if one.end is not None and one.end.leak is not None:
            for key, seconds in leaks(one.end.leak):
                lost_s[key] += seconds
    worst_s = max(lost_s.values())
    if not worst_s:
        return []
    lines = [Text("Where tension leaked", "bold")]
    for key, seconds in sorted(lost_s.items(), key=lambda item: -item[1]):
        if seconds:
            bar = "█" * max(1, round(BAR_CELLS * seconds / worst_s))
            lines.append(
                Text.assemble(f"  {LEAKS[key].en:<14}", (f"{bar:<{BAR_CELLS}}", "yellow"), f"{seconds:7.1f} s")
            )
    return [*lines, Text()]


def _faults(story: SessionStory) -> list[Any]:
    from rich.text import Text

    words = fault_words(story.events)
    return [Text.assemble(("Faults    ", "dim"), words)] if words else []


def _blindness(story: SessionStory, static: bool) -> list[Any]:
    from rich.text import Text

    names = Counter(map(name_of, story.sensor_faults))
    lines = [Text(f"Sensors: {name}, {times(n)}.", "magenta") for name, n in sorted(names.items())]
    return [*lines, Text(BLIND_STATIC if static else BLIND, "dim")]
