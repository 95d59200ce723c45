"""Decides what a table of people changes, before anything is changed. Pure, but for new ids and the time."""

import time
from collections.abc import Collection, Mapping, Sequence

from monitor.gym.people.clients import Client, MachineKey, Setting, Settings, new_client_id
from monitor.gym.people.errors import BadField, PeopleTableError
from monitor.gym.people.fields import checked_client_id, checked_name
from monitor.gym.people.people_cells import OF_CLIENT, OF_SETTING, Cells, changed_client, changed_setting
from monitor.gym.people.people_table import PeopleRow
from monitor.mqtt.contract.topics import ROOT


class PeoplePlan:
    """`known` and `settings` are what there is, by client; `forgotten` are ids."""

    def __init__(
        self,
        known: Mapping[str, Client],
        settings: Settings,
        forgotten: Collection[str],
    ) -> None:
        self._known = known
        self._settings = settings
        self._forgotten = forgotten
        self._id_of = {client.name.casefold(): client.client_id for client in known.values()}
        self._new_id_of: dict[str, str] = {}  # of clients whose rows have no id, by name
        self._clients: dict[str, tuple[int, Client]] = {}  # with the first line of each
        self._set: dict[tuple[str, MachineKey], tuple[int, Setting]] = {}

    @property
    def added(self) -> list[Client]:
        return [client for _, client in self._clients.values() if client.client_id not in self._known]

    @property
    def changed(self) -> list[Client]:
        each = (client for _, client in self._clients.values())
        return [client for client in each if self._known.get(client.client_id, client) != client]

    @property
    def settings(self) -> list[tuple[str, Setting]]:
        """By client: the new ones, and those that change."""
        each = ((client_id, key, setting) for (client_id, key), (_, setting) in self._set.items())
        return [(client_id, it) for client_id, key, it in each if self._settings.get(client_id, {}).get(key) != it]

    def take(self, rows: Sequence[PeopleRow]) -> None:
        """Raises PeopleTableError with the first mistake of each row."""
        mistakes = []
        for row in rows:
            try:
                self._take(row)
            except BadField as mistake:
                mistakes.append(f"line {row.line}, {mistake}")
        if mistakes:
            raise PeopleTableError(mistakes)

    def _take(self, row: PeopleRow) -> None:
        client_id = self._client_id(row.cells)
        new = Client(client_id=client_id, name="", consent_on=None, note="", created_unix_s=time.time())
        client = changed_client(self._known.get(client_id, new), row.cells)
        line, first = self._clients.setdefault(client_id, (row.line, client))
        for name in OF_CLIENT:
            if row.cells.get(name) and getattr(client, name) != getattr(first, name):
                raise BadField(name, f"differs from line {line}; write the same in every row of a client")
        self._id_of.setdefault(client.name.casefold(), client_id)
        self._take_setting(row, client_id)

    def _client_id(self, cells: Cells) -> str:
        """The id in the row, or that of a new client."""
        client_id, name = cells.get("client_id", ""), cells.get("name", "")
        if client_id in self._known:
            return client_id
        if client_id in self._forgotten:
            raise BadField("client_id", "is that of a client who was forgotten; remove the row")
        if client_id:
            checked_client_id(client_id)
        if not name:
            raise BadField("name", "is empty; give a name or an alias, or the id of a client who is known")
        return client_id or self._new_client_id(checked_name(name).casefold())

    def _new_client_id(self, name: str) -> str:
        if name not in self._new_id_of:
            if name in self._id_of:
                remedy = f"{self._id_of[name]} has this name; give that id, or the new client another name"
                raise BadField("client_id", f"is empty, and {remedy}")
            self._new_id_of[name] = new_client_id()
        return self._new_id_of[name]

    def _take_setting(self, row: PeopleRow, client_id: str) -> None:
        machine = row.cells.get("machine", "")
        if not machine:
            if given := [name for name in ("site", *OF_SETTING) if row.cells.get(name)]:
                raise BadField("machine", f"is empty, but {given[0]} is not; name the machine")
            return
        key = (row.cells.get("site") or ROOT, machine)
        if (client_id, key) in self._set:
            line, _ = self._set[client_id, key]
            raise BadField("machine", f"has a row for this client already, line {line}; remove one of them")
        before = self._settings.get(client_id, {}).get(key, Setting(site=key[0], machine=key[1]))
        cells = {name: cell for name, cell in row.cells.items() if name in OF_SETTING}
        self._set[client_id, key] = row.line, changed_setting(before, cells)
