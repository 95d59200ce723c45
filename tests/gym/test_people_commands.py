"""`rep-monitor gym people` and `rep-monitor gym card`, as a trainer types them."""

from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.gym.database.database import open_database
from monitor.gym.people.clients import Setting, add_client, set_setting
from tests.gym.workout.floor_rows import KG, NOON_UNIX_S, set_row, store_machine, store_sets

DAY_S = 86_400.0


@pytest.fixture
def gym(tmp_path: Path) -> list[str]:
    """The beginning of the command; the gym knows Ada, who was there on 20 days, and two of the name Ben."""
    url = f"sqlite:///{tmp_path / 'gym.db'}"
    (tmp_path / "gym.toml").write_text(f"[store]\nurl = '{url}'\n")
    database = open_database(url)
    with database.writing() as connection:
        ada = add_client(connection, "Ada", "2026-01-01").client_id
        add_client(connection, "Ben", None)
        add_client(connection, "Ben", None)
        set_setting(connection, ada, Setting(site="rep", machine="row", seat="4", next_load_n=55 * KG))
        store_machine(connection, "row", label="\x1b[2JRow", info={"machine": {"plates_kg": [50.0, 55.0, 60.0]}})
        failed = {"under_load_s": 100.0, "load_n": 55 * KG, "outcome": "failure"}
        store_sets(connection, [set_row("row", NOON_UNIX_S + n * DAY_S, ada, **failed) for n in range(20)])
        store_sets(connection, [set_row("row", 1.0, ada)])
    database.close()
    return ["gym", "--config", str(tmp_path / "gym.toml")]


def test_people_leave_and_come_back(gym: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "people.csv"
    assert main([*gym, "people", "export", str(file)]) == 0
    assert file.read_text("utf-8-sig").count("\n") == 4
    assert not file.stat().st_mode & 0o007, "it contains names"
    assert main([*gym, "people", "export", str(file)]) == 2
    assert "people.csv exists: give the name of a new file" in capsys.readouterr().err
    with file.open("a", encoding="utf-8") as opened:
        opened.write(",Cleo,,,,dip,3,,,,,\r\n")
    assert main([*gym, "people", "import", str(file)]) == 0
    said = capsys.readouterr().out
    assert "clients: 1 added, 0 changed; machine settings: 1 added or changed\n" in said
    assert "rep/dip has never been seen here" in said
    assert main([*gym, "people", "import", str(file)]) == 2
    said = capsys.readouterr().err
    assert "people.csv: line 5, client_id: is empty, and c-" in said
    assert said.endswith("nothing was imported\n")
    assert main([*gym, "people", "import", str(tmp_path / "nothing.csv")]) == 2
    assert "nothing.csv: no such file" in capsys.readouterr().err


def test_a_card_is_printed(gym: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    assert main([*gym, "card", "ada"]) == 0
    said = capsys.readouterr().out
    assert "Ada  c-" in said
    assert said.count("55.0 (1)") == 2, "as many visits as there is room for"
    assert said.count("100 s F") == 2
    assert "a wider terminal shows 14 more visits" in " ".join(said.split())
    assert "4    │ 60-90 s │ 55.0" in said
    assert "\\x1b[2JRow: 60.0 kg, up. 100 s under load, above the window of 60 to 90 s, at failure: one" in said
    assert "sets that cannot be true and are not shown: 1; check the clocks" in said
    assert main([*gym, "card", "Ada", "--sheet", "1", "--weights", "lb"]) == 0
    assert "121.3 (1)" in capsys.readouterr().out
    for words, remedy in [
        (("Ben",), "2 clients have the name 'Ben': give an id, c-"),
        (("Cleo",), "no client has the id or the name 'Cleo': `rep-monitor gym people export` lists them"),
        (("Ada", "--sheet", "9"), "the card has no sheet 9: give 0 to 1"),
    ]:
        assert main([*gym, "card", *words]) == 2
        assert remedy in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["gym", "card", "Ada"],
        ["gym", "people", "export", "people.csv"],
        ["gym", "handout", "Ada", "--out", "ada.html"],
        ["gym", "backup", "backup.db"],
        ["gym", "forget", "c-ada"],
        ["export", "--sets", "--to", "csv", "--out", "sets.csv"],
    ],
    ids=lambda words: words[1],
)
def test_a_mistyped_address_makes_no_database(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gym.toml").write_text(f"[store]\nurl = 'sqlite:///{tmp_path / 'gmy' / 'gym.db'}'\n")
    assert main([words[0], "--config", "gym.toml", *words[1:]]) == 1
    assert "gmy/gym.db: correct [store] url, or start `rep-monitor gym`" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["gym.toml"]


def test_a_mistyped_id_is_not_said_to_be_forgotten(gym: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*gym, "forget", "c-nobody"]) == 2
    said = capsys.readouterr()
    assert "nobody has the id 'c-nobody': `rep-monitor gym people export` lists them" in said.err
    assert not said.out
