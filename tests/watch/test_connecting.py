"""How `rep-monitor watch` finds its machine: at a page of this computer, or at a broker with an account."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.publish import single

from monitor.display.server import PageServer
from monitor.display.visit import visit
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.channel import BrokerGone, BrokerRefuses
from monitor.mqtt.client.connection import Connection, connect
from monitor.mqtt.client.viewer import Viewer, sole_machine
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import StatusMessage
from monitor.mqtt.contract.roles import Role
from monitor.mqtt.contract.topics import TopicTree
from monitor.profile.profile import DisplaySettings, MachineSettings, Profile
from monitor.watch.watching import seen_of
from tests import needs
from tests.display.stage import CALM, DisplayStage
from tests.mqtt.brokers import free_port, mosquitto
from tests.mqtt.stage import play, until


@contextlib.contextmanager
def a_page_behind_free_ports(machine: str) -> Iterator[int]:
    """The port of its page. No other program can have one of the two ports before it."""
    with contextlib.ExitStack() as stack:
        while True:
            stage = stack.enter_context(DisplayStage(machine))
            port = int(stage.url.rsplit(":", 1)[1].strip("/"))
            try:
                for before in (1, 2):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port - before))
            except OSError:  # another program has it: a silent one would be waited for
                continue
            yield port
            return


def test_a_page_on_the_next_free_port_is_found() -> None:
    """The daemon takes the next free port, so watch tries it."""
    with a_page_behind_free_ports("near-here") as port:
        found = visit(f"http://127.0.0.1:{port - 2}/", "near-here", nearby=True)
        assert (found.tree.machine, found.address.port, found.address.websocket_path) == ("near-here", port, "/mqtt")
        with pytest.raises(BrokerGone, match="only of near-here"):
            visit(f"http://127.0.0.1:{port}/", "another", nearby=False)
    with pytest.raises(BrokerGone, match="rep-monitor run"):
        visit(f"http://127.0.0.1:{free_port()}/", None, nearby=False)


def test_an_open_page_asks_for_its_token() -> None:
    async def story() -> None:
        profile = Profile(machine=MachineSettings(id="m", kind="stack"), display=DisplaySettings(port=0))
        tokens = {Role.DISPLAY: "d" * 24, Role.COACH: "c" * 24}
        async with EmbeddedBroker() as broker, PageServer(profile, broker, tokens=tokens) as server:
            url = f"http://127.0.0.1:{server.port}/"
            with pytest.raises(BrokerRefuses, match="rep-monitor access page"):
                await asyncio.to_thread(visit, url, nearby=False)
            found = await asyncio.to_thread(visit, f"{url}?token={'d' * 24}", nearby=False)
            assert "d" * 24 not in repr(found)
            viewer = Viewer(_here(found.tree.machine, found.address))
            following = asyncio.create_task(viewer.run())
            async with connect(Address(host="127.0.0.1", port=broker.port), "rep-monitor-m") as daemon:
                await until(lambda: viewer.connected)
                await daemon.publish(payload.status(TopicTree("m"), StatusMessage(state="online", conn=1)))
                await until(lambda: viewer.status is not None)
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    play(story())


@needs.mosquitto
def test_the_only_machine_is_found_by_a_program_that_stood_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has come by the time that it looks for is taken, however late it looks."""
    status = payload.status(TopicTree("leg-press"), StatusMessage(state="online", conn=1))
    subscribe = Connection.subscribe
    monkeypatch.setattr("monitor.mqtt.client.viewer.RETAINED_WITHIN_S", 0.05)

    async def story(port: int) -> None:
        def stand_still() -> None:
            single(status.topic, status.payload, 1, port=port)
            time.sleep(0.2)

        async def then_stand_still(connection: Connection, topics: Sequence[str]) -> None:
            await subscribe(connection, topics)
            asyncio.get_running_loop().call_soon(stand_still)

        monkeypatch.setattr(Connection, "subscribe", then_stand_still)
        tree, _ = await sole_machine(Address(host="127.0.0.1", port=port))()
        assert tree == TopicTree("leg-press")

    with mosquitto(tmp_path) as broker:
        play(story(broker.port))


@needs.mosquitto
@needs.openssl
def test_over_mosquitto_with_an_account_and_tls(tmp_path: Path) -> None:
    from tests.mqtt.access_broker import Broker

    broker = Broker(tmp_path / "broker")
    secure = {"tls": True, "ca_file": str(broker.folder / "ca.pem"), "port": broker.tls_port, "host": "localhost"}
    try:

        async def story() -> None:
            me = Address(**secure, username="display", password=broker.password("display"))  # type: ignore[arg-type]
            viewer = Viewer(sole_machine(me))
            own = Address(**secure, username="daemon-leg-press", password=broker.password("daemon-leg-press"))  # type: ignore[arg-type]
            async with connect(own, "rep-monitor-leg-press") as daemon:
                await daemon.publish(
                    payload.status(TopicTree("leg-press"), StatusMessage(state="online", conn=1, link="live"))
                )
                following = asyncio.create_task(viewer.run())
                await until(lambda: viewer.connected)
                while viewer.live is None or viewer.status is None:
                    daemon.send(payload.live(TopicTree("leg-press"), "s", CALM))
                    await asyncio.sleep(0.02)
            assert viewer.tree == TopicTree("leg-press")
            assert seen_of(viewer, viewer.live_at_s or 0.0).state == "live"
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            with pytest.raises(BrokerRefuses):
                await Viewer(_here("leg-press", Address(**secure, username="display", password="wrong"))).run()  # type: ignore[arg-type]

        play(story())
    finally:
        broker.kill()


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH_9.2\r\n", b'HTTP/1.1 200 OK\r\n\r\n{"machine":' + b"[" * 5000, b""]
)
def test_other_programs_on_a_port_are_skipped(answer: bytes) -> None:
    """Other programs listen near the page's port."""

    async def story() -> None:
        def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            writer.close()

        async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(BrokerGone, match="no answer from a page"):
                await asyncio.to_thread(visit, f"http://127.0.0.1:{port}", None, nearby=False)

    play(story())


def _here(machine: str, address: Address) -> Any:
    async def find() -> tuple[TopicTree, Address]:
        return TopicTree(machine), address

    return find
