"""Joins the stalls of a stack that creeps.

A stall is over after 10 mm of travel, and a stack that creeps on stalls again at once. Where that one begins follows
from where the first one began, which a speed near v_rest does not show exactly: neither right nor wrong (EVENTS.md 18).
So they are scored as one, which may begin anywhere in the first of them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from tests.quality.labels import Label
from tests.quality.reported import Reported

AT_ONCE_S = 0.02

Stall = TypeVar("Stall", Label, Reported)


def joined(stalls: Sequence[Stall]) -> list[Stall]:
    """The stalls in order; those that follow one another at once are one."""
    found: list[Stall] = []
    for stall in sorted(stalls, key=lambda one: one.t_s):
        last = found[-1] if found else None
        over_s = None if last is None or last.duration_s is None else last.t_s + last.duration_s
        if last is None or over_s is None or stall.t_s - over_s > AT_ONCE_S:
            found.append(stall)
            continue
        for_s = None if stall.duration_s is None else stall.t_s + stall.duration_s - last.t_s
        begins = {"from_s": last.t_s, "to_s": last.own.get("to_s", over_s)}
        found[-1] = replace(last, duration_s=for_s, own={**last.own, **begins})
    return found
