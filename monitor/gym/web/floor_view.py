"""The floor as the page shows it: every machine at once, computed once a second however many screens ask."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import select

from monitor.gym.collector.collector import Collector
from monitor.gym.collector.machine import MachineNow
from monitor.gym.database.database import Database
from monitor.gym.database.errors import DatabaseError
from monitor.gym.database.tables import clients, machines
from monitor.gym.web.logins import PageRole

READ_EVERY_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownMachine:
    """A machine now. `client_id` is null where nobody lifts, or where it is not known who does."""

    site: str
    machine: str
    label: str
    position: int
    online: bool
    kind: str | None  # of the machine, as in its profile; null: it has not said
    state: dict[str, Any] | None  # the newest StateMessage of the contract, without its version
    state_age_s: float | None
    client_id: str | None
    client_name: str | None
    trouble: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownFloor:
    """Everything that the floor's view shows. `trouble`: sentences about broker and database."""

    now_unix_s: float
    trouble: list[str]
    machines: list[ShownMachine]


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What the database knows of machines and people."""

    places: dict[tuple[str, str], tuple[str | None, int]]  # label and position
    names: dict[str, tuple[str, bool]]  # a client's name, and whether there is a consent


class FloorView:
    """Reads the database in the background, so that the floor stays in view while it is away."""

    def __init__(self, database: Database, collector: Collector) -> None:
        self._database = database
        self._collector = collector
        self._known: Known | None = None
        self._trouble: str | None = None  # of the newest reading
        self._reading: asyncio.Task[None] | None = None
        self._read_s = 0.0
        self._must_wait = True  # for a reading
        self._encoded: dict[PageRole, bytes] = {}
        self._encoded_s = 0.0

    async def encoded(self, role: PageRole) -> bytes:
        """The ShownFloor as JSON, at most a second old."""
        await self._refresh()
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._encoded_s + READ_EVERY_S:
            self._encoded, self._encoded_s = {}, now_s
        if role not in self._encoded:
            self._encoded[role] = msgspec.json.encode(self.floor(role))
        return self._encoded[role]

    def changed(self) -> None:
        """The next answer is computed anew."""
        self._encoded_s = self._read_s = 0.0
        self._must_wait = True

    def floor(self, role: PageRole) -> ShownFloor:
        now_unix_s = time.time()
        known = self._known or Known(places={}, names={})
        shown = [
            _machine(site, machine, now, known, role, now_unix_s)
            for (site, machine), now in self._collector.floor.items()
        ]
        shown.sort(key=lambda each: (each.position, each.site, each.machine))
        theirs = {each.trouble for each in shown}
        trouble = [sentence for sentence in self._collector.trouble if sentence not in theirs]
        if self._trouble is not None and not any(self._trouble in sentence for sentence in trouble):
            trouble.append(self._trouble)
        return ShownFloor(now_unix_s=now_unix_s, trouble=trouble, machines=shown)

    async def _refresh(self) -> None:
        """Waits only for the first reading, and for the first after a change."""
        now_s = asyncio.get_running_loop().time()
        if self._reading is None and now_s >= self._read_s + READ_EVERY_S:
            self._read_s = now_s
            self._reading = asyncio.create_task(self._read(), name="gym: floor")
        if self._reading is not None and self._must_wait:
            await asyncio.shield(self._reading)

    async def _read(self) -> None:
        try:
            self._known = await asyncio.to_thread(_read, self._database)
            self._trouble = None
        except DatabaseError as error:
            self._trouble = str(error)
            _log.info("the floor's names are not read: %s", error)  # the collector reports it
        finally:
            self._reading, self._must_wait = None, False


def _read(database: Database) -> Known:
    with database.reading() as connection:
        columns = (machines.c.site, machines.c.machine, machines.c.label, machines.c.position)
        places = {
            (site, machine): (label, place) for site, machine, label, place in connection.execute(select(*columns))
        }
        people = connection.execute(select(clients.c.client_id, clients.c.name, clients.c.consent_on))
        names = {client_id: (name, consent_on is not None) for client_id, name, consent_on in people}
    return Known(places=places, names=names)


def _machine(site: str, machine: str, now: MachineNow, known: Known, role: PageRole, now_unix_s: float) -> ShownMachine:
    label, position = known.places.get((site, machine), (None, 0))
    name, consented = known.names.get(now.lifter or "", (None, False))
    visible = consented or role == "trainer"
    return ShownMachine(
        site=site,
        machine=machine,
        label=label or machine,
        position=position,
        online=now.online,
        kind=None if now.info is None else now.info.machine.kind,
        state=None if now.state is None else msgspec.structs.asdict(now.state),
        state_age_s=None if now.state_unix_s is None else max(0.0, now_unix_s - now.state_unix_s),
        client_id=now.lifter if visible else None,
        client_name=name if visible else None,
        trouble=now.trouble,
    )
