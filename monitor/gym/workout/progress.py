"""A client's skill and strength on one machine, over months."""

from dataclasses import dataclass

from sqlalchemy import Connection

from monitor.gym.people.clients import client
from monitor.gym.workout.main_sets import main_sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One visit."""

    ended_unix_s: float
    skill: float | None
    strength_n: float | None


def progress(connection: Connection, client_id: str, site: str, machine: str) -> list[Point]:
    """The oldest first; visits whose set has neither value are left out. Raises UnknownClient."""
    key = (site, machine)
    visits = main_sets(connection, client(connection, client_id))
    theirs = [visit.by_machine[key] for visit in visits if key in visit.by_machine]
    return [
        Point(ended_unix_s=one.ended_unix_s, skill=one.skill, strength_n=one.strength_n)
        for one in theirs
        if one.skill is not None or one.strength_n is not None
    ]
