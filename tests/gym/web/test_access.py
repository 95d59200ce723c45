"""Who gets in: codes, cookies, and what each role may do with each route."""

import asyncio
from dataclasses import replace
from http.cookies import SimpleCookie
from unittest.mock import AsyncMock, Mock

import httpx
import pytest
from sqlalchemy import insert, select

from monitor.display.admission import KEPT_S
from monitor.gym.database.database import Database
from monitor.gym.database.tables import logins
from monitor.gym.web.logins import MOST_LOGINS, Logins
from monitor.gym.web.routes.access import PairRequest, pair
from tests.gym.web.stage import OWN_TOKEN, WebStage, web_stage

COOKIE = "rep-monitor-gym-8100"
ID, REQUEST = "c-0123456789", "0" * 32
NOBODY, DISPLAY, TRAINER = "nobody", "display", "trainer"
LEAST = {  # the least role for every route
    "POST /api/pair": NOBODY,
    "GET /api/me": DISPLAY,
    "POST /api/logout": DISPLAY,
    "GET /api/floor": DISPLAY,
    "GET /api/visits": DISPLAY,
    "POST /api/codes": TRAINER,
    "GET /api/logins": TRAINER,
    "DELETE /api/logins/{login_id}": TRAINER,
    "PATCH /api/machines": TRAINER,
    "POST /api/next": TRAINER,
    "GET /api/clients": TRAINER,
    "POST /api/clients": TRAINER,
    "GET /api/clients/{client_id}": TRAINER,
    "PATCH /api/clients/{client_id}": TRAINER,
    "DELETE /api/clients/{client_id}": TRAINER,
    "GET /api/forget/{request_id}": TRAINER,
    "GET /api/clients/{client_id}/settings": TRAINER,
    "PUT /api/clients/{client_id}/settings": TRAINER,
    "GET /api/people.csv": TRAINER,
    "POST /api/people.csv": TRAINER,
    "PATCH /api/sets": TRAINER,
    "GET /api/clients/{client_id}/card": TRAINER,
    "GET /api/clients/{client_id}/progress": TRAINER,
    "GET /api/clients/{client_id}/handout": TRAINER,
}


def test_every_route_has_its_role(gym: WebStage) -> None:
    paths = gym.screen().get("/api/openapi.json")["paths"]
    found = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert found == set(LEAST), "say in LEAST who may use a new route"
    roles = [NOBODY, DISPLAY, TRAINER]
    for name, least in LEAST.items():
        method, path = name.split()
        path = path.format(client_id=ID, request_id=REQUEST, login_id="0" * 16)
        for role in roles:
            screen = gym.screen() if role == NOBODY else gym.paired(role)
            status = screen.ask(method, path, json={}).status_code
            allowed = roles.index(role) >= roles.index(least)
            refusal = 401 if role == NOBODY else 403
            assert (status not in (401, 403)) is allowed, (name, role, status)
            assert allowed or status == refusal, (name, role, status)


def test_the_page_and_its_scripts_are_no_secret(gym: WebStage) -> None:
    screen = gym.screen()
    page = screen.ask("GET", "/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "unsafe" not in page.headers["content-security-policy"]
    assert screen.ask("GET", "/", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    assert screen.ask("HEAD", "/page/gym.js").headers["content-type"].startswith("text/javascript")
    assert screen.ask("GET", "/page/shared/js/units.js").status_code == 200
    for path in ("/page/../app.py", "/page/%2e%2e/app.py", "/page/nothing.js", "/page/", "/docs"):
        assert screen.refused("GET", path)[0] == 404


def test_a_code_lets_one_screen_in(gym: WebStage) -> None:
    code = gym.trainer.send("POST", "/api/codes", {"role": "display"})
    assert code["url"] == f"http://127.0.0.1:8100/#{code['code']}"
    first = gym.screen()
    answer = first.ask("POST", "/api/pair", {"code": f" {code['code'][:3].lower()} {code['code'][3:]}", "name": "Wall"})
    assert answer.status_code == 204
    cookie = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"], cookie["max-age"]) == ("strict", "/", str(KEPT_S))
    assert not cookie["secure"]
    assert first.get("/api/me") == {"role": "display", "name": "Wall"}
    assert gym.screen().refused("POST", "/api/pair", {"code": code["code"]})[0] == 403
    assert gym.trainer.get("/api/me") == {"role": "trainer", "name": "this computer"}


def test_the_code_for_a_tablet_leads_there_from_the_gyms_own_screen_too(gym: WebStage) -> None:
    gym.app.state.house = replace(gym.app.state.house, url="http://gym-box:8100/")
    for host, leads_to in (("127.0.0.1:8100", "gym-box"), ("localhost:8100", "gym-box"), ("10.0.0.2:8100", "10.0.0.2")):
        answer = gym.trainer.ask("POST", "/api/codes", {"role": "display"}, headers={"Host": host})
        assert answer.json()["url"] == f"http://{leads_to}:8100/#{answer.json()['code']}"


def test_a_screen_that_is_let_in_again_has_one_login(gym: WebStage) -> None:
    trainer, wall = gym.paired("trainer"), gym.paired("display")
    before = dict(wall.client.cookies)
    code = trainer.send("POST", "/api/codes", {"role": "display"})["code"]
    wall.send("POST", "/api/pair", {"code": code, "name": "Wall again"})
    names = [login["name"] for login in trainer.get("/api/logins") if login["role"] == "display"]
    assert names == ["Wall again"]
    assert wall.ask("GET", "/api/floor").status_code == 200
    assert gym.screen(httpx.Cookies(before)).refused("GET", "/api/floor")[0] == 401


def test_a_screen_that_is_gone_before_its_answer_leaves_no_login(gym: WebStage) -> None:
    async def story() -> None:
        gone = Mock(cookies={}, client=None, is_disconnected=AsyncMock(return_value=True))
        await pair(PairRequest(code=gym.app.state.house.codes.make("display"), name="gone"), gone, gym.app.state.house)

    asyncio.run(story())
    with gym.database.reading() as connection:
        assert not [row for row in connection.execute(select(logins)) if row.name == "gone"]


def test_guessing_codes_is_slow_and_each_peer_counts_alone(gym: WebStage) -> None:
    code = gym.trainer.send("POST", "/api/codes", {"role": "trainer"})["code"]
    guesser = gym.screen(peer="10.0.0.66")
    assert [guesser.refused("POST", "/api/pair", {"code": "WRONG2"})[0] for _ in range(5)] == [403] * 5
    answer = guesser.ask("POST", "/api/pair", {"code": code})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    forwarded = guesser.ask("POST", "/api/pair", {"code": code}, headers={"X-Forwarded-For": "10.0.0.1"})
    assert forwarded.status_code == 429
    assert gym.screen().ask("POST", "/api/pair", {"code": code}).status_code == 204


def test_forged_cookies_open_nothing(gym: WebStage) -> None:
    trainer = gym.paired("trainer")
    token = trainer.client.cookies[COOKIE]
    with gym.database.reading() as connection:
        stored = str(connection.execute(select(logins)).all())
    assert token not in stored
    (token_hash,) = [word for word in stored.split("'") if len(word) == 64]
    for forged in ("", "x", token[:-1], token + "a", token.swapcase(), token_hash, OWN_TOKEN[:-1], "a" * 8000, "ä"):
        screen = gym.screen()
        cookies = f"{COOKIE}={forged}".encode()
        assert screen.refused("GET", "/api/floor", headers={"Cookie": cookies})[0] == 401, forged
    for nonsense in (b"=;=;;", b"\xff\xfe", f"other={token}".encode(), f"{COOKIE} {token}".encode()):
        assert gym.screen().refused("GET", "/api/floor", headers={"Cookie": nonsense})[0] == 401, nonsense


def test_a_login_is_kept_until_it_is_withdrawn(gym: WebStage) -> None:
    wall, tablet = gym.paired("display", "Wall"), gym.paired("trainer", "Tablet")
    with web_stage(gym.database) as restarted:
        again = restarted.screen(httpx.Cookies(wall.client.cookies))
        assert again.get("/api/me")["name"] == "Wall"
    listed = {login["name"]: login for login in tablet.get("/api/logins")}
    assert {name: (login["role"], login["is_this"]) for name, login in listed.items()} == {
        "Wall": ("display", False),
        "Tablet": ("trainer", True),
    }
    assert tablet.ask("DELETE", f"/api/logins/{listed['Wall']['login_id']}").status_code == 204
    assert wall.refused("GET", "/api/floor")[0] == 401
    assert tablet.refused("DELETE", f"/api/logins/{listed['Wall']['login_id']}")[0] == 404
    kept = httpx.Cookies(tablet.client.cookies)
    assert tablet.ask("POST", "/api/logout").status_code == 204
    assert COOKIE not in tablet.client.cookies
    assert gym.screen(kept).refused("GET", "/api/me")[0] == 401
    with web_stage(gym.database) as restarted:
        assert restarted.screen(kept).refused("GET", "/api/me")[0] == 401


def test_a_login_that_nobody_uses_ends_like_its_cookie(lone_database: Database) -> None:
    now_unix_s = [1e9]
    known = Logins(lone_database, None, lambda: now_unix_s[0])
    used, unused = known.add("display", "used"), known.add("display", "unused")
    now_unix_s[0] += KEPT_S / 2
    login = known.by_token(used)
    assert login is not None
    known.note_use(login)
    now_unix_s[0] += KEPT_S / 2 + 1
    for logins_now in (known, Logins(lone_database, None, lambda: now_unix_s[0])):
        assert logins_now.by_token(used) is not None
        assert logins_now.by_token(unused) is None


def test_a_login_too_many_replaces_the_one_used_least_recently(lone_database: Database) -> None:
    with lone_database.writing() as connection:
        for number in range(MOST_LOGINS):
            row = {"token_hash": str(number), "role": "display", "name": "", "created_unix_s": 1.0}
            connection.execute(insert(logins).values(row | {"used_unix_s": 1000.0 - number}))
    Logins(lone_database, None).add("trainer", "new")
    with lone_database.reading() as connection:
        found = {row.token_hash for row in connection.execute(select(logins))}
    assert len(found) == MOST_LOGINS
    assert str(MOST_LOGINS - 1) not in found
    assert "0" in found


@pytest.mark.parametrize("body", [{}, {"code": 5}, {"code": "x" * 100}, {"code": "A", "name": "a\x00b"}, [], "x"])
def test_a_malformed_pairing_costs_no_try(gym: WebStage, body: object) -> None:
    for _ in range(6):
        assert gym.screen().refused("POST", "/api/pair", body)[0] == 422
    assert gym.paired("display").get("/api/me")["role"] == "display"
