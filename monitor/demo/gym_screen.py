"""The terminal of the simulated gym: the pages' addresses, then a line for each set that ends, and who lifted."""

from collections.abc import Callable, Sequence
from functools import partial

from monitor.demo.walk import CLIENTS
from monitor.events import Feedback, SetEnd
from monitor.mqtt.contract.messages import InfoMessage, SessionMessage
from monitor.report.live_lines import event_words
from monitor.store.stored import StoredEvent


class GymScreen:
    """Give `lines(machine)` to the machine's daemon. `who` returns who lifts at a machine now."""

    def __init__(self, who: Callable[[str], str | None]) -> None:
        from rich.console import Console

        self._who = who
        self._print = partial(Console(highlight=False).print, markup=False, soft_wrap=True)

    def begin(self, gym_url: str | None, pages: dict[str, str]) -> None:
        """`gym_url`: the gym's page, with what lets a trainer in; None without the packages of a gym."""
        names = ", ".join(client.name for client in CLIENTS)
        self._print(f"rep-monitor  a simulated gym with {len(pages)} machines; {names} walk from one to the next")
        if gym_url is not None:
            self._print(f"Open {gym_url}  (the gym's page; the machines' own pages are below)")
        for machine, url in pages.items():
            self._print(f"{machine:<12} {url}")
        self._print("Ctrl-C stops everything")

    def end(self, collected: dict[str, int] | None) -> None:
        """`collected`: the sets in the gym's database, by client; None without the packages of a gym."""
        if collected is None:
            self._print("Nothing was collected: that needs more packages: pip install 'rep-monitor[gym]'")
            return
        of_each = ", ".join(f"{name} {number}" for name, number in sorted(collected.items()))
        self._print(f"Sets in the gym's database, by client: {of_each}")

    def lines(self, machine: str) -> "SetLines":
        return SetLines(machine, self)

    def ended(self, machine: str, event: SetEnd) -> None:
        failure = ", to failure" if event.outcome == "failure" else ""
        self._print(f"{machine:<12} {self._who(machine) or '':<6} {event_words(event)}{failure}")


class SetLines:
    """The sink of one machine."""

    def __init__(self, machine: str, screen: GymScreen) -> None:
        self._machine = machine
        self._screen = screen

    def events(self, stored: Sequence[StoredEvent]) -> None:
        for row in stored:
            if isinstance(row.event, SetEnd):
                self._screen.ended(self._machine, row.event)

    def feedback(self, session: str, feedback: Feedback, hz: float) -> None:
        """The machine's page shows it."""

    def summary(self, summary: SessionMessage) -> None:
        """The lines of the sets say enough."""

    def info(self, info: InfoMessage) -> None:
        """The machine's page shows it."""

    def clear_last_set(self) -> None:
        """Nobody is forgotten in the demo."""
