"""The daemon as a process: it starts alone, stops during a set, limits its log, and writes little."""

import asyncio
import time
from pathlib import Path

import aiomqtt
import msgspec

import firmware_bridge.simulator as simulator
from firmware_bridge.simulator.board import Board
from firmware_bridge.simulator.device import SimulatedDevice
from firmware_bridge.simulator.script import Rest, Script
from monitor.demo.simulated import kit_of, machine_of
from monitor.mqtt.contract.messages import InfoMessage, StatusMessage
from monitor.profile.reading import load_profile
from monitor.record.session_reader import read_session
from monitor.store.store import Store
from tests import needs
from tests.daemon.whole import a_profile
from tests.fake_device import FakeDevice
from tests.faults.stage import Program, a_daemon, a_lifter, until
from tests.mqtt.brokers import free_port, mosquitto
from tests.soak import SOAKING, Figure, beside_the_day, long, soak, soak_only

pytestmark = soak
FLAPS = long(50, 8)
WATCHED_S = 60.0


def written_bytes(program: Program) -> int:
    counts = dict(line.split(": ") for line in Path(f"/proc/{program.pid}/io").read_text().splitlines())
    return int(counts["write_bytes"])


def test_it_starts_without_device_broker_or_names(tmp_path: Path, figure: Figure) -> None:
    profile = a_profile(tmp_path, free_port())
    profile.write_text(profile.read_text().replace('"127.0.0.1"', '"no-such-broker.invalid"'))

    async def story() -> float:
        with a_daemon(tmp_path, profile, tmp_path / "no-port") as daemon:
            up_s = await until(lambda: daemon.is_up)
            await asyncio.sleep(1.0)
            assert daemon.stop() == 0
            assert not [line for line in daemon.lines if "Traceback" in line]
            return up_s

    up_s = asyncio.run(story())
    figure("start without device, broker, name server", f"up after {up_s:.1f} s")
    if SOAKING:
        assert up_s <= 5  # 0.5 to 3 s on an idle machine


def test_ended_in_the_middle_of_a_set_all_is_whole(tmp_path: Path, figure: Figure) -> None:
    state = tmp_path / "state" / "e2e"

    async def story(profile: Path) -> float:
        with a_lifter(tmp_path, profile, 4.0), a_daemon(tmp_path, profile, tmp_path / "tty") as daemon:
            await until(lambda: daemon.is_up)
            await until(lambda: list(state.rglob("*.mcap")))
            with Store(state / "events.db", read_only=True) as store:
                await until(lambda: [event for event in store.after(0, 1000) if event.kind == "rep"])
            began_s = time.monotonic()
            assert daemon.stop() == 0
            return time.monotonic() - began_s

    took_s = asyncio.run(story(a_profile(tmp_path, None)))
    with Store(state / "events.db", read_only=True) as store:
        (row,) = store.sessions()
        assert row.ended_unix_s is not None
        closing = [event.event for event in store.after(0, 1000)]
    assert not {event.id for event in closing if event.duration_s is None} - {
        event.id for event in closing if event.duration_s is not None
    }
    (recording,) = state.rglob("*.mcap")
    session = read_session(recording)
    assert sum(record.topic == "/wire" for record in session) > 10
    assert not session.damage
    figure("SIGTERM in the middle of a set", f"ended after {took_s:.1f} s, recording and store whole")
    if SOAKING:
        assert took_s <= 4  # two for the last words to a broker


@needs.mosquitto
def test_a_port_that_drops_repeatedly_is_reported_once(tmp_path: Path, figure: Figure) -> None:
    """In the status, in info with a count and the remedy, and in the log, which stays short."""

    async def story(profile: Path, port: int) -> tuple[list[str], list[str], InfoMessage]:
        links: list[str] = []
        info: list[InfoMessage] = []

        async def hear() -> None:
            async with aiomqtt.Client("127.0.0.1", port) as client:
                await client.subscribe([("rep/e2e/status", 1), ("rep/e2e/info", 1)])
                async for message in client.messages:
                    data = bytes(message.payload)
                    if message.topic.value.endswith("info"):
                        info.append(msgspec.json.decode(data, type=InfoMessage))
                    else:
                        links.append(msgspec.json.decode(data, type=StatusMessage).link)

        hearing = asyncio.create_task(hear())
        with FakeDevice(tmp_path / "tty") as device, a_daemon(tmp_path, profile, device.link) as daemon:
            await until(lambda: device.streaming)
            for _ in range(FLAPS):
                await asyncio.to_thread(device.unplug)
                await asyncio.sleep(0.2)
                device.plug()
                await until(lambda: device.streaming)
            await until(lambda: info and info[-1].link.counts.get("reconnects", 0) >= FLAPS)  # published every 5 s
            assert daemon.stop() == 0
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
        return daemon.lines, links, info[-1]

    with mosquitto(tmp_path) as broker:
        lines, links, info = asyncio.run(story(a_profile(tmp_path, broker.port), broker.port))
    reports = [line for line in lines if "drops again and again" in line]
    figure(
        f"{FLAPS} flaps of the cable",
        f"{len(lines)} lines in the log; {info.link.state}, {info.link.counts['drops_a_minute']} drops a minute",
    )
    assert len(reports) == 1
    assert len(lines) <= 45  # ten a minute of each kind
    assert info.link.counts["drops_a_minute"] >= 6
    assert info.link.state == "unstable"
    assert "drops again and again: change its cable" in (info.link.detail or "")
    since = links.index("unstable")
    assert set(links[since:]) <= {"unstable", "silent", "none"}  # silent: the tests rested; none: said at its end


@beside_the_day
@soak_only  # it takes minutes
@needs.mosquitto
def test_the_disk_is_spared(tmp_path: Path, figure: Figure) -> None:
    """Written bytes, while somebody trains all the time and while nobody does; a year of it wears out no card."""

    async def training(profile: Path) -> float:
        with a_lifter(tmp_path, profile, 1.0), a_daemon(tmp_path, profile, tmp_path / "tty") as daemon:
            await until(lambda: list((tmp_path / "state").rglob("*.mcap")))
            return await rate_mb_h(daemon)

    async def idle(profile: Path) -> float:
        loaded = load_profile(profile)
        still = Script(positive_s=2.0, negative_s=4.0, moves=(Rest(10 * WATCHED_S),))
        traces = simulator.live(machine_of(loaded), still, seed=5, rows=50)
        with SimulatedDevice(Board(kit_of(loaded), 5), traces, link=tmp_path / "tty", baud=500_000) as device:
            resting = asyncio.create_task(device.run())
            with a_daemon(tmp_path, profile, device.port) as daemon:
                await until(lambda: daemon.is_up)
                await asyncio.sleep(10)
                rate = await rate_mb_h(daemon)
            resting.cancel()
            await asyncio.gather(resting, return_exceptions=True)
            return rate

    async def rate_mb_h(daemon: Program) -> float:
        before, began_s = written_bytes(daemon), time.monotonic()
        await asyncio.sleep(WATCHED_S)
        return (written_bytes(daemon) - before) / (time.monotonic() - began_s) * 3600 / 1e6

    with mosquitto(tmp_path) as broker:
        profile = a_profile(tmp_path, broker.port)
        training_mb_h, idle_mb_h = asyncio.run(training(profile)), asyncio.run(idle(profile))
    figure("written to disk", f"{training_mb_h:.0f} MB an hour training, {idle_mb_h:.2f} MB an hour idle")
    assert training_mb_h <= 60
    assert idle_mb_h <= 1
