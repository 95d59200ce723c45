"""What a detector told, joined by id: an event as it was first told and as it ended."""

from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.events import AnyEvent


@dataclass
class Told:
    """What was told under one id."""

    kind: str
    t_s: float
    found_s: float
    duration_s: float | None
    set: int | None
    rep: int | None
    primary: bool
    cut: bool
    own: dict[str, Any]


def told(events: list[AnyEvent]) -> tuple[list[Told], int]:
    """Records joined by id, in the order of ids; and how many changed their time after they were told."""
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
        if event.kind == "set_start":  # sent again where the set only begins with a later lift-off
            event = end
        result.append(
            Told(
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
    """All keys, whatever they are, as JSON has them; those of a repetition's parts beside the others."""
    own: dict[str, Any] = msgspec.to_builtins(event)
    if event.kind == "rep":
        own["start_grade"] = (own.get("start") or {}).get("grade")
        for phase, dips in (own.get("segmented") or {}).items():
            own[f"dips_{phase}"] = dips
    return own
