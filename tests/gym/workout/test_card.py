"""The card: machines, visits, sheets, suggestions; and the progress on one machine."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, update

from monitor.gym.database.database import Database
from monitor.gym.database.tables import client_machines
from monitor.gym.people.clients import Client, Setting, add_client, change_client, set_setting
from monitor.gym.people.errors import UnknownClient
from monitor.gym.people.people_csv import export_people
from monitor.gym.workout.card import CardCell, card
from monitor.gym.workout.errors import UnknownSheet
from monitor.gym.workout.machine_facts import plates_n
from monitor.gym.workout.progress import Point, progress
from tests.gym.workout.floor_rows import KG, NOON_UNIX_S, set_row, store_machine, store_sets

DAY_S = 86_400.0
PLATES = {"v": 1, "machine": {"id": "row", "plates_kg": [90.0, 100.0, 110.0]}, "more": [1]}


def rows_of(client: Client, visits: int) -> list[dict[str, Any]]:
    """Two machines a visit; the row once more, shortly."""
    rows = []
    for number in range(visits):
        at = NOON_UNIX_S + 3 * number * DAY_S
        rows += [
            set_row("row", at + 200, client.client_id, outcome="failure", under_load_s=95 + number),
            set_row("chest", at, client.client_id, skill=None, strength_n=None),
            set_row("row", at + 300, client.client_id, under_load_s=3.0),
        ]
    return rows


@contextmanager
def queries(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def look(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", look)
    yield seen
    event.remove(database.engine, "before_cursor_execute", look)


def test_a_card_has_machines_and_visits(database: Database) -> None:
    with database.writing() as connection:
        ada = add_client(connection, "Ada", "2026-01-01")
        store_machine(connection, "row", label="Row", position=2, info=PLATES)
        store_machine(connection, "chest", position=1, info=["of another make"])
        store_machine(connection, "unused", position=3)
        dip = Setting(site="rep", machine="dip", seat="2", next_load_n=300.0)
        set_setting(connection, ada.client_id, dip)
        store_sets(connection, [*rows_of(ada, 35), set_row("unused", NOON_UNIX_S, None)])
    with database.reading() as connection, queries(database) as seen:
        newest = card(connection, ada.client_id)
        assert len([each for each in seen if each != "BEGIN"]) == 5, "however many visits and machines"
        begins = [NOON_UNIX_S + 3 * number * DAY_S - 80 for number in range(35)]
        assert (newest.client, newest.sheet, newest.sheets) == (ada, 0, 3)
        assert newest.visits_began_unix_s == begins[19:]
        assert [(row.label, row.setting.seat) for row in newest.rows] == [("dip", "2"), ("chest", ""), ("Row", "")]
        dip_row, chest, row = newest.rows
        assert dip_row.setting == dip
        assert dip_row.cells == [None] * 16
        assert row.cells[-1] == CardCell(load_n=100 * KG, under_load_s=129.0, failure=True, order=2, skill=0.9)
        assert chest.cells[0] == CardCell(load_n=100 * KG, under_load_s=70.0, failure=False, order=1, skill=None)
        assert (row.suggestion.change, row.suggestion.load_n) == ("up", 110 * KG)
        assert (chest.suggestion.change, chest.suggestion.load_n) == ("same", 100 * KG)
        oldest = card(connection, ada.client_id, 2)
        assert oldest.visits_began_unix_s == begins[:3]
        assert card(connection, ada.client_id, 1).visits_began_unix_s == begins[3:19]
        assert oldest.rows[2].suggestion == row.suggestion, "it is from the newest set"
        for sheet in (3, -1):
            with pytest.raises(UnknownSheet, match="give 0 to 2; 0 has the newest"):
                card(connection, ada.client_id, sheet)
        with pytest.raises(UnknownClient):
            card(connection, "c-0000000000")
        points = progress(connection, ada.client_id, "rep", "row")
        assert points[0] == Point(ended_unix_s=NOON_UNIX_S + 200, skill=0.9, strength_n=1000.0)
        assert len(points) == 35
        assert not progress(connection, ada.client_id, "rep", "chest")


def test_a_card_without_sets_or_consent_shows_the_settings(lone_database: Database) -> None:
    with lone_database.writing() as connection:
        ada = add_client(connection, "Ada", "2026-01-01")
        assert card(connection, ada.client_id).rows == []
        set_setting(connection, ada.client_id, Setting(site="rep", machine="row", seat="2"))
        store_sets(connection, rows_of(ada, 1))
        assert len(card(connection, ada.client_id).visits_began_unix_s) == 1
        change_client(connection, ada.client_id, consent_on=None)
        hidden = card(connection, ada.client_id)
        assert (hidden.client, hidden.sheets) == (replace(ada, consent_on=None), 1)
        assert (hidden.visits_began_unix_s, [row.cells for row in hidden.rows]) == ([], [[]])
        assert hidden.rows[0].suggestion.reason == "No set on this machine yet."
        assert not progress(connection, ada.client_id, "rep", "row")


@pytest.mark.parametrize(
    "info",
    [None, [], 5, {}, {"machine": None}, {"machine": {"plates_kg": "many"}}, {"machine": {"plates_kg": None}}],
)
def test_a_machine_that_says_nothing_about_plates_has_none(info: object) -> None:
    assert plates_n(info) == ()


def test_plates_rise() -> None:
    assert plates_n({"machine": {"plates_kg": [20, 10.0, 10, -1]}}) == (10 * KG, 20 * KG)


def test_a_set_that_begins_after_the_choice_uses_the_chosen_load_up(database: Database) -> None:
    def next_load_n(*ended_unix_s: float, under_load_s: float = 70.0) -> float | None:
        rows = [set_row("row", each, ada.client_id, under_load_s=under_load_s) for each in ended_unix_s]
        with database.writing() as connection:
            store_sets(connection, rows)
            return card(connection, ada.client_id).rows[0].setting.next_load_n

    row = Setting(site="rep", machine="row", next_load_n=300.0)
    with database.writing() as connection:
        ada = add_client(connection, "Ada", "2026-01-01")
        set_setting(connection, ada.client_id, row)
        connection.execute(update(client_machines).values(next_load_unix_s=NOON_UNIX_S))
    clock_ahead_unix_s = time.time() + DAY_S / 2
    assert next_load_n(NOON_UNIX_S - DAY_S, NOON_UNIX_S + 79, clock_ahead_unix_s) == 300.0, (
        "they began before, or never"
    )
    assert next_load_n(NOON_UNIX_S + 90, under_load_s=9.0) == 300.0, "it tried the machine out"
    with database.writing() as connection:
        set_setting(connection, ada.client_id, replace(row, seat="4"))  # chooses nothing anew
    assert next_load_n(NOON_UNIX_S + 81) is None
    with database.writing() as connection:
        set_setting(connection, ada.client_id, replace(row, seat="5", next_load_n=None))
        assert "300" not in export_people(connection)
        set_setting(connection, ada.client_id, row)
    assert next_load_n(NOON_UNIX_S + 90) == 300.0, "the same load, chosen again"
