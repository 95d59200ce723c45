"""The demo's terminal: where to look, one live line, and each event in a line of its own."""

import sys
from types import TracebackType
from typing import Any, Self

from monitor.config import Profile
from monitor.events import (
    AnyEvent,
    BottomRest,
    Failure,
    Feedback,
    LockoutRest,
    Rep,
    SetEnd,
    SetStart,
    Update,
)

BAR_CELLS = 24
BAND_STYLE = {"low": "yellow", "in": "blue", "high": "red", None: "dim"}
NEWTONS_PER_KG = 9.80665


class Screen:
    """`begin`, then `show` every update. Without a terminal it prints the events only."""

    def __init__(self, profile: Profile) -> None:
        from rich.console import Console
        from rich.live import Live

        self._profile = profile
        self._console = Console(highlight=False)
        self._live = Live(console=self._console, refresh_per_second=10, transient=True)

    def __enter__(self) -> Self:
        if sys.stdout.isatty():
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        self._console.print("Stopped. Nothing of the simulated machine is left running.")

    def begin(self, page_url: str | None, port: str) -> None:
        protocol = self._profile.protocol
        print_ = self._console.print
        tempo = f"{protocol.positive_s:g}/{protocol.negative_s:g}"
        print_(f"[bold]rep-monitor[/bold]  a simulated leg press at {tempo} s on {port}")
        if page_url:
            if f":{self._profile.display.port}/" not in page_url:
                print_(f"Port {self._profile.display.port} is taken: the page is on the next free one.")
            print_(f"Look at [bold]{page_url}[/bold]  (and {page_url.rstrip('/')}/trainer.html)   Ctrl-C ends it all")

    def show(self, update: Update) -> None:
        for event in update.events:
            if (line := _line(event)) is not None:
                self._console.print(line)
        if update.feedback:
            self._live.update(_bar(update.feedback[-1]))


def _bar(now: Feedback) -> Any:
    from rich.text import Text

    tension = now.tension or 0.0
    filled = round(min(1.5, max(0.0, tension)) / 1.5 * BAR_CELLS)
    text = Text(f"{now.phase.replace('_', ' '):<11}")
    text.append("█" * filled + "░" * (BAR_CELLS - filled), style=BAND_STYLE[now.band])
    text.append(f"  rep {now.rep}   under load {now.under_load_s:5.1f} s   ")
    text.append((now.cue or "").replace("_", " "), style="bold")
    return text


def _line(event: AnyEvent) -> str | None:
    """One event in words; an interval is told when it begins, the rests when they end."""
    at = f"[dim]{event.t_s:8.2f} s[/dim]  "
    match event:
        case SetStart():
            return f"{at}[bold]set {event.set} begins[/bold]"
        case Rep():
            weak = " (partial)" if event.partial else ""
            return f"{at}rep {event.rep}{weak}: {event.positive_s:.1f} s up, {event.negative_s:.1f} s down"
        case SetEnd():
            held = "" if event.under_tension_s is None else f", {event.under_tension_s:.0f} s of it tension"
            load = "" if event.strength_n is None else f" at {event.strength_n / NEWTONS_PER_KG:.0f} kg"
            return f"{at}[bold]set over[/bold]: {event.reps} reps{load}, {event.under_load_s:.0f} s under load{held}"
        case LockoutRest() | BottomRest():
            if event.duration_s is None:
                return None
            where = "locked joints" if isinstance(event, LockoutRest) else "the stack"
            return f"{at}[yellow]rested {event.duration_s:.1f} s on {where}[/yellow]"
        case Failure():
            return f"{at}[bold]failure[/bold]: the muscle could no more"
    if event.duration_s is None and event.part_of is None and event.kind in WORDS:
        return f"{at}[yellow]{WORDS[event.kind]}[/yellow]"
    return None


WORDS = {
    "jerk": "a heave",
    "drop": "a dropped negative",
    "slack": "a slack cable",
    "stack_touch": "the stack was set down",
    "stall": "a stall",
    "force_ceiling": "too much force",
    "speed_over": "too fast",
    "sensor_fault": "the sensors cannot be believed",
}
