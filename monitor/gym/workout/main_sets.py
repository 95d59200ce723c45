"""The one set that stands for a machine in a visit: of several, the longest under load."""

from typing import NamedTuple

from sqlalchemy import Connection

from monitor.gym.people.clients import Client, MachineKey
from monitor.gym.workout.visits import Visit, VisitSet, visits


class MainSets(NamedTuple):
    """A visit. The machines are in the order of their sets."""

    began_unix_s: float
    by_machine: dict[MachineKey, VisitSet]


def main_sets(connection: Connection, client: Client) -> list[MainSets]:
    """Of every visit of the client, the oldest first; nothing without consent."""
    if client.consent_on is None:
        return []
    return [MainSets(visit.began_unix_s, _by_machine(visit)) for visit in visits(connection, client.client_id)]


def _by_machine(visit: Visit) -> dict[MachineKey, VisitSet]:
    longest: dict[MachineKey, VisitSet] = {}
    for one in visit.sets:
        key = (one.site, one.machine)
        if key not in longest or one.under_load_s > longest[key].under_load_s:
            longest[key] = one
    return dict(sorted(longest.items(), key=lambda item: item[1].ended_unix_s))
