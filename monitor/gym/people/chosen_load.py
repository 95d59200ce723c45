"""A load that a trainer chose is for the next set: the first one that begins after the choice uses it up.

It does not matter with which load that set was done. A choice during a set is for the set after it.
"""

import time

from sqlalchemy import ColumnElement, and_, case, exists, func

from monitor.gym.database.tables import client_machines, sets

LEAST_S = 10.0  # under load; a shorter set tries the machine out


def unused_load_n() -> ColumnElement[float | None]:
    """For a query of `client_machines`: the chosen load, or null where it was used."""
    choice = client_machines.c
    began_unix_s = func.coalesce(sets.c.started_unix_s, sets.c.ended_unix_s - sets.c.under_load_s)
    is_used = exists().where(
        and_(
            sets.c.client_id == choice.client_id,
            sets.c.site == choice.site,
            sets.c.machine == choice.machine,
            sets.c.ended_unix_s.between(choice.next_load_unix_s, time.time()),  # not by a clock that is far ahead
            sets.c.under_load_s >= LEAST_S,
            began_unix_s >= choice.next_load_unix_s,
        )
    )
    return case((~is_used, choice.next_load_n)).label("next_load_n")
