"""Reads the sets of a period, a client or a machine from the database, one at a time.

A name is read only of a client who consented; without consent there is the id alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection, Select, and_, case, func, select

from monitor.gym.database.tables import clients, machines, sets
from monitor.gym.people.clients import Client

ROWS_AT_ONCE = 500


class ExportRefused(Exception):
    """This cannot be exported; the message says what to give instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedSet:
    """A set, with what the files say about its machine and its client."""

    site: str
    machine: str
    label: str  # what people call the machine
    client_id: str | None
    client_name: str | None  # only with consent
    started_unix_s: float | None
    ended_unix_s: float
    load_n: float | None
    under_load_s: float
    under_tension_s: float | None
    skill: float | None
    strength_n: float | None
    failure: bool  # as marked by hand, otherwise as detected
    marked: bool  # by hand
    reps: int
    partial_reps: int
    clean_reps: int | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which sets are exported: all where nothing is given. Both days are included, in this computer's time."""

    from_day: date | None = None
    until_day: date | None = None
    client: Client | None = None
    machine: tuple[str, str] | None = None  # site and machine

    def sets(self, connection: Connection) -> Iterator[ExportedSet]:
        """In the order in which they ended. Raises ExportRefused if there are none."""
        order = (sets.c.ended_unix_s, sets.c.site, sets.c.machine, sets.c.store_id, sets.c.seq)
        query = self._chosen(select(*_COLUMNS).select_from(_SOURCE)).order_by(*order)
        found = False
        for row in connection.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}).mappings():
            found = True
            yield ExportedSet(**row)
        if not found:
            raise ExportRefused(f"no set{self._words}: choose another period, client or machine")

    def _chosen(self, query: Select[tuple[object, ...]]) -> Select[tuple[object, ...]]:
        if self.from_day is not None:
            query = query.where(sets.c.ended_unix_s >= _midnight_unix_s(self.from_day))
        if self.until_day is not None:
            query = query.where(sets.c.ended_unix_s < _midnight_unix_s(self.until_day + timedelta(days=1)))
        if self.client is not None:
            query = query.where(sets.c.client_id == self.client.client_id)
        if self.machine is not None:
            query = query.where(sets.c.site == self.machine[0], sets.c.machine == self.machine[1])
        return query

    @property
    def _words(self) -> str:
        return "".join(
            (
                f" of {self.client.name}" if self.client else "",
                f" on {'/'.join(self.machine)}" if self.machine else "",
                f" from {self.from_day}" if self.from_day else "",
                f" until {self.until_day}" if self.until_day else "",
                "" if self != Selection() else " is collected yet",
            )
        )


def day(text: str) -> date:
    """Raises ExportRefused."""
    try:
        given = date.fromisoformat(text)
        _midnight_unix_s(given + timedelta(days=1))
    except (ValueError, OverflowError, OSError):
        raise ExportRefused(f"{text!r} is no date: write it as 2026-11-29") from None
    return given


def machine_named(connection: Connection, word: str) -> tuple[str, str]:
    """Site and machine by its id, its label or `site/machine`. Raises ExportRefused."""
    query = select(machines.c.site, machines.c.machine, machines.c.label).order_by(machines.c.site, machines.c.machine)
    known = connection.execute(query).all()
    found = [(site, machine) for site, machine, label in known if word in (machine, label, f"{site}/{machine}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise ExportRefused(f"{word!r} is the name of several machines: give {_either(found)}")
    names = [(site, machine) for site, machine, _ in known]
    raise ExportRefused(f"no machine is called {word!r}" + (f": give {_either(names)}" if names else ""))


def _either(machines: list[tuple[str, str]]) -> str:
    return " or ".join("/".join(one) for one in machines[:10])


def _midnight_unix_s(day: date) -> float:
    return datetime.combine(day, time.min).astimezone().timestamp()


_SOURCE = sets.outerjoin(
    machines, and_(machines.c.site == sets.c.site, machines.c.machine == sets.c.machine)
).outerjoin(clients, clients.c.client_id == sets.c.client_id)
_COLUMNS = (
    sets.c.site,
    sets.c.machine,
    func.coalesce(machines.c.label, sets.c.machine).label("label"),
    sets.c.client_id,
    case((clients.c.consent_on.is_not(None), clients.c.name)).label("client_name"),
    sets.c.started_unix_s,
    sets.c.ended_unix_s,
    sets.c.load_n,
    sets.c.under_load_s,
    sets.c.under_tension_s,
    sets.c.skill,
    sets.c.strength_n,
    func.coalesce(sets.c.marked_failure, sets.c.outcome == "failure").label("failure"),
    sets.c.marked_failure.is_not(None).label("marked"),
    sets.c.reps,
    sets.c.partial_reps,
    sets.c.clean_reps,
    sets.c.note,
)
