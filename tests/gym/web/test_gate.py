"""Before all routes: names, origins, sizes, headers; and what an error may say."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from monitor.display.admission import COOKIE
from monitor.display.answers import ON_EVERY_ANSWER
from monitor.gym.database.errors import DatabaseAway
from monitor.gym.web.gate import MOST_BYTES
from tests.gym.web.stage import OWN_TOKEN, WebStage


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8100", True),
        ("[::1]:8100", True),
        ("LOCALHOST", True),
        ("gym.local:8100", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost@evil.example", False),
        ("", False),
    ],
)
def test_only_own_names_are_answered(gym: WebStage, host: str, ours: bool) -> None:
    for path in ("/", "/api/floor", "/api/openapi.json"):
        assert (gym.trainer.ask("GET", path, headers={"Host": host}).status_code == 421) is not ours


def test_a_host_given_twice_is_none(gym: WebStage) -> None:
    twice = [("Host", "127.0.0.1:8100"), ("Host", "evil.example")]
    assert gym.trainer.ask("GET", "/api/floor", headers=twice).status_code == 421


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_a_page_of_another_server_can_do_nothing(gym: WebStage, method: str) -> None:
    path = "/api/clients" if method in ("GET", "POST") else "/api/clients/c-0123456789"
    for origin in (
        "https://evil.example",
        "null",
        "http://127.0.0.1:8080",
        "http://127.0.0.1:8100.evil.example",
        "//[",
    ):
        status, sentence = gym.trainer.refused(method, path, {"name": "Eve"}, headers={"Origin": origin})
        assert (status, sentence) == (403, "Requests from pages of other servers are refused.")
    both = [("Origin", "http://127.0.0.1:8100"), ("Origin", "https://evil.example")]
    assert gym.trainer.ask(method, path, {"name": "Eve"}, headers=both).status_code == 403
    own = gym.trainer.ask(method, path, {"name": "Ada"}, headers={"Origin": "http://127.0.0.1:8100"})
    assert own.status_code in (200, 201, 404)
    assert [client["name"] for client in gym.trainer.get("/api/clients")] == (["Ada"] if method == "POST" else [])


def test_long_bodies_are_not_parsed(gym: WebStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.gym.web.gate.MOST_DISCARDED_BYTES", 2 * 1024 * 1024)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * MOST_BYTES
        raise AssertionError("the whole body was read")

    too_long = b" " * (MOST_BYTES + 1)
    for body in (too_long, pieces()):
        answer = gym.screen().ask("POST", "/api/pair", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert answer.json() == {"error": "This is too long: at most 64 KB are taken."}
        assert answer.headers["connection"] == "close"
    assert gym.trainer.ask("POST", "/api/people.csv", content=too_long).status_code == 422
    assert gym.trainer.ask("POST", "/api/people.csv", content=b" " * (1024 * 1024 + 1)).status_code == 413
    assert gym.screen().ask("POST", "/api/pair", content=b"{}", headers={"Content-Length": "x"}).status_code == 413


def test_half_a_body_is_none(gym: WebStage) -> None:
    """A browser that leaves in the middle of a table has not asked for its first half."""
    table = gym.trainer.ask("GET", "/api/people.csv").content + b",Ada,,,,,,,,,,\r\n"
    scope = {
        "type": "http", "method": "POST", "path": "/api/people.csv", "raw_path": b"/api/people.csv", "scheme": "http",
        "query_string": b"", "root_path": "", "http_version": "1.1", "client": ("10.0.0.7", 1), "server": None,
        "headers": [(b"host", b"127.0.0.1"), (b"cookie", f"{COOKIE}={OWN_TOKEN}".encode())],
    }  # fmt: skip

    def post(*messages: dict[str, Any]) -> list[int]:
        waiting, answered = list(messages), []

        async def receive() -> dict[str, Any]:
            return waiting.pop(0)

        async def send(message: Any) -> None:
            answered.extend([message["status"]] if "status" in message else [])

        gym.run(gym.app(scope, receive, send))
        return answered

    part = {"type": "http.request", "body": table}
    assert post(part | {"more_body": True}, {"type": "http.disconnect"}) == []
    assert gym.trainer.get("/api/clients") == []
    assert post(part | {"more_body": False}) == [200]
    assert [client["name"] for client in gym.trainer.get("/api/clients")] == ["Ada"]


def test_every_answer_has_the_headers_and_every_error_one_shape(
    gym: WebStage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def bug(_: object, name: str, *more: object) -> None:
        raise RuntimeError(name)

    monkeypatch.setattr("monitor.gym.web.routes.people.add_client", bug)
    asked: dict[int, tuple[str, str, dict[str, Any]]] = {
        200: ("GET", "/api/floor", {}),
        401: ("GET", "/api/me", {"headers": {"Cookie": "rep-monitor-token=x"}}),
        403: ("GET", "/api/floor", {"headers": {"Origin": "null"}}),
        404: ("GET", "/nothing", {}),
        405: ("PUT", "/api/me", {}),
        413: ("POST", "/api/pair", {"content": b" " * (MOST_BYTES + 1)}),
        421: ("GET", "/api/me", {"headers": {"Host": "evil.example"}}),
        422: ("POST", "/api/pair", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
        500: ("POST", "/api/clients", {"json": {"name": "Ada Lovelace"}}),
    }
    caplog.set_level(logging.DEBUG)
    for status, (method, path, options) in asked.items():
        answer = gym.trainer.ask(method, path, **options)
        assert answer.status_code == status, answer.text
        assert {name: answer.headers.get(name) for name in ON_EVERY_ANSWER} == ON_EVERY_ANSWER
        if status != 200:
            assert list(answer.json()) == ["error"]
            assert answer.json()["error"].endswith(".")
            assert "Traceback" not in answer.text
    assert "RuntimeError" in caplog.text
    assert "Lovelace" not in caplog.text + answer.text


def test_deep_nonsense_is_refused(gym: WebStage) -> None:
    json = {"Content-Type": "application/json"}
    for body in (b"[" * 60_000, b'{"code": NaN}', b'"\\ud800"', b'{"code": "\\ud800"}', b"\xff", b"1e999", b""):
        status, _ = gym.screen().refused("POST", "/api/pair", content=body, headers=json)
        assert status in (400, 422), body


def test_without_a_database_every_route_says_so(gym: WebStage, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = gym.paired("trainer")
    new = gym.trainer.send("POST", "/api/codes", {"role": "display"})["code"]
    gym.collector.add("leg-press")
    trainer.get("/api/floor")

    def away(*_: object) -> None:
        raise DatabaseAway("/secret/place/gym.db cannot be used now")

    monkeypatch.setattr(gym.database, "reading", away)
    monkeypatch.setattr(gym.database, "writing", away)
    id = "c-0123456789"
    mark = {"site": "rep", "machine": "row", "store_id": "s", "seq": 1, "marked_failure": True, "note": None}
    routes: list[tuple[str, str, object]] = [
        ("GET", "/api/clients", None),
        ("POST", "/api/clients", {"name": "Ada"}),
        ("GET", f"/api/clients/{id}", None),
        ("PATCH", f"/api/clients/{id}", {"name": "Ada"}),
        ("DELETE", f"/api/clients/{id}", None),
        ("GET", f"/api/clients/{id}/settings", None),
        ("PUT", f"/api/clients/{id}/settings", {"site": "rep", "machine": "row"}),
        ("GET", f"/api/clients/{id}/card", None),
        ("GET", f"/api/clients/{id}/progress?site=rep&machine=row", None),
        ("GET", f"/api/clients/{id}/handout?began_unix_s=1", None),
        ("GET", f"/api/forget/{'0' * 32}", None),
        ("GET", "/api/people.csv", None),
        ("POST", "/api/people.csv", {}),
        ("GET", "/api/visits", None),
        ("PATCH", "/api/sets", mark),
        ("PATCH", "/api/machines", {"site": "rep", "machine": "row", "label": None, "position": 1}),
        ("POST", "/api/next", {"client_id": id, "site": "rep", "machine": "leg-press"}),
        ("POST", "/api/logout", None),
        ("POST", "/api/pair", {"code": new}),
    ]
    for method, path, body in routes:
        answer = trainer.ask(method, path, body)
        assert (answer.status_code, answer.headers.get("retry-after")) == (503, "5"), (path, answer.text)
        assert "secret" not in answer.text
    assert trainer.get("/api/me")["role"] == "trainer"
    assert [machine["machine"] for machine in trainer.get("/api/floor")["machines"]] == ["leg-press"]
    monkeypatch.undo()
    assert gym.screen().refused("POST", "/api/pair", {"code": new})[0] in (204, 403)
