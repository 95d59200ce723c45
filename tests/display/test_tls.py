"""The page over TLS: certificates of one's own authority, and nothing secret for visitors without TLS."""

import asyncio
import json
import shutil
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from monitor.__main__ import main
from monitor.access.page_certificate import certificate_trouble, make_page_certificate
from monitor.display import door
from monitor.display.server import PageServer
from monitor.display.tls import page_tls
from monitor.display.visit import visit
from monitor.doctor.examination import Examination
from monitor.exit_codes import ExitCode
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.client.channel import BrokerRefuses
from monitor.mqtt.client.connection import connect as connect_broker
from monitor.mqtt.contract.roles import Role
from monitor.profile.reading import load_profile
from monitor.profile.toml_document import ConfigError
from tests import needs
from tests.mqtt.page_requests import Answer, get, half_open, profile, upgrade
from tests.mqtt.stage import play, until
from tests.profiles import CALIBRATION, PROFILE

pytestmark = needs.openssl
TOKENS = {Role.DISPLAY: "d1splay", Role.COACH: "c0ach"}
COACH = {"Cookie": "rep-monitor-token=c0ach"}
Story = Callable[[PageServer], Awaitable[None]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine's profile, its certificate in `secrets`, and the authority."""
    home = tmp_path_factory.mktemp("tls")
    (home / "m.toml").write_text(PROFILE)
    assert make(home) == ExitCode.DONE
    return home


def make(home: Path, *more: str) -> int:
    return main(["access", "tls", str(home / "m.toml"), "--authority", str(home / "authority"), *more])


def trusting(home: Path) -> ssl.SSLContext:
    """What a tablet that has installed the authority's certificate accepts."""
    return ssl.create_default_context(cafile=home / "secrets" / "page-ca.pem")


def served(home: Path, story: Story) -> None:
    async def whole() -> None:
        tls = page_tls(home / "secrets")
        async with EmbeddedBroker() as broker, PageServer(profile(), broker, tokens=TOKENS, tls=tls) as server:
            await story(server)

    play(whole())


async def ask(server: PageServer, context: ssl.SSLContext, path: str, method: str = "GET", **more: str) -> Answer:
    assert server.secure_port is not None
    reader, writer = await asyncio.open_connection("localhost", server.secure_port, ssl=context)
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{server.secure_port}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    answer = Answer(await reader.read())
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.fixture
def from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Visitors count as if they came from another computer."""
    monkeypatch.setattr(door.LimitedConnection, "is_from_here", False)


def test_a_screen_that_trusts_the_authority_gets_page_and_broker(home: Path) -> None:
    async def story(server: PageServer) -> None:
        context = trusting(home)
        whole = await ask(server, context, "/vendor/mqtt.min.js")
        assert (whole.status, len(whole.body)) == (200, int(whole.headers["content-length"]))
        let_in = await ask(server, context, "/?token=c0ach")
        assert let_in.headers["set-cookie"].endswith("; Secure")
        cookie = let_in.headers["set-cookie"].partition(";")[0]
        assert json.loads((await ask(server, context, "/may.json", Cookie=cookie)).body)["role"] == "coach"
        url = f"wss://localhost:{server.secure_port}/mqtt"
        headers = {"Cookie": cookie, "Origin": f"https://localhost:{server.secure_port}"}
        async with connect(url, ssl=context, subprotocols=[Subprotocol("mqtt")], additional_headers=headers) as line:
            assert line.subprotocol == "mqtt"
        assert server.secure_url == f"https://127.0.0.1:{server.secure_port}/"

    served(home, story)


def test_watch_reads_the_secure_page_with_its_authority(home: Path) -> None:
    async def story(server: PageServer) -> None:
        url = f"https://localhost:{server.secure_port}/?token=d1splay"
        authority = home / "secrets" / "page-ca.pem"
        shown = await asyncio.to_thread(partial(visit, url, nearby=False, ca_file=authority))
        async with connect_broker(shown.address, "watch-of-a-test"):
            pass
        with pytest.raises(BrokerRefuses, match=r"not trusted .*--ca-file"):
            await asyncio.to_thread(partial(visit, url, nearby=False))

    served(home, story)


def test_anything_but_modern_tls_is_refused_without_harm(home: Path) -> None:
    async def story(server: PageServer) -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            await ask(server, ssl.create_default_context(), "/")
        assert page_tls(home / "secrets").context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert server.secure_port is not None
        for said in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00", b""):
            half_open(server.secure_port, said).close()
        await until(lambda: server.door.broken_handshakes >= 3)
        assert (await ask(server, trusting(home), "/pair.html")).status == 200
        await until(lambda: not server.door.handshakes)

    served(home, story)


def test_unfinished_handshakes_are_few_and_their_end_lets_others_in(home: Path) -> None:
    lasting: list[socket.socket] = []

    async def story(server: PageServer) -> None:
        port = server.secure_port
        assert port is not None
        peers = [await asyncio.to_thread(half_open, port, b"\x16\x03\x01") for _ in range(100)]
        await until(lambda: server.door.refused == 100 - door.MOST_UNGREETED_OF_A_PEER)
        assert len(server.door.handshakes) == door.MOST_UNGREETED_OF_A_PEER
        for peer in peers:
            peer.close()
        await until(lambda: not server.door.handshakes)
        assert (await ask(server, trusting(home), "/pair.html")).status == 200
        lasting.append(half_open(port, b""))  # must not keep the server from ending
        while not server.door.handshakes:  # noqa: ASYNC110 - the end comes before the handshake has begun
            await asyncio.sleep(0)

    served(home, story)
    lasting[0].close()


@pytest.mark.usefixtures("from_elsewhere")
def test_nothing_secret_is_taken_or_given_without_tls(home: Path) -> None:
    async def story(server: PageServer) -> None:
        for path in ("/", "/trainer.html", "/?token=c0ach"):
            answer = await get(server, path, **COACH)
            assert (answer.status, answer.headers["location"]) == (303, "/pair.html")
            assert "set-cookie" not in answer.headers
        for path in ("/config.json", "/history.json", "/may.json", "/mqtt"):
            assert (await get(server, path, **COACH)).status == 403
        assert await upgrade(server, **COACH) == 403
        code = json.loads((await ask(server, trusting(home), "/code", "POST", **COACH)).body)
        begins = f"http://{socket.gethostname()}:{server.port}/pair.html#{code['code']}"
        assert code["link"] == begins, "where a new screen begins"
        for path in ("/pair", "/code"):
            answer = await get(server, path, method="POST", Rep_Monitor_Code=code["code"], **COACH)
            assert (answer.status, "set-cookie" in answer.headers) == (403, False)
        assert json.loads((await get(server, "/pairing.json")).body)["secure_port"] == server.secure_port
        assert (await get(server, "/pair.html")).status == 200
        root = await get(server, "/rep-monitor.crt")
        assert root.headers["content-type"] == "application/x-x509-ca-cert"
        assert root.body == (home / "authority" / "ca.pem").read_bytes()
        let_in = await ask(server, trusting(home), "/pair", "POST", Rep_Monitor_Code=code["code"])
        assert let_in.headers["set-cookie"].endswith("; Secure")

    served(home, story)


def test_this_computer_needs_no_tls(home: Path) -> None:
    async def story(server: PageServer) -> None:
        assert (await get(server, "/config.json", **COACH)).status == 200
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, local_addr=("127.0.0.2", 0))
        writer.write(b"GET /config.json HTTP/1.1\r\nHost: localhost\r\nCookie: rep-monitor-token=c0ach\r\n\r\n")
        assert Answer(await reader.read()).status == 200, "its name may be that of another loopback address"
        writer.close()
        await writer.wait_closed()
        assert json.loads((await get(server, "/pairing.json")).body)["secure_port"] is None

    served(home, story)


def test_the_certificate_is_renewed_for_a_new_name_and_the_authority_stays(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in (home / "secrets").iterdir()}
    assert make(home) == ExitCode.DONE
    said = capsys.readouterr().out
    assert said.startswith("nothing to change\n")
    assert 'tls = "secrets"' in said
    assert make(home, "--name", "press.gym.example") == ExitCode.DONE
    assert "page.pem for press.gym.example, " in capsys.readouterr().out
    after = {path.name: path.read_bytes() for path in (home / "secrets").iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"page.pem", "page.key"}
    assert sorted(after) == ["page-ca.pem", "page.key", "page.pem"], "the authority's key is not given to the service"
    assert (home / "secrets" / "page.key").stat().st_mode & 0o777 == 0o600
    context = trusting(home)
    for name in ("press.gym.example", f"{socket.gethostname().partition('.')[0].lower()}.local", "127.0.0.1"):
        assert shaken_hands(home, context, name)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shaken_hands(home, context, "evil.example")


def shaken_hands(home: Path, context: ssl.SSLContext, name: str) -> bool:
    """A whole handshake in memory, as a browser that opens https://name."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(back, there, server_hostname=name)
    server = page_tls(home / "secrets").context.wrap_bio(there, back, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client.version() == "TLSv1.3"


def test_a_certificate_that_screens_refuse_or_will_soon_is_reported(home: Path, tmp_path: Path) -> None:
    secrets, now_s = home / "secrets", time.time()
    assert certificate_trouble(secrets, now_s) is None
    assert certificate_trouble(secrets, now_s + 780 * 86_400) == "the page's certificate ends in 40 days"
    make_page_certificate(tmp_path / "secrets", tmp_path / "authority", ["localhost"])
    shutil.copy(secrets / "page-ca.pem", tmp_path / "secrets")
    trouble = certificate_trouble(tmp_path / "secrets", now_s)
    assert trouble is not None
    assert trouble.startswith("screens refuse the page's certificate: ")
    profile = tmp_path / "m.toml"
    profile.write_text(f'{PROFILE}{CALIBRATION}[display]\ntls = "secrets"\n')
    findings = {one.key: one for one in Examination(profile, load_profile(profile), None)._of_network()}
    assert (findings["page_certificate"].verdict, findings["page_certificate"].found) == ("bad", trouble)


def test_the_certificate_may_be_a_credential_of_the_service(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (home / "secrets").iterdir():
        shutil.copy(path, tmp_path / f"secrets_{path.name}")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert page_tls(Path("/nowhere/secrets")).authority == (home / "authority" / "ca.pem").read_bytes()


@pytest.mark.parametrize(("name", "mode"), [("page.key", None), ("page-ca.pem", None), ("page.key", 0o644)])
def test_an_unusable_certificate_is_reported_with_the_remedy(
    home: Path, tmp_path: Path, name: str, mode: int | None
) -> None:
    for path in (home / "secrets").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
        (tmp_path / path.name).chmod(0o600)
    if mode is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600" if mode else "rep-monitor access tls"):
        page_tls(tmp_path)
