"""Everything that a replay found, in the order in which a daemon would have published it."""

from bisect import bisect_right
from collections.abc import Sequence
from contextlib import aclosing

from monitor.events import AnyEvent, Feedback, SetEnd
from monitor.playback.playback import Playback, analysis_of, updates


class Reel:
    """Times are on the session clock. Empty if nothing was measured."""

    def __init__(self, events: Sequence[AnyEvent], feedback: Sequence[Feedback]) -> None:
        self._events = sorted(events, key=lambda event: event.found_s)
        self._found_s = [event.found_s for event in self._events]
        self._feedback = list(feedback)
        self._fed_s = [now.t_s for now in self._feedback]
        self.begin_s = self._fed_s[0] if self._fed_s else 0.0
        self.end_s = max(self._fed_s[-1:] + self._found_s[-1:], default=0.0)

    def events(self, after_s: float, until_s: float) -> Sequence[AnyEvent]:
        """The records that were found after `after_s` and not after `until_s`."""
        return self._events[bisect_right(self._found_s, after_s) : bisect_right(self._found_s, until_s)]

    def feedback(self, at_s: float) -> Feedback | None:
        """The newest feedback at that time."""
        place = bisect_right(self._fed_s, at_s)
        return self._feedback[place - 1] if place else None

    def recent(self, at_s: float, length_s: float, every: int) -> Sequence[Feedback]:
        """One in `every` feedbacks of the time before `at_s`, oldest first."""
        first, last = (bisect_right(self._fed_s, t_s) for t_s in (at_s - length_s, at_s))
        return self._feedback[first:last:every]

    def last_set(self, at_s: float) -> SetEnd | None:
        """The set that had ended last at that time."""
        ended = (event for event in reversed(self.events(float("-inf"), at_s)) if isinstance(event, SetEnd))
        return next(ended, None)


async def reel_of(playback: Playback) -> Reel:
    """Runs the whole replay without pauses."""
    analysis = analysis_of(playback, feedback=True)
    events: list[AnyEvent] = []
    feedback: list[Feedback] = []
    async with aclosing(updates(playback, analysis, "max")) as parts:
        async for update in parts:
            events += update.events
            feedback += update.feedback
    return Reel(events, feedback)
