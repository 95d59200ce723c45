"""The table of people: it comes back as it was, whatever program saved it, or is refused as a whole."""

import codecs
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from monitor.gym.database.database import Database
from monitor.gym.database.tables import forget_requests
from monitor.gym.people.clients import (
    Client,
    MachineKey,
    Setting,
    add_client,
    all_settings,
    change_client,
    checked_client,
    checked_setting,
    client,
    clients,
    set_setting,
    settings_of,
)
from monitor.gym.people.errors import PeopleTableError
from monitor.gym.people.people_cells import COLUMNS
from monitor.gym.people.people_csv import ImportReport, export_people, import_people, people_csv
from monitor.gym.people.people_plan import PeoplePlan
from monitor.gym.people.people_table import guarded, people_rows, people_text, unguarded
from tests.gym.workout.floor_rows import KG, store_machine
from tests.soak import long, soak

HEADER = ",".join(COLUMNS)
ADA, BEN = "c-000000000a", "c-000000000b"
LETTERS = st.characters(exclude_categories=["Cs", "Cc", "Cf"], exclude_characters="\ufffd") | st.sampled_from(
    "=+-@',;\"#"
)
TEXT = st.text(LETTERS, max_size=9)
CLIENT = st.builds(
    Client,
    client_id=st.from_regex(r"c-[a-z0-9]{10}", fullmatch=True),
    name=TEXT.filter(str.strip),
    consent_on=st.none() | st.dates(date(1990, 1, 1), date(2026, 1, 1)).map(str),
    note=st.text(LETTERS | st.just("\n"), max_size=9),
    created_unix_s=st.just(0.0),
).map(checked_client)
WINDOW_S = st.tuples(st.floats(1, 3600), st.floats(1, 3600)).map(sorted)
SETTING = st.builds(
    lambda window_s, **values: Setting(window_low_s=window_s[0], window_high_s=window_s[1], **values),
    WINDOW_S,
    site=st.sampled_from(["rep", "berlin/rep"]),
    machine=st.sampled_from(["row", "leg-press"]),
    seat=TEXT,
    protocol=st.none() | TEXT.filter(str.strip),
    next_load_n=st.none() | st.floats(21, 19_999),
    note=TEXT,
).map(checked_setting)


def report(added: int = 0, changed: int = 0, settings: int = 0, unseen: Sequence[str] = ()) -> ImportReport:
    return ImportReport(added=added, changed=changed, settings=settings, unseen_machines=list(unseen))


@given(st.text(LETTERS | st.sampled_from("\t\r"), max_size=9))
def test_a_guarded_cell_is_no_formula_and_comes_back(text: str) -> None:
    assert guarded(text)[:1] not in {*"=+-@\t\r"}
    assert unguarded(guarded(text)) == text


@soak
@settings(max_examples=long(300, 25))
@given(st.lists(st.tuples(CLIENT, st.lists(SETTING, max_size=3)), max_size=4, unique_by=lambda each: each[0].client_id))
def test_a_table_comes_back(people: list[tuple[Client, list[Setting]]]) -> None:
    known = {one.client_id: one for one, _ in people}
    settings: dict[str, dict[MachineKey, Setting]] = {
        one.client_id: {(each.site, each.machine): each for each in theirs} for one, theirs in people
    }
    rows = people_rows(people_text(people_csv(list(known.values()), settings).encode()))
    same = PeoplePlan(known, settings, ())
    same.take(rows)
    assert (same.added, same.changed, same.settings) == ([], [], []), "an unchanged table changes nothing"
    other = PeoplePlan({}, {}, ())
    other.take(rows)
    assert [replace(one, created_unix_s=0.0) for one in other.added] == list(known.values())
    assert len(other.settings) == sum(map(len, settings.values()))
    for client_id, it in other.settings:
        was = settings[client_id][it.site, it.machine]
        assert it == replace(
            was, window_low_s=it.window_low_s, window_high_s=it.window_high_s, next_load_n=it.next_load_n
        )
        assert (it.window_low_s, it.window_high_s) == pytest.approx((was.window_low_s, was.window_high_s), abs=1e-4)
        assert it.next_load_n == (None if was.next_load_n is None else pytest.approx(was.next_load_n, abs=1e-3))


def test_people_are_added_and_changed(database: Database) -> None:
    with database.writing() as connection:
        ada = add_client(connection, "Ada", "2026-01-01", "=knee")
        ben = add_client(connection, "Ben", None)
        row = Setting(site="rep", machine="row", seat="4", window_low_s=40, next_load_n=123.456, protocol="10/10")
        set_setting(connection, ada.client_id, row)
        set_setting(connection, ada.client_id, Setting(site="berlin/rep", machine="row"))
        store_machine(connection, "row")
        exported = export_people(connection)
        assert exported.startswith(f"\ufeff{HEADER}\r\n{ada.client_id},Ada,2026-01-01,'=knee,berlin/rep,row,,60,90,")
        assert exported.endswith(f"\r\n{ben.client_id},Ben,,,,,,,,,,\r\n")
        assert import_people(connection, exported) == report()
        changes = (
            "name;machine;seat;next_load_kg;client_id;consent_on\n"
            f"Ada;row;5;52,5;{ada.client_id};01.02.2026\n"
            f"Benjamin;row;;;{ben.client_id};\n"
            f"Cleo;;;;;\n"
            f"Cleo;dip;2;;;\n"
            f"Dan;;;;{BEN};2026-03-01\n"
        )
        assert import_people(connection, changes) == report(added=2, changed=2, settings=3, unseen=["rep/dip"])
    with database.reading() as connection:
        assert client(connection, ada.client_id) == replace(ada, consent_on="2026-02-01")
        changed = replace(row, seat="5", next_load_n=52.5 * KG)
        assert settings_of(connection, ada.client_id)[1] == changed, "a column that is not there changes nothing"
        assert client(connection, BEN).consent_on == "2026-03-01"
        assert [one.name for one in clients(connection)] == ["Ada", "Benjamin", "Cleo", "Dan"]
        cleo = clients(connection)[2]
        assert settings_of(connection, cleo.client_id) == [Setting(site="rep", machine="dip", seat="2")]


@pytest.mark.parametrize(
    "data",
    [
        b"client_id,name,seat,machine\r\n,Ad\xc3\xa4,4,row\r\n\r\n",
        b'\xef\xbb\xbfsep=;\r\nName;Machine;Seat;;\r\n"Ad\xc3\xa4";row;4;;\r\n;;;;\r\n',
        "name\tmachine\tseat\nAdä\trow\t4\n".encode("utf-16"),
        codecs.BOM_UTF16_BE + "name\tmachine\tseat\nAda\u0308\trow\t4".encode("utf-16-be"),
        b"name,site,machine,seat\rAd\xc3\xa4,rep,row, 4 \r",
    ],
)
def test_whatever_a_spreadsheet_saved(data: bytes) -> None:
    plan = PeoplePlan({}, {}, ())
    plan.take(people_rows(people_text(data)))
    assert [one.name for one in plan.added] == ["Adä"]
    assert [it for _, it in plan.settings] == [Setting(site="rep", machine="row", seat="4")]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "the table is empty: its first line must be client_id,name,consent_on"),
        ("Ada,4\n", "line 1 has no column client_id or name: it must be client_id,name"),
        ("name,tel\nAda,5", "line 1: 'tel' is no column; the columns are client_id, name"),
        ("name,name\nAda,Ada", "line 1: the column name is there twice"),
        ("name,note\n\nAda", "line 3 has 1 cells and needs 2"),
        ("name,note\nAda,x,y", "line 2 has 3 cells and needs 2"),
        ('name,note\nAda,"x', r'line 2 has an opening quote \("\) without a closing one'),
        ("name\n" + "x" * 140_000, "line 2 has a cell of more than 131072 characters: shorten it"),
        ('name,note\nBen,"a\nb"\n,x', "line 4, name: is empty; give a name or an alias, or the id of a client"),
        (f"client_id,name\n{BEN},", "line 2, name: is empty"),
        ("client_id,name\nAda,Ada", "line 2, client_id: must be c- and ten of a-z and 0-9; leave it empty"),
        ("name\nada", f"line 2, client_id: is empty, and {ADA} has this name; give that id, or the new client another"),
        (
            "client_id,name\nc-forgotten0,Eve",
            "line 2, client_id: is that of a client who was forgotten; remove the row",
        ),
        (f"client_id,name\n{BEN},Ben\n{BEN},Bob", "line 3, name: differs from line 2; write the same in every row"),
        ("name,seat\nBen,4", "line 2, machine: is empty, but seat is not; name the machine"),
        ("name,machine\nBen,row\nBen,row", "line 3, machine: has a row for this client already, line 2; remove one"),
        ("name,machine\nBen,a/b", "line 2, machine: must be the machine's id"),
        ("name,consent_on\nBen,11/29/2026", "line 2, consent_on: is not a date; write it as 2026-11-29"),
        ("name,consent_on\nBen,2999-01-01", "line 2, consent_on: is in the future"),
        ("name,machine,next_load_kg\nBen,row,50 kg", "next_load_kg: is '50 kg'; write a number such as 72.5, without"),
        ("name,machine,next_load_kg\nBen,row,-5", "next_load_kg: is '-5'; write a number"),
        ('name,machine,next_load_kg\nBen,row,"1,500"', "next_load_kg: must be 2 to 2039 kg, or empty"),
        ("name,machine,window_low_s\nBen,row,0", "window_low_s: must be 1 to 3600 seconds"),
        ("name,machine,window_low_s\nBen,row,95", r"window_low_s: must not be above window_high_s \(90 s\)"),
        ("name,machine,machine_note\nBen,row," + "x" * 1001, "machine_note: has 1001 characters; shorten it to 1000"),
        ("name\n" + "x" * 101, "line 2, name: has 101 characters"),
        ("name\nA\x07", "line 2, name: has control characters"),
        ("name\n" + "Ben\n" * 20_001, "more than 20000 rows: split it"),
        ("name\n" + "x" * (4 * 2**20), "larger than 4 MiB: split it"),
    ],
)
def test_a_mistake_names_its_line_and_the_remedy(table: str, said: str) -> None:
    ada = Client(client_id=ADA, name="Ada", consent_on=None, note="", created_unix_s=0.0)
    plan = PeoplePlan({ADA: ada}, {}, {"c-forgotten0"})
    with pytest.raises(PeopleTableError, match=said):
        plan.take(people_rows(table))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"name\nAd\xe4\n", 'line 2 is not UTF-8: save the table as "CSV UTF-8"'),
        (b"PK\x03\x04", r"the table is a spreadsheet \(xlsx, ods\).*save the sheet as CSV"),
        (b"name\0\xff", "the table is not text"),
        (b"x" * (4 * 2**20 + 1), "larger than 4 MiB"),
    ],
)
def test_a_file_that_is_no_table_says_how_to_save_it(data: bytes, said: str) -> None:
    with pytest.raises(PeopleTableError, match=said):
        people_text(data)


def test_a_table_with_a_mistake_changes_nothing(lone_database: Database) -> None:
    with lone_database.writing() as connection:
        ada = add_client(connection, "Ada", None)
        gone = add_client(connection, "Gone", None)
        change_client(connection, ada.client_id, note="x")
        connection.execute(insert(forget_requests).values(id="1", client_id="c-000000000f", asked_unix_s=1.0))
        before = clients(connection), all_settings(connection)
        table = (
            f"client_id,name\n,Ben\n{ada.client_id},Eva\nc-000000000f,Eve\n{gone.client_id},\n" + ",\n" + "x,\n" * 30
        )
        with pytest.raises(PeopleTableError) as refused:
            import_people(connection, table)
        assert len(refused.value.mistakes) == 21
        assert refused.value.mistakes[0].startswith("line 4, client_id: is that of a client who was forgotten")
        assert refused.value.mistakes[-1] == "11 more mistakes follow"
        assert (clients(connection), all_settings(connection)) == before
