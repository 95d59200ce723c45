"""A client's skill and strength on one machine, over months."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One visit."""

    ended_unix_s: float
    skill: float | None
    strength_n: float | None
