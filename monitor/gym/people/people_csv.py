"""Writes all people as a table (CSV) that spreadsheets open, and reads it back.

client_id,name,consent_on,note,site,machine,seat,window_low_s,window_high_s,protocol,next_load_kg,machine_note
c-3k9x0a7m2q,Ada,2026-11-29,,rep,leg-press,4,60,90,10/10,102.5,
c-3k9x0a7m2q,Ada,2026-11-29,,rep,row,2,60,90,,,pad forward
c-8d1f5t6y7u,Ben,,,,,,,,,,                              no machine is set for Ben yet, and he has not consented
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from monitor.gym.database.inserting import insert_or_change
from monitor.gym.database.tables import clients as clients_table
from monitor.gym.database.tables import forget_requests, machines
from monitor.gym.people.clients import Client, Settings, all_settings, client_row, clients, store_settings
from monitor.gym.people.people_cells import COLUMNS, client_cells, setting_cells
from monitor.gym.people.people_plan import PeoplePlan
from monitor.gym.people.people_table import guarded, people_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import changed."""

    added: int  # clients
    changed: int  # clients
    settings: int  # machines of clients, added or changed
    unseen_machines: list[str]  # site/machine of settings for machines that the gym has never seen: typing errors?


def export_people(connection: Connection) -> str:
    return people_csv(clients(connection), all_settings(connection))


def people_csv(clients: Sequence[Client], settings: Settings) -> str:
    """Begins with a byte order mark, without which a spreadsheet would show other letters for ä and é. Pure."""
    file = io.StringIO(newline="")
    rows = csv.writer(file)
    rows.writerow(COLUMNS)
    for client in clients:
        theirs = sorted(settings.get(client.client_id, {}).items())
        for cells in [setting_cells(setting) for _, setting in theirs] or [{}]:
            row = client_cells(client) | cells
            rows.writerow([guarded(row.get(name, "")) for name in COLUMNS])
    return f"\ufeff{file.getvalue()}"


def import_people(connection: Connection, text: str) -> ImportReport:
    """Adds and changes people; removes nobody. All or nothing. Raises PeopleTableError."""
    known = {client.client_id: client for client in clients(connection)}
    open_requests = select(forget_requests.c.client_id).where(forget_requests.c.done_unix_s.is_(None))
    before = all_settings(connection)
    plan = PeoplePlan(known, before, set(connection.execute(open_requests).scalars()))
    plan.take(people_rows(text))
    insert_or_change(connection, clients_table, [client_row(client) for client in (*plan.added, *plan.changed)])
    store_settings(connection, plan.settings, before)
    seen = {f"{site}/{machine}" for site, machine in connection.execute(select(machines.c.site, machines.c.machine))}
    return ImportReport(
        added=len(plan.added),
        changed=len(plan.changed),
        settings=len(plan.settings),
        unseen_machines=sorted({f"{setting.site}/{setting.machine}" for _, setting in plan.settings} - seen),
    )
