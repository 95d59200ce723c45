"""Forgets a client: here at once, then on every machine, also on those that are away now.

A request stays open until every machine that the database knows has removed the id. Until then sets that come with the
id are stored without it. Copies elsewhere, such as backups and exports, must be removed by hand.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select, text, update

from monitor.gym.collector.collector import Collector
from monitor.gym.collector.questions import NoAnswer
from monitor.gym.database.database import Database
from monitor.gym.database.errors import DatabaseError
from monitor.gym.database.tables import clients, forget_answers, forget_requests, machines, sets
from monitor.gym.people.errors import UnknownClient
from monitor.mqtt.contract.commands import ForgetCommand
from monitor.mqtt.contract.messages import AckMessage
from monitor.worker_thread import finished

LOOK_EVERY_S = 2.0
AGAIN_AFTER_S = 60.0  # a machine that refused
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ForgetAnswer:
    """What one machine answered; `ok` is None while it has not."""

    site: str
    machine: str
    ok: bool | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class AskedForgetting:
    """`done_unix_s` is None until every machine has removed the client."""

    asked_unix_s: float
    done_unix_s: float | None
    answers: list[ForgetAnswer]


def forget_client(database: Database, client_id: str) -> str:
    """Removes the client here and asks every machine. Returns the id of the request. Raises DatabaseError."""
    request_id = uuid4().hex
    with database.writing() as connection:
        connection.execute(delete(clients).where(clients.c.client_id == client_id))
        connection.execute(update(sets).where(sets.c.client_id == client_id).values(client_id=None, note=None))
        connection.execute(insert(forget_requests).values(id=request_id, client_id=client_id, asked_unix_s=time.time()))
        known = connection.execute(select(machines.c.site, machines.c.machine)).all()
        if known:
            rows = [{"request_id": request_id, "site": site, "machine": machine} for site, machine in known]
            connection.execute(insert(forget_answers), rows)
        else:
            _end(connection, request_id)
    _remove_traces(database)
    return request_id


def check_known(connection: Connection, client_id: str) -> None:
    """A mistyped id must not look forgotten. Raises UnknownClient if no client, set or open request here has it."""
    for column in (clients.c.client_id, sets.c.client_id, forget_requests.c.client_id):
        if connection.execute(select(column).where(column == client_id).limit(1)).first() is not None:
            return
    raise UnknownClient(f"nobody has the id {client_id!r}: `rep-monitor gym people export` lists them")


def forget_request(connection: Connection, request_id: str) -> AskedForgetting | None:
    """None for an id that was never given."""
    columns = forget_requests.c
    query = select(columns.asked_unix_s, columns.done_unix_s).where(columns.id == request_id)
    row = connection.execute(query).first()
    return None if row is None else AskedForgetting(*row, answers(connection, request_id))


def answers(connection: Connection, request_id: str) -> list[ForgetAnswer]:
    """What every machine has answered so far, by site and machine."""
    columns = forget_answers.c
    query = select(columns.site, columns.machine, columns.ok, columns.detail).where(columns.request_id == request_id)
    return [ForgetAnswer(*row) for row in connection.execute(query.order_by(columns.site, columns.machine))]


async def pass_on_requests(database: Database, collector: Collector) -> None:
    """Asks each machine as soon as it is there. Runs until it is cancelled."""
    asked_s: dict[tuple[str, str, str], float] = {}
    loop = asyncio.get_running_loop()
    while True:
        with contextlib.suppress(DatabaseError):  # the collector reports it
            for request_id, client_id, site, machine in await finished(partial(_open, database)):
                now, key = collector.floor.get((site, machine)), (request_id, site, machine)
                if now is None or not now.online or loop.time() < asked_s.get(key, 0.0) + AGAIN_AFTER_S:
                    continue
                try:
                    command = ForgetCommand(id="forget", stamp_s=0.0, lifter=client_id)
                    ack = await collector.command(site, machine, command)
                except NoAnswer as silence:
                    _log.info("forget: %s", silence)
                    continue
                asked_s[key] = loop.time()
                await collector.settled()  # the request must be open while sets with the id are stored
                await finished(partial(_note, database, request_id, site, machine, ack))
        await asyncio.sleep(LOOK_EVERY_S)


def _open(database: Database) -> Sequence[tuple[str, str, str, str]]:
    """Request, client, site and machine of every answer that is missing."""
    query = (
        select(forget_requests.c.id, forget_requests.c.client_id, forget_answers.c.site, forget_answers.c.machine)
        .join(forget_answers, forget_answers.c.request_id == forget_requests.c.id)
        .where(forget_requests.c.done_unix_s.is_(None), forget_answers.c.ok.isnot(True))
        .order_by(forget_requests.c.asked_unix_s)
    )
    with database.reading() as connection:
        return [(id, client, site, machine) for id, client, site, machine in connection.execute(query)]


def _note(database: Database, request_id: str, site: str, machine: str, ack: AckMessage) -> None:
    its = (
        (forget_answers.c.request_id == request_id)
        & (forget_answers.c.site == site)
        & (forget_answers.c.machine == machine)
    )
    values = {"ok": ack.ok, "detail": ack.detail or ack.error, "answered_unix_s": time.time()}
    with database.writing() as connection:
        connection.execute(update(forget_answers).where(its).values(values))
        missing = (forget_answers.c.request_id == request_id) & forget_answers.c.ok.isnot(True)
        ended = connection.execute(select(forget_answers.c.machine).where(missing)).first() is None
        if ended:
            _end(connection, request_id)
    if ended:
        _remove_traces(database)


def _end(connection: Connection, request_id: str) -> None:
    """Nobody has the id any more, so it is removed here, too."""
    done = {"client_id": "", "done_unix_s": time.time()}
    connection.execute(update(forget_requests).where(forget_requests.c.id == request_id).values(done))


def _remove_traces(database: Database) -> None:
    """Removes the old rows from the log of SQLite, or from the tables of PostgreSQL."""
    command = (
        "PRAGMA wal_checkpoint(TRUNCATE)" if database.file is not None else "VACUUM clients, sets, forget_requests"
    )
    with database.outside_transaction() as connection:
        connection.execute(text(command))
