"""The page as the gym serves it: a real process, real sockets, TLS, slow and rude visitors."""

import asyncio
import contextlib
import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.__main__ import main
from monitor.display.answers import ON_EVERY_ANSWER
from monitor.gym.configuration import GymConfig, GymPageSettings, load_gym
from monitor.gym.web import server
from monitor.gym.web.own_programs import ask_code
from monitor.gym.web.server import open_port, serve_page
from monitor.state.folders import StateError
from tests import needs
from tests.gym.web.stage import WebStage
from tests.mqtt.brokers import free_port
from tests.mqtt.stage import play

ROOT = Path(__file__).parents[3]


class ServedGym:
    """`rep-monitor gym` with ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.config = folder / "gym.toml"
        self.config.write_text(f"[mqtt]\nport = {free_port()}\n[display]\nport = {self.port}\n")

    @contextlib.contextmanager
    def started(self) -> Iterator[subprocess.Popen[str]]:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "monitor", "gym", "--config", str(self.config)]
        with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def ask(self, method: str, path: str, body: Any = None, cookie: str = "") -> tuple[int, dict[str, str], Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": cookie, "Content-Type": "application/json"}
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            data = answer.read()
            return (
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                data and json.loads(data),
            )


def test_a_screen_gets_in_and_the_gym_ends_with_open_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    gym = ServedGym(tmp_path)
    with gym.started() as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = [process.stdout.readline() for _ in range(2)]
        assert lines[1] == f"gym: page http://127.0.0.1:{gym.port}/, and `rep-monitor gym code` lets a screen in\n"
        assert main(["gym", "--config", str(gym.config), "code", "--role", "display"]) == 0
        printed = capsys.readouterr().out
        code = re.search(r"type:  (\w{3} \w{3})", printed)
        assert code is not None, printed
        status, headers, _ = gym.ask("POST", "/api/pair", {"code": code[1], "name": "Wall"})
        assert status == 204
        cookie = headers["set-cookie"].partition(";")[0]
        assert cookie.startswith(f"rep-monitor-gym-{gym.port}=")
        assert gym.ask("GET", "/api/me", cookie=cookie)[2] == {"role": "display", "name": "Wall"}
        assert gym.ask("GET", "/api/floor", cookie=cookie)[2]["machines"] == []
        with contextlib.ExitStack() as stack:
            for said in (b"", b"GET / HT", b"POST /api/pair HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"):
                visitor = stack.enter_context(socket.create_connection(("127.0.0.1", gym.port), 60))
                visitor.sendall(said)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        assert process.stderr.read() == ""


@contextlib.asynccontextmanager
async def served(gym: WebStage, display: GymPageSettings) -> AsyncIterator[None]:
    with open_port(display) as port:
        serving = asyncio.create_task(serve_page(gym.app, port))
        try:
            yield
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving


@pytest.fixture
def display() -> GymPageSettings:
    return GymPageSettings(port=free_port())


def test_who_sends_too_much_gets_an_answer(gym: WebStage, display: GymPageSettings) -> None:
    body = bytes(4 * 1024 * 1024)  # more than sockets hold

    async def story() -> None:
        async with served(gym, display):
            reader, writer = await asyncio.open_connection("127.0.0.1", display.port)
            head = f"POST /api/people.csv HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
            answer = await asyncio.wait_for(reader.read(), 60)
            writer.close()
            assert answer.startswith(b"HTTP/1.1 413 ")
            assert b"at most 1024 KB are taken" in answer

    play(story())


async def said_to(port: int, request: bytes, context: ssl.SSLContext | None = None) -> bytes:
    """What a connection gets until the server ends it."""
    name = None if context is None else "localhost"
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
    writer.write(request)
    answer = b""
    with contextlib.suppress(ConnectionError):
        answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return answer


GET = b"GET /api/me HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
CLOSE = b"Connection: close\r\n"


def test_rude_visitors_are_answered_briefly_or_not_at_all(
    gym: WebStage, display: GymPageSettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "WHOLE_REQUEST_S", 1)
    slow = [b"", b"GET / HTTP/1.1\r\nHost: loc", GET % b"", GET % b"" + b"GET / HT"]
    slow += [b"POST /api/pair HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"]

    async def story() -> None:
        async with served(gym, display):
            ends = await asyncio.gather(*(said_to(display.port, request) for request in slow))
            assert [end.count(b"HTTP/1.1 401") for end in ends] == [0, 0, 1, 1, 0]
            for nonsense in (
                b"\x16\x03\x01\x02\x00\x01",
                b"nonsense\r\n\r\n",
                b"GET / HTTP/1.1\r\nX: " + b"y" * 20_000,
            ):
                answer = (await said_to(display.port, nonsense)).decode()
                assert answer.startswith("HTTP/1.1 400 ")
                for name, value in ON_EVERY_ANSWER.items():
                    assert f"\r\n{name}: {value}\r\n" in answer
            upgrade = await said_to(display.port, GET % (b"Upgrade: websocket\r\nConnection: Upgrade, close\r\n"))
            assert upgrade.startswith(b"HTTP/1.1 401 ")
            assert b"server:" not in upgrade.lower()

    play(story())
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


def test_connections_are_capped_for_each_peer(
    gym: WebStage, display: GymPageSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS_OF_A_PEER", 3)

    async def story() -> None:
        async with served(gym, display):
            held = [await asyncio.open_connection("127.0.0.1", display.port) for _ in range(3)]
            for reader, writer in held:
                writer.write(GET % b"")
                await reader.readuntil(b"}")
            assert await said_to(display.port, GET % CLOSE) == b""
            for _, writer in held:
                writer.close()
                await writer.wait_closed()
            while not await said_to(display.port, GET % CLOSE):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    play(story())


@needs.openssl
def test_tls_as_on_the_pages_of_machines(gym: WebStage, tmp_path: Path) -> None:
    folder, file = tmp_path / "secrets", tmp_path / "gym.toml"
    file.write_text(f"[display]\nport = {free_port()}\ntls = 'secrets'\n")
    assert main(["access", "tls", str(file), "--authority", str(tmp_path / "authority")]) == 0
    display = load_gym(file).display
    context = ssl.create_default_context(cafile=str(folder / "page-ca.pem"))
    code = gym.app.state.house.codes.make("display")
    body = json.dumps({"code": code}).encode()
    pair = b"POST /api/pair HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    pair += b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)

    async def story() -> None:
        async with served(gym, display):
            assert await said_to(display.port, GET % CLOSE) == b""
            answer = await said_to(display.port, pair, context)
            assert answer.startswith(b"HTTP/1.1 204 ")
            assert b"; Secure" in answer

    play(story())


def test_a_port_that_cannot_be_opened_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for bind, why in (("127.0.0.1", "Address already in use"), ("192.0.2.1", "Cannot assign"), ("no.invalid", "")):
            said = rf"cannot be opened at {bind}, port {port} \({why}.*\): stop the program that has it"
            with pytest.raises(StateError, match=said), open_port(GymPageSettings(bind=bind, port=port)):
                pass


@pytest.mark.parametrize("bind", ["", "::1", "localhost", "0.0.0.0"])
def test_every_kind_of_address_can_be_opened(bind: str) -> None:
    with open_port(GymPageSettings(bind=bind, port=free_port())):
        pass


def test_without_a_gym_there_is_no_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    config = GymConfig(display=GymPageSettings(port=free_port()))
    with pytest.raises(StateError, match=r"no gym answers at .*: start `rep-monitor gym` with the same --config"):
        ask_code(config, "trainer")
    with pytest.raises(StateError, match="has no page"):
        ask_code(GymConfig(display=GymPageSettings(enabled=False)), "trainer")
