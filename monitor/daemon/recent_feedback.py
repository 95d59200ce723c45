"""Keeps the feedback of the last minute, so that a trainer's page that opens now does not begin with an empty chart."""

from array import array
from collections import deque
from collections.abc import Sequence
from math import nan
from typing import Any

from monitor.events import Feedback
from monitor.mqtt.contract.messages import LIVE_HZ, VERSION, InfoMessage, SessionMessage
from monitor.store.stored import StoredEvent

KEPT_S = 60.0
DRAWN = {"tension": 4, "tension_n": 1, "position": 4, "pace": 4}  # fields that the page draws, and their decimals
COLUMNS = {"t_s": 3, "feedback_hz": 3, **DRAWN}


class RecentFeedback:
    """A `Sink`."""

    def __init__(self) -> None:
        self._session = ""
        self._kept: deque[array[float]] = deque(maxlen=int(KEPT_S * LIVE_HZ))  # a row of COLUMNS each

    def document(self) -> dict[str, Any]:
        """`{"v": 1, "session", "t_s": [...], "feedback_hz": [...], ...}`: one column for each field, oldest first."""
        columns = {
            name: [None if row[place] != row[place] else round(row[place], decimals) for row in self._kept]
            for place, (name, decimals) in enumerate(COLUMNS.items())
        }
        return {"v": VERSION, "session": self._session, **columns}

    def feedback(self, session: str, feedback: Feedback, hz: float) -> None:
        if session != self._session or (self._kept and feedback.t_s < self._kept[-1][0]):
            self._session = session
            self._kept.clear()
        drawn = (getattr(feedback, field) for field in DRAWN)
        row = (feedback.t_s, hz, *(nan if value is None else value for value in drawn))
        self._kept.append(array("d", row))  # the whole feedback would take five times as much
        while self._kept[0][0] < feedback.t_s - KEPT_S:
            self._kept.popleft()

    def events(self, stored: Sequence[StoredEvent]) -> None:
        pass

    def summary(self, summary: SessionMessage) -> None:
        pass

    def info(self, info: InfoMessage) -> None:
        pass

    def clear_last_set(self) -> None:
        """A lifter asked to be forgotten: what was lifted in the last minute is no longer shown, either."""
        self._kept.clear()
