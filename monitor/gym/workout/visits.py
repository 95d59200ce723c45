"""A visit: the sets of one client, in order, whose gaps are below three hours."""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, update

from monitor.gym.database.tables import sets
from monitor.gym.people.fields import checked_note
from monitor.gym.workout.errors import UnknownSet
from monitor.gym.workout.sound_sets import SetRow, sound_sets

GAP_S = 3 * 3600.0
LONGEST_S = 26 * 3600.0  # of a visit, or of a day; so far around a period sets are read


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSet:
    """One set. What is null is not known."""

    site: str
    machine: str
    store_id: str
    seq: int  # with site, machine and store_id: its key
    label: str  # what people call the machine
    ended_unix_s: float
    started_unix_s: float | None
    load_n: float | None
    seat: str  # as the machine is set for the client now
    under_load_s: float
    under_tension_s: float | None
    skill: float | None
    strength_n: float | None
    outcome: str  # as detected
    failure: bool  # as marked by hand, else as detected
    marked_failure: bool | None
    reps: int
    partial_reps: int
    clean_reps: int | None
    pause_before_s: float | None  # since the end of the client's set before it; null also where clocks disagree
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A client's way through the gym. Without a client: the sets of everybody whom no machine named."""

    client_id: str | None  # as the machines had it; perhaps nobody knows it any more
    name: str | None  # null also without consent
    began_unix_s: float
    ended_unix_s: float
    sets: list[VisitSet]


def visits(
    connection: Connection,
    client_id: str | None = None,
    since_unix_s: float | None = None,
    until_unix_s: float | None = None,
) -> list[Visit]:
    """The whole visits in which a set ended in that time, in the order of their beginnings; of one client, or all.

    Sets without a client are in one visit for each local day. A client has no name without consent.
    """
    since_unix_s = -math.inf if since_unix_s is None else since_unix_s
    until_unix_s = math.inf if until_unix_s is None else until_unix_s
    where = [] if client_id is None else [sets.c.client_id == client_id]
    if since_unix_s > -math.inf:
        where.append(sets.c.ended_unix_s >= since_unix_s - LONGEST_S)
    if until_unix_s < math.inf:
        where.append(sets.c.ended_unix_s < until_unix_s + LONGEST_S)
    found = [_visit(rows) for rows in grouped(sound_sets(connection, *where))]
    return [visit for visit in found if any(since_unix_s <= one.ended_unix_s < until_unix_s for one in visit.sets)]


def mark_set(
    connection: Connection,
    site: str,
    machine: str,
    store_id: str,
    seq: int,
    marked_failure: bool | None,
    note: str | None,
) -> VisitSet:
    """Stores what the trainer says about a set; `marked_failure` None: as detected. Raises UnknownSet, BadField."""
    its = and_(sets.c.site == site, sets.c.machine == machine, sets.c.store_id == store_id, sets.c.seq == seq)
    rows = sound_sets(connection, its)
    if not rows:
        raise UnknownSet(f"{site}/{machine} has no set {seq} of store {store_id}: load the visits again")
    values = {"marked_failure": marked_failure, "note": checked_note(note or "") or None}
    connection.execute(update(sets).where(its).values(values))
    ended_unix_s = rows[0]["ended_unix_s"]
    found = visits(connection, rows[0]["client_id"], ended_unix_s, math.nextafter(ended_unix_s, math.inf))
    key = (site, machine, store_id, seq)
    return next(one for visit in found for one in visit.sets if (one.site, one.machine, one.store_id, one.seq) == key)


def grouped(rows: Iterable[SetRow]) -> list[list[SetRow]]:
    """The rows of each visit, from rows in the order of their ends. Pure, but for the local day."""
    groups: list[list[SetRow]] = []
    open_groups: dict[object, list[SetRow]] = {}
    for row in rows:
        client_id = row["client_id"]
        who = client_id if client_id is not None else time.localtime(row["ended_unix_s"])[:3]
        group = open_groups.get(who)
        if group is None or (client_id is not None and _began(row) - group[-1]["ended_unix_s"] >= GAP_S):
            group = open_groups[who] = []
            groups.append(group)
        group.append(row)
    return sorted(groups, key=lambda group: min(map(_began, group)))


def _visit(rows: Sequence[SetRow]) -> Visit:
    first = rows[0]
    nobody = first["client_id"] is None
    return Visit(
        client_id=first["client_id"],
        name=first["name"],
        began_unix_s=min(map(_began, rows)),
        ended_unix_s=rows[-1]["ended_unix_s"],
        sets=[_set(row, None if nobody else before) for row, before in zip(rows, [None, *rows[:-1]], strict=True)],
    )


def _set(row: SetRow, before: SetRow | None) -> VisitSet:
    detected = row["outcome"] == "failure"
    marked = row["marked_failure"]
    values = {name: row[name] for name in VisitSet.__dataclass_fields__ if name in row}
    return VisitSet(**values, failure=detected if marked is None else marked, pause_before_s=_pause_s(row, before))


def _pause_s(row: SetRow, before: SetRow | None) -> float | None:
    if before is None or row["started_unix_s"] is None or row["started_unix_s"] < before["ended_unix_s"]:
        return None
    return float(row["started_unix_s"] - before["ended_unix_s"])


def _began(row: SetRow) -> float:
    """An old program does not report the beginning; the time under load is the least that the set lasted."""
    started_unix_s = row["started_unix_s"]
    return float(row["ended_unix_s"] - row["under_load_s"] if started_unix_s is None else started_unix_s)
