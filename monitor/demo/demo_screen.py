"""The terminal of the demo, a sink: it prints the page's address, one live line, and a line for each event."""

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from monitor.events import AnyEvent, Feedback
from monitor.mqtt.contract.messages import InfoMessage, SessionMessage
from monitor.profile.limits import limits_of
from monitor.profile.profile import Profile
from monitor.report.live_lines import bar, event_words, is_loud, is_news
from monitor.report.live_screen import PHASES
from monitor.store.stored import StoredEvent
from monitor.vocabulary.lookup import is_fault

BAR_CELLS = 24


class DemoScreen:
    """Call `begin` first. Without a terminal it prints the events only."""

    def __init__(self, profile: Profile) -> None:
        from rich.console import Console
        from rich.live import Live

        self._profile = profile
        self._band = limits_of(profile).band
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

    def begin(self, page_url: str | None, port: str) -> None:
        protocol = self._profile.protocol
        print_ = self._console.print
        tempo = f"{protocol.positive_s:g}/{protocol.negative_s:g}"
        print_(f"[bold]rep-monitor[/bold]  a simulated leg press at {tempo} s on {port}")
        if page_url:
            if f":{self._profile.display.port}/" not in page_url:
                print_(f"Port {self._profile.display.port} is in use: the page is on the next free port.")
            print_(
                f"Open [bold]{page_url}[/bold]  (trainer: {page_url.rstrip('/')}/trainer.html)  Ctrl-C stops everything"
            )

    def feedback(self, session: str, feedback: Feedback, hz: float) -> None:
        self._live.update(_bar(feedback, self._band))

    def events(self, stored: Sequence[StoredEvent]) -> None:
        for row in stored:
            if (line := _line(row.event)) is not None:
                self._console.print(line)

    def summary(self, summary: SessionMessage) -> None:
        """The lines of the events contain it."""

    def info(self, info: InfoMessage) -> None:
        """The page shows it."""

    def clear_last_set(self) -> None:
        """A demo has no lifter."""


def _bar(now: Feedback, half: float) -> Any:
    from rich.text import Text

    text = Text(f"{PHASES[now.phase]:<9}")
    text.append_text(bar(now, half, BAR_CELLS))
    text.append(f"  rep {now.rep}   under load {now.under_load_s:5.1f} s   ")
    text.append((now.cue or "").replace("_", " "), style="bold")
    return text


def _line(event: AnyEvent) -> str | None:
    if not is_news(event) or (words := event_words(event)) is None:
        return None
    style = "bold" if is_loud(event) else "yellow" if is_fault(event) else "none"
    return f"[dim]{event.t_s:8.2f} s[/dim]  [{style}]{words}[/{style}]"
