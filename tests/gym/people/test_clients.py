"""Clients and their machine settings, in SQLite and in PostgreSQL."""

import re
from dataclasses import replace

import pytest

from monitor.gym.database.database import Database
from monitor.gym.people.clients import (
    Setting,
    add_client,
    change_client,
    client,
    clients,
    set_setting,
    setting,
    settings_of,
)
from monitor.gym.people.errors import BadField, UnknownClient


def test_a_client_is_added_changed_and_found(database: Database) -> None:
    with database.writing() as connection:
        ben = add_client(connection, "ben", None)
        ada = add_client(connection, "  A\u0308da ", "2026-11-01", "knee\r\nleft")
        assert re.fullmatch(r"c-[a-z0-9]{10}", ada.client_id)
        assert (ada.name, ada.consent_on, ada.note) == ("Äda", "2026-11-01", "knee\nleft")
        assert change_client(connection, ben.client_id) == ben
        changed = change_client(connection, ben.client_id, name="Ben", consent_on="2026-11-02")
        assert changed == replace(ben, name="Ben", consent_on="2026-11-02")
        assert change_client(connection, ben.client_id, consent_on=None).consent_on is None
    with database.reading() as connection:
        assert [one.name for one in clients(connection)] == ["Ben", "Äda"]
        assert client(connection, ada.client_id) == ada
        for unknown in (
            lambda: client(connection, "c-0000000000"),
            lambda: change_client(connection, "c-0000000000", name="x"),
            lambda: settings_of(connection, "c-0000000000"),
            lambda: set_setting(connection, "c-0000000000", Setting(site="rep", machine="row")),
        ):
            with pytest.raises(UnknownClient, match="nobody has the id 'c-0000000000'"):
                unknown()


def test_a_machine_is_set_for_a_client(database: Database) -> None:
    row = Setting(site="berlin/rep", machine="row", seat=" 4 ", window_low_s=40, next_load_n=500.5, protocol="10/10")
    with database.writing() as connection:
        ada, ben = add_client(connection, "Ada", None), add_client(connection, "Ben", None)
        set_setting(connection, ada.client_id, row)
        set_setting(connection, ada.client_id, Setting(site="rep", machine="row"))
        set_setting(connection, ada.client_id, replace(row, seat="5", protocol=None))
        set_setting(connection, ben.client_id, row)
    changed = replace(row, seat="5", protocol=None)
    with database.reading() as connection:
        assert settings_of(connection, ada.client_id) == [changed, Setting(site="rep", machine="row")]
        assert setting(connection, ben.client_id, "berlin/rep", "row") == replace(row, seat="4")
        assert setting(connection, ben.client_id, "rep", "row") == Setting(site="rep", machine="row")


def test_a_wrong_value_names_its_field_and_the_remedy(lone_database: Database) -> None:
    row = Setting(site="rep", machine="row")
    with lone_database.writing() as connection:
        ada = add_client(connection, "Ada", None)
        for changes, said in [
            ({"name": " "}, "name: is empty; give a name or an alias"),
            ({"name": "x" * 101}, "name: has 101 characters; shorten it to 100"),
            ({"name": "a\nb"}, "name: has control characters"),
            ({"name": "a\ud800b"}, "name: has control characters"),
            ({"name": "J\ufffdrg"}, "name: has a character that was lost; save the table as UTF-8"),
            ({"note": "a\x00b"}, "note: has control characters"),
            ({"consent_on": "yes"}, "consent_on: is not a date; write it as 2026-11-29"),
            ({"consent_on": "20261101"}, "consent_on: is no plain date"),
            ({"consent_on": "9999-01-01"}, "consent_on: is in the future"),
        ]:
            with pytest.raises(BadField, match=said):
                change_client(connection, ada.client_id, **changes)
        nan = float("nan")
        for wrong, said in [
            (replace(row, site="rep/#"), "site: must be 1 to 4 levels"),
            (replace(row, machine="a/b"), "machine: must be the machine's id"),
            (replace(row, window_low_s=95), r"window_low_s: must not be above window_high_s \(90 s\)"),
            (replace(row, window_low_s=nan), "window_low_s: must be 1 to 3600 seconds"),
            (replace(row, window_high_s=1e9), "window_high_s: must be 1 to 3600 seconds"),
            (replace(row, next_load_n=nan), "next_load_n: must be 20 to 20000 N, or empty"),
            (replace(row, protocol="x" * 65), "protocol: has 65 characters"),
        ]:
            with pytest.raises(BadField, match=said):
                set_setting(connection, ada.client_id, wrong)
        assert client(connection, ada.client_id) == ada
        assert not settings_of(connection, ada.client_id)
