"""Reads the sets whose values can be true, with what the gym knows of their client and machine.

A machine without a clock, or of another make, may report anything. Odd sets stay in the database, and are counted.
"""

import time
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, between, case, func, not_, or_, select

from monitor.gym.database.tables import client_machines, clients, machines, sets
from monitor.mqtt.contract.commands import MOST_LOAD_N

BEGIN_OF_2000_UNIX_S = 946_684_800.0
DAY_S = 86_400.0  # no set is longer, and no clock is further ahead

SetRow = dict[str, Any]  # the columns of `sets`, and name, label, seat

_OF_THE_SET = [column for column in sets.columns if column.name not in ("session", "set_no", "record")]
_NAME = case((clients.c.consent_on.isnot(None), clients.c.name)).label("name")  # null without consent
_LABEL = func.coalesce(machines.c.label, sets.c.machine).label("label")
_SEAT = func.coalesce(client_machines.c.seat, "").label("seat")
_JOINED = (
    sets.outerjoin(clients, clients.c.client_id == sets.c.client_id)
    .outerjoin(machines, and_(machines.c.site == sets.c.site, machines.c.machine == sets.c.machine))
    .outerjoin(
        client_machines,
        and_(
            client_machines.c.client_id == sets.c.client_id,
            client_machines.c.site == sets.c.site,
            client_machines.c.machine == sets.c.machine,
        ),
    )
)
_ORDER = (sets.c.ended_unix_s, sets.c.site, sets.c.machine, sets.c.store_id, sets.c.seq)


def sound_sets(connection: Connection, *where: ColumnElement[bool]) -> list[SetRow]:
    """In the order of their ends. The name is null without consent."""
    return [dict(row) for row in connection.execute(sets_query(*where)).mappings()]


def sets_query(*where: ColumnElement[bool]) -> Select[Any]:
    columns = (*_OF_THE_SET, _NAME, _LABEL, _SEAT)
    return select(*columns).select_from(_JOINED).where(_sound(), *where).order_by(*_ORDER)


def odd_sets(connection: Connection, *where: ColumnElement[bool]) -> int:
    """How many sets no visit shows, because their values cannot be true."""
    return connection.execute(select(func.count()).select_from(sets).where(not_(_sound()), *where)).scalar_one()


def _sound() -> ColumnElement[bool]:
    columns = sets.c
    return and_(
        between(columns.ended_unix_s, BEGIN_OF_2000_UNIX_S, time.time() + DAY_S),
        _null_or(columns.started_unix_s, columns.ended_unix_s - DAY_S, columns.ended_unix_s),
        between(columns.under_load_s, 0, DAY_S),
        _null_or(columns.under_tension_s, 0, DAY_S),
        _null_or(columns.load_n, 0, MOST_LOAD_N),
        _null_or(columns.strength_n, 0, MOST_LOAD_N),
        _null_or(columns.skill, 0, 1),
    )


def _null_or(column: ColumnElement[float], low: object, high: object) -> ColumnElement[bool]:
    return or_(column.is_(None), between(column, low, high))
