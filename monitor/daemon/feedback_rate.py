"""Decides how often live feedback is published: at the live rate, or once a second while nothing changes.

change     |          |
published  |||||||||||||||||||||  |          |          |     (EVENTS.md 16, "Feedback at rest")
                      <- HOLD_S -><- once a second: feedback_hz is 1 ->
"""

import math
from operator import attrgetter

from monitor.events import Feedback
from monitor.mqtt.contract.messages import LIVE_HZ, REST_HZ
from monitor.profile.limits import Limits

HOLD_S = 1.0  # after the last change the live rate goes on for this long
MEASURED = {"t_s", "tension_n", "tension", "position", "velocity_m_s"}
_stated = attrgetter(*(key for key in Feedback.__struct_fields__ if key not in MEASURED))


class FeedbackRate:
    """The rate of one session. Call `due_hz` with feedback in the order of time."""

    def __init__(self) -> None:
        self._before: Feedback | None = None  # at the last change, or the last published at rest
        self._live_until_s = 0.0
        self.at_rest = False

    def due_hz(self, feedback: Feedback, limits: Limits) -> float | None:
        """The rate to publish this feedback with; None if it need not be published."""
        before, now_s = self._before, feedback.t_s
        if before is None or feedback.set is not None or _differs(before, feedback, limits):
            self._before, self._live_until_s = feedback, now_s + HOLD_S
        if now_s < self._live_until_s:
            self.at_rest = False
            return LIVE_HZ
        if self.at_rest and before is not None and now_s - before.t_s < 1 / REST_HZ - 1 / (2 * LIVE_HZ):
            return None
        self._before, self.at_rest = feedback, True
        return REST_HZ


def _differs(before: Feedback, now: Feedback, limits: Limits) -> bool:
    detect = limits.detect
    return (
        _stated(before) != _stated(now)
        or abs(now.velocity_m_s or 0.0) > limits.v_rest_m_s
        or _moved(before.tension_n, now.tension_n, detect.held.unknown_n)
        or _moved(before.position, now.position, detect.set.off_rest_m / limits.span_m if limits.span_m else math.inf)
    )


def _moved(before: float | None, now: float | None, limit: float) -> bool:
    if before is None or now is None:
        return before is not now
    return abs(now - before) > limit
