"""Clients, their settings, workouts, card and handout over REST; the rules behind them have their own tests."""

from typing import Any

import pytest

from tests.gym.collected import NOON_UNIX_S, add_machine, add_set
from tests.gym.web.stage import WebStage

SETTING = {
    "site": "rep",
    "machine": "row",
    "seat": "4",
    "window_low_s": 60.0,
    "window_high_s": 90.0,
    "protocol": "10/10",
    "next_load_n": 800.0,
    "note": "pad forward",
}


def add(gym: WebStage, name: str, consent_on: str | None = "2026-11-01") -> str:
    return str(gym.trainer.send("POST", "/api/clients", {"name": name, "consent_on": consent_on})["client_id"])


def test_a_client_is_added_changed_and_forgotten(gym: WebStage) -> None:
    with gym.database.writing() as connection:
        add_machine(connection, "row")
    answer = gym.trainer.ask("POST", "/api/clients", {"name": " Ada ", "note": "left knee"})
    assert answer.status_code == 201
    ada = answer.json()
    assert (ada["name"], ada["consent_on"], ada["note"]) == ("Ada", None, "left knee")
    path = f"/api/clients/{ada['client_id']}"
    changed = gym.trainer.send("PATCH", path, {"consent_on": "2026-11-01"})
    assert changed == ada | {"consent_on": "2026-11-01"} == gym.trainer.get(path)
    assert gym.trainer.get("/api/clients") == [changed]
    begun = gym.trainer.ask("DELETE", path)
    assert begun.status_code == 202
    request_id = begun.json()["request_id"]
    state = gym.trainer.get(f"/api/forget/{request_id}")
    assert state["done_unix_s"] is None
    assert state["answers"] == [{"site": "rep", "machine": "row", "ok": None, "detail": None}]
    for method in ("GET", "DELETE"):
        assert gym.trainer.refused(method, path)[0] == 404
    assert gym.trainer.refused("GET", f"/api/forget/{'0' * 32}")[0] == 404


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": " \u200b\ufeff"}, "name: is empty; give a name or an alias."),
        ({"name": "a\x07"}, "name: has a character, or a form, that is not allowed here."),
        ({"name": "x" * 101}, "name: is too long; shorten it to 100 characters."),
        ({"name": None}, "name: must be a text."),
        ({"consent_on": "2026-13-01"}, "consent_on: is not a date; write it as 2026-11-29."),
        ({"consent_on": "2999-01-01"}, "consent_on: is in the future; give the day on which the client consented."),
        ({"note": "x" * 1001}, "note: is too long; shorten it to 1000 characters."),
        ({"nmae": "Ada"}, "nmae: is no field of this request."),
    ],
)
def test_a_wrong_value_is_named_and_changes_nothing(gym: WebStage, change: Any, said: str) -> None:
    path = f"/api/clients/{add(gym, 'Ada')}"
    before = gym.trainer.get(path)
    status, sentence = gym.trainer.refused("PATCH", path, change)
    assert status == 422
    assert sentence.startswith(said)
    assert gym.trainer.get(path) == before


def test_each_machine_is_set_for_a_client(gym: WebStage) -> None:
    path = f"/api/clients/{add(gym, 'Ada')}/settings"
    assert gym.trainer.get(path) == []
    assert gym.trainer.send("PUT", path, SETTING) == SETTING
    least = gym.trainer.send("PUT", path, {"site": "rep", "machine": "calf"})
    assert (least["window_low_s"], least["next_load_n"]) == (60.0, None)
    assert gym.trainer.get(path) == [least, SETTING]
    for wrong in ({"window_low_s": 91.0}, {"next_load_n": 1e9}, {"machine": "a/b"}, {"seat": 4}, {"sseat": "4"}):
        assert gym.trainer.refused("PUT", path, SETTING | wrong)[0] == 422, wrong
    json = {"Content-Type": "application/json"}
    assert gym.trainer.refused("PUT", path, content=b'{"site":"rep","machine":"a","window_low_s":NaN}', headers=json)
    assert gym.trainer.refused("PUT", "/api/clients/c-0000000000/settings", SETTING)[0] == 404
    assert gym.trainer.get(path) == [least, SETTING]


def test_the_table_of_people_goes_out_and_comes_back(gym: WebStage) -> None:
    client_id = add(gym, "Änne")
    gym.trainer.send("PUT", f"/api/clients/{client_id}/settings", SETTING)
    table = gym.trainer.ask("GET", "/api/people.csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert "people.csv" in table.headers["content-disposition"]
    gym.trainer.send("PATCH", f"/api/clients/{client_id}", {"name": "Anne"})
    for kind in ("text/csv", "application/vnd.ms-excel", None):  # as browsers name a .csv
        headers = {} if kind is None else {"Content-Type": kind}
        report = gym.trainer.ask("POST", "/api/people.csv", content=table.content, headers=headers)
        assert report.status_code == 200, report.text
    assert report.json() == {"added": 0, "changed": 0, "settings": 0, "unseen_machines": []}
    assert gym.trainer.get("/api/clients")[0]["name"] == "Änne"
    assert gym.trainer.ask("POST", "/api/people.csv", content=table.text.encode("utf-16")).status_code == 200
    latin = table.text.encode("latin-1", "ignore")
    for bad in (latin, b"client_id,name\nx,Ada\n", b"\x00" * 100):
        assert gym.trainer.refused("POST", "/api/people.csv", content=bad)[0] == 422, bad


def test_workouts_are_shown_and_marked(gym: WebStage) -> None:
    ada, ben = add(gym, "Ada"), add(gym, "Ben", None)
    with gym.database.writing() as connection:
        add_machine(connection, "row", "Row")
        add_set(connection, ada, "row", NOON_UNIX_S)
        add_set(connection, ben, "row", NOON_UNIX_S + 300)
    gym.trainer.send("PUT", f"/api/clients/{ada}/settings", SETTING)
    period = f"since_unix_s={NOON_UNIX_S - 10}&until_unix_s={NOON_UNIX_S + 400}"
    of_ada, of_ben = (gym.trainer.get(f"/api/visits?{period}&client_id={client_id}") for client_id in (ada, ben))
    assert gym.trainer.get(f"/api/visits?{period}") == [*of_ada, *of_ben]
    assert (of_ada[0]["name"], of_ben[0]["name"], of_ben[0]["client_id"]) == ("Ada", None, ben)
    mark = {name: of_ada[0]["sets"][0][name] for name in ("site", "machine", "store_id", "seq")}
    marked = gym.trainer.send("PATCH", "/api/sets", mark | {"marked_failure": True, "note": "knee"})
    assert (marked["failure"], marked["marked_failure"], marked["note"], marked["seat"]) == (True, True, "knee", "4")
    shown = gym.paired("display").get(f"/api/visits?{period}")
    assert [(visit["client_id"], visit["name"]) for visit in shown] == [(ada, "Ada"), (None, None)]
    assert (shown[0]["sets"][0]["note"], shown[0]["sets"][0]["seat"]) == (None, "")
    assert gym.trainer.get("/api/visits") == []  # of the last day
    for wrong, status in (({"seq": 99}, 404), ({"seq": 2**70}, 422), ({"seq": 0}, 422), ({"store_id": "\x00"}, 422)):
        odd = mark | {"marked_failure": None, "note": None} | wrong
        assert gym.trainer.refused("PATCH", "/api/sets", odd)[0] == status, wrong
    for query in ("since_unix_s=nan", "until_unix_s=inf", "client_id=%00", "since_unix_s=x"):
        assert gym.trainer.refused("GET", f"/api/visits?{query}")[0] == 422, query


def test_card_progress_and_handout(gym: WebStage) -> None:
    ada, ben = add(gym, "Ada"), add(gym, "Ben", None)
    with gym.database.writing() as connection:
        add_machine(connection, "row", "Row")
        for client_id in (ada, ben):
            add_set(connection, client_id, "row", NOON_UNIX_S)
    (row,) = gym.trainer.get(f"/api/clients/{ada}/card")["rows"]
    assert (row["label"], row["cells"][0]["under_load_s"], row["suggestion"]["change"]) == ("Row", 80.0, "same")
    assert gym.trainer.refused("GET", f"/api/clients/{ada}/card?sheet=1")[0] == 404
    points = gym.trainer.get(f"/api/clients/{ada}/progress?site=rep&machine=row")
    assert points == [{"ended_unix_s": NOON_UNIX_S, "skill": 0.8, "strength_n": 800.0}]
    (visit,) = gym.trainer.get(f"/api/visits?client_id={ada}")
    path = f"handout?began_unix_s={visit['began_unix_s']}&units=lb"
    page = gym.trainer.ask("GET", f"/api/clients/{ada}/{path}")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "Ada" in page.text
    assert "lb" in page.text
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "sha256-" in policy
    assert gym.trainer.refused("GET", f"/api/clients/{ada}/handout?began_unix_s=1")[0] == 404
    status, sentence = gym.trainer.refused("GET", f"/api/clients/{ben}/{path}")
    assert (status, sentence) == (409, "Ben has given no consent: record the day of the consent first.")
