"""Who may ask the page server for what."""

import socket
from pathlib import Path

import pytest

from monitor.display.answers import ON_EVERY_ANSWER
from monitor.display.server import PageServer
from monitor.display.token import kept_token, kept_tokens
from monitor.mqtt.contract.roles import Role
from monitor.state.whole_file import write_new
from tests.mqtt.page_requests import get, profile, upgrade
from tests.mqtt.page_stage import with_server
from tests.mqtt.stage import play


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8080", 200),
        ("127.0.0.1:8080", 200),
        ("192.168.1.7:8080", 200),
        ("[::1]:8080", 200),
        (f"{socket.gethostname()}", 200),
        (f"{socket.gethostname().partition('.')[0]}.LOCAL:8080", 200),
        ("evil.local", 421),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
        ("[::1", 421),
        ("localhost:8080; script-src *", 421),
        ("localhost\r\nHost: evil.example", 421),
    ],
)
def test_only_local_host_names_are_accepted(host: str, status: int) -> None:
    async def story(server: PageServer) -> None:
        assert (await get(server, host=host)).status == status
        assert (await upgrade(server, Host=host) == 101) == (status == 200)

    with_server(story)


def test_only_reading_is_allowed() -> None:
    async def story(server: PageServer) -> None:
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            answer = await get(server, method=method)
            assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
            assert (await get(server, method=method, Content_Length="0")).status == 405
            assert (await get(server, method=method, Content_Length="1")).status == 0, "closed"

    with_server(story)


def test_a_page_of_another_origin_may_not_connect() -> None:
    async def story(server: PageServer) -> None:
        assert await upgrade(server, Origin="http://localhost") == 101
        assert await upgrade(server) == 101  # no browser
        for origin in ("http://evil.example", "null", "http://localhost:1"):
            assert await upgrade(server, Origin=origin) == 403
            for path in ("/", "/may.json", "/history.json"):
                assert (await get(server, path, Origin=origin)).status == 403
        assert (await get(server, "/may.json", Origin="http://localhost")).status == 200
        assert (await get(server, "/mqtt")).status == 426
        assert server.turned_away == 12

    with_server(story)


def test_a_server_with_a_token_gives_no_page_and_no_data_without_it() -> None:
    async def story(server: PageServer) -> None:
        assert "?" not in server.url  # it is printed and logged
        for path in ("/config.json", "/history.json", "/may.json", "/absent", "/?token=wrong"):
            assert (await get(server, path)).status == 403
        for path in ("/", "/index.html", "/trainer.html", "/trainer.html?cues=de"):
            answer = await get(server, path)
            assert (answer.status, answer.headers["location"], answer.body) == (303, "/pair.html", b"")
        assert await upgrade(server) == 403
        let_in = await get(server, "/?token=s3cret")
        assert (let_in.status, let_in.headers["location"]) == (303, "/")
        assert (await get(server, "/?token=s3cret", host="gym-pi.local")).status == 303
        cookie, *attributes = let_in.headers["set-cookie"].split("; ")
        assert {"HttpOnly", "SameSite=Strict", f"Max-Age={400 * 86_400}"} <= set(attributes)
        assert (await get(server, "/config.json", Cookie=cookie)).status == 200
        assert (await get(server, "/", Cookie=cookie)).headers["set-cookie"] == let_in.headers["set-cookie"], "renewed"
        assert await upgrade(server, Cookie=cookie) == 101
        assert (await get(server, "/", Cookie=cookie + "x")).status == 303

    with_server(story, tokens={Role.DISPLAY: "s3cret"})


def test_two_machines_on_one_computer_do_not_log_each_other_out() -> None:
    """A browser has the same cookies for all ports of a host."""

    async def story() -> None:
        async with (
            PageServer(profile(machine="m-1"), None, tokens={Role.DISPLAY: "one"}) as first,
            PageServer(profile(machine="m-2"), None, tokens={Role.DISPLAY: "two"}) as second,
        ):
            kept: dict[str, str] = {}
            for server, token in ((first, "one"), (second, "two")):
                name, _, value = (await get(server, f"/?token={token}")).headers["set-cookie"].partition("=")
                kept[name] = value.partition(";")[0]
            cookie = "; ".join(f"{name}={value}" for name, value in kept.items())
            for server in (first, second):
                assert (await get(server, "/config.json", Cookie=cookie)).status == 200

    play(story())


@pytest.mark.parametrize(
    ("path", "more", "status"),
    [
        ("/", {}, 303),
        ("/may.json", {}, 403),
        ("/?token=s3cret", {}, 303),
        ("/?token=wrong", {}, 403),
        ("/", {"Cookie": "rep-monitor-token=s3cret"}, 200),
        ("/may.json", {"Cookie": "rep-monitor-token=s3cret"}, 200),
        ("/absent", {"Cookie": "rep-monitor-token=s3cret"}, 404),
        ("//[", {"Cookie": "rep-monitor-token=s3cret"}, 404),
        ("/mqtt", {"Cookie": "rep-monitor-token=s3cret"}, 426),
        ("/mqtt", {"Cookie": "rep-monitor-token=s3cret", "Upgrade": "websocket"}, 426),
        ("/", {"Origin": "http://evil.example"}, 403),
        ("/", {"host": "evil.example"}, 421),
    ],
)
def test_every_answer_has_the_common_headers(path: str, more: dict[str, str], status: int) -> None:
    async def story(server: PageServer) -> None:
        answer = await get(server, path, **more)
        assert answer.status == status
        assert {name.lower() for name in ON_EVERY_ANSWER} <= answer.headers.keys()
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        if path != "/" or status != 200:
            assert answer.headers["cache-control"] == "no-store"

    with_server(story, tokens={Role.DISPLAY: "s3cret"})


def test_programs_that_make_a_token_at_once_agree_about_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[str]()

    def make_late(path: Path, data: bytes, mode: int) -> None:
        """Another program makes the token after this one has looked for it."""
        with monkeypatch.context() as other:
            other.setattr("monitor.display.token.write_new", write_new)
            made.append(kept_token(tmp_path, Role.COACH))
        write_new(path, data, mode)

    monkeypatch.setattr("monitor.display.token.write_new", make_late)
    assert kept_token(tmp_path, Role.COACH) == made[0]
    assert [path.name for path in tmp_path.iterdir()] == ["coach_token"]


def test_each_role_has_a_private_token(tmp_path: Path) -> None:
    tokens = kept_tokens(tmp_path)
    assert set(tokens) == {Role.DISPLAY, Role.COACH}
    assert len(set(tokens.values())) == 2
    assert all(len(token) >= 20 for token in tokens.values())
    assert kept_tokens(tmp_path) == tokens
    paths = [tmp_path / "display_token", tmp_path / "coach_token"]
    assert [path.stat().st_mode & 0o777 for path in paths] == [0o600, 0o600]
    paths[0].write_text("")
    again = kept_tokens(tmp_path)
    assert again[Role.DISPLAY] != tokens[Role.DISPLAY]
    assert again[Role.COACH] == tokens[Role.COACH]
