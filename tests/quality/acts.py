"""Joins events whose division into several is neither right nor wrong (EVENTS.md 18).

A stall is over after 10 mm of travel, and a stack that creeps on stalls again at once. Where that one begins follows
from where the first one began, which a speed near v_rest does not show exactly. So such stalls are scored as one, which
may begin anywhere in the first of them.

A force that hovers at its ceiling crosses it again and again. Where the truth does so, and stays above the loose
ceiling between two crossings, they are scored as one. A single excess must be found as one.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from tests.quality.labels import Label
from tests.quality.reported import Reported

AT_ONCE_S = 0.02
EARLY_S = 0.05  # a report may begin a little before the event

Event = TypeVar("Event", Label, Reported)


def creep(stalls: Sequence[Event]) -> list[Event]:
    """The stalls in order; those that follow one another at once are one."""
    found: list[Event] = []
    for stall in sorted(stalls, key=lambda one: one.t_s):
        last = found[-1] if found else None
        if last is None or last.duration_s is None or stall.t_s - _over_s(last) > AT_ONCE_S:
            found.append(stall)
        else:
            begins = {"from_s": last.t_s, "to_s": last.own.get("to_s", _over_s(last))}
            found[-1] = _joined(last, stall, begins)
    return found


def hovers(ceilings: Sequence[Label], loose: Sequence[Label]) -> list[Label]:
    """The loose ceilings in which the force crosses its ceiling more than once."""
    return [one for one in loose if sum(_holds(one, ceiling) for ceiling in ceilings) > 1]


def hovering(ceilings: Sequence[Event], loose: Sequence[Label]) -> list[Event]:
    """The ceilings in order; those within one of these loose ceilings are one."""
    found: list[Event] = []
    held: Label | None = None  # the loose ceiling of the last one
    for ceiling in sorted(ceilings, key=lambda one: one.t_s):
        holds = next((one for one in loose if _holds(one, ceiling)), None)
        if holds is not None and holds is held:
            found[-1] = _joined(found[-1], ceiling, {})
        else:
            found.append(ceiling)
        held = holds
    return found


def _holds(loose: Label, ceiling: Label | Reported) -> bool:
    return loose.t_s - EARLY_S <= ceiling.t_s <= loose.end_s


def _joined(first: Event, last: Event, own: dict[str, float]) -> Event:
    for_s = None if last.duration_s is None else _over_s(last) - first.t_s
    return replace(first, duration_s=for_s, own={**first.own, **own})


def _over_s(event: Label | Reported) -> float:
    return event.t_s + (event.duration_s or 0.0)
