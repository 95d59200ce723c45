"""Which files the page server gives, and how."""

import gzip
import json
from pathlib import Path

import pytest

from monitor.display.server import PageServer
from monitor.profile.toml_document import ConfigError
from tests.mqtt.page_requests import get, profile
from tests.mqtt.page_stage import with_server
from tests.mqtt.stage import play


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


def test_head_is_answered_like_get_without_a_body() -> None:
    async def story(server: PageServer) -> None:
        for path in ("/", "/vendor/mqtt.min.js", "/config.json", "/absent", "/mqtt"):
            whole, head = await get(server, path), await get(server, path, method="HEAD")
            assert (head.status, head.headers, head.body) == (whole.status, whole.headers, b"")
            assert int(head.headers["content-length"]) == len(whole.body) > 0
        assert (await get(server, "/mqtt", method="HEAD", Upgrade="websocket")).status == 426

    with_server(story)


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
