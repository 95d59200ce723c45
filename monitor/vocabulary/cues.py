"""The cues that an event can give, the most important first; their words are in the page's cue packs."""

from typing import Literal, NamedTuple

Urgency = Literal["alarm", "heave", "rest", "pace"]


class Cue(NamedTuple):
    key: str
    urgency: Urgency


CUES = (
    Cue("force_ceiling", "alarm"),
    Cue("slack", "heave"),
    Cue("drop", "heave"),
    Cue("jerk_start", "heave"),
    Cue("jerk", "heave"),
    Cue("bounce", "heave"),
    Cue("abrupt", "heave"),
    Cue("stack_touch", "heave"),
    Cue("bottom", "rest"),
    Cue("lockout", "rest"),
    Cue("stall", "pace"),
    Cue("speed_over", "pace"),
    Cue("low", "pace"),
    Cue("high", "pace"),
)
