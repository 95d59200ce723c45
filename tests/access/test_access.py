"""`rep-monitor access`: the links and accounts that it prints do open the page and the broker."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.access.page_certificate import own_addresses
from monitor.display.qr_code import blocks
from monitor.display.server import PageServer
from monitor.display.token import kept_tokens
from monitor.exit_codes import ExitCode
from monitor.mqtt.contract.roles import Role, may_send
from monitor.state.endpoints import Endpoints, announced
from monitor.state.folders import Lock, state_directory
from tests import needs
from tests.mqtt.page_requests import get, profile
from tests.profiles import PROFILE

OPEN = '[display]\nbind = "0.0.0.0"\nport = 8099\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    return tmp_path


def page_lines(folder: Path, more: str, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    (folder / "m.toml").write_text(PROFILE + more)
    assert main(["access", "page", "--config", str(folder / "m.toml")]) == ExitCode.DONE
    said = capsys.readouterr()
    assert ("daemon does not answer" in said.err) is bool(more)
    return {role: address for role, address in (line.split() for line in said.out.splitlines())}


def test_a_page_on_loopback_needs_no_token(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert page_lines(folder, "", capsys) == {"local": "http://127.0.0.1:8080/"}
    assert not list(folder.rglob("*_token"))


def test_in_the_network_each_link_opens_its_role(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = page_lines(folder, OPEN, capsys)
    assert set(lines) == {"display", "coach"}
    assert lines == page_lines(folder, OPEN, capsys), "a bookmark on a tablet stays valid"
    assert all(re.fullmatch(r"http://[^/]+:8099/\?token=[\w-]{20,}", address) for address in lines.values())

    async def story() -> None:
        tokens = kept_tokens(state_directory("bad-input"))
        async with PageServer(profile(), None, tokens=tokens) as server:
            for role, address in lines.items():
                let_in = await get(server, "/" + address.rpartition("/")[2])
                cookie = let_in.headers["set-cookie"].split(";")[0]
                rights = json.loads((await get(server, "/may.json", Cookie=cookie)).body)
                assert rights["role"] == role

    asyncio.run(story())
    assert may_send(Role.DISPLAY) == ("resume",)


def test_a_running_daemon_gives_a_code_and_the_port_that_it_really_has(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "m.toml").write_text(PROFILE + OPEN)
    directory = state_directory("bad-input")
    tokens = kept_tokens(directory)

    def ask(*words: str) -> str:
        assert main(["access", "page", "--config", str(folder / "m.toml"), *words]) == ExitCode.DONE
        said = capsys.readouterr()
        assert said.err == ""
        return said.out

    async def story() -> None:
        async with PageServer(profile(), None, tokens=tokens) as server:
            url = f"http://gym-box.local:{server.port}/"
            with Lock(directory), announced(directory, Endpoints(broker_host="h", broker_port=1, page_url=url)):
                for words, role in {(): Role.DISPLAY, ("--coach",): Role.COACH}.items():
                    said = await asyncio.to_thread(ask, *words)
                    assert not [token for token in tokens.values() if token in said]
                    typed = re.search(rf"open http://gym-box\.local:{server.port} .*type:  (\w{{3}} \w{{3}})\n", said)
                    assert typed is not None
                    assert said.count(f":{server.port}") == 1 + len([ip for ip in own_addresses() if ip != "127.0.0.1"])
                    link = f"{url}pair.html#{typed[1].replace(' ', '')}"
                    assert "\n".join(blocks(link)) in said
                    let_in = await get(server, "/pair", method="POST", Rep_Monitor_Code=typed[1])
                    assert json.loads(let_in.body)["role"] == role
                links = await asyncio.to_thread(ask, "--links")
                assert f"coach    {url}?token={tokens[Role.COACH]}\n" in links

    asyncio.run(story())


@needs.openssl
def test_the_output_for_a_broker_is_a_working_profile(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "m.toml").write_text(PROFILE)
    words = ["access", "broker", str(folder / "m.toml"), "--to", str(folder / "broker"), "--name", "gym.local"]
    assert main(words) == ExitCode.DONE
    out = capsys.readouterr().out
    assert "account daemon-bad-input\n" in out
    assert 'username = "daemon-bad-input"' in out
    secrets = [path.read_text().strip() for path in (folder / "broker" / "secrets").iterdir()]
    assert len(set(secrets)) == len(secrets) == 4
    assert not [word for word in secrets if word in out], "a terminal must not show passwords"
    table = re.search(r"\[mqtt\]\n(?:  .*\n)+", out)
    assert table is not None
    (folder / "m.toml").write_text(PROFILE + table[0])
    assert main(["config", "check", str(folder / "m.toml")]) == ExitCode.DONE, "the printed table is valid"
    capsys.readouterr()
    assert main(words) == ExitCode.DONE
    assert capsys.readouterr().out.startswith("nothing to change\n")


def test_a_missing_openssl_is_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("monitor.access.authority.shutil.which", lambda _: None)
    (folder / "m.toml").write_text(PROFILE)
    assert main(["access", "broker", str(folder / "m.toml"), "--to", str(folder / "b")]) == ExitCode.BAD_INPUT
    assert "apt-get install openssl" in capsys.readouterr().err
