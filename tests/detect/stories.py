"""Tells a spine a short story of movements whose truth is known, and returns its events."""

from typing import Any

from firmware_bridge.samples import Samples
from monitor.detect.spine import Spine
from tests.movements import LEAD_S, PROFILES, Act, Down, Leg, Movement, Still, Trouble

EASE_S = 0.12  # either end of a leg over the range in 2 s is slower than v_rest for this long
LOW_S = 0.13  # the stack is lower than 3 mm for this long before and after it rests
UP: list[Act] = [Leg(1.0, 2.0), Still(0.4)]
REP: list[Act] = [*UP, Leg(0.0, 2.0), Still(0.4)]
END: list[Act] = [Down(6.0)]


def story(
    acts: list[Act], name: str = "stack", troubles: tuple[Trouble, ...] = (), higher_m: float = 0.0
) -> tuple[list[Any], Spine]:
    """The last record of each event; `higher_m`: how far the encoder slipped before the session."""
    movement = Movement((Leg(0.0, 0.5), Still(0.4), *acts), troubles)
    rows = movement.samples()
    spine = Spine(PROFILES[name], "s")
    events = spine.update(Samples(rows.t_s, rows.position_m + higher_m, rows.force_n, rows.flags)).events
    events += spine.finish().events
    return list({event.id: event for event in events}.values()), spine


def of(kind: str, acts: list[Act], name: str = "stack", **how: Any) -> list[Any]:
    return [event for event in story(acts, name, **how)[0] if event.kind == kind]


def only(events: list[Any]) -> Any:
    assert len(events) == 1, events
    return events[0]


STARTED_S = LEAD_S + 0.5 + 0.4  # when the acts begin
