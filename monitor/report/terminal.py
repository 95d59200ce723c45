"""Shows a session as tables on a terminal: for each set its repetitions, its events and its summary.

rich is imported only where something is drawn, so that other callers need not load it.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from monitor.events import AnyEvent, Leak, Rep, SensorFault, SetEnd, SetStart, Stage
from monitor.profile.profile import Profile
from monitor.profile.weights import newtons, unit_name, weight_number
from monitor.report.blindness import BLIND, BLIND_STATIC
from monitor.report.session_story import leaks, length_s, lost_s
from monitor.report.words import count, describe, fault_words, no_strength, rep_notes, times
from monitor.vocabulary.leaks import LEAKS
from monitor.vocabulary.lookup import is_fault, name_of, row_of


def session_report(profile: Profile, records: Iterable[AnyEvent]) -> list[Any]:
    """Returns renderables for a rich console; `records` are opening and closing ones."""
    from rich.text import Text

    events = list({event.id: event for event in records}.values())
    faults = [event for event in events if isinstance(event, SensorFault)]
    parts: list[Any] = []
    numbers = sorted({event.set for event in events if event.set is not None})
    if not numbers:
        parts += [Text("No set was found.", "bold"), Text()]
    for number in [None, *numbers]:
        parts += _set_report(number, [event for event in events if event.set == number])
    parts += _blindness(profile, faults)
    return parts


def event_line(event: AnyEvent) -> str:
    """One record as a line, while a replay runs."""
    words = ", ".join(filter(None, (describe(event), _lasting(event))))
    return f"{event.t_s:9.2f} s  {name_of(event):<20}{words}".rstrip()


def _set_report(number: int | None, events: Sequence[AnyEvent]) -> list[Any]:
    from rich.padding import Padding
    from rich.text import Text

    if not events:
        return []
    title = "Outside a set" if number is None else f"Set {number}"
    summary = next((event for event in events if isinstance(event, SetEnd)), None)
    start = next((event for event in events if isinstance(event, SetStart)), None)
    if start and summary:
        title += f", {start.t_s:.2f} to {summary.t_s:.2f} s"
    parts: list[Any] = [Text(title, "bold")]
    reps = [event for event in events if isinstance(event, Rep)]
    stages = [event for event in events if isinstance(event, Stage)]
    moments = [event for event in events if not isinstance(event, Rep | Stage | SetStart | SetEnd)]
    for rows, draw in ((reps, _rep_table), (stages, _stage_table), (moments, _event_table)):
        if rows:
            parts.append(Padding(draw(rows), (1, 0, 0, 2), expand=False))
    if number is not None:
        parts.append(Padding(_summary(summary, len(reps), moments), (1, 0, 0, 2), expand=False))
    return [*parts, Text()]


def _table(*names: str) -> Any:
    from rich.table import Table

    table = Table(box=None, header_style="bold dim", pad_edge=False, padding=(0, 2, 0, 0))
    for name in names:
        left = name in ("EVENT", "WHAT", "")
        table.add_column(name, justify="left" if left else "right", no_wrap=name != "WHAT")
    return table


def _rep_table(reps: Sequence[Any]) -> Any:
    """The repetitions, with forces in newtons and in kg or lb."""
    table = _table(
        "REP",
        "AT s",
        "UP s",
        "TOP s",
        "DOWN s",
        "BOTTOM s",
        "RANGE mm",
        "MEAN N",
        unit_name(),
        "LEAST N",
        "MOST N",
        "IN BAND",
        "",
    )
    for rep in reps:
        moved_s = max(rep.duration_s or 0.0, 1e-9)
        table.add_row(
            str(rep.rep or ""),
            f"{rep.t_s:.2f}",
            *(f"{value:.1f}" for value in (rep.positive_s, rep.upper_dwell_s, rep.negative_s, rep.lower_dwell_s)),
            f"{rep.rom_m * 1000:.0f}",
            *_force(rep.tension_mean_n),
            *(_force(force_n)[0] for force_n in (rep.tension_min_n, rep.tension_max_n)),
            "" if rep.in_band_s is None else f"{rep.in_band_s / moved_s:.0%}",
            ", ".join(rep_notes(rep)),
        )
    return table


def _stage_table(stages: Sequence[Any]) -> Any:
    table = _table("STAGE", "AT s", "LASTED s", "TARGET N", unit_name(), "MEAN N", unit_name(), "IN BAND s")
    for stage in stages:
        lasted = "" if stage.duration_s is None else f"{stage.duration_s:.1f}"
        forces = (*_force(stage.target_n), *_force(stage.mean_n))
        table.add_row(str(stage.stage), f"{stage.t_s:.2f}", lasted, *forces, f"{stage.in_band_s:.1f}")
    return table


def _event_table(events: Sequence[AnyEvent]) -> Any:
    """The events in time order; parts of another event are indented and dim."""
    from rich.text import Text

    table = _table("AT s", "REP", "EVENT", "WHAT", "LASTED s")
    for first, *more in _runs(sorted(events, key=lambda event: (event.t_s, event.id))):
        last = more[-1] if more else first
        lasted_s = sum(event.duration_s or 0.0 for event in (first, *more))
        row = [
            f"{first.t_s:.2f}",
            str(first.rep or "") if first.rep == last.rep else f"{first.rep or ''}-{last.rep or ''}",
            Text(("  " if first.part_of else "") + name_of(first)),
            ", ".join(
                filter(None, (describe(first), f"{times(1 + len(more))} until {last.t_s:.2f} s" if more else ""))
            ),
            (f"{lasted_s:.2f}" if lasted_s else "") + ("+" if last.cut is True else ""),
        ]
        table.add_row(*row, style=_style(first))
    return table


def _runs(events: Iterable[AnyEvent]) -> list[list[AnyEvent]]:
    """Each event alone, but spikes that follow one another together: only another listed event comes between two runs.

    The list of the trainer's page shows the same runs.
    """
    runs: list[list[AnyEvent]] = []
    spikes: list[AnyEvent] | None = None  # the run that the next spike joins
    for event in events:
        if not (isinstance(event, SensorFault) and event.cause == "spike" and event.part_of is None):
            runs.append([event])
            spikes = None if row_of(event).listed and event.part_of is None else spikes
        elif spikes is not None and describe(spikes[0]) == describe(event):
            spikes.append(event)
        else:
            spikes = [event]
            runs.append(spikes)
    return runs


def _style(event: AnyEvent) -> str:
    if event.part_of is not None:
        return "dim"
    return "magenta" if isinstance(event, SensorFault) else "yellow" if is_fault(event) else ""


def _force(force_n: float | None) -> tuple[str, str]:
    return ("", "") if force_n is None else (f"{force_n:.0f}", weight_number(force_n))


def _summary(summary: SetEnd | None, reps: int, moments: Sequence[AnyEvent]) -> Any:
    from rich.table import Table
    from rich.text import Text

    if summary is None:
        so_far = f" {count(reps, 'repetition')} so far." if reps else ""
        return Text(f"The recording ended within this set.{so_far}")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_row("Repetitions", _reps(summary))
    table.add_row("Under load", f"{summary.under_load_s:.1f} s")
    if summary.under_tension_s is not None:
        table.add_row("Under tension", f"{summary.under_tension_s:.1f} s")
    if summary.leak is not None:
        table.add_row("Leaked", _leak(summary.leak, length_s(summary)))
    if summary.working_load_n is None:
        table.add_row("Load", "not known: too little movement to learn it from, or somebody else moved the stack")
    else:
        friction = "" if summary.friction is None else f"; friction {summary.friction:.1%}, {summary.friction_from}"
        table.add_row("Load", f"{newtons(summary.working_load_n)}, {summary.working_load_from}{friction}")
    for part in summary.loads if len(summary.loads) > 1 else ():
        skill = "not known" if part.skill is None else f"{part.skill:.0%}"
        load = "not known" if part.load_n is None else newtons(part.load_n)
        table.add_row(
            "", f"{load}: {count(part.reps, 'repetition')}, {part.under_load_s:.1f} s under load, skill {skill}"
        )
    if faults := fault_words(moments):
        table.add_row("Faults", faults)
    table.add_row("Skill", "not known" if summary.skill is None else Text(f"{summary.skill:.0%}", "bold"))
    strength_n = summary.strength_n
    unknown = f"not known: {no_strength(load_known=summary.working_load_n is not None)}"
    table.add_row("Strength", unknown if strength_n is None else Text(newtons(strength_n), "bold"))
    return table


def _reps(summary: SetEnd) -> str:
    """How many repetitions, such as `9: 6 clean, 2 partial; ended in failure`."""
    shares = [] if summary.clean_reps is None or not summary.reps else [f"{summary.clean_reps} clean"]
    shares += [f"{summary.partial_reps} partial"] if summary.partial_reps else []
    ended = "; ended in failure" if summary.outcome == "failure" else ""
    return f"{summary.reps}" + (f": {', '.join(shares)}" if shares else "") + ended


def _leak(leak: Leak, set_s: float) -> str:
    causes = ", ".join(f"{LEAKS[key].en.lower()} {seconds:.1f} s" for key, seconds in leaks(leak))
    unjudged = f"; {leak.unjudged_s:.1f} s not judged" if leak.unjudged_s else ""
    return f"{lost_s(leak):.1f} s of {set_s:.1f} s" + (f": {causes}" if causes else "") + unjudged


def _blindness(profile: Profile, faults: Sequence[SensorFault]) -> list[Any]:
    """What the sensors could not see in this session, and what they never see."""
    from rich.text import Text

    lines = []
    for name, group in groupby(sorted(faults, key=name_of), key=name_of):
        durations_s = [fault.duration_s or 0.0 for fault in group]
        lines.append(Text(f"Sensors: {name}, {times(len(durations_s))}, {sum(durations_s):.1f} s in all.", "magenta"))
    return [*lines, Text(BLIND_STATIC if profile.machine.kind == "static" else BLIND, "dim")]


def _lasting(event: AnyEvent) -> str:
    if event.duration_s is None:
        return "..."
    return f"{event.duration_s:.2f} s" if event.duration_s else ""
