"""The interface of a sink: whatever receives the feedback, events and summaries of a daemon.

`Daemon` and `Keeper` know sinks only by this interface. The first sink is MQTT (`mqtt_sink`), the second the demo's
terminal.

- Every method is called on the event loop and must return at once. A sink that writes or sends keeps a queue.
- `feedback` comes 25 times a second, or once while the machine rests; the newest wins: a slow sink drops the older.
- `events` come in order of `seq`, and only after they are on disk. A sink that has missed some reads them in the store.
- An exception in a sink ends the daemon.
"""

from collections.abc import Sequence
from typing import Protocol

from monitor.events import Feedback
from monitor.mqtt.contract.messages import InfoMessage, SessionMessage
from monitor.store.stored import StoredEvent


class Sink(Protocol):
    """See the module's docstring."""

    def feedback(self, session: str, feedback: Feedback, hz: float) -> None:
        """The newest live feedback of a session, and how often it comes now."""

    def events(self, stored: Sequence[StoredEvent]) -> None:
        """Events that are on disk now."""

    def summary(self, summary: SessionMessage) -> None:
        """A session has ended."""

    def info(self, info: InfoMessage) -> None:
        """Machine, link and disk: every few seconds, and after a change. `delivery` is for the sink to fill in."""

    def clear_last_set(self) -> None:
        """The lifter of the last set was removed from the store: the set must no longer be shown."""
