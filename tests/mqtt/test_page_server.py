"""The page server: files, access, and the page's connection to the broker on the same port."""

import asyncio
import gzip
import json
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from monitor.display.answers import ON_EVERY_ANSWER
from monitor.display.server import PageServer, PageServerError
from monitor.display.token import kept_token, kept_tokens
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.contract.roles import Role
from monitor.profile.toml_document import ConfigError
from monitor.state.whole_file import write_new
from monitor.store.database import StoreError
from tests.mqtt.page_requests import get, profile, upgrade
from tests.mqtt.stage import play, until


def history() -> dict[str, Any]:
    return {"v": 1, "sets": []}


def with_server(story: Callable[[PageServer], Awaitable[None]], tokens: dict[Role, str] | None = None) -> None:
    async def whole() -> None:
        async with EmbeddedBroker() as broker, PageServer(profile(), broker, history, tokens=tokens) as server:
            await story(server)

    play(whole())


def test_the_page_and_its_files_are_served_with_their_types() -> None:
    async def story(server: PageServer) -> None:
        page = await get(server)
        assert page.status == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert "ws://localhost" in page.headers["content-security-policy"]
        assert "unsafe" not in page.headers["content-security-policy"]
        for path, kind in {
            "/index.html": "text/html; charset=utf-8",
            "/vendor/mqtt.min.js": "text/javascript; charset=utf-8",
            "/vendor/uPlot.min.css": "text/css; charset=utf-8",
            "/config.json": "application/json",
            "/history.json": "application/json",
            "/icon.svg": "image/svg+xml",
        }.items():
            answer = await get(server, path)
            assert (answer.status, answer.headers["content-type"]) == (200, kind)
            assert int(answer.headers["content-length"]) == len(answer.body) > 0

    with_server(story)


def test_an_unchanged_file_is_not_sent_again() -> None:
    async def story(server: PageServer) -> None:
        first = await get(server, "/index.html")
        again = await get(server, "/index.html", If_None_Match=first.headers["etag"])
        assert (again.status, again.body) == (304, b"")
        assert again.headers["content-security-policy"] == first.headers["content-security-policy"], (
            "a browser replaces the headers that it has kept"
        )
        assert (await get(server, "/index.html?x=1", If_None_Match='"other"')).body == first.body
        assert (await get(server, "/config.json")).headers["cache-control"] == "no-store"

    with_server(story)


def test_files_are_compressed_for_those_who_understand_it() -> None:
    async def story(server: PageServer) -> None:
        plain = await get(server, "/vendor/mqtt.min.js")
        packed = await get(server, "/vendor/mqtt.min.js", Accept_Encoding="br, gzip;q=0.8")
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body
        assert len(packed.body) < 0.5 * len(plain.body)
        for answer in (plain, packed):
            assert answer.headers["vary"] == "Accept-Encoding"
        for refusing in ("identity", "gzip;q=0", "gzip; q=0.0"):
            assert (await get(server, "/vendor/mqtt.min.js", Accept_Encoding=refusing)).body == plain.body

    with_server(story)


@pytest.mark.parametrize(
    "path",
    ["/absent", "/../server.py", "/js/../../server.py", "/%2e%2e/server.py", "//etc/passwd", "/js", "/js/",
     "/index.html/", "/..%2fserver.py", "/vendor/\\..\\..\\server.py", "/mqtt/../server.py"],
)  # fmt: skip
def test_nothing_outside_the_page_can_be_reached(path: str) -> None:
    async def story(server: PageServer) -> None:
        answer = await get(server, path)
        assert answer.status == 404
        assert server.turned_away == 1

    with_server(story)


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


def test_head_is_answered_like_get_without_a_body() -> None:
    async def story(server: PageServer) -> None:
        for path in ("/", "/vendor/mqtt.min.js", "/config.json", "/absent", "/mqtt"):
            whole, head = await get(server, path), await get(server, path, method="HEAD")
            assert (head.status, head.headers, head.body) == (whole.status, whole.headers, b"")
            assert int(head.headers["content-length"]) == len(whole.body) > 0
        assert (await get(server, "/mqtt", method="HEAD", Upgrade="websocket")).status == 426

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


def test_mqtt_over_the_web_socket_reads_everything_and_sends_commands() -> None:
    async def whole() -> None:
        async with EmbeddedBroker() as broker, PageServer(profile(), broker) as server:
            page = aiomqtt.Client(
                "127.0.0.1",
                server.port,
                transport="websockets",
                websocket_path="/mqtt",
                identifier="page-1",
            )
            async with page, aiomqtt.Client("127.0.0.1", broker.port) as local:
                await page.subscribe("rep/m/#", 1)
                await local.subscribe("rep/m/cmd/#", 1)
                for number in range(50):
                    await local.publish("rep/m/live/feedback", json.dumps({"n": number}), 0)
                    message = await anext(page.messages)
                    assert json.loads(bytes(message.payload)) == {"n": number}
                big = bytes(100_000)
                await local.publish("rep/m/event/rep", big, 1)
                assert (await anext(page.messages)).payload == big
                await page.publish("rep/m/event/rep", b"{}", 1)
                await page.publish("rep/m/cmd/resume", b"{}", 1)
                assert str((await anext(local.messages)).topic) == "rep/m/cmd/resume"
            assert broker.counts.connections == 2

    play(whole())


def test_a_broker_may_accept_web_sockets_at_another_address() -> None:
    url = "wss://gym.example:443/mqtt/ws"

    async def story() -> None:
        async with PageServer(profile(host="broker.lan", websocket_url=url), None) as server:
            assert json.loads((await get(server, "/config.json")).body)["ws_url"] == url
            policy = (await get(server)).headers["content-security-policy"]
            assert " wss://gym.example:443;" in policy
            assert "broker.lan" not in policy
            assert (await get(server, "/history.json")).status == 404
            assert await upgrade(server) == 404

    play(story())


def test_a_store_that_cannot_be_read_is_reported() -> None:
    def refuse() -> dict[str, Any]:
        raise StoreError("input/output error")

    async def story() -> None:
        async with PageServer(profile(), None, refuse) as server:
            answer = await get(server, "/history.json")
            assert (answer.status, answer.body) == (503, b"The store cannot be read at the moment.\n")
            assert (await get(server)).status == 200

    play(story())


def test_nonsense_behind_a_request_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """`websockets` fails an assertion when the answer is ready, and logs it with a traceback."""
    asked, ready = threading.Event(), threading.Event()

    def slow_history() -> dict[str, Any]:
        asked.set()
        ready.wait()
        return {}

    async def story() -> None:
        async with PageServer(profile(), None, slow_history) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET /history.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await until(asked.is_set)
            writer.write(b"\xff\xff")
            try:
                assert await reader.read() == b"", "the connection is ended at once"
            finally:
                ready.set()
                writer.close()
            await until(lambda: server.visitors.handshakes_failed == 1)
        assert not caplog.records

    play(story())


def test_a_gym_can_have_its_own_cue_packs(tmp_path: Path) -> None:
    (tmp_path / "our-gym.json").write_text('{"language": "en", "name": "Our gym", "cues": {"low": "PRESS"}}')
    (tmp_path / "de.json").write_text('{"language": "de-AT", "name": "Wienerisch", "spoken": {"begin": "gemma"}}')

    async def story() -> None:
        async with PageServer(profile(cues=str(tmp_path)), None) as server:
            packs = json.loads((await get(server, "/cues/index.json")).body)["packs"]
            assert packs.items() >= {"en": "English", "de": "Wienerisch", "our-gym": "Our gym"}.items()
            ours, german, english = [
                json.loads((await get(server, f"/cues/{name}.json")).body) for name in ("our-gym", "de", "en")
            ]
            assert ours["cues"] == english["cues"] | {"low": "PRESS"}
            assert ours["texts"] == english["texts"]
            assert (german["spoken"]["begin"], german["cues"]["low"]) == ("gemma", "MEHR")

    play(story())


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("en.json", "{", "en.json: "),
        ("en.json", '{"language": "en", "name": "x", "cues": {"low": "MUCH MORE"}}', r"length <= 8 .*\$\.cues"),
        ("en.json", '{"language": "en", "name": "x", "word": {}}', "unknown field `word`"),
        ("Our Gym.json", '{"language": "en", "name": "x"}', "may contain a-z, 0-9 and -"),
    ],
)
def test_an_invalid_cue_pack_is_reported_with_its_name(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=message):
        PageServer(profile(cues=str(tmp_path)), None)
    with pytest.raises(ConfigError, match="no such folder"):
        PageServer(profile(cues=str(tmp_path / "none")), None)


def test_if_the_port_is_taken_the_next_free_one_is_used() -> None:
    async def story() -> None:
        async with PageServer(profile(), None) as first, PageServer(profile(first.port), None) as second:
            assert first.port < second.port < first.port + 20
            assert str(second.port) in second.url
        with pytest.raises(PageServerError, match=r"192\.0\.2\.1"):
            async with PageServer(profile(8080, "192.0.2.1"), None):
                pass

    play(story())


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
