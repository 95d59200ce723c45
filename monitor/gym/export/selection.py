"""Reads the sets of a period, a client or a machine from the database, one at a time.

Without consent there is the id alone, no name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Connection, RowMapping, select

from monitor.gym.database.tables import machines, sets
from monitor.gym.people.clients import Client
from monitor.gym.workout.sound_sets import odd_sets, sets_query

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
        found = False
        query = sets_query(*self._where)
        for row in connection.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}).mappings():
            found = True
            yield _exported(row)
        if not found:
            raise ExportRefused(f"no set{self._words}: choose another period, client or machine")

    def left_out(self, connection: Connection) -> int:
        """How many sets are not exported, because their values cannot be true."""
        return odd_sets(connection, *self._where)

    @property
    def _where(self) -> list[ColumnElement[bool]]:
        where = []
        if self.from_day is not None:
            where.append(sets.c.ended_unix_s >= _midnight_unix_s(self.from_day))
        if self.until_day is not None:
            where.append(sets.c.ended_unix_s < _midnight_unix_s(self.until_day + timedelta(days=1)))
        if self.client is not None:
            where.append(sets.c.client_id == self.client.client_id)
        if self.machine is not None:
            where += [sets.c.site == self.machine[0], sets.c.machine == self.machine[1]]
        return where

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
        for each in (given, given + timedelta(days=1)):
            _midnight_unix_s(each)
    except (ValueError, OverflowError, OSError):
        raise ExportRefused(f"{text!r} is not a date: write it as 2026-11-29") from None
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


def _exported(row: RowMapping) -> ExportedSet:
    marked = row["marked_failure"]
    return ExportedSet(
        **{name: row[name] for name in ExportedSet.__dataclass_fields__ if name in row},
        client_name=row["name"],
        failure=row["outcome"] == "failure" if marked is None else marked,
        marked=marked is not None,
    )
