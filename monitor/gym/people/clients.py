"""Reads and changes the clients, and how each machine is set for them. Names live here only.

Every function works inside the caller's transaction and raises PeopleError with the remedy: UnknownClient, BadField.
"""

import secrets
import string
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypedDict, Unpack

from sqlalchemy import ColumnElement, Connection, insert, select, update

from monitor.gym.database.inserting import insert_or_change
from monitor.gym.database.tables import client_machines
from monitor.gym.database.tables import clients as table
from monitor.gym.people.chosen_load import unused_load_n
from monitor.gym.people.errors import UnknownClient
from monitor.gym.people.fields import (
    MOST_SEAT,
    checked_consent,
    checked_load,
    checked_machine,
    checked_name,
    checked_note,
    checked_protocol,
    checked_site,
    checked_text,
    checked_window,
)

WINDOW_S = (60.0, 90.0)  # of the time under load, where nobody chose another
MachineKey = tuple[str, str]  # site, machine
ID_ALPHABET, ID_LENGTH = string.ascii_lowercase + string.digits, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client: an opaque id for machines, and a name or alias for people."""

    client_id: str
    name: str
    consent_on: str | None  # an ISO date; None: nothing is shown under the name, and no machine gets the id
    note: str
    created_unix_s: float


class ClientChanges(TypedDict, total=False):
    """What is not given stays as it is."""

    name: str
    consent_on: str | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a machine is set for a client. The window is of the time under load."""

    site: str
    machine: str
    seat: str = ""
    window_low_s: float = WINDOW_S[0]
    window_high_s: float = WINDOW_S[1]
    protocol: str | None = None  # as `cmd/protocol` names it; None: the machine's own
    next_load_n: float | None = None  # chosen by the trainer for the next set; None: nothing, or it was used
    note: str = ""


Settings = Mapping[str, Mapping[MachineKey, Setting]]  # by client


def clients(connection: Connection) -> list[Client]:
    """Everybody, by name."""
    found = [_client(row) for row in connection.execute(select(table)).mappings()]
    return sorted(found, key=lambda one: (one.name.casefold(), one.client_id))


def client(connection: Connection, client_id: str) -> Client:
    row = connection.execute(select(table).where(table.c.client_id == client_id)).mappings().first()
    if row is None:
        raise UnknownClient(f"nobody has the id {client_id!r}: look in the list of clients")
    return _client(row)


def add_client(connection: Connection, name: str, consent_on: str | None, note: str = "") -> Client:
    """Raises BadField."""
    given = Client(client_id=new_client_id(), name=name, consent_on=consent_on, note=note, created_unix_s=time.time())
    added = checked_client(given)
    connection.execute(insert(table).values(client_row(added)))
    return added


def change_client(connection: Connection, client_id: str, **changes: Unpack[ClientChanges]) -> Client:
    """Raises UnknownClient, BadField."""
    changed = checked_client(replace(client(connection, client_id), **changes))
    connection.execute(update(table).where(table.c.client_id == client_id).values(client_row(changed)))
    return changed


def checked_client(client: Client) -> Client:
    """The client as it is stored. Raises BadField."""
    return replace(
        client,
        name=checked_name(client.name),
        consent_on=checked_consent(client.consent_on),
        note=checked_note(client.note),
    )


def client_row(client: Client) -> dict[str, Any]:
    return {column.name: getattr(client, column.name) for column in table.columns}


def settings_of(connection: Connection, client_id: str) -> list[Setting]:
    """By site and machine. Raises UnknownClient."""
    client(connection, client_id)
    query = select(*_setting_columns()).where(client_machines.c.client_id == client_id)
    order = (client_machines.c.site, client_machines.c.machine)
    return [Setting(**row) for row in connection.execute(query.order_by(*order)).mappings()]


def all_settings(connection: Connection) -> Settings:
    found: dict[str, dict[MachineKey, Setting]] = {}
    for row in connection.execute(select(client_machines.c.client_id, *_setting_columns())).mappings():
        one = Setting(**{name: value for name, value in row.items() if name != "client_id"})
        found.setdefault(row["client_id"], {})[one.site, one.machine] = one
    return found


def setting(connection: Connection, client_id: str, site: str, machine: str) -> Setting:
    """With the defaults where nobody has set the machine for this client. Raises UnknownClient."""
    for one in settings_of(connection, client_id):
        if (one.site, one.machine) == (site, machine):
            return one
    return Setting(site=site, machine=machine)


def set_setting(connection: Connection, client_id: str, setting: Setting) -> None:
    """Raises UnknownClient, BadField."""
    before = {client_id: {(one.site, one.machine): one for one in settings_of(connection, client_id)}}
    store_settings(connection, [(client_id, checked_setting(setting))], before)


def store_settings(connection: Connection, given: Sequence[tuple[str, Setting]], before: Settings) -> None:
    """Checked settings, by client. A load that stays as it was before is not chosen anew."""
    kept, chosen = [], []
    for client_id, one in given:
        row = {"client_id": client_id} | asdict(one)
        was = before.get(client_id, {}).get((one.site, one.machine))
        if was is not None and was.next_load_n == one.next_load_n:
            kept.append(row)
        else:
            chosen.append(row | {"next_load_unix_s": time.time()})
    insert_or_change(connection, client_machines, kept)
    insert_or_change(connection, client_machines, chosen)


def checked_setting(setting: Setting) -> Setting:
    """The setting as it is stored. Raises BadField."""
    low_s, high_s = checked_window(setting.window_low_s, setting.window_high_s)
    return Setting(
        site=checked_site(setting.site),
        machine=checked_machine(setting.machine),
        seat=checked_text("seat", setting.seat, MOST_SEAT),
        window_low_s=low_s,
        window_high_s=high_s,
        protocol=checked_protocol(setting.protocol),
        next_load_n=checked_load(setting.next_load_n),
        note=checked_note(setting.note),
    )


def new_client_id() -> str:
    return "c-" + "".join(secrets.choice(ID_ALPHABET) for _ in range(ID_LENGTH))


def _client(row: Any) -> Client:
    return Client(**{column.name: row[column.name] for column in table.columns})


def _setting_columns() -> list[ColumnElement[Any]]:
    unused = {"next_load_n": unused_load_n()}
    return [unused.get(name, client_machines.c[name]) for name in Setting.__dataclass_fields__]
