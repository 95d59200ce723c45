"""The handout: what it says of a visit, and that it is one sheet of paper."""

import base64
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from monitor.__main__ import main
from monitor.gym.database.database import Database
from monitor.gym.handout.choosing import HandoutRefused, chosen_visit
from monitor.gym.handout.handout import handout
from monitor.gym.handout.pictures import line_picture, window_picture
from monitor.gym.people.clients import Setting, add_client, change_client, client, set_setting
from monitor.gym.people.consent import NoConsent
from monitor.gym.people.errors import UnknownClient
from monitor.gym.workout.visits import visits
from tests import needs
from tests.browser import Browser
from tests.display.axe import violations
from tests.gym.collected import NOON_UNIX_S, add_machine, add_set
from tests.soak import long, soak

G = 9.80665
WEEK_S = 7 * 86_400.0
MOST_MACHINES = 12
PLAIN = {ord("\N{NO-BREAK SPACE}"): " ", ord("\N{EN DASH}"): "-"}
PHONE, LAPTOP = (390, 844), (1280, 800)
PLATES: dict[str, Any] = {"machine": {"plates_kg": [70.0, 75.0, 80.0, 85.0, 90.0]}}


class Cells(HTMLParser):
    """The text of each cell, row by row; the texts of a cell are joined by |."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.labels: list[str] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._inside = True
        self.labels += [value or "" for name, value in attrs if name == "aria-label"]

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += ("|" if self.rows[-1][-1] else "") + data.translate(PLAIN)


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def enter_ada(connection: Connection) -> str:
    """Two visits to the leg press, in the second one two more machines. Returns her id."""
    ada = add_client(connection, "Ada <b>", "2025-11-01").client_id
    for machine, label in (("leg-press", "Leg press"), ("row", None), ("chest", "Chest press")):
        add_machine(connection, machine, label, info=PLATES)
    set_setting(connection, ada, Setting(site="rep", machine="leg-press", seat="4"))
    set_setting(connection, ada, Setting(site="rep", machine="row", next_load_n=85 * G, window_high_s=120))
    add_set(connection, ada, "leg-press", NOON_UNIX_S - WEEK_S, load_n=75 * G, strength_n=75 * G, skill=0.7)
    at_failure = {"outcome": "failure", "load_n": 80 * G, "strength_n": 80 * G, "skill": 0.9}
    add_set(connection, ada, "leg-press", NOON_UNIX_S, under_load_s=95.0, started_unix_s=NOON_UNIX_S - 99, **at_failure)
    add_set(connection, ada, "row", NOON_UNIX_S + 130, under_load_s=80.0, partial_reps=1, reps=1, marked_failure=False)
    unknown: dict[str, Any] = dict.fromkeys(("load_n", "strength_n", "skill", "under_tension_s", "started_unix_s"))
    add_set(connection, ada, "chest", NOON_UNIX_S + 300, under_load_s=50.0, note="a secret of the trainer", **unknown)
    return ada


def page_of(connection: Connection, client_id: str, number: int = -1, units: Any = "kg") -> str:
    return handout(connection, client_id, visits(connection, client_id)[number].began_unix_s, units)


def test_it_says_what_was_counted_and_what_was_chosen(lone_database: Database) -> None:
    with lone_database.writing() as connection:
        ada = enter_ada(connection)
        page = page_of(connection, ada)
        cells = Cells(page)
    assert cells.rows[1:] == [
        [
            "1. Leg press|Seat 4", "80.0 kg|4 reps", "95 s|above the window, 60-90 s|64 s of it under tension", "90%",
            "80.0 kg", "at failure", "-",
            "85.0 kg|suggested, not chosen: 95 s under load, above the window of 60 to 90 s, at failure: one plate up.",
        ],
        [
            "2. row", "81.6 kg|1 rep, 1 partial", "80 s|in the window, 60-120 s|64 s of it under tension", "80%",
            "81.6 kg", "before failure, marked by the trainer", "45 s", "85.0 kg|chosen by the trainer",
        ],
        [
            "3. Chest press", "-|4 reps", "50 s|below the window, 60-90 s|tension not known", "-", "-",
            "no failure seen", "-", "-|not chosen: The load of the last set is not known.",
        ],
    ]  # fmt: skip
    assert "<p>Training visit</p>" not in page
    assert '<time datetime="2025-11-28T12:58:21+01:00">2025-11-28, 12:58 CET (UTC+1)</time>, until 13:05' in page
    assert "3 machines, 3 sets · 3:45 min under load</p>" in page, "no sum of what is not known"
    assert "<h1>Ada &lt;b&gt;</h1>" in page
    assert "secret" not in page
    assert cells.labels == [
        "Sets of the visit",
        "95 s under load, beside the window from 60 to 90 s",
        "Skill in the last 2 visits: 70%, 90%",
        "Strength in the last 2 visits: 75.0 kg, 80.0 kg",
        "80 s under load, beside the window from 60 to 120 s",
        "50 s under load, beside the window from 60 to 90 s",
    ]


def test_an_older_visit_has_no_next_load_and_no_later_figures(lone_database: Database) -> None:
    with lone_database.writing() as connection:
        ada = enter_ada(connection)
        cells = Cells(page_of(connection, ada, 0, "lb"))
    assert [row[-1] for row in cells.rows[1:]] == ["-"]
    assert cells.rows[1][1] == "165.3 lb|4 reps"
    assert len(cells.labels) == 2, "one visit is no line"


def test_the_last_of_several_sets_on_a_machine_has_the_next_load(lone_database: Database) -> None:
    with lone_database.writing() as connection:
        ada = enter_ada(connection)
        add_set(connection, ada, "row", NOON_UNIX_S + 500)
        cells = Cells(page_of(connection, ada))
    assert [row[-1][:7] for row in cells.rows[1:]] == ["85.0 kg", "-", "-|not c", "85.0 kg"]


def test_it_is_refused_with_the_remedy(lone_database: Database) -> None:
    with lone_database.writing() as connection:
        ada = enter_ada(connection)
        with pytest.raises(UnknownClient):
            handout(connection, "c-0000000000", NOON_UNIX_S, "kg")
        for began_unix_s in (NOON_UNIX_S + WEEK_S, float("nan"), float("inf")):
            with pytest.raises(HandoutRefused, match="no visit of Ada <b> began then: look in the list of visits"):
                handout(connection, ada, began_unix_s, "kg")
        began_unix_s = visits(connection, ada)[-1].began_unix_s
        change_client(connection, ada, consent_on=None)
        with pytest.raises(NoConsent, match="has given no consent: record the day of the consent first"):
            handout(connection, ada, began_unix_s, "kg")


def test_a_visit_is_chosen_by_its_day(lone_database: Database) -> None:
    with lone_database.writing() as connection:
        ada = client(connection, enter_ada(connection))
        first, last = visits(connection, ada.client_id)
        assert chosen_visit(connection, ada, None) == last
        assert chosen_visit(connection, ada, "2025-11-21") == first
        for when, said in {
            "2025-11": "several visits then: give the time, too, as '2025-11-21 12:58' or '2025-11-28 12:58'",
            "2025-12-24": "no visit on '2025-12-24': the last ones began on '2025-11-21 12:58' or '2025-11-28 12:58'",
        }.items():
            with pytest.raises(HandoutRefused, match=said):
                chosen_visit(connection, ada, when)
        with pytest.raises(HandoutRefused, match="Ben has no visit yet"):
            chosen_visit(connection, add_client(connection, "Ben", "2025-11-01"), None)


def test_the_command_writes_it(lone_database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with lone_database.writing() as connection:
        ada = enter_ada(connection)
        add_client(connection, "Ben", None)
    config, out = tmp_path / "gym.toml", tmp_path / "ada.html"
    config.write_text(f'[store]\nurl = "sqlite:///{lone_database.place}"\n')
    command = ["gym", "--config", str(config), "handout"]
    for _ in range(2):  # the second replaces the first, as `report` does
        assert main([*command, "ada <B>", "--visit", "2025-11-28", "--weights", "lb", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n" * 2
    with lone_database.reading() as connection:
        assert out.read_text() == page_of(connection, ada, units="lb")
    assert out.stat().st_mode & 0o007 == 0, "it contains a name"
    for who, said in {"Ben": "has given no consent: record the day", "Zoe": "no client has the id or the name"}.items():
        assert main([*command, who, "--out", str(tmp_path / "none.html")]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "none.html").exists()


def test_a_picture_stays_inside_its_frame() -> None:
    drawn = window_picture(under_load_s=500.0, low_s=60.0, high_s=90.0, most_s=180.0)
    assert re.findall(r'width="([\d.]+)"', drawn) == ["20", "120"]
    for values, lines, last in (
        ([0.5, 0.6, 0.7], 1, 77.0),
        ([0.5, None, 0.6, 0.7], 1, 77.0),
        ([0.5, 0.6, None, 0.7, 0.8, None], 2, 62.2),
        ([0.0, 0.0], 1, 77.0),
    ):
        drawn = line_picture(values, "Skill")
        places = [float(y) for path in re.findall(r'points="([^"]+)"', drawn) for y in re.findall(r",([\d.]+)", path)]
        assert drawn.count("<polyline") == lines
        assert all(0 < y < 20 for y in places)
        assert float(re.findall(r'cx="([\d.]+)"', drawn)[0]) == pytest.approx(last, abs=0.05)
    assert line_picture([None, None], "Skill") == ""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


def enter_the_longest(connection: Connection) -> str:
    """Twelve machines whose names, seats and reasons are as long as they can be. Returns the client's id."""
    ada = add_client(connection, "Wilhelmina " * 9, "2025-11-01").client_id
    for number in range(MOST_MACHINES):
        machine = f"m{number}"
        add_machine(connection, machine, f"{number} of the machines with names that are long " * 2)
        setting = Setting(site="rep", machine=machine, seat="back pad 3, foot plate 12, pin 2; " * 2, window_low_s=62.5)
        set_setting(connection, ada, setting)
        for visit in range(9):
            ended_unix_s = NOON_UNIX_S + visit * WEEK_S + number * 200
            failed = {"under_load_s": 55.0, "outcome": "failure", "partial_reps": 3, "load_n": 200 * G}
            add_set(connection, ada, machine, ended_unix_s, skill=visit / 10, marked_failure=True, **failed)
    return ada


@soak
@needs.chromium
@needs.npm
def test_twelve_machines_are_one_sheet_and_nothing_else_is_loaded(
    lone_database: Database, tmp_path: Path, browser: Browser
) -> None:
    with lone_database.writing() as connection:
        page = page_of(connection, enter_the_longest(connection))
    assert page.count("one plate down") == MOST_MACHINES
    file = tmp_path / "handout.html"
    file.write_text(page)
    shown = browser.open("about:blank", width=LAPTOP[0], height=LAPTOP[1])
    shown.requests.clear()
    shown.goto(file.as_uri())
    assert (shown.requests, shown.console) == ([file.as_uri()], [])
    answer = shown.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
    pdf = base64.b64decode(answer["data"])
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    assert re.findall(rb"/MediaBox\s*\[0 0 (\d+)[\d.]* (\d+)", pdf) == [(b"594", b"841")], "A4"
    for scheme, size in long(tuple(product(("light", "dark"), (PHONE, LAPTOP))), (("light", PHONE), ("dark", LAPTOP))):
        shown.call("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}])
        shown.resize(*size)
        assert not violations(shown), (scheme, size)
        assert shown.evaluate("document.documentElement.scrollWidth") <= size[0], "only the table scrolls"
    shown.close()
