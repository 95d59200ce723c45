"""Access rights at a real mosquitto, judged by what arrives, because 2.0.11 also acknowledges what it refuses."""

import asyncio
import contextlib
import gc
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from monitor.access.access_list import acl, configuration, make
from monitor.access.authority import AccessError
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.bookmark import Bookmark
from monitor.mqtt.client.channel import BrokerError
from monitor.mqtt.client.connection import DistantBroker, connect
from monitor.mqtt.client.publisher import Publisher
from monitor.mqtt.contract.topics import TopicTree
from monitor.store.store import Store
from tests import needs
from tests.mqtt.access_broker import NAMES, Broker
from tests.mqtt.stage import an_event

pytestmark = [needs.mosquitto, needs.openssl]

WITHIN_S = 120.0
OWN, OTHER = "rep/leg-press/", "rep/chest-press/"
PUBLISHED = ("status", "info", "live/feedback", "state", "event/rep", "set", "session/s", "ack/a", "resume/c")
ANSWERS = ("sets/c",)  # they name lifters
COMMANDS = ("cmd/resume", "cmd/lifter", "cmd/protocol", "cmd/load", "cmd/stop")
COLLECTORS = ("cmd/sets", "cmd/forget")
ALL = (*PUBLISHED, *ANSWERS, *COMMANDS, *COLLECTORS)
TOPICS = [*(OWN + name for name in ALL), OTHER + "event/rep", OTHER + "cmd/stop", "elsewhere"]
ROLES = ("daemon-leg-press", "display", "coach", "collector", None)
MAY_WRITE = {
    "daemon-leg-press": {OWN + name for name in ALL},
    "display": {OWN + "cmd/resume"},
    "coach": {*(OWN + name for name in COMMANDS), OTHER + "cmd/stop"},
    "collector": {*(OWN + name for name in (*COMMANDS, *COLLECTORS)), OTHER + "cmd/stop"},
    None: set(),
}
MAY_READ = {
    "daemon-leg-press": {OWN + name for name in ALL},
    "display": {*(OWN + name for name in PUBLISHED), OTHER + "event/rep"},
    "coach": {*(OWN + name for name in PUBLISHED), OTHER + "event/rep"},
    "collector": {*(OWN + name for name in (*PUBLISHED, *ANSWERS)), OTHER + "event/rep"},
    None: set(),
}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("broker"))
    try:
        yield broker
    finally:
        broker.kill()


async def arrived(client: aiomqtt.Client) -> set[str]:
    """All topics up to the final message."""
    seen: set[str] = set()
    async for message in client.messages:
        if str(message.topic) == "rep/leg-press/status" and message.payload == b"the end":
            return seen
        seen.add(str(message.topic))
    raise AssertionError("the connection ended")


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("role", ROLES)
def test_rights_to_publish_by_role(role: str | None, version: int, broker: Broker) -> None:
    async def story() -> set[str]:
        async with asyncio.timeout(WITHIN_S), broker.client("witness") as witness:
            await witness.subscribe("#", 1)
            with contextlib.suppress(aiomqtt.MqttError):
                async with broker.client(role, version) as client:
                    for topic in TOPICS:
                        await client.publish(topic, b"{}", 1)
            await witness.publish("rep/leg-press/status", b"the end", 1)
            return await arrived(witness)

    assert asyncio.run(story()) == MAY_WRITE[role]


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("role", [role for role in ROLES if role])
def test_rights_to_read_by_role(role: str, version: int, broker: Broker) -> None:
    async def story() -> set[str]:
        async with (
            asyncio.timeout(WITHIN_S),
            broker.client("witness") as witness,
            broker.client(role, version) as client,
        ):
            for pattern in ("#", "rep/#", "rep/+/cmd/#", *TOPICS):
                await client.subscribe(pattern, 1)
            for topic in TOPICS:
                await witness.publish(topic, b"{}", 1)
            await witness.publish("rep/leg-press/status", b"the end", 1)
            return await arrived(client)

    assert asyncio.run(story()) == MAY_READ[role]


@pytest.mark.parametrize(("account", "password"), [(None, None), ("coach", "wrong"), ("coach", ""), ("nobody", "x")])
def test_unknown_clients_are_refused(account: str | None, password: str | None, broker: Broker) -> None:
    async def story() -> None:
        client = aiomqtt.Client("127.0.0.1", broker.port, username=account, password=password)
        with pytest.raises(aiomqtt.MqttError):
            async with client:
                pass

    asyncio.run(story())


def test_a_retained_message_is_not_sent_to_a_role_without_the_right(broker: Broker) -> None:
    async def story() -> set[str]:
        async with asyncio.timeout(WITHIN_S), broker.client("witness") as witness, broker.client("display") as late:
            await witness.publish(OWN + "cmd/lifter", b"Ada", 1, retain=True)
            await late.subscribe("rep/#", 1)
            await witness.publish(OWN + "cmd/lifter", b"", 1, retain=True)
            await witness.publish("rep/leg-press/status", b"the end", 1)
            return await arrived(late)

    assert asyncio.run(story()) == set()


def connects(broker: Broker, highest: ssl.TLSVersion, lowest: ssl.TLSVersion, host: str = "127.0.0.1") -> str:
    """The TLS version that client and broker use."""
    context = ssl.create_default_context(cafile=str(broker.folder / "ca.pem"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = lowest, highest
    with (
        socket.create_connection(("127.0.0.1", broker.tls_port), WITHIN_S) as plain,
        context.wrap_socket(plain, server_hostname=host) as line,
    ):
        return line.version() or ""


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_the_network_port_requires_tls_1_2_or_newer(broker: Broker) -> None:
    versions = ssl.TLSVersion
    assert connects(broker, versions.TLSv1_2, versions.TLSv1_2) == "TLSv1.2"
    assert connects(broker, versions.TLSv1_3, versions.TLSv1_2) in ("TLSv1.2", "TLSv1.3")
    for old in (versions.TLSv1_1, versions.TLSv1):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            connects(broker, old, versions.TLSv1)
    with pytest.raises(ssl.SSLCertVerificationError):
        connects(broker, versions.TLSv1_3, versions.TLSv1_2, "somebody.else")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves a refused socket to the GC
def test_the_daemon_connects_over_tls_and_trusts_only_its_authority(broker: Broker, tmp_path: Path) -> None:
    def address(folder: Path) -> Address:
        return Address(
            host="127.0.0.1",
            port=broker.tls_port,
            username="daemon-leg-press",
            password=broker.password("daemon-leg-press"),
            tls=True,
            ca_file=str(folder / "ca.pem"),
        )

    async def story() -> None:
        store = Store(tmp_path / "events.db")
        bookmark = Bookmark(tmp_path / "bookmark.json")
        publisher = Publisher(TopicTree("leg-press"), DistantBroker(address(broker.folder)), store, nothing, bookmark)
        async with asyncio.timeout(WITHIN_S), broker.client("display") as display:
            await display.subscribe("rep/leg-press/event/#", 1)
            running = asyncio.create_task(publisher.run())
            stored = store.append([an_event(number) for number in range(20)])
            publisher.events(stored)
            for _ in range(20):
                await anext(display.messages)
            publisher.stop()
            await running
        assert publisher.delivery.publishes_refused == 0
        store.close()
        with pytest.raises(BrokerError):
            async with connect(address(tmp_path / "other"), "rep-monitor-x"):
                pass

    make(tmp_path / "other", [], NAMES)
    asyncio.run(story())
    gc.collect()  # here, and not in a later test


async def nothing(_: object) -> None:
    pass


def test_a_second_run_changes_nothing_and_private_files_stay_private(tmp_path: Path) -> None:
    folder = tmp_path / "broker"
    assert len(make(folder, ["leg-press"], NAMES)) == 9
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert make(folder, ["leg-press"], NAMES) == []
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    for path in before:
        mode = path.stat().st_mode & 0o777
        assert mode & 0o007 == (0 if path.name not in ("ca.pem", "server.pem") else 4), path
        if path.name == "ca.key" or path.parent.name == "secrets":
            assert mode == 0o600
    assert make(folder, ["chest-press"], NAMES) == ["account daemon-chest-press", "passwords", "acl"]
    assert make(folder, [], [*NAMES, "gym.local"]) == ["server.pem for localhost, 127.0.0.1, gym.local"]
    assert make(folder, [], NAMES) == []
    secret = (folder / "secrets" / "coach").read_text().strip()
    (folder / "secrets" / "coach-anna").write_text("hers\n")
    (folder / "secrets" / "display").unlink()
    make(folder, [], NAMES)
    assert "user coach-anna\n" in (folder / "acl").read_text()
    everything = "".join(path.read_text() for path in folder.iterdir() if path.is_file())
    assert secret not in everything
    assert "hers" not in everything.replace("others", "")


def test_an_invalid_account_file_is_reported(tmp_path: Path) -> None:
    make(tmp_path, ["leg-press"], NAMES)
    for name, text in {"root": "x", "coach-Anna": "x", "display-tv": ""}.items():
        path = tmp_path / "secrets" / name
        path.write_text(text)
        with pytest.raises(AccessError, match=name):
            make(tmp_path, ["leg-press"], NAMES)
        path.unlink()


def test_the_examples_equal_the_generated_files() -> None:
    deploy = Path(__file__).parents[2] / "configs" / "deploy"
    assert (deploy / "mosquitto.conf").read_text() == configuration(Path("/etc/rep-monitor/broker"))
    assert (deploy / "mosquitto.acl").read_text() == acl(["coach", "collector", "daemon-leg-press", "display"])
