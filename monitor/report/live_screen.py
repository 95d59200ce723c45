"""Shows the live state of a machine: a screen of a terminal of any size, or lines for a file or a pipe.

Unknown values are not drawn: with stale data the bar is empty and a word says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from monitor.events import AnyEvent, Feedback, Rep
from monitor.report.live_lines import ASCII, STYLE, UNICODE, WORD, bar, event_words, is_loud, ladder, load_words
from monitor.report.words import clock
from monitor.vocabulary.lookup import name_of_sensor_fault

State = Literal["offline", "absent", "stale", "live"]
STATE_STYLE: dict[State, str] = {"offline": "magenta", "absent": "magenta", "stale": "magenta", "live": "green"}
NAMES = 10  # columns before a bar
WORDS_AFTER = 9  # columns after it
LEAST_CELLS, MOST_CELLS = 8, 100
ROOMY, TALL = 18, 3  # a window with this many lines has a bar of this height
PHASES = {
    "rest": "at rest",
    "positive": "up",
    "upper_turn": "turn",
    "negative": "down",
    "lower_turn": "turn",
    "hold": "hold",
    "held": "held",
}


@dataclass(frozen=True)
class Seen:
    """The known state of a machine at one moment."""

    machine: str
    state: State
    reason: str  # the reason if it is not live
    now: Feedback | None  # None if it is not live
    band: float = 0.10  # half-width, a share of the load
    tempo: str = ""
    moves: bool = True
    events: Sequence[AnyEvent] = field(default_factory=list)


def screen(seen: Seen, cues: Mapping[str, str], width: int, height: int, *, ascii_only: bool = False) -> Any:
    """Returns a rich renderable of at most `height` lines."""
    from rich.console import Group
    from rich.text import Text

    glyphs = ASCII if ascii_only else UNICODE
    cells = max(LEAST_CELLS, min(MOST_CELLS, width - NAMES - WORDS_AFTER))
    now = seen.now
    head = Text.assemble((seen.machine, "bold"), "  ")
    head.append(seen.state.upper() if seen.state != "live" else "live", f"bold {STATE_STYLE[seen.state]}")
    head.append("  ".join(["", seen.tempo, load_words(now) if now else ""]))
    band = Text(WORD[now.band] if now else "", f"bold {STYLE[now.band] if now else 'dim'}")
    lines = [head]
    for row in range(TALL if height >= ROOMY else 1):  # a tall bar repeats the same row
        name = "TENSION" if row == 0 else ""
        tail = band if row == 0 else Text()
        lines.append(Text.assemble((f"{name:<{NAMES}}", "dim"), bar(now, seen.band, cells, glyphs), "  ", tail))
    if seen.moves:
        lines.append(Text.assemble(("POSITION  ", "dim"), ladder(now, cells, glyphs)))
    lines.append(Text.assemble(("CUE       ", "dim"), _cue(seen, cues)))
    lines.append(Text(_figures(now)))
    footer = Text("q or Ctrl-C quits", "dim")
    room = height - len(lines) - 2
    news = [line for event in seen.events if (line := _event(event)) is not None]
    if room > 0:
        lines += [Text(), *news[-room:]]
        lines += [Text()] * (room - min(room, len(news))) + [footer]
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis" if not ascii_only else "crop"
    return Group(*lines[:height])


def line_of(seen: Seen, cues: Mapping[str, str]) -> str:
    """One moment as a line of text."""
    now = seen.now
    if now is None:
        return f"{seen.state}: {seen.reason}"
    parts = [f"{clock(now.t_s):>8}", f"{WORD[now.band]:<7}", _figures(now)]
    return "  ".join([*parts, _word(now, cues)]).rstrip()


def event_line(event: AnyEvent) -> str | None:
    """An event with its time; for a repetition that is its end."""
    words = event_words(event)
    at_s = event.t_s + (event.duration_s or 0.0) if isinstance(event, Rep) else event.t_s
    return None if words is None else f"{clock(at_s):>8}  {words}"


def _event(event: AnyEvent) -> Any:
    from rich.text import Text

    line = event_line(event)
    return None if line is None else Text(line, "bold" if is_loud(event) else "")


def _cue(seen: Seen, cues: Mapping[str, str]) -> Any:
    from rich.text import Text

    if seen.now is None:
        return Text(seen.reason, "magenta")
    if seen.now.fault is not None:
        return Text(f"{cues.get('fault', 'SENSOR')}: {name_of_sensor_fault(seen.now.fault)}", "magenta")
    return Text(f" {word} ", "bold reverse") if (word := _word(seen.now, cues)) else Text("")


def _word(now: Feedback, cues: Mapping[str, str]) -> str:
    return "" if now.cue is None else cues.get(now.cue, now.cue.replace("_", " ").upper())


def _figures(now: Feedback | None) -> str:
    if now is None:
        return ""
    figures = f"{PHASES[now.phase]:<8}  rep {now.rep:<3}  under load {now.under_load_s:5.1f} s"
    return figures + (f"  tension {now.under_tension_s:5.1f} s" if now.load_n is not None else "")
