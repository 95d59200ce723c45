"""Joins a detector's records by id: each event as it was first reported and as it ended."""

from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.events import AnyEvent


@dataclass
class Reported:
    """The records of one id."""

    kind: str
    t_s: float
    found_s: float
    duration_s: float | None
    set: int | None
    rep: int | None
    primary: bool
    cut: bool
    own: dict[str, Any]


def reported(events: list[AnyEvent]) -> tuple[list[Reported], int]:
    """Records joined by id, in the order of ids, and how many records changed their time later."""
    first: dict[int, AnyEvent] = {}
    last: dict[int, AnyEvent] = {}
    moved = 0
    for event in events:
        if event.id in first:
            moved += (event.t_s, event.found_s) != (first[event.id].t_s, first[event.id].found_s)
        first.setdefault(event.id, event)
        last[event.id] = event
    result = []
    for number, event in first.items():
        end = last[number]
        if event.kind == "set_start":  # sent again if the set begins only with a later lift-off
            event = end
        result.append(
            Reported(
                kind=event.kind,
                t_s=event.t_s,
                found_s=event.found_s,
                duration_s=end.duration_s,
                set=event.set,
                rep=event.rep,
                primary=end.part_of is None,
                cut=end.cut is True,
                own=_own(end),
            )
        )
    return result, moved


def _own(event: AnyEvent) -> dict[str, Any]:
    """All keys of an event, as in JSON; the keys of a repetition's parts are added to the others."""
    own: dict[str, Any] = msgspec.to_builtins(event)
    if event.kind == "rep":
        own["start_grade"] = (own.get("start") or {}).get("grade")
        for phase, dips in (own.get("segmented") or {}).items():
            own[f"dips_{phase}"] = dips
    return own
