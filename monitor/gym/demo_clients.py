"""The simulated clients of the demo in the gym's database: enters them, and counts what was collected of each."""

import time
from collections.abc import Mapping, Sequence

from sqlalchemy import func, insert, select

from monitor.gym.database.database import Database
from monitor.gym.database.tables import clients, sets
from monitor.gym.people.clients import Setting, set_setting
from monitor.mqtt.contract.topics import ROOT

WINDOW_S = (40.0, 55.0)  # the sets of the demo are short


def enter_clients(database: Database, client_ids: Mapping[str, str], machines: Sequence[str] = ()) -> None:
    """`client_ids`: by name. All have consented, and have a seat at each machine. Raises DatabaseError."""
    now_unix_s = time.time()
    today = time.strftime("%Y-%m-%d", time.localtime(now_unix_s))
    rows = [
        {"client_id": client_id, "name": name, "consent_on": today, "created_unix_s": now_unix_s}
        for name, client_id in client_ids.items()
    ]
    with database.writing() as connection:
        connection.execute(insert(clients), rows)
        for number, client_id in enumerate(client_ids.values()):
            for place, machine in enumerate(machines):
                seat = str(2 + (3 * number + place) % 5)
                its = Setting(
                    site=ROOT, machine=machine, seat=seat, window_low_s=WINDOW_S[0], window_high_s=WINDOW_S[1]
                )
                set_setting(connection, client_id, its)


def sets_by_name(database: Database) -> dict[str, int]:
    """How many sets were collected of each client, by name. Raises DatabaseError."""
    theirs = clients.outerjoin(sets, clients.c.client_id == sets.c.client_id)
    query = select(clients.c.name, func.count(sets.c.seq)).select_from(theirs).group_by(clients.c.name)
    with database.reading() as connection:
        return {name: number for name, number in connection.execute(query)}
