"""Finds the visit that a trainer means: the newest, or that of a day."""

from sqlalchemy import Connection

from monitor.gym.people.clients import Client
from monitor.gym.people.errors import PeopleError
from monitor.gym.workout.visits import Visit, visits
from monitor.report.local_time import local_moment

SHOWN = 3  # visits that a message names


class HandoutRefused(PeopleError):
    """There is no such visit; the message says what to ask for instead."""


def chosen_visit(connection: Connection, person: Client, when: str | None) -> Visit:
    """`when`: a day of this computer's time as 2026-11-29, or more of the moment. Raises HandoutRefused."""
    found = visits(connection, person.client_id)
    if not found:
        raise HandoutRefused(f"{person.name} has no visit yet: a machine must know who lifts")
    fitting = [visit for visit in found if _moment(visit).startswith(when or "")]
    if len(fitting) == 1 or (fitting and when is None):
        return fitting[-1]
    if fitting:
        raise HandoutRefused(f"{person.name} has several visits then: give the time, too, as {_either(fitting)}")
    raise HandoutRefused(f"{person.name} has no visit on {when!r}: the last ones began on {_either(found)}")


def _either(visits: list[Visit]) -> str:
    return " or ".join(f"'{_moment(visit)}'" for visit in visits[-SHOWN:])


def _moment(visit: Visit) -> str:
    began = local_moment(visit.began_unix_s)
    assert began is not None, "visits have sound times"
    return f"{began:%Y-%m-%d %H:%M}"
