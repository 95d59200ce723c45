"""The states of the lifter's display, and what the machine does so that each of them is shown."""

from functools import partial
from typing import Any

from monitor.events import ForceCeiling, Jerk
from tests.browser import Page
from tests.display.look import look
from tests.display.stage import IDLE, DisplayStage


def play(stage: DisplayStage, state: str) -> None:
    """What the machine does so that the display shows the state."""
    match state:
        case "idle":
            stage.live(IDLE)
        case "in":
            stage.live(tension=1.03, position=0.5, pace=0.6)
        case "low":
            stage.live(tension=0.78, band="low", cue="low", phase="negative")
        case "high":
            stage.live(tension=1.24, band="high", cue="high")
        case "lockout":
            stage.live(resting="lockout", cue="lockout", phase="upper_turn", position=0.99)
        case "correcting":
            stage.live(cue="speed_over")
        case "pause":
            stage.live(tension=0.1, band=None, resting="bottom", cue="stack_touch", phase="rest", position=0.0)
        case "heave":
            stage.live(tension=1.2, band="high")
            stage.event(Jerk, cause="mid", peak_g=0.2)
        case "alarm":
            stage.live(tension=1.5, band="high")
            stage.event(ForceCeiling, duration_s=None, peak_tension_n=1200.0)
        case "learning":
            stage.live(tension=None, band=None, load_n=None, load_from="unknown", rep=0)
        case "fault":
            stage.live(tension=None, tension_n=None, band=None, fault="frozen")
        case "stale":
            stage.silence()
        case "offline":
            stage.silence()
            stage.status(state="offline")
        case "summary":
            stage.end_set()
        case _:
            raise ValueError(state)


SHOWN: dict[str, dict[str, str]] = {
    "idle": {"state": "idle", "band": "none"},
    "in": {"state": "set", "band": "in", "cue": "positive"},
    "low": {"state": "set", "band": "low", "cue": "low"},
    "high": {"state": "set", "band": "high", "cue": "high"},
    "lockout": {"state": "set", "resting": "lockout", "cue": "lockout"},
    "correcting": {"state": "set", "band": "in", "cue": "speed_over", "correcting": "true"},
    "pause": {"state": "set", "resting": "pause", "cue": "pause"},
    "heave": {"state": "set", "heave": "jerk", "cue": "jerk"},
    "alarm": {"state": "alarm", "cue": "force_ceiling", "band": "high"},
    "learning": {"state": "learning", "cue": "learning", "band": "none"},
    "fault": {"state": "fault", "reason": "frozen"},
    "stale": {"state": "stale", "reason": "late"},
    "offline": {"state": "offline", "reason": "machine"},
    "summary": {"state": "summary"},
}


def show(page: Page, stage: DisplayStage, state: str) -> dict[str, Any]:
    play(stage, state)
    fleeting = state == "heave"  # is shown for little more than a second
    return look(page, "true", partial(play, stage, state) if fleeting else None, **SHOWN[state])
